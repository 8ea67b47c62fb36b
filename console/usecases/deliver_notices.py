"""Hand queued notices to the sink outside the house: at least once, never one whose change was rolled back."""

from console.domain.entries import SYSTEM_ACTOR, TargetRef
from console.domain.errors import OutsideError
from console.ports.outbox import NoticeSink
from console.usecases.house import House
from console.usecases.recording import emit_as, staff_target

_BATCH = 100


def deliver_notices(house: House, sink: NoticeSink) -> int:
    """Deliver what is due and return how many went out; a failing sink stops the round and nothing is lost."""
    with house.store.read() as unit:
        due = unit.outbox.undelivered(limit=_BATCH)
    sent = 0
    for notice in due:
        try:
            sink.send(notice)
        except OutsideError:
            break
        with house.store.write() as unit:
            now = house.clock.now()
            member = unit.staff.get(notice.to)
            unit.outbox.delivered(notice.id, now)
            emit_as(
                unit,
                SYSTEM_ACTOR,
                "notice.sent",
                at=now,
                targets=(TargetRef(type="staff", id=notice.to),) if member is None else staff_target(member),
                facts={"notice": notice.id, "kind": notice.kind},
            )
        sent += 1
    return sent
