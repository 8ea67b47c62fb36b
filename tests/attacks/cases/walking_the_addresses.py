"""Somebody tries addresses instead of searching, to list the customers without being counted or recorded."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V2.4.1", "V16.3.2")


def attack(door: Door) -> tuple[Attempts, ...]:
    """Look at the form that opens a tenant, again and again; then look for a name as an administrator."""
    agent, house = door.enter(), door.cast.house
    before = door.cast.count("directory.search")
    assert agent.get("/tenants/kestrel/lease").status_code == 200
    assert door.cast.count("directory.search") == before + 1
    now = door.cast.clock.now()
    with house.store.write() as unit:
        for _ in range(house.book.limits.searches_per_minute):
            unit.throttles.hit("search", door.staff("support_agent"), at=now)
    slow = door.attempts(429, "throttle.refused", code="throttled")
    assert "Kestrel" not in slow.get(agent, "/tenants/kestrel/lease").text
    administrator = door.enter("administrator")
    reading = door.attempts(404, "tenant.read_refused", code="no_lease")
    assert "Kestrel" not in reading.get(administrator, "/t/kestrel/").text
    asking = door.attempts(404, "request.refused", code="no_lease")
    assert "Kestrel" not in asking.get(administrator, "/t/kestrel/actions/tenant.suspend").text
    return slow, reading, asking
