"""How one search box understands what was typed into it."""

import re
import unicodedata
from dataclasses import dataclass

from console.domain.tenancy import SearchKind

SHORTEST_FRAGMENT = 3
LONGEST_QUERY = 200
_INVOICE = re.compile(r"inv[-_][a-z0-9-]{3,60}", re.IGNORECASE)
_CUSTOMER = re.compile(r"cus_[a-z0-9]{3,60}", re.IGNORECASE)
_MESSAGE = re.compile(r"msg_[a-z0-9]{3,60}", re.IGNORECASE)
_TENANT_ID = re.compile(r"ten_[a-z0-9]{3,60}", re.IGNORECASE)
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
    exact = (
        (_TENANT_ID, SearchKind.ID),
        (_INVOICE, SearchKind.INVOICE),
        (_CUSTOMER, SearchKind.CUSTOMER),
        (_MESSAGE, SearchKind.MESSAGE),
    )
    for pattern, kind in exact:
        if pattern.fullmatch(text):
            return SearchTerms(text=text, kinds=(kind,))
    address = folded(text.replace("%40", "@"))  # so it is written in links
    if "@" in address:
        return SearchTerms(text=address, kinds=(SearchKind.MEMBER_EMAIL,))
    kinds: list[SearchKind] = []
    if _SLUG.fullmatch(text.lower()):
        kinds.append(SearchKind.SLUG)
    if _DOMAIN.fullmatch(text):
        kinds.append(SearchKind.DOMAIN)
    if len(text) >= SHORTEST_FRAGMENT:
        kinds.append(SearchKind.NAME)
    fault = None if kinds else f"Type at least {SHORTEST_FRAGMENT} characters of a name."
    return SearchTerms(text=text, kinds=tuple(kinds), fault=fault)


def folded(text: str) -> str:
    """Return the form in which names, domains and addresses are compared: NFKC, case-folded, one space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
