"""Checks signatures of Standard Webhooks 1.0 as a receiver does: every key, both versions, a clock with two sides."""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from hmac import compare_digest

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from console.adapters.webhook_keys import PUBLIC, SYMMETRIC, signer_of
from console.domain.errors import BadValueError

TOLERANCE = timedelta(minutes=5)
_MOST_SIGNATURES = 20


def signature_fault(
    headers: Mapping[str, str], body: bytes, *, keys: Sequence[str], now: datetime, tolerance: timedelta = TOLERANCE
) -> str | None:
    """Return why a message is not authentic, or None.

    Shape: header names are lower case; `keys` are `whsec_…` secrets and `whpk_…` public keys, any of which will do.
    """
    message, stamp, given = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not (message and stamp and given):
        return "A header is missing."
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        return "The timestamp is not a number of seconds."
    if abs(now.timestamp() - int(stamp)) > tolerance.total_seconds():
        return "The timestamp is too old or too new."
    signed = b".".join((message.encode(), stamp.encode(), body))
    signatures = list(_signatures(given))
    if any(_fits(key, signed, version, raw) for key in keys for version, raw in signatures):
        return None
    return "No signature fits."


def _signatures(given: str) -> Iterator[tuple[str, bytes]]:
    for part in given.split(" ")[:_MOST_SIGNATURES]:
        version, comma, text = part.partition(",")
        if not comma:
            continue
        try:
            yield version, base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            continue


def _fits(key: str, signed: bytes, version: str, raw: bytes) -> bool:
    if key.startswith(PUBLIC):
        if version != "v1a":
            return False
        try:
            public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key.removeprefix(PUBLIC), validate=True))
            public.verify(raw, signed)
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return True
    if version != "v1" or not key.startswith(SYMMETRIC):
        return False
    try:
        expected = signer_of(key)(signed)
    except BadValueError:
        return False
    return compare_digest(expected.partition(",")[2], base64.b64encode(raw).decode())
