"""Hand queued notices to the sink outside the house: at least once, never one whose change was rolled back."""

from datetime import timedelta
from enum import Enum, auto

from console.domain.entries import SYSTEM_ACTOR, TargetRef
from console.domain.errors import OutsideError
from console.domain.ids import StaffId
from console.domain.staff import StaffMember
from console.ports.outbox import Notice, NoticeSink
from console.usecases.house import House
from console.usecases.recording import emit_as, staff_target

_BATCH = 100
_PATIENCE = timedelta(days=1)  # with one reader whom the sink cannot reach; with the sink itself there is no end to it


class _Came(Enum):
    """What came of one attempt."""

    SENT = auto()
    GIVEN_UP = auto()
    NOT_TO_READER = auto()
    NOT_OUT = auto()


def deliver_notices(house: House, sink: NoticeSink) -> int:
    """Deliver what is due and return how many went out; a failing sink stops the round and nothing is lost.

    Shape: one reader who cannot be reached keeps no notice from another, however many wait for them, and is given up
    after a day.
    """
    sent, away = 0, set[StaffId]()
    while not sent:
        with house.store.read() as unit:
            due = unit.outbox.undelivered(but=away, limit=_BATCH)
        if not due:
            break
        for notice in due:
            came = None if notice.to in away else _tried(house, sink, notice)
            if came is _Came.NOT_OUT:
                return sent
            if came is _Came.NOT_TO_READER:
                away.add(notice.to)
            sent += came is _Came.SENT
    return sent


def _tried(house: House, sink: NoticeSink, notice: Notice) -> _Came:
    try:
        sink.send(notice)
    except OutsideError as fault:
        is_of_reader = fault.facts.get("about") == "reader"
        is_old = house.clock.now() - notice.at >= _PATIENCE
        if fault.permanent or (is_of_reader and is_old):
            _settle(house, notice, "notice.given_up", because=str(fault)[:300])
            return _Came.GIVEN_UP
        return _Came.NOT_TO_READER if is_of_reader else _Came.NOT_OUT
    _settle(house, notice, "notice.sent", because=None)
    return _Came.SENT


def reader_of(house: House, staff: StaffId) -> StaffMember | None:
    """Return whom a notice is for, as the house knows them now."""
    with house.store.read() as unit:
        return unit.staff.get(staff)


def _settle(house: House, notice: Notice, action: str, *, because: str | None) -> None:
    with house.store.write() as unit:
        now = house.clock.now()
        member = unit.staff.get(notice.to)
        unit.outbox.delivered(notice.id, now)
        emit_as(
            unit,
            SYSTEM_ACTOR,
            action,
            at=now,
            targets=(TargetRef(type="staff", id=notice.to),) if member is None else staff_target(member),
            error=because,
            facts={"notice": notice.id, "kind": notice.kind},
        )
