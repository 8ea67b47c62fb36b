"""Local passwords: argon2id, and why a new one is not good enough."""

import secrets
import unicodedata
from base64 import b64encode
from threading import BoundedSemaphore

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from console.adapters.common_passwords import is_common

SHORTEST = 15
LONGEST = 256
MEMORY_KIB = 64 * 1024
_SHORTEST_NAME = 4


class Argon2Passwords:
    """Hashes with argon2id (64 MiB, 3 rounds: the second choice of RFC 9106); at most `at_once` in parallel.

    Shape: the bound on parallel hashing keeps a burst of sign-ins from taking all memory.
    """

    def __init__(self, *, memory_kib: int = MEMORY_KIB, rounds: int = 3, lanes: int = 4, at_once: int = 4) -> None:
        self._hasher = PasswordHasher(
            time_cost=rounds, memory_cost=memory_kib, parallelism=lanes, hash_len=32, salt_len=16, type=Type.ID
        )
        self._turns = BoundedSemaphore(at_once)
        salt, digest = (b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (16, 32))
        self._nobody = (
            f"$argon2id$v=19$m={memory_kib},t={rounds},p={lanes}${salt}${digest}"  # costs as much as any other
        )

    def hashed(self, password: str) -> str:
        """Return a salted hash with its parameters. Raises: ValueError for a password that is far too long."""
        if len(password) > LONGEST:
            raise ValueError(f"a password has at most {LONGEST} letters")
        with self._turns:
            return self._hasher.hash(_normal(password))

    def matches(self, password: str, stored: str | None) -> bool:
        """Return whether a password is right; takes as long when nothing is stored."""
        with self._turns:
            try:
                self._hasher.verify(stored or self._nobody, _normal(password[:LONGEST]))
            except (VerificationError, InvalidHashError):
                return False
        return stored is not None and len(password) <= LONGEST

    def fault(self, password: str, *, email: str = "") -> str | None:
        """Return why a new password is not good enough, or None; there are no rules of composition."""
        plain = _normal(password)
        if len(plain) < SHORTEST:
            return f"Use at least {SHORTEST} letters; a few words in a row are fine."
        if len(plain) > LONGEST:
            return f"Use at most {LONGEST} letters."
        name = email.partition("@")[0].casefold()
        if len(name) >= _SHORTEST_NAME and name in plain.casefold():
            return "Leave your own name out of it."
        if is_common(plain):
            return "This is among the first that somebody would try; choose words that do not belong together."
        return None


def _normal(password: str) -> str:
    """Return the text as it is hashed, so that two keyboards make one password (SP 800-63B: NFKC)."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace").decode()
