"""Freezes: one control that ends elevated sessions and pauses everything that is not reading."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from console.domain.ids import FreezeId, RequestId, StaffId
from console.domain.reasons import Reason

DRILL_MINUTES = 10


class FreezeScope(StrEnum):
    """Whom or what a freeze lies over, the narrowest first."""

    PERSON = "person"
    VENDOR = "vendor"
    TENANT = "tenant"
    ALL = "all"


class FreezeState(StrEnum):
    """Where a freeze stands; a drill refuses nobody."""

    STANDING = "standing"
    LIFTED = "lifted"
    REHEARSING = "rehearsing"
    REHEARSED = "rehearsed"


class FreezeEvent(StrEnum):
    """What can happen to a freeze; a drill is over by the clock."""

    LIFT = "lift"
    END = "end"


TRANSITIONS: Mapping[tuple[FreezeState, FreezeEvent], FreezeState] = {
    (FreezeState.STANDING, FreezeEvent.LIFT): FreezeState.LIFTED,
    (FreezeState.REHEARSING, FreezeEvent.END): FreezeState.REHEARSED,
}


def after(state: FreezeState, event: FreezeEvent) -> FreezeState | None:
    """Return the state that follows, or None where the event is not legal."""
    return TRANSITIONS.get((state, event))


class Door(StrEnum):
    """Where a freeze refuses: each of them asks for itself, and a drill measures each."""

    OPENING = "opening"
    ASKING = "asking"
    VOTING = "voting"
    RUNNING = "running"
    JOBS = "jobs"

    @property
    def label(self) -> str:
        """Return what is refused there, in words."""
        return _DOORS[self]


_DOORS = {
    Door.OPENING: "Opening and reading a tenant",
    Door.ASKING: "Asking for an action",
    Door.VOTING: "Voting",
    Door.RUNNING: "Running what was approved",
    Door.JOBS: "Jobs in the background",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """One freeze, or the drill of one.

    Shape: `subject` is a staff id, a vendor's name, a tenant's id, or empty over everything; `name` says it in words;
    `set_by` is None for what a signal froze;
    `ended` counts the leases that it ended. Units: a drill lasts DRILL_MINUTES.
    """

    id: FreezeId
    scope: FreezeScope
    subject: str
    name: str
    is_drill: bool
    reason: Reason
    set_by: StaffId | None
    set_at: datetime
    ended: int = 0
    lifted_at: datetime | None = None
    lifted_by: StaffId | None = None
    request: RequestId | None = None

    @property
    def until(self) -> datetime | None:
        """Return when a drill is over; a freeze has no end of its own."""
        return self.set_at + timedelta(minutes=DRILL_MINUTES) if self.is_drill else None

    def state_at(self, now: datetime) -> FreezeState:
        """Return where it stands now."""
        if self.until is not None:
            return FreezeState.REHEARSING if self.set_at <= now < self.until else FreezeState.REHEARSED
        return FreezeState.STANDING if self.lifted_at is None else FreezeState.LIFTED

    @property
    def sentence(self) -> str:
        """Return what is frozen, in words."""
        return "Everything is frozen" if self.scope is FreezeScope.ALL else f"{self.name} is frozen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """How much a freeze ended in its own transaction; `is_all` when nothing is left to the sweep."""

    leases: int = 0
    impersonations: int = 0
    is_all: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """The first time that a door would have refused because of a drill."""

    door: Door
    at: datetime


_NARROWEST = {scope: rank for rank, scope in enumerate(FreezeScope)}


def narrowest(freezes: Iterable[Freeze]) -> Freeze | None:
    """Return the freeze that says most about whom it stops, or None without any."""
    return min(freezes, key=lambda each: (_NARROWEST[each.scope], each.set_at, each.id), default=None)


def door_of(verb: str) -> Door:
    """Return the door at which a question of policy is asked."""
    if verb in {"lease.open", "tenant.read"}:
        return Door.OPENING
    if verb == "request.vote":
        return Door.VOTING
    return Door.RUNNING if verb == "request.execute" else Door.ASKING
