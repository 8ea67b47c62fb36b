"""The signals: those that wait for somebody's word, those that had it, and one with the entries behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from console.domain.decisions import Decision, Deny
from console.domain.entries import Exposure, TargetRef
from console.domain.errors import NotFoundError
from console.domain.ids import StaffId, TenantId
from console.domain.signals import Signal, SignalId, SignalKey, SignalRule
from console.domain.staff import Actor
from console.domain.tenancy import DirectoryRow
from console.ports.store import ControlUnit
from console.ports.trail import StoredEntry
from console.usecases.asking import ask, query
from console.usecases.house import House
from console.usecases.recording import authorised, emit, refuse

_PAGE = 50
_COUNT_AT_MOST = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalsPage:
    """One keyset page of signals, with the rules, people and tenants that they name. Shape: `waiting` counts to 99."""

    is_open: bool
    signals: Sequence[Signal]
    rules: Mapping[SignalKey, SignalRule]
    names: Mapping[StaffId, str]
    tenants: Mapping[TenantId, DirectoryRow]
    waiting: int
    older: SignalId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalPage:
    """One signal with its rule, None where policy no longer has it, and the entries that it rests on."""

    signal: Signal
    rule: SignalRule | None
    names: Mapping[StaffId, str]
    tenant: DirectoryRow | None
    entries: Sequence[StoredEntry]


def read_signals(house: House, actor: Actor, *, is_open: bool, before: SignalId | None) -> SignalsPage | Deny:
    """Return one page of signals, newest first and none about the reader."""
    decision = _asked(house, actor, page="signals")
    if isinstance(decision, Deny):
        return decision
    with house.store.write() as unit:
        found = unit.signals.page(is_open=is_open, before=before, limit=_PAGE + 1, beside=actor.staff)
        shown = found[:_PAGE]
        _record(house, unit, actor, decision, page="signals", records=len(shown))
        return SignalsPage(
            is_open=is_open,
            signals=shown,
            rules=house.book.signals,
            names=_names(unit, shown),
            tenants=unit.directory.many(sorted({each.tenant for each in shown if each.tenant is not None})),
            waiting=unit.signals.open_count(most=_COUNT_AT_MOST, beside=actor.staff),
            older=shown[-1].id if len(found) > _PAGE else None,
        )


def read_signal(house: House, actor: Actor, *, signal: SignalId) -> SignalPage | Deny:
    """Return one signal with its evidence. Raises: NotFoundError, also for whom it is about."""
    decision = _asked(house, actor, page="signal")
    if isinstance(decision, Deny):
        return decision
    with house.store.write() as unit:
        found = unit.signals.get(signal)
        if found is None or found.is_about(actor.staff):
            raise NotFoundError("There is no such signal.")
        entries = [entry for uid in found.evidence if (entry := unit.reader.one(uid)) is not None]
        about = (TargetRef(type="signal", id=signal, name=found.rule),)
        _record(house, unit, actor, decision, page="signal", records=len(entries), about=about)
        return SignalPage(
            signal=found,
            rule=house.book.signals.get(found.rule),
            names=_names(unit, (found,)),
            tenant=None if found.tenant is None else unit.directory.get(found.tenant),
            entries=entries,
        )


def count_signals(house: House, unit: ControlUnit, actor: Actor) -> int | None:
    """Return how many signals wait (to 99), None for somebody who may not read them."""
    if isinstance(ask(house, query(actor, "signal.read", now=house.clock.now())), Deny):
        return None
    return unit.signals.open_count(most=_COUNT_AT_MOST, beside=actor.staff)


def _names(unit: ControlUnit, signals: Sequence[Signal]) -> dict[StaffId, str]:
    people = {who for each in signals for who in (each.staff, each.settled_by, *each.people) if who is not None}
    return {staff: member.name for staff, member in unit.staff.many(people).items()}


def _asked(house: House, actor: Actor, *, page: str) -> Decision:
    decision = ask(house, query(actor, "signal.read", now=house.clock.now()))
    if isinstance(decision, Deny):
        refuse(house, actor, "signal.read_refused", decision, targets=(TargetRef(type="page", id=page, name=page),))
    return decision


def _record(
    house: House,
    unit: ControlUnit,
    actor: Actor,
    decision: Decision,
    *,
    page: str,
    records: int,
    about: tuple[TargetRef, ...] = (),
) -> None:
    emit(
        unit,
        actor,
        "signal.read",
        at=house.clock.now(),
        authorisation=authorised(house, decision),
        targets=(TargetRef(type="page", id=page, name=page), *about),
        exposure=Exposure(records=records, fields=("directory",)),
    )
