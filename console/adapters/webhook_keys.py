"""Keys that sign webhooks after Standard Webhooks 1.0, sealed at rest, several at once while one is rotated."""

import base64
import binascii
import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from threading import Lock

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from console.adapters.sealing import Seal, SealBrokenError
from console.domain.errors import BadValueError
from console.domain.ids import MessageId
from console.domain.webhooks import EndpointKey, KeyAlgorithm
from console.ports.sending import NewKey

SYMMETRIC, PRIVATE, PUBLIC = "whsec_", "whsk_", "whpk_"
_PURPOSE = "sallyport webhook signing key v1"
_NEW_BYTES = 32
_SEED_BYTES = 32
_SYMMETRIC_BYTES = range(24, 65)
_PRIVATE_BYTES = (32, 64)  # the seed, or the seed and the public key as libsodium writes them
_MOST_OPENED = 1_024

Signer = Callable[[bytes], str]


class SealedWebhookKeys:
    """Makes and seals keys, and signs with them; opened keys are remembered while the process runs."""

    def __init__(self, sealing_key: str) -> None:
        self._seal = Seal(sealing_key, purpose=_PURPOSE)
        self._signers: dict[str, Signer] = {}
        self._lock = Lock()

    def make(self, algorithm: KeyAlgorithm) -> NewKey:
        """Return a fresh key."""
        raw = secrets.token_bytes(_NEW_BYTES)
        if algorithm is KeyAlgorithm.V1:
            return self.seal(SYMMETRIC + _text(raw))
        return self.seal(
            PRIVATE + _text(raw + Ed25519PrivateKey.from_private_bytes(raw).public_key().public_bytes_raw())
        )

    def seal(self, secret: str) -> NewKey:
        """Return a known secret (`whsec_…` or `whsk_…`) sealed. Raises: BadValueError."""
        algorithm, raw = _parsed(secret)
        public = None
        if algorithm is KeyAlgorithm.V1A:
            key = Ed25519PrivateKey.from_private_bytes(raw[:_SEED_BYTES]).public_key().public_bytes_raw()
            if len(raw) > _SEED_BYTES and raw[_SEED_BYTES:] != key:
                raise _wrong("its public half does not belong to its private half.")
            public = PUBLIC + _text(key)
        return NewKey(sealed=self._seal.sealed(secret), secret=secret, public=public)

    def headers(
        self, keys: Sequence[EndpointKey], *, message: MessageId, at: datetime, body: bytes
    ) -> Mapping[str, str]:
        """Return webhook-id, webhook-timestamp and webhook-signature with one signature for each key.

        Raises: BadValueError without a key or for an id with a full stop, SealBrokenError for a key sealed elsewhere.
        Source: Standard Webhooks 1.0.0.
        """
        if not keys or "." in message:
            raise BadValueError("A message needs a key and an id without a full stop.", field="message")
        stamp = str(int(at.timestamp()))
        signed = b".".join((message.encode(), stamp.encode(), body))
        signatures = " ".join(self._signer(key)(signed) for key in keys)
        return {"webhook-id": message, "webhook-timestamp": stamp, "webhook-signature": signatures}

    def _signer(self, key: EndpointKey) -> Signer:
        with self._lock:
            known = self._signers.get(key.sealed)
        if known is not None:
            return known
        secret = self._seal.opened(key.sealed)
        if secret is None:
            raise SealBrokenError("A signing key cannot be opened with this sealing key; rotate it.", key=key.id)
        made = signer_of(secret)
        with self._lock:
            if len(self._signers) >= _MOST_OPENED:
                self._signers.clear()
            self._signers[key.sealed] = made
        return made


def signer_of(secret: str) -> Signer:
    """Return what signs with a secret. Raises: BadValueError."""
    algorithm, raw = _parsed(secret)
    if algorithm is KeyAlgorithm.V1A:
        private = Ed25519PrivateKey.from_private_bytes(raw[:_SEED_BYTES])
        return lambda signed: f"{KeyAlgorithm.V1A.value},{_text(private.sign(signed))}"
    return lambda signed: f"{KeyAlgorithm.V1.value},{_text(_mac(raw, signed))}"


def _mac(key: bytes, signed: bytes) -> bytes:
    return hmac.digest(key, signed, "sha256")


def _parsed(secret: str) -> tuple[KeyAlgorithm, bytes]:
    for prefix, algorithm, lengths in (
        (SYMMETRIC, KeyAlgorithm.V1, _SYMMETRIC_BYTES),
        (PRIVATE, KeyAlgorithm.V1A, _PRIVATE_BYTES),
    ):
        if not secret.startswith(prefix):
            continue
        try:
            raw = base64.b64decode(secret.removeprefix(prefix), validate=True)
        except (binascii.Error, ValueError):
            raise _wrong("what follows the underscore must be base64.") from None
        if len(raw) not in lengths:
            raise _wrong(f"{len(raw)} bytes are too few or too many.")
        return algorithm, raw
    raise _wrong(f"it must begin with {SYMMETRIC} or {PRIVATE}.")


def _wrong(why: str) -> BadValueError:
    return BadValueError(f"This is no signing secret: {why}", field="secret", remedy="Paste it whole.")


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
