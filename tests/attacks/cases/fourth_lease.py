"""Three tenants lie open, and a fourth is opened beside them."""

from tests.attacks.cases.collecting_tenants import opened
from tests.attacks.door import TICKET, Attempts, Door

CHECKLIST = ("V2.3.2",)


def attack(door: Door) -> Attempts:
    """Open one more than a person may hold."""
    agent = door.enter()
    opened(door, door.cast.house.book.limits.leases_open_per_person, is_over=False)
    agent.get("/tenants/nordwind/lease")
    attempts = door.attempts(409, "lease.refused", code="too_many_leases")
    attempts.post(agent, "/tenants/nordwind/lease", TICKET)
    return attempts
