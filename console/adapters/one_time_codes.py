"""Time-based one-time codes whose secrets lie sealed in the database."""

import hmac
import re
from datetime import datetime

import pyotp

from console.adapters.sealing import Seal, SealBrokenError

ISSUER = "Sallyport"
STEP_SECONDS = 30
_PURPOSE = "sallyport one-time code secret v1"
_CODE = re.compile(r"[0-9]{6}")


class SealedOneTimeCodes:
    """RFC 6238 codes of six digits; secrets are sealed with AES-256-GCM under the sealing key."""

    def __init__(self, sealing_key: str, *, issuer: str = ISSUER) -> None:
        self._seal = Seal(sealing_key, purpose=_PURPOSE)
        self._issuer = issuer

    def new_sealed(self) -> str:
        """Return a fresh secret of 160 bits, sealed for storage."""
        return self.sealed(pyotp.random_base32())

    def sealed(self, secret: str) -> str:
        """Return a known base32 secret, sealed for storage."""
        return self._seal.sealed(secret)

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
        secret = self._seal.opened(sealed)
        if secret is None:
            message = "A one-time code secret cannot be opened with this sealing key; enrol the person again."
            raise SealBrokenError(message)
        return secret
