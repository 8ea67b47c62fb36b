"""Passwords, one-time codes and keyed digests."""

from datetime import datetime
from typing import Protocol


class Passwords(Protocol):
    """Hashes and checks passwords with a memory-hard function."""

    def hashed(self, password: str) -> str:
        """Return a salted hash with its parameters."""
        ...

    def matches(self, password: str, stored: str | None) -> bool:
        """Return whether a password is right; takes as long when nothing is stored."""
        ...

    def fault(self, password: str, *, email: str = "") -> str | None:
        """Return why a new password is not good enough, or None."""
        ...


class OneTimeCodes(Protocol):
    """Time-based one-time codes (RFC 6238)."""

    def new_sealed(self) -> str:
        """Return a fresh secret, sealed for storage."""
        ...

    def provisioning_uri(self, sealed: str, *, account: str) -> str:
        """Return the address that an authenticator app scans."""
        ...

    def step_of(self, sealed: str, code: str, *, now: datetime) -> int | None:
        """Return the time step that a code belongs to (one step of drift either way), or None."""
        ...


class Fingerprints(Protocol):
    """Keyed digests, so that a stored key cannot be guessed from a dictionary."""

    def of(self, text: str) -> str:
        """Return hex HMAC-SHA-256 of a text under the house's own key."""
        ...
