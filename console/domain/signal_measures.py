"""What a rule of signals makes of an act, beside what the same person, or anybody on the same tenant, did before."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from types import MappingProxyType

from console.domain.ids import EntryUid, TenantId
from console.domain.signals import LOOKED, MOST_EVIDENCE, VOTED, Act, Hit, Looks, Measure, SignalRule

_NUMBER = re.compile(r"(.*?)([0-9]{1,15})[^0-9]*")


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
