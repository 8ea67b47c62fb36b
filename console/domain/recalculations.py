"""Recalculating many tenants: the plan of who gains and who loses, the run that works it off, and when it stops."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

from console.domain.canonical import digest_hex
from console.domain.changes import Change
from console.domain.effective_store import Recalculation
from console.domain.ids import Digest, RequestId, RunId, TenantId

CANARIES = 5
CANARY_WAIT_S = 60
FAILED_PERCENT = 20
_FEWEST_FAILED = 3
_ALL = 100

MORE_LOSSES = "more_losses_than_planned"
TOO_MANY_FAILED = "too_many_failed"
CANARY_NOT_CURRENT = "canary_not_up_to_date"
JOB_DEAD = "job_dead"
BY_STAFF = "by_staff"


class SweepState(StrEnum):
    """Where a mass recalculation stands."""

    PLANNING = "planning"
    PLANNED = "planned"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELLED = "cancelled"


MOVES: Mapping[SweepState, frozenset[SweepState]] = {
    SweepState.PLANNING: frozenset({SweepState.PLANNED, SweepState.CANCELLED}),
    SweepState.PLANNED: frozenset({SweepState.RUNNING, SweepState.CANCELLED}),
    SweepState.RUNNING: frozenset({SweepState.PAUSED, SweepState.FINISHED, SweepState.CANCELLED}),
    SweepState.PAUSED: frozenset({SweepState.RUNNING, SweepState.CANCELLED}),
    SweepState.FINISHED: frozenset(),
    SweepState.CANCELLED: frozenset(),
}


class TenantState(StrEnum):
    """Where one planned tenant stands within its run."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    HELD = "held"  # it would lose more than was planned


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTenant:
    """One tenant whose stored set is not up to date. Units: `gains` and `losses` count features, they name none.

    Shape: `place` is the order in which it comes, from 1; canaries come first.
    """

    run: RunId
    tenant: TenantId
    gains: int
    losses: int
    is_first: bool
    place: int = 0
    is_canary: bool = False
    state: TenantState = TenantState.WAITING
    because: str | None = None

    @property
    def is_loser(self) -> bool:
        """Return whether it loses anything."""
        return self.losses > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """One mass recalculation, from its plan to its end.

    Shape: `plan` is the key of the plan whose tenants are meant, None for all; `after` is how far planning has come;
    `digest` is over the frozen list. Units: `rate_per_s` tenants a second.
    """

    id: RunId
    state: SweepState
    plan: str | None
    rate_per_s: int
    planned_by: str
    planned_at: datetime
    expires_at: datetime
    version: int
    after: TenantId | None = None
    looked_at: int = 0
    unreadable: int = 0
    planned: int = 0
    gaining: int = 0
    losing: int = 0
    digest: Digest | None = None
    request: RequestId | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    canaries_done_at: datetime | None = None
    because: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run has come, counted from its rows."""

    waiting: int = 0
    done: int = 0
    failed: int = 0
    held: int = 0

    @property
    def total(self) -> int:
        """Return how many tenants were planned."""
        return self.waiting + self.done + self.failed + self.held


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalculated:
    """What the entry of a recalculation says. A plane elsewhere keeps it as text, for whoever comes after a crash."""

    version: int
    stood: str
    gained: int
    lost: int
    changes: tuple[Change, ...]

    @classmethod
    def of(cls, done: Recalculation) -> Self:
        """Return what is said of a recalculation that stored something."""
        return cls(
            version=done.after.version,
            stood=done.standing.value,
            gained=len(done.effects.gains),
            lost=len(done.effects.losses),
            changes=done.effects.changes(),
        )

    @classmethod
    def read(cls, text: str) -> Self:
        """Return what a plane kept."""
        said = json.loads(text)
        return cls(**{**said, "changes": tuple(Change(**each) for each in said["changes"])})

    def text(self) -> str:
        """Return what a plane keeps."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))


def frozen_digest(tenants: Iterable[PlannedTenant]) -> Digest:
    """Return the digest over a plan: every tenant with what it gains and loses, in its order."""
    return Digest(digest_hex([[each.place, each.tenant, each.gains, each.losses, each.is_first] for each in tenants]))


def canaries_of(tenants: Sequence[PlannedTenant]) -> frozenset[TenantId]:
    """Return the few that come first: two that lose, where there are any, and the first of the others."""
    losers = [each.tenant for each in tenants if each.is_loser]
    others = [each.tenant for each in tenants if not each.is_loser]
    chosen = [*losers[:2], *others]
    return frozenset([*chosen, *losers[2:]][:CANARIES])


def stop_reason(progress: Progress) -> str | None:
    """Return why a run must not go on by itself, or None: a mass difference is a fault of ours, not of thousands."""
    if progress.held:
        return MORE_LOSSES
    tried = progress.done + progress.failed
    is_many = progress.failed >= _FEWEST_FAILED and progress.failed * _ALL > tried * FAILED_PERCENT
    return TOO_MANY_FAILED if is_many else None
