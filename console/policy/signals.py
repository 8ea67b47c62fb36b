"""Reads the rules of signals from signals.toml, and their worked cases from signals/<rule>.toml."""

import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from console.domain.catalogue import CATALOGUE
from console.domain.ids import ActionKey, EntryUid, StaffId, TenantId
from console.domain.signal_measures import judged
from console.domain.signals import Act, Measure, Response, SignalKey, SignalRule
from console.domain.staff import Role
from console.policy.book import Could, PolicyFaultsError
from console.policy.tables import Table

FILE = "signals.toml"
FOLDER = "signals"
_READ = ActionKey("signal.read")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EXPECTED = ("raised", "quiet")
_MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
_DAY_MINUTES = 1_440
_MOST_DAYS = 400
_ACT = "day (+weeks) time who action thing, for example 'mon+1 09:00 ann lease.open acme'"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalCase:
    """One worked case: acts in their order, and whether the last one raises the signal."""

    file: str
    name: str
    rule: SignalRule
    acts: tuple[Act, ...]
    is_raised: bool

    @property
    def is_met(self) -> bool:
        """Return whether the rule does what the case expects."""
        return (judged(self.rule, self.acts[-1], self.acts) is not None) is self.is_raised


def read_signals(table: Table, governed: Collection[str]) -> dict[SignalKey, SignalRule]:
    """Return the rules of signals.toml; `governed` are the keys of the registered actions."""
    rules = {}
    for key in table.keys_left():
        inner = table.table(key)
        if inner is not None:
            rules[SignalKey(key)] = _rule(SignalKey(key), inner, sorted({*CATALOGUE, *governed}))
            inner.done()
    return rules


def unread_signals(rules: Mapping[SignalKey, SignalRule], could: Mapping[ActionKey, Could]) -> Iterator[str]:
    """Yield the rules that tell somebody who may not read what they are told."""
    readers = could[_READ].roles if _READ in could else frozenset[Role]()
    for key, rule in rules.items():
        for role in sorted(rule.tells - readers):
            yield f"policies/{FILE} {key}: tells {role}, who may not read signals: name another, or permit {_READ}."


def _rule(key: SignalKey, table: Table, known: Sequence[str]) -> SignalRule:
    measure = table.choice("measure", tuple(Measure), Measure.RATE)
    roles = table.names("tells", known=tuple(Role), kind="role")
    rule = SignalRule(
        key=key,
        label=table.text("label"),
        sentence=table.text("sentence"),
        measure=measure,
        actions=frozenset(table.names("actions", known=known, kind="entry")),
        window=timedelta(minutes=table.number("window_minutes", most=_MOST_DAYS * _DAY_MINUTES)),
        at_least=table.number("at_least", most=1_000),
        response=table.choice("response", tuple(Response), Response.NOTIFY),
        tells=frozenset(Role(role) for role in roles),
    )
    match measure:
        case Measure.FIRST_TIME_TENANTS:
            return replace(rule, memory=timedelta(days=table.number("memory_days", most=_MOST_DAYS)))
        case Measure.OUT_OF_SHIFT:
            days = table.names("days", known=_DAYS, kind="day")
            return replace(rule, hours_utc=_hours(table), days=frozenset(map(_DAYS.index, days)))
        case Measure.LISTED_TENANT:
            return replace(rule, tenants=frozenset(table.names_or_none("tenants")))
        case Measure.SEQUENTIAL:
            return replace(rule, step=table.number("step", most=1_000))
        case Measure.FAST_VOTES:
            return replace(rule, within=timedelta(seconds=table.number("within_seconds", most=3_600)))
        case _:
            return rule


def _hours(table: Table) -> tuple[int, int]:
    given = table.numbers("hours_utc", most=24)
    if len(given) not in {0, 2}:
        table.fault("hours_utc holds two hours, from and until: for example [5, 21].")
    return (given[0], given[1]) if len(given) == 2 else (0, 24)


def load_signal_cases(folder: Path, rules: Mapping[SignalKey, SignalRule]) -> tuple[SignalCase, ...]:
    """Return the worked cases beside the rules. Raises: PolicyFaultsError with every fault."""
    faults: list[str] = []
    cases: list[SignalCase] = []
    for path in sorted((folder / FOLDER).glob("*.toml")):
        place = f"policies/{FOLDER}/{path.name}"
        rule = rules.get(SignalKey(path.stem))
        try:
            table = Table(place, tomllib.loads(path.read_text(encoding="utf-8")), faults)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            faults.append(f"{place}: cannot be read ({error}): correct the syntax.")
            continue
        if rule is None:
            faults.append(f"{place}: there is no rule {path.stem} in {FILE}: rename or remove the file.")
            continue
        cases.extend(_cases(table, rule))
    if faults:
        raise PolicyFaultsError(faults)
    return tuple(cases)


def missing_signal_cases(rules: Collection[SignalKey], cases: Collection[SignalCase]) -> Iterator[str]:
    """Yield what the worked cases leave out: every rule has one that raises it and one that does not."""
    for key in sorted(rules):
        told = {case.is_raised for case in cases if case.rule.key == key}
        for is_raised, word in ((True, _EXPECTED[0]), (False, _EXPECTED[1])):
            if is_raised not in told:
                yield f"policies/{FOLDER}/{key}.toml: no case expects {word}: add one."


def _cases(table: Table, rule: SignalRule) -> Iterator[SignalCase]:
    for inner in table.rows("case"):
        name, expect = inner.text("name"), inner.choice("expect", _EXPECTED, "")
        lines = inner.names("acts")
        listed = frozenset(inner.names("tenants")) if inner.has("tenants") else rule.tenants
        acts = [act for number, line in enumerate(lines) if (act := _act(line, number, inner)) is not None]
        if not expect:
            inner.fault(f"expect is missing: give one of {', '.join(_EXPECTED)}.")
        inner.done()
        if acts:
            is_raised = expect == _EXPECTED[0]
            worked = replace(rule, tenants=listed)
            yield SignalCase(file=table.place, name=name, rule=worked, acts=tuple(acts), is_raised=is_raised)
    table.done()


def _act(line: str, number: int, table: Table) -> Act | None:
    try:
        day, clock, who, action, thing = line.split()
        name, _, week = day.partition("+")
        hours, minutes, seconds = (int(part) for part in f"{clock}:00".split(":")[:3])
        days = _DAYS.index(name) + 7 * int(week or 0)
        at = _MONDAY + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    except ValueError:
        table.fault(f"the act {line!r} cannot be read: write {_ACT}.")
        return None
    is_about_tenant = not action.startswith("request.")
    return Act(
        uid=EntryUid(f"ent_{number:04}"),
        at=at,
        actor=StaffId(who),
        action=action,
        tenant=TenantId(thing) if is_about_tenant else None,
        slug=thing if is_about_tenant else "",
        correlation="" if is_about_tenant else thing,
    )
