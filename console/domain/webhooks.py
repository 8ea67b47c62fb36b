"""Webhooks as they stand on a tenant's plane: endpoints and keys, immutable messages, deliveries, attempts."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from console.domain.ids import DeliveryId, EndpointId, MessageId, RunId

SHOWN_BODY_BYTES = 4_096  # of an answer, kept with the attempt


class EndpointState(StrEnum):
    """Whether an endpoint is sent to."""

    ACTIVE = "active"
    PAUSED = "paused"
    DISABLED = "disabled"
    DELETED = "deleted"


class KeyAlgorithm(StrEnum):
    """How a key signs, in the words of Standard Webhooks."""

    V1 = "v1"
    V1A = "v1a"


class MessageKind(StrEnum):
    """What a message says: something that happened, the same told anew, the present state, or a test."""

    EVENT = "event"
    REEMIT = "reemit"
    SNAPSHOT = "snapshot"
    TEST = "test"


class DeliveryState(StrEnum):
    """Where one message stands with one endpoint."""

    QUEUED = "queued"
    SENDING = "sending"
    RETRY_SCHEDULED = "retry_scheduled"
    HELD = "held"
    DELIVERED = "delivered"
    EXHAUSTED = "exhausted"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"

    @property
    def words(self) -> str:
        """Return the state as pages call it."""
        return {"exhausted": "gave up", "sending": "being sent"}.get(self.value, self.value.replace("_", " "))


class Trigger(StrEnum):
    """Why an attempt was made."""

    SCHEDULED = "scheduled"
    RESEND = "resend"
    BULK = "bulk"
    TEST = "test"


class AttemptOutcome(StrEnum):
    """How an attempt ended; only SUCCESS is a delivery."""

    SUCCESS = "2xx"
    REDIRECT = "3xx"
    REFUSED = "4xx"
    GONE = "410"
    SLOW_DOWN = "429"
    SERVER_ERROR = "5xx"
    TIMEOUT = "timeout"
    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TOO_LARGE = "too_large"
    BLOCKED_ADDRESS = "blocked_address"
    INTERRUPTED = "interrupted"  # the sender stopped in the middle: nobody knows whether it arrived


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A token bucket. Units: `tokens` in thousandths of a token, as they stood `at` that moment."""

    tokens: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a tenant wants to be told, of which events, and how it has been answering lately.

    Shape: no `event_types` means all; `version` moves with every change by staff or by the sender's judgement.
    Units: `rate_per_s` messages per second.
    """

    id: EndpointId
    url: str
    description: str
    event_types: tuple[str, ...]
    state: EndpointState
    because: str | None
    rate_per_s: int
    created_at: datetime
    version: int
    disabled_at: datetime | None = None
    failing_since: datetime | None = None
    failures_in_row: int = 0
    warned_at: datetime | None = None
    breaker_until: datetime | None = None
    bucket: Bucket | None = None
    claimed_by: str | None = None
    claimed_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointKey:
    """A key that signs for one endpoint; the secret lies sealed, `public` is shown for asymmetric keys.

    Shape: `expires_at` is None for the newest key; an older one signs beside it until then.
    """

    id: str
    endpoint: EndpointId
    algorithm: KeyAlgorithm
    sealed: str
    public: str | None
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is told, byte for byte; never changed. `payload` is None once its retention has ended."""

    id: MessageId
    event_type: str
    kind: MessageKind
    payload: bytes | None
    created_at: datetime
    expires_at: datetime
    replay_of: MessageId | None = None
    subject: str | None = None  # the object it speaks of, such as an invoice number, for snapshots


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message on its way to one endpoint.

    Shape: `due_at` says when a sender may take it (for SENDING: when the claim of its sender lapses), None when nobody
    will; `attempts` counts all, `tries` those of the automatic schedule; `reason` says why it is held, suppressed,
    exhausted or cancelled; `run` is the bulk replay that holds it now; `delivered_at` is when it first arrived.
    """

    id: DeliveryId
    message: MessageId
    endpoint: EndpointId
    event_type: str
    state: DeliveryState
    created_at: datetime
    due_at: datetime | None
    trigger: Trigger = Trigger.SCHEDULED
    attempts: int = 0
    tries: int = 0
    reason: str | None = None
    last_outcome: AttemptOutcome | None = None
    last_status: int | None = None
    last_at: datetime | None = None
    delivered_at: datetime | None = None
    fingerprint: str | None = None
    run: RunId | None = None
    claimed_by: str | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try of one delivery; append-only. Headers are redacted and the answer's body is cut before they come here.

    Units: `took_ms` milliseconds.
    """

    id: str
    delivery: DeliveryId
    endpoint: EndpointId
    number: int
    trigger: Trigger
    run: RunId | None
    started_at: datetime
    took_ms: int
    outcome: AttemptOutcome
    status: int | None
    error: str | None
    keys: tuple[str, ...]
    sent_headers: tuple[tuple[str, str], ...]
    got_headers: tuple[tuple[str, str], ...]
    got_body: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetters:
    """Exhausted deliveries of one endpoint that failed in the same way; outcome and status are those of one of them."""

    endpoint: EndpointId
    fingerprint: str
    count: int
    oldest_at: datetime
    newest_at: datetime
    outcome: AttemptOutcome | None = None
    status: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What came of an endpoint's attempts in one hour."""

    hour: datetime
    succeeded: int
    failed: int
