"""Signals: what several harmless-looking acts of staff may mean together, read off the entries of the trail.

A rule looks at one entry and at what the same person did, or at what was done on the same tenant, shortly before.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from types import MappingProxyType
from typing import NewType

from console.domain.ids import EntryUid, StaffId, TenantId
from console.domain.staff import Role

SignalId = NewType("SignalId", str)
SignalKey = NewType("SignalKey", str)

LOOKED = "request.read"
VOTED = "request.vote"
MOST_EVIDENCE = 20
_NUMBER = re.compile(r"(.*?)([0-9]{1,15})[^0-9]*")


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


def judged(rule: SignalRule, act: Act, past: Sequence[Act]) -> Hit | None:
    """Return what a rule makes of an act, or None.

    Shape: `past` holds the acts that the rule `needed` within its `reach`, in any order, with or without the act
    itself, and perhaps others.
    """
    if act.action not in rule.actions:
        return None
    known = {each.uid: each for each in (*past, act) if _turn(each) <= _turn(act) and _belongs(rule, act, each)}
    acts = sorted(known.values(), key=_turn)
    window = [each for each in acts if each.at > act.at - rule.window and each.action in rule.needed]
    return _MEASURES[rule.measure](rule, act, _Seen(acts=acts, window=window))


def _turn(act: Act) -> tuple[datetime, EntryUid]:
    return act.at, act.uid


def _belongs(rule: SignalRule, act: Act, other: Act) -> bool:
    return other.tenant == act.tenant if rule.looks is Looks.AT_TENANT else other.actor == act.actor


@dataclass(frozen=True, slots=True)
class _Seen:
    acts: list[Act] = field(default_factory=list)
    window: list[Act] = field(default_factory=list)


def _distinct_tenants(rule: SignalRule, act: Act, seen: _Seen) -> Hit | None:
    firsts = _first_of_each(seen.window)
    if len(firsts) < rule.at_least:
        return None
    return _hit(act.actor, f"{len(firsts)} tenants {_within(rule)}", firsts)


def _first_time_tenants(rule: SignalRule, act: Act, seen: _Seen) -> Hit | None:
    since, began = act.at - rule.memory, act.at - rule.window
    before = {each.tenant for each in seen.acts if since <= each.at <= began}
    firsts = [each for each in _first_of_each(seen.window) if each.tenant not in before]
    if len(firsts) < rule.at_least or act.tenant not in {each.tenant for each in firsts}:
        return None
    return _hit(act.actor, f"{len(firsts)} tenants for the first time {_within(rule)}", firsts)


def _out_of_shift(rule: SignalRule, act: Act, seen: _Seen) -> Hit | None:
    late = [each for each in seen.window if not _is_in_shift(rule, each.at)]
    if _is_in_shift(rule, act.at) or len(late) < rule.at_least:
        return None
    return _hit(act.actor, f"{_times(len(late))} outside the hours, last at {act.at:%a %H:%M} UTC", late)


def _listed_tenant(rule: SignalRule, act: Act, seen: _Seen) -> Hit | None:
    there = [each for each in seen.window if each.slug == act.slug]
    if act.slug not in rule.tenants or len(there) < rule.at_least:
        return None
    return _hit(f"{act.actor} {act.slug}", f"{_times(len(there))} at {act.slug}", there)


def _sequential(rule: SignalRule, act: Act, seen: _Seen) -> Hit | None:
    firsts = _first_of_each(seen.window)[-rule.at_least :]
    if len(firsts) < rule.at_least or firsts[-1].tenant != act.tenant:
        return None
    numbers = [_numbered(each.slug) for each in firsts]
    steps = [_step(before, after) for before, after in pairwise(numbers)]
    is_up = all(1 <= step <= rule.step for step in steps)
    is_down = all(-rule.step <= step <= -1 for step in steps)
    if not is_up and not is_down:
        return None
    return _hit(act.actor, f"{len(firsts)} tenants in a row, {firsts[0].slug} to {firsts[-1].slug}", firsts)


def _same_tenant(rule: SignalRule, act: Act, seen: _Seen) -> Hit | None:
    people = {each.actor: each for each in seen.window if each.tenant == act.tenant}
    if act.tenant is None or len(people) < rule.at_least:
        return None
    return _hit(f"tenant {act.tenant}", f"{len(people)} people at {act.slug} {_within(rule)}", list(people.values()))


def _rate(rule: SignalRule, act: Act, seen: _Seen) -> Hit | None:
    if len(seen.window) < rule.at_least:
        return None
    return _hit(act.actor, f"{len(seen.window)} times {_within(rule)}", seen.window)


def _fast_votes(rule: SignalRule, act: Act, seen: _Seen) -> Hit | None:
    looked: dict[str, datetime] = {}
    for each in seen.acts:
        if each.action == LOOKED:
            looked.setdefault(each.correlation, each.at)
    votes = [each for each in seen.window if each.action == VOTED]
    fast = [each for each in votes if each.at - looked.get(each.correlation, each.at) < rule.within]
    if len(fast) < rule.at_least or act not in fast:
        return None
    seconds = int(rule.within.total_seconds())
    return _hit(act.actor, f"{_times(len(fast))} voted within {seconds} s of the first look", fast)


_MEASURES: Mapping[Measure, Callable[[SignalRule, Act, _Seen], Hit | None]] = MappingProxyType(
    {
        Measure.DISTINCT_TENANTS: _distinct_tenants,
        Measure.FIRST_TIME_TENANTS: _first_time_tenants,
        Measure.OUT_OF_SHIFT: _out_of_shift,
        Measure.LISTED_TENANT: _listed_tenant,
        Measure.SEQUENTIAL: _sequential,
        Measure.SAME_TENANT: _same_tenant,
        Measure.RATE: _rate,
        Measure.FAST_VOTES: _fast_votes,
    }
)


def _hit(subject: str, summary: str, acts: Collection[Act]) -> Hit:
    newest = sorted(acts, key=_turn)[-MOST_EVIDENCE:]
    people = tuple(sorted({each.actor for each in acts}))  # all of them: nobody among them settles it
    return Hit(
        subject=subject,
        summary=summary,
        since=min(each.at for each in acts),
        evidence=tuple(each.uid for each in newest),
        people=people,
    )


def _first_of_each(acts: Sequence[Act]) -> list[Act]:
    """Return the first act on each tenant, in the order in which the tenants came."""
    firsts: dict[TenantId, Act] = {}
    for each in acts:
        if each.tenant is not None:
            firsts.setdefault(each.tenant, each)
    return list(firsts.values())


def _is_in_shift(rule: SignalRule, at: datetime) -> bool:
    first, until = rule.hours_utc
    is_hour = first <= at.hour < until if first < until else at.hour >= first or at.hour < until
    return is_hour and at.weekday() in rule.days


def _numbered(slug: str) -> tuple[str, int] | None:
    found = _NUMBER.fullmatch(slug)
    return None if found is None else (found.group(1), int(found.group(2)))


def _step(before: tuple[str, int] | None, after: tuple[str, int] | None) -> int:
    """Return how far one number is from the next; 0 where they do not belong together."""
    if before is None or after is None or before[0] != after[0]:
        return 0
    return after[1] - before[1]


def _within(rule: SignalRule) -> str:
    minutes = int(rule.window.total_seconds() // 60)
    return f"within {minutes // 60} h" if minutes % 60 == 0 else f"within {minutes} min"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
