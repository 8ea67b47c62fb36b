"""Secrets that lie sealed in the database: AES-256-GCM under a key derived from the sealing key for one purpose."""

import base64
import binascii
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from console.domain.errors import ConsoleError

_NONCE_BYTES = 12
_VERSION = "v1."


class SealBrokenError(ConsoleError):
    """A sealed secret cannot be opened: another sealing key, another purpose, or the row was changed."""

    code = "seal_broken"


class Seal:
    """Seals and opens texts; what was sealed for one purpose cannot be opened for another."""

    def __init__(self, sealing_key: str, *, purpose: str) -> None:
        self._purpose = purpose.encode()
        key = HKDF(algorithm=SHA256(), length=32, salt=None, info=self._purpose).derive(sealing_key.encode())
        self._cipher = AESGCM(key)

    def sealed(self, text: str) -> str:
        """Return a text as it may be stored; never the same twice."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        raw = nonce + self._cipher.encrypt(nonce, text.encode(), self._purpose)
        return _VERSION + base64.urlsafe_b64encode(raw).decode()

    def opened(self, sealed: str) -> str | None:
        """Return the text, or None when this key and purpose did not seal it."""
        if not sealed.startswith(_VERSION):
            return None
        try:
            raw = base64.urlsafe_b64decode(sealed.removeprefix(_VERSION))
            return self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], self._purpose).decode()
        except (binascii.Error, ValueError, InvalidTag):
            return None
