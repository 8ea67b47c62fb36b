"""Webhooks that providers send to us: kept as they came, believed only as hints."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from console.domain.ids import InboundId, TenantId


class InboundState(StrEnum):
    """Where an event from a provider stands."""

    RECEIVED = "received"
    PROCESSED = "processed"
    IGNORED = "ignored"  # a type that nothing here handles; kept and counted
    QUARANTINED = "quarantined"  # no tenant is known for it, or its object does not exist at the provider
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundEvent:
    """One verified event. `event_id` is the provider's own, or the fingerprint of timestamp and body where it has none.

    Shape: unique by (provider, account, is_live, event_id); `payload` is evidence only, never written from;
    `is_fetched` says that it never came and was asked for when the gap showed.
    """

    id: InboundId
    provider: str
    account: str
    is_live: bool
    event_id: str
    event_type: str
    object_id: str | None
    customer: str | None
    made_at: datetime
    received_at: datetime
    payload: bytes
    state: InboundState
    tenant: TenantId | None = None
    because: str | None = None
    is_fetched: bool = False
    attempts: int = 0
    settled_at: datetime | None = None
    version: int = 1
