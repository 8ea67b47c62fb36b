"""The inbox of providers' webhooks, and how their signatures are checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from console.domain.billing.objects import ObjectKind
from console.domain.ids import InboundId, TenantId
from console.domain.inbound import InboundEvent, InboundState


class Inbox(Protocol):
    """Events from providers inside one unit of the control store."""

    def add(self, event: InboundEvent) -> bool:
        """Keep an event; False when it came before."""
        ...

    def get(self, event: InboundId) -> InboundEvent | None:
        """Return one event."""
        ...

    def settle(
        self, event: InboundEvent, state: InboundState, *, at: datetime, because: str | None, tenant: TenantId | None
    ) -> bool:
        """Write how an event ended, by one conditional update on its version; False: was faster."""
        ...

    def reopen(self, event: InboundEvent) -> bool:
        """Make a settled event RECEIVED again; False: was faster."""
        ...

    def page(
        self, *, state: InboundState | None, event_type: str | None, before: InboundId | None, limit: int
    ) -> Sequence[InboundEvent]:
        """Return events newest first."""
        ...

    def counts(self) -> Mapping[InboundState, int]:
        """Return how many events stand in each state, counting no further than 10,000 each."""
        ...

    def known(self, provider: str, account: str, is_live: bool, event_ids: Sequence[str]) -> frozenset[str]:  # noqa: FBT001  part of the key
        """Return those event ids that the inbox has."""
        ...

    def waiting_of(self, customers: Sequence[str]) -> frozenset[str]:
        """Return the objects and customers that an event of some customers is about which waits to be processed."""
        ...

    def newest(self) -> str | None:
        """Return the provider's id of the event that came last."""
        ...

    def oldest_waiting(self) -> datetime | None:
        """Return when the event came that waits longest to be processed."""
        ...

    def failed_since(self, at: datetime) -> int:
        """Return how many events that came since then failed, counting no further than 10,000."""
        ...

    def ignored_since(self, at: datetime, *, because: str) -> Mapping[str, int]:
        """Return how many events of each type were ignored for one cause since then, of the newest 10,000."""
        ...

    def tenant_of_customer(self, customer: str) -> TenantId | None:
        """Return the tenant that a provider's customer id is mapped to in the directory."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What an authentic event says of itself; times as the provider gives them.

    Shape: `object_id` is the provider's id of what it is about, an invoice's number only where the event names no id.
    """

    event_id: str
    account: str
    is_live: bool
    event_type: str
    object_id: str | None
    customer: str | None
    made_at: datetime


class InboundVerifier(Protocol):
    """Knows one provider's signatures."""

    @property
    def provider(self) -> str:
        """Return the provider's name, which is the last part of the address it calls."""
        ...

    def verified(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Verified | str:
        """Return what an authentic event says, or why it is refused; header names are lower case."""
        ...

    def kind_of(self, event_type: str) -> ObjectKind | None:
        """Return what kind of object an event of a type is about; None for a type that nothing here handles."""
        ...

    def listed(self, event: "ListedEvent") -> Verified | str:
        """Return what an event that we fetched ourselves says, or why it cannot be read."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedEvent:
    """An event as the provider lists it."""

    event_id: str
    event_type: str
    made_at: datetime
    payload: bytes


class ProviderEvents(Protocol):
    """Asks the provider which events it made, so that a gap shows."""

    def since(self, at: datetime, *, limit: int, after: str | None = None) -> Sequence[ListedEvent]:
        """Return events from then on, or those behind the event `after`, oldest first. Raises: OutsideError."""
        ...
