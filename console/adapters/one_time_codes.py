"""Time-based one-time codes whose secrets lie sealed in the database."""

import base64
import binascii
import hmac
import re
import secrets
from datetime import datetime
from typing import NoReturn

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from console.domain.errors import ConsoleError

ISSUER = "Sallyport"
STEP_SECONDS = 30
_NONCE_BYTES = 12
_VERSION = "v1."
_PURPOSE = b"sallyport one-time code secret v1"
_CODE = re.compile(r"[0-9]{6}")


class SealBrokenError(ConsoleError):
    """A sealed secret cannot be opened: another sealing key, or the row was changed."""

    code = "seal_broken"


class SealedOneTimeCodes:
    """RFC 6238 codes of six digits; secrets are sealed with AES-256-GCM under the sealing key."""

    def __init__(self, sealing_key: str, *, issuer: str = ISSUER) -> None:
        key = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(sealing_key.encode())
        self._seal = AESGCM(key)
        self._issuer = issuer

    def new_sealed(self) -> str:
        """Return a fresh secret of 160 bits, sealed for storage."""
        return self.sealed(pyotp.random_base32())

    def sealed(self, secret: str) -> str:
        """Return a known base32 secret, sealed for storage."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        raw = nonce + self._seal.encrypt(nonce, secret.encode(), _PURPOSE)
        return _VERSION + base64.urlsafe_b64encode(raw).decode()

    def provisioning_uri(self, sealed: str, *, account: str) -> str:
        """Return the address that an authenticator app scans."""
        return pyotp.TOTP(self._opened(sealed)).provisioning_uri(name=account, issuer_name=self._issuer)

    def step_of(self, sealed: str, code: str, *, now: datetime) -> int | None:
        """Return the time step that a code belongs to (one step of drift either way), or None.

        Shape: the caller stores the step and refuses it, and any before it, from then on.
        """
        totp = pyotp.TOTP(self._opened(sealed))
        typed = code.replace(" ", "")
        if not _CODE.fullmatch(typed):
            return None
        present = int(now.timestamp()) // STEP_SECONDS
        found = None
        for step in (present - 1, present, present + 1):
            if hmac.compare_digest(totp.generate_otp(step), typed):
                found = step
        return found

    def _opened(self, sealed: str) -> str:
        if not sealed.startswith(_VERSION):
            _refuse()
        try:
            raw = base64.urlsafe_b64decode(sealed.removeprefix(_VERSION))
            return self._seal.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _PURPOSE).decode()
        except (binascii.Error, ValueError, InvalidTag):
            _refuse()


def _refuse() -> NoReturn:
    message = "A one-time code secret cannot be opened with this sealing key; enrol the person again."
    raise SealBrokenError(message)
