"""Jobs: work that is done after its transaction, at most once at a time, under the authority of who asked for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from console.domain.ids import JobId, ReasonCode, RequestId, StaffId, TenantId

STALLED = "Its worker vanished in the middle of it."


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    DEAD = "dead"  # failed as often as it may
    DISCARDED = "discarded"


class JobEvent(StrEnum):
    """What can happen to a job."""

    CLAIM = "claim"
    SUCCEED = "succeed"
    AGAIN = "again"  # not done yet: goes on later, no failure
    FAIL = "fail"
    GIVE_UP = "give_up"
    STALL = "stall"  # its worker vanished and the lease lapsed
    RETRY = "retry"
    DISCARD = "discard"


TRANSITIONS: Mapping[tuple[JobState, JobEvent], JobState] = {
    (JobState.QUEUED, JobEvent.CLAIM): JobState.RUNNING,
    (JobState.RUNNING, JobEvent.SUCCEED): JobState.SUCCEEDED,
    (JobState.RUNNING, JobEvent.AGAIN): JobState.QUEUED,
    (JobState.RUNNING, JobEvent.FAIL): JobState.QUEUED,
    (JobState.RUNNING, JobEvent.GIVE_UP): JobState.DEAD,
    (JobState.RUNNING, JobEvent.STALL): JobState.QUEUED,
    (JobState.DEAD, JobEvent.RETRY): JobState.QUEUED,
    (JobState.DEAD, JobEvent.DISCARD): JobState.DISCARDED,
    (JobState.QUEUED, JobEvent.DISCARD): JobState.DISCARDED,
}


def after(state: JobState, event: JobEvent) -> JobState | None:
    """Return the state that follows, or None when the event is not legal in this state."""
    return TRANSITIONS.get((state, event))


def legal(state: JobState) -> tuple[JobEvent, ...]:
    """Return the events that staff may cause in a state."""
    return tuple(event for event in (JobEvent.RETRY, JobEvent.DISCARD) if (state, event) in TRANSITIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRules:
    """Numbers of jobs. Units: in each name. Source: policies/sending.toml [jobs]."""

    lease_seconds: int
    retry_seconds: tuple[int, ...]

    def wait_s(self, failures: int) -> int:
        """Return how long to wait after that many failures; the last wait repeats."""
        return self.retry_seconds[min(failures, len(self.retry_seconds)) - 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDraft:
    """A job to be queued in the open transaction.

    Shape: `key` makes it unique for ever: a second draft with the same key is no second job; `payload` is plain JSON;
    tenant, actor, reason and request are the authority under which it runs, asked again before its effect.
    """

    kind: str
    key: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    tenant: TenantId | None = None
    actor: StaffId | None = None
    reason: ReasonCode | None = None
    request: RequestId | None = None
    queue: str = "default"
    run_at: datetime | None = None  # None: at once
    most_attempts: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as stored; `fingerprint` groups failures of one cause."""

    id: JobId
    kind: str
    key: str
    queue: str
    payload: Mapping[str, Any]
    state: JobState
    tenant: TenantId | None
    actor: StaffId | None
    reason: ReasonCode | None
    request: RequestId | None
    created_at: datetime
    run_at: datetime
    attempts: int
    most_attempts: int
    version: int
    lease_until: datetime | None = None
    worker: str | None = None
    last_error: str | None = None
    fingerprint: str | None = None
    finished_at: datetime | None = None
    retried_by: StaffId | None = None
    retried_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Work that comes again and again. Units: `every_s` seconds; one slot is fired at most once."""

    id: str
    kind: str
    every_s: int
    next_at: datetime
    is_on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """One queue in figures. Units: `lag_s` seconds that the oldest due job has waited."""

    queue: str
    queued: int
    running: int
    dead: int
    lag_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedGroup:
    """Dead jobs of one kind that failed in the same way."""

    kind: str
    fingerprint: str
    sample: str
    count: int
    oldest_at: datetime
    newest_at: datetime
