"""A stranger knocks again and again, from one network and under many addresses, to fill the trail."""

from console.usecases.keep_time import end_overdue
from tests.attacks.door import Attempts, Door

CHECKLIST = ("V2.4.1", "V15.2.2")
MORE = 25


def attack(door: Door) -> tuple[Attempts, ...]:
    """Knock until the minute is full and on; then look at what the trail tells."""
    stranger = door.cast.stranger()
    limit = door.cast.house.book.limits.stranger_entries_per_minute
    told = door.attempts(401, "route.refused", code="sign_in_refused")
    counted = door.attempts(401, unrecorded="it is counted, and the count is one entry a minute later")
    for number in range(limit + MORE):
        sheet = told if number < limit else counted
        path = f"/trail?from={number}"
        sheet.send(stranger, "GET", path, environ_base={"REMOTE_ADDR": f"2001:db8:1:2::{number + 1:x}"})
    other = door.attempts(401, "route.refused", code="sign_in_refused")
    other.get(stranger, "/trail")
    end_overdue(door.cast.house)
    assert door.cast.count("throttle.summed") == 0
    door.cast.clock.pass_by(minutes=1)
    end_overdue(door.cast.house)
    (summed,) = door.cast.entries("throttle.summed")
    assert summed["facts"] == {"refused": "route.refused", "network": "2001:db8:1:2::/64", "count": MORE}
    end_overdue(door.cast.house)
    assert door.cast.count("throttle.summed") == 1
    other.send(stranger, "GET", "/trail", environ_base={"REMOTE_ADDR": "2001:db8:1:2::1"})
    door.cast.clock.pass_by(days=3)
    end_overdue(door.cast.house)
    with door.cast.house.store.write() as unit:
        assert unit.throttles.sweep(now=door.cast.clock.now(), limit=1) == 0
    return told, counted, other
