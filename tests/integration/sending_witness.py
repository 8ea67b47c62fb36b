"""What a receiver finds in its own log: the stored bytes, signed for the moment they came with a key it knows.

A receiver is believed because it shares no code with the sender: `v1` is checked by the reference library, `v1a` by
the bare primitive, both after the specification's own text. Ours is asked too, and must say the same.
"""

import base64
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from secrets import token_bytes
from typing import Any
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks import Webhook
from standardwebhooks import webhooks as reference

from console.adapters.webhook_signatures import signature_fault
from console.domain.webhooks import KeyAlgorithm

_BYTES = 32


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key of either kind that the receiver made, not the house."""

    algorithm: KeyAlgorithm
    raw: bytes

    @property
    def secret(self) -> str:
        """Return the form in which the house is told."""
        return ("whsec_" if self.algorithm is KeyAlgorithm.V1 else "whsk_") + base64.b64encode(self.raw).decode()

    @property
    def shown(self) -> str:
        """Return what a receiver needs to check: the same secret, or the public half."""
        if self.algorithm is KeyAlgorithm.V1:
            return self.secret
        public = Ed25519PrivateKey.from_private_bytes(self.raw).public_key()
        return "whpk_" + base64.b64encode(public.public_bytes_raw()).decode()

    def check(self, headers: Mapping[str, str], body: bytes, *, at: datetime) -> None:
        """Check one arrival as it was when it came. Raises: WebhookVerificationError, InvalidSignature."""
        if self.algorithm is KeyAlgorithm.V1:
            with patch.object(reference, "datetime", _stopped(at)):  # the library asks the clock of now
                Webhook(self.secret).verify(body, dict(headers))
            return
        version, _comma, text = headers["webhook-signature"].partition(",")
        assert version == "v1a", version
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        Ed25519PrivateKey.from_private_bytes(self.raw).public_key().verify(base64.b64decode(text), signed)


def known_key(algorithm: KeyAlgorithm) -> KnownKey:
    """Return a fresh key."""
    return KnownKey(algorithm, token_bytes(_BYTES))


def _stopped(at: datetime) -> type[datetime]:
    class Stopped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Stopped":
            return cls.fromtimestamp(at.timestamp(), tz)

    return Stopped


def authentic(
    log: Sequence[Mapping[str, Any]], payloads: Mapping[str, bytes], keys: Mapping[str, KnownKey]
) -> Mapping[KeyAlgorithm, int]:
    """Assert that every arrival holds its message's bytes under a signature of its own; return the repeats by kind.

    Shape: `payloads` by message and `keys` by path; a repeat is a pair of one message's arrivals in different seconds.
    """
    came: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for line in log:
        headers, body, key = line["headers"], line["body"].encode(), keys[line["path"]]
        at = datetime.fromtimestamp(line["at"], UTC)
        assert body == payloads[line["id"]], f"other bytes than stored: {line}"
        key.check(headers, body, at=at)
        fault = signature_fault(headers, body, keys=[key.shown], now=at)
        assert fault is None, f"{fault} {line}"
        came[line["id"]].append(line)
    repeats = dict.fromkeys(KeyAlgorithm, 0)
    for lines in came.values():
        assert len({(line["path"], line["body"]) for line in lines}) == 1
        stamps = {line["headers"]["webhook-timestamp"] for line in lines}
        signatures = {line["headers"]["webhook-signature"] for line in lines}
        assert len(signatures) == len(stamps), f"not one signature for each second: {lines}"
        repeats[keys[lines[0]["path"]].algorithm] += len(stamps) > 1
    return repeats
