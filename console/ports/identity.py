"""The identity provider that staff sign in with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What the identity provider vouches for, already verified (signature, issuer, audience, nonce, time)."""

    issuer: str
    subject: str
    name: str
    email: str
    groups: frozenset[str]
    acr: str
    authenticated_at: datetime | None
    sid: str | None


class IdentityProvider(Protocol):
    """Speaks OpenID Connect: authorization code with PKCE."""

    def begin(self, *, redirect_uri: str, max_age_s: int | None) -> tuple[str, Mapping[str, str]]:
        """Return where to send the browser, and what must be kept for `finish`; raises OutsideError."""
        ...

    def finish(self, *, callback_url: str, kept: Mapping[str, str]) -> Claims:
        """Return the verified claims; raises BadValueError for a wrong answer, OutsideError for none."""
        ...
