"""Signals: what several harmless-looking acts of staff may mean together, read off the entries of the trail.

A rule looks at one entry and at what the same person did, or at what was done on the same tenant, shortly before.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from console.domain.ids import EntryUid, StaffId, TenantId
from console.domain.staff import Role

SignalId = NewType("SignalId", str)
SignalKey = NewType("SignalKey", str)

LOOKED = "request.read"
VOTED = "request.vote"
MOST_EVIDENCE = 20


class Measure(StrEnum):
    """What a rule counts."""

    DISTINCT_TENANTS = "distinct_tenants"  # how many tenants one person opened
    FIRST_TIME_TENANTS = "first_time_tenants"  # how many of them that person had not opened for long
    OUT_OF_SHIFT = "out_of_shift"  # how often somebody acted outside the hours
    LISTED_TENANT = "listed_tenant"  # how often somebody acted on a tenant of the list
    SEQUENTIAL = "sequential"  # how many tenants in a row whose numbers follow each other
    SAME_TENANT = "same_tenant"  # how many people acted on one tenant
    RATE = "rate"  # how often one person did it
    FAST_VOTES = "fast_votes"  # how many votes came sooner after the first look than anybody can read


class Looks(StrEnum):
    """Whose acts a measure needs beside the one at hand."""

    AT_ACTOR = "actor"
    AT_TENANT = "tenant"


class Response(StrEnum):
    """What happens at once, before anybody has looked."""

    NOTIFY = "notify"  # somebody is told
    STEP_UP = "step_up"  # and the person shows a second factor again before the next act that needs a reason
    FREEZE = "freeze"  # and the person can change nothing until two others agree


class State(StrEnum):
    """What became of a signal."""

    OPEN = "open"
    HARMLESS = "harmless"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRule:
    """One rule of policies/signals.toml. Units: `window` and `memory` as durations, `hours_utc` whole hours 0 to 24.

    Shape: `actions` are entry actions; `hours_utc` is [from, until) and `days` 0 for Monday to 6; `tenants` are slugs;
    `within` is how soon a vote is too soon; `step` the widest gap between numbers that still follow each other.
    """

    key: SignalKey
    label: str
    sentence: str
    measure: Measure
    actions: frozenset[str]
    window: timedelta
    at_least: int
    response: Response
    tells: frozenset[Role]
    memory: timedelta = timedelta(0)
    hours_utc: tuple[int, int] = (0, 24)
    days: frozenset[int] = frozenset(range(7))
    tenants: frozenset[str] = frozenset()
    within: timedelta = timedelta(0)
    step: int = 1

    @property
    def looks(self) -> Looks:
        """Return whose acts it needs."""
        return Looks.AT_TENANT if self.measure is Measure.SAME_TENANT else Looks.AT_ACTOR

    @property
    def needed(self) -> frozenset[str]:
        """Return the entry actions it has to see beside the one at hand."""
        return self.actions | {LOOKED} if self.measure is Measure.FAST_VOTES else self.actions

    @property
    def reach(self) -> timedelta:
        """Return how far back it looks."""
        return max(self.window, self.memory)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One entry as a rule sees it."""

    uid: EntryUid
    at: datetime
    actor: StaffId
    action: str
    tenant: TenantId | None = None
    slug: str = ""
    correlation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """What a rule found.

    Shape: `subject` is who or what it is about, the same for as long as it goes on; `since` is when the first of the
    acts happened that make it up.
    """

    subject: str
    summary: str
    since: datetime
    evidence: tuple[EntryUid, ...]
    people: tuple[StaffId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A rule that fired; it stays open until somebody else says what it was.

    Shape: one is open for each rule and subject; what comes meanwhile adds to `hits`, `last_at`, `evidence` and
    `people`, all whose acts it is about; `staff` is the one whose act raised it.
    """

    id: SignalId
    rule: SignalKey
    subject: str
    staff: StaffId
    tenant: TenantId | None
    summary: str
    response: Response
    raised_at: datetime
    last_at: datetime
    hits: int
    evidence: tuple[EntryUid, ...]
    people: tuple[StaffId, ...]
    state: State = State.OPEN
    settled_by: StaffId | None = None
    settled_at: datetime | None = None
    note: str = ""

    def is_about(self, staff: StaffId) -> bool:
        """Return whether it is about what somebody did, who then neither reads nor settles it."""
        return staff == self.staff or staff in self.people
