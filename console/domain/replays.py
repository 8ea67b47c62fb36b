"""Bulk replays: which deliveries are chosen, the frozen list, and the run that works it off."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from itertools import islice

from console.domain.ids import DeliveryId, Digest, EndpointId, RequestId, RunId
from console.domain.webhooks import DeliveryState

MOST_PLANNED = 100_000
FROZEN_AT_ONCE = 2_000  # a larger list is frozen in slices of so many, so that no other writer waits for all of it


class Wanted(StrEnum):
    """Which deliveries a selector wants, by how they ended."""

    FAILED = "failed"  # exhausted, retry scheduled, suppressed by a disabled endpoint, held
    DELIVERED = "delivered"
    ALL = "all"


class RunState(StrEnum):
    """Where a bulk replay stands."""

    COUNTING = "counting"
    PLANNED = "planned"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class ItemState(StrEnum):
    """Where one planned delivery stands within its run."""

    WAITING = "waiting"
    RELEASED = "released"  # handed to the sender
    SENT = "sent"
    SKIPPED = "skipped"


class Excluded(StrEnum):
    """Why a matching delivery is left out of a plan, or a planned one is skipped by the run."""

    ALREADY_DELIVERED = "already_delivered"
    PAYLOAD_EXPIRED = "payload_expired"
    FILTERED_OUT = "filtered_out"  # the endpoint no longer subscribes to this event type
    ENDPOINT_DISABLED = "endpoint_disabled"
    ENDPOINT_DELETED = "endpoint_deleted"
    IN_ANOTHER_RUN = "in_another_run"
    BEING_SENT = "being_sent"
    GAVE_UP = "gave_up"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """What a bulk replay is about; the range is [since, until) of when the deliveries were created."""

    endpoints: tuple[EndpointId, ...]
    event_types: tuple[str, ...]
    wanted: Wanted
    since: datetime
    until: datetime
    most: int = MOST_PLANNED
    ignores_filters: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """How far the list of a large plan has come; `after` is the last delivery looked at, `matching` an estimate."""

    after: tuple[datetime, DeliveryId] | None = None
    looked_at: int = 0
    matching: int = 0
    is_over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One bulk replay, from its plan to its report.

    Shape: `digest` is over the frozen list of ids in their order, empty until it is frozen; planned = sent + skipped +
    what is left; `counting` is there where the list was made in slices; `excluded` are the matching deliveries left out
    of the plan, by reason; `skipped_by` counts by reason.
    Units: `rate_per_s` deliveries per second over all endpoints.
    """

    id: RunId
    state: RunState
    selector: Selector
    digest: Digest
    planned: int
    excluded: dict[str, int]
    per_endpoint: dict[str, int]
    per_type: dict[str, int]
    oldest_at: datetime | None
    newest_at: datetime | None
    rate_per_s: int
    planned_by: str
    planned_at: datetime
    expires_at: datetime
    version: int
    sent: int = 0
    skipped: int = 0
    released: int = 0
    failures_in_row: int = 0
    skipped_by: dict[str, int] | None = None
    request: RequestId | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    because: str | None = None
    counting: Counting | None = None

    @property
    def left(self) -> int:
        """Return how many are neither sent nor skipped."""
        return self.planned - self.sent - self.skipped


@dataclass(frozen=True, slots=True, kw_only=True)
class RunItem:
    """One planned delivery; `position` is its place in the frozen list, from 1. `tries` counts attempts of this run."""

    run: RunId
    position: int
    delivery: DeliveryId
    endpoint: EndpointId
    state: ItemState
    tries: int = 0
    reason: str | None = None


def list_digest(ids: Iterable[str]) -> Digest:
    """Return the digest over a frozen list: SHA-256 over every id and a line feed, in order."""
    running = sha256()
    coming = iter(ids)
    while some := list(islice(coming, FROZEN_AT_ONCE)):
        running.update("\n".join((*some, "")).encode())
    return Digest(running.hexdigest())


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A delivery that a selector matches, with what decides whether it may be planned."""

    delivery: DeliveryId
    endpoint: EndpointId
    event_type: str
    state: DeliveryState
    created_at: datetime
    payload_expires_at: datetime
    run: RunId | None


def least_seconds(per_endpoint: Mapping[str, int], rates: Mapping[str, int], *, rate_per_s: int) -> int:
    """Return how long a replay takes at least: its own rate holds over all, and that of each endpoint for its part.

    Shape: `per_endpoint` counts deliveries by endpoint, `rates` are per second; an endpoint without one is not slower.
    """
    slowest = [-(-count // rates[endpoint]) for endpoint, count in per_endpoint.items() if endpoint in rates]
    return max([-(-sum(per_endpoint.values()) // max(1, rate_per_s)), *slowest])
