"""Webhooks of one tenant, reached only with a TenantScope."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from console.domain.ids import DeliveryId, Digest, EndpointId, MessageId, RunId
from console.domain.replays import Candidate, ItemState, Run, RunItem, RunState, Selector
from console.domain.webhooks import (
    Attempt,
    Bucket,
    DeadLetters,
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointKey,
    Health,
    Message,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """Which deliveries a list shows; None means all. The range is [since, until)."""

    endpoint: EndpointId | None = None
    state: DeliveryState | None = None
    event_type: str | None = None
    message: MessageId | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What one attempt leaves behind: the attempt and the delivery as it stands after it."""

    attempt: Attempt
    delivery: Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemOutcome:
    """How one planned delivery stands after an attempt or a refusal; `tries` counts attempts of its run."""

    delivery: DeliveryId
    state: ItemState
    tries: int
    reason: str | None


class WebhookBook(Protocol):
    """The webhooks of one tenant inside one transaction."""

    # --- endpoints and keys ---
    def endpoints(self, *, with_deleted: bool = False) -> Sequence[Endpoint]:
        """Return the endpoints in order of creation."""
        ...

    def endpoint(self, endpoint: EndpointId) -> Endpoint | None:
        """Return one endpoint, deleted ones too."""
        ...

    def add_endpoint(self, endpoint: Endpoint) -> None:
        """Store a new endpoint. Raises: ConflictError."""
        ...

    def change_endpoint(self, endpoint: Endpoint, *, version: int) -> bool:
        """Write all fields but the claim by one conditional update on `version`, which moves; False: was faster."""
        ...

    def keys(self, endpoint: EndpointId, *, now: datetime) -> Sequence[EndpointKey]:
        """Return the keys that sign now, newest first."""
        ...

    def add_key(self, key: EndpointKey, *, older_until: datetime) -> None:
        """Store a new key and let every older live one end at `older_until`, or when it would have ended before."""
        ...

    def health(self, endpoint: EndpointId, *, since: datetime, until: datetime) -> Sequence[Health]:
        """Return attempts by hour in [since, until), oldest first, hours without any left out."""
        ...

    # --- messages and deliveries ---
    def message(self, message: MessageId) -> Message | None:
        """Return one message."""
        ...

    def messages(self, wanted: Sequence[MessageId]) -> Mapping[MessageId, Message]:
        """Return several messages by id."""
        ...

    def add_message(self, message: Message, deliveries: Sequence[Delivery]) -> None:
        """Store a message together with its deliveries. Raises: ConflictError."""
        ...

    def unfanned(self, *, limit: int) -> Sequence[Message]:
        """Return messages that nobody has taken note of yet, oldest first: the product's, and our own."""
        ...

    def addressed_among(self, messages: Sequence[MessageId]) -> frozenset[MessageId]:
        """Return those messages that have deliveries: our own are stored with them."""
        ...

    def fan_out(self, message: MessageId, deliveries: Sequence[Delivery], *, at: datetime) -> bool:
        """Take note of a message and address it; False when that was done before."""
        ...

    def deliveries(self, which: DeliveryFilter, *, before: DeliveryId | None, limit: int) -> Sequence[Delivery]:
        """Return deliveries newest first by (created_at, id); `before` is the last of the page before."""
        ...

    def delivery(self, delivery: DeliveryId) -> Delivery | None:
        """Return one delivery."""
        ...

    def named(self, deliveries: Sequence[DeliveryId]) -> Mapping[DeliveryId, Delivery]:
        """Return several deliveries by id."""
        ...

    def deliveries_of(self, message: MessageId) -> Sequence[Delivery]:
        """Return where a message went."""
        ...

    def change_delivery(self, delivery: Delivery, *, version: int) -> bool:
        """Write the fields that move by one conditional update on `version`, which moves; False: was faster."""
        ...

    def attempts(self, delivery: DeliveryId, *, limit: int) -> Sequence[Attempt]:
        """Return the attempts of a delivery, newest first."""
        ...

    def dead_letters(self, *, limit: int) -> Sequence[DeadLetters]:
        """Return exhausted deliveries grouped by endpoint and fingerprint, largest first."""
        ...

    def event_types(self, *, limit: int) -> Sequence[str]:
        """Return the event types that this tenant has been told of, in order of name."""
        ...

    # --- sending ---
    def claim_endpoint(self, endpoint: EndpointId, *, by: str, now: datetime, until: datetime) -> bool:
        """Take an endpoint for one sender; False while another one's claim has not lapsed."""
        ...

    def release_endpoint(self, endpoint: Endpoint, *, by: str) -> None:
        """Give an endpoint back, with the health, bucket and breaker that the sender leaves behind."""
        ...

    def due(self, endpoint: EndpointId, *, now: datetime, limit: int) -> Sequence[Delivery]:
        """Return deliveries whose `due_at` has come, also those whose sender vanished, oldest first."""
        ...

    def claim_deliveries(self, deliveries: Sequence[Delivery], *, by: str, until: datetime) -> Sequence[Delivery]:
        """Mark deliveries SENDING until then and return them as they stand now; those that moved are left out."""
        ...

    def settle(self, results: Iterable[Settled], *, by: str) -> int:
        """Append attempts and write deliveries that `by` still holds; return how many it did not hold any more.

        Shape: what is not held any more leaves no attempt either: who took it over has said that it was interrupted.
        """
        ...

    def give_back(self, deliveries: Sequence[Delivery], *, by: str) -> int:
        """Write state and `due_at` of claimed deliveries that were not tried after all; return how many `by` held."""
        ...

    def tenant_bucket(self) -> Bucket | None:
        """Return the bucket of all endpoints of this tenant together, locked until the transaction ends."""
        ...

    def keep_tenant_bucket(self, bucket: Bucket) -> None:
        """Write the bucket of all endpoints together."""
        ...

    def expire_payloads(self, *, now: datetime, limit: int) -> int:
        """Take away the payloads of messages whose retention has ended; return how many."""
        ...

    def hold(self, endpoint: EndpointId, *, state: DeliveryState, reason: str, limit: int) -> int:
        """Move queued and scheduled deliveries of an endpoint to HELD or SUPPRESSED; return how many.

        Shape: a delivery that a bulk replay holds is left to its run.
        """
        ...

    def unhold(self, endpoint: EndpointId, *, at: datetime, limit: int) -> int:
        """Queue held deliveries of an endpoint again; return how many."""
        ...

    # --- bulk replay ---
    def candidates(
        self, selector: Selector, *, after: tuple[datetime, DeliveryId] | None, limit: int
    ) -> Sequence[Candidate]:
        """Return matching deliveries oldest first, by key; `after` is the last (created_at, id) seen."""
        ...

    def count_candidates(self, selector: Selector, *, most: int, state: DeliveryState | None = None) -> int:
        """Return how many deliveries match, of one state where it is given, counted no further than `most`."""
        ...

    def candidate_at(self, selector: Selector, position: int) -> datetime | None:
        """Return when the delivery at a position, from 1, of those that match was created; None when fewer do."""
        ...

    def grow_run(self, run: Run, more: Run, items: Iterable[RunItem]) -> bool:
        """Write how far a plan that is being counted has come, with the items it gained; False: it moved meanwhile."""
        ...

    def add_run(self, run: Run, items: Iterable[RunItem]) -> None:
        """Store a planned run with its frozen list."""
        ...

    def run(self, run: RunId) -> Run | None:
        """Return one run."""
        ...

    def runs(self, *, limit: int) -> Sequence[Run]:
        """Return the newest runs."""
        ...

    def move_run(self, run: Run, to: RunState, *, at: datetime, **fields: object) -> bool:
        """Change a run's state by one conditional update on its version; `fields` as in Run; False: was faster."""
        ...

    def items(self, run: RunId, *, state: ItemState | None, after: int, limit: int) -> Sequence[RunItem]:
        """Return items in their order, from the position after `after`."""
        ...

    def release_items(self, run: RunId, items: Sequence[RunItem], *, at: datetime) -> Sequence[RunItem]:
        """Hand waiting items to the sender: their deliveries become due at once with trigger BULK and this run.

        Shape: returns those that were handed over; an item whose delivery is SENDING or in another run is left waiting.
        """
        ...

    def recall_items(self, run: RunId) -> int:
        """Take released items that no sender has taken yet back to WAITING; return how many."""
        ...

    def settle_item(
        self, run: RunId, delivery: DeliveryId, *, state: ItemState, tries: int, reason: str | None
    ) -> bool:
        """Move a RELEASED or WAITING item on and the run's counters with it; False when it was settled before."""
        ...

    def settle_items(self, run: RunId, outcomes: Sequence[ItemOutcome]) -> int:
        """Move several items on as `settle_item` does, in a handful of statements; return how many were open."""
        ...

    def skip_waiting(self, run: RunId, *, reason: str, limit: int) -> int:
        """Skip waiting items for one reason and count them; return how many."""
        ...

    def note_outcome(self, run: RunId, *, is_success: bool) -> int:
        """Count failures in a row of a run and return how many there are now."""
        ...

    def frozen_digest(self, run: RunId) -> Digest:
        """Return the digest over the stored list, computed afresh; must equal the run's own."""
        ...

    def tally(self, run: RunId) -> Mapping[tuple[ItemState, str | None], int]:
        """Return the items counted by state and reason, from the rows themselves."""
        ...
