"""What sending webhooks needs from the world: who has something to send, a way out, keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from console.domain.ids import EndpointId, MessageId, PlaneId, TenantId
from console.domain.webhooks import (
    AttemptOutcome,
    EndpointKey,
    KeyAlgorithm,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DueEndpoint:
    """An endpoint that has something to send; nothing else is known of it without a scope."""

    plane: PlaneId
    tenant: TenantId
    endpoint: EndpointId


class WebhookFleet(Protocol):
    """Which tenants have something to send, over all planes: ids and times only."""

    def due(self, now: datetime, *, limit: int) -> Sequence[DueEndpoint]:
        """Return endpoints with due deliveries, longest waiting first; a silent plane is left out."""
        ...

    def unfanned(self, *, limit: int) -> Sequence[tuple[PlaneId, TenantId]]:
        """Return tenants with messages that nobody has addressed yet."""
        ...

    def expired(self, now: datetime, *, limit: int) -> Sequence[tuple[PlaneId, TenantId]]:
        """Return tenants with payloads whose retention has ended."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back from a receiver. Shape: `body` is cut to SHOWN_BODY_BYTES. Units: `took_ms` milliseconds."""

    outcome: AttemptOutcome
    status: int | None
    took_ms: int
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    error: str | None = None


class Outbound(Protocol):
    """The only way out of the house by HTTP: addresses are checked, pinned, never followed."""

    def fault_of(self, url: str) -> str | None:
        """Return why an address may not be called, with the remedy, or None; resolves names."""
        ...

    def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send and return how it ended; never raises for what a receiver does."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A fresh key: `secret` is shown once, `sealed` is stored, `public` is for receivers of asymmetric keys."""

    sealed: str
    secret: str
    public: str | None


class WebhookKeys(Protocol):
    """Makes keys and signs with them, after Standard Webhooks 1.0."""

    def make(self, algorithm: KeyAlgorithm) -> NewKey:
        """Return a fresh key."""
        ...

    def seal(self, secret: str) -> NewKey:
        """Return a known secret (`whsec_…` or `whsk_…`) sealed. Raises: BadValueError."""
        ...

    def headers(
        self, keys: Sequence[EndpointKey], *, message: MessageId, at: datetime, body: bytes
    ) -> Mapping[str, str]:
        """Return webhook-id, webhook-timestamp and webhook-signature with one signature for each key."""
        ...
