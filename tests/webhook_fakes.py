"""Stand-ins for the world that webhooks are sent to: nothing leaves, and keys sign with a known secret."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from console.domain.ids import MessageId
from console.domain.webhooks import AttemptOutcome, EndpointKey, KeyAlgorithm
from console.ports.sending import Answer, NewKey


@dataclass
class QuietOutbound:
    """Answers everything with one answer and remembers what was sent."""

    answer: Answer = field(default_factory=lambda: Answer(outcome=AttemptOutcome.SUCCESS, status=200, took_ms=1))
    sent: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)

    def fault_of(self, url: str) -> str | None:
        return None if url.startswith("http") else "use https://"

    def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        self.sent.append((url, headers, body))
        return self.answer


class OpenKeys:
    """Keys whose seal everybody can open."""

    def make(self, algorithm: KeyAlgorithm) -> NewKey:
        return self.seal("whsec_made" if algorithm is KeyAlgorithm.V1 else "whsk_made")

    def seal(self, secret: str) -> NewKey:
        public = "whpk_public" if secret.startswith("whsk_") else None
        return NewKey(sealed=f"sealed:{secret[::-1]}", secret=secret, public=public)

    def headers(
        self, keys: Sequence[EndpointKey], *, message: MessageId, at: datetime, body: bytes
    ) -> Mapping[str, str]:
        stamp = str(int(at.timestamp()))
        signed = f"{message}.{stamp}.".encode() + body
        marks = [f"v1,{hmac.new(key.sealed.encode(), signed, 'sha256').hexdigest()}" for key in keys]
        return {"webhook-id": message, "webhook-timestamp": stamp, "webhook-signature": " ".join(marks)}
