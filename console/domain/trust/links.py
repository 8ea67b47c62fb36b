"""Signed links for a tenant's administrators: what they are about, for whom, until when; never stored anywhere."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hmac import compare_digest

from console.domain.ids import MemberId, TenantId

_PART = re.compile(r"[A-Za-z0-9_-]{1,64}")
_WRAPPED = re.compile(r"~([A-Za-z0-9_-]{1,400})")  # a product's own ids of members are any text
_SIGNATURE = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"[0-9]{1,12}")


class LinkKind(StrEnum):
    """What a link opens."""

    CONSENT = "consent"
    POLICY = "policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What one link says.

    Shape: `subject` is the id of a consent, or the version of the access policy that it may change, so that either is
    good for one answer; `until` is exclusive, in whole seconds.
    """

    kind: LinkKind
    tenant: TenantId
    member: MemberId
    subject: str
    until: datetime

    def signed(self, sign: Callable[[str], str]) -> str:
        """Return the link's token; `sign` is a keyed digest of the house."""
        said = self._said()
        return f"{said}.{sign(_context(said))}"

    def _said(self) -> str:
        return f"{self.kind}.{self.tenant}.{_wrapped(self.member)}.{self.subject}.{int(self.until.timestamp())}"


def link_of(token: str, sign: Callable[[str], str], *, now: datetime) -> Link | None:
    """Return what a token says if it is ours and its time is not over; None tells nobody which of both failed."""
    said, _, signature = token.rpartition(".")
    parts = said.split(".")
    if len(parts) != 5 or not _SIGNATURE.fullmatch(signature):
        return None
    if not compare_digest(signature, sign(_context(said))):
        return None
    kind, tenant, wrapped, subject, until = parts
    member = _unwrapped(wrapped)
    if member is None or not all(map(_PART.fullmatch, (kind, tenant, subject))):
        return None
    if kind not in set(LinkKind) or not _NUMBER.fullmatch(until):
        return None
    ends = datetime.fromtimestamp(int(until), tz=UTC)
    if now >= ends:
        return None
    return Link(kind=LinkKind(kind), tenant=TenantId(tenant), member=MemberId(member), subject=subject, until=ends)


def _wrapped(text: str) -> str:
    """Return an id as one part of a token: itself where it can be, else in letters that are neither dot nor slash."""
    return text if _PART.fullmatch(text) else f"~{urlsafe_b64encode(text.encode()).decode().rstrip('=')}"


def _unwrapped(part: str) -> str | None:
    found = _WRAPPED.fullmatch(part)
    if found is None:
        return part if _PART.fullmatch(part) else None
    try:
        return urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4)).decode()
    except ValueError:
        return None


def _context(said: str) -> str:
    return f"customer link\n{said}"
