"""The lease has run out, and its pages and forms are used on."""

from tests.attacks.door import CONTRACT, OVERRIDE, SEATS, Attempts, Door

CHECKLIST = ("V2.3.2", "V8.2.2", "V8.4.1")


def attack(door: Door) -> tuple[Attempts, ...]:
    """Wait out a lease of five minutes, then read and ask."""
    agent = door.enter()
    door.open(agent, minutes="5")
    form = {**door.preview(agent, OVERRIDE, SEATS), **CONTRACT}
    door.cast.clock.pass_by(minutes=5)
    first = door.attempts(404, "tenant.read_refused", code="lease_ended", settles=("lease",))
    first.get(agent, "/t/nordwind/members")
    assert door.cast.count("lease.expired") == 1
    later = door.attempts(404, "tenant.read_refused", code="no_lease")
    later.get(agent, "/t/nordwind/")
    asking = door.attempts(404, "request.refused", code="no_lease")
    asking.post(agent, OVERRIDE, form)
    return first, later, asking
