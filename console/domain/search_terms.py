"""How one search box understands what was typed into it."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from console.domain.tenancy import SearchKind

SHORTEST_FRAGMENT = 3
LONGEST_QUERY = 200
# An id or a number by its very shape: no tenant is called so. A number need not look like this, and many do not.
_NO_NAME = re.compile(r"(ten|inv|in|cus|msg)_[a-z0-9-]{3,60}|inv-[a-z0-9-]*[0-9][a-z0-9-]*", re.IGNORECASE)
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.IGNORECASE)
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTerms:
    """A search text and the ways in which it can be looked up, most exact first."""

    text: str
    kinds: tuple[SearchKind, ...]
    fault: str | None = None

    @property
    def is_personal(self) -> bool:
        """Return whether the text is somebody's address, which is nothing to keep as it is."""
        return SearchKind.MEMBER_EMAIL in self.kinds


def understood(typed: str) -> SearchTerms:
    """Return what kind of key a text can be; a text that is too short or too long carries a fault."""
    text = unicodedata.normalize("NFC", typed).replace("\x00", "").strip()
    if not text:
        return SearchTerms(text="", kinds=())
    if len(text) > LONGEST_QUERY:
        return SearchTerms(text=text[:LONGEST_QUERY], kinds=(), fault=f"Type at most {LONGEST_QUERY} characters.")
    address = folded(text.replace("%40", "@"))  # so it is written in links
    if "@" in address:
        return SearchTerms(text=address, kinds=(SearchKind.MEMBER_EMAIL,))
    kinds = tuple(_kinds(text))
    fault = None if kinds else f"Type at least {SHORTEST_FRAGMENT} characters of a name."
    return SearchTerms(text=text, kinds=kinds, fault=fault)


def _kinds(text: str) -> Iterator[SearchKind]:
    """Yield what a text can be; a company's own ids and numbers have any shape, and one statement looks them all up."""
    has_digit = any(sign.isdigit() for sign in text)
    if _SLUG.fullmatch(text.lower()):
        yield SearchKind.SLUG
    if has_digit or (len(text) >= SHORTEST_FRAGMENT and len(text.split()) == 1):
        yield SearchKind.ID
        if _DOMAIN.fullmatch(text):
            yield SearchKind.DOMAIN
        yield from (SearchKind.INVOICE, SearchKind.CUSTOMER, SearchKind.MESSAGE)
    if len(text) >= SHORTEST_FRAGMENT and not _NO_NAME.fullmatch(text):
        yield SearchKind.NAME


def folded(text: str) -> str:
    """Return the form in which names, domains and addresses are compared: NFKC, case-folded, one space."""
    same = text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()
    return " ".join(same.split())
