"""A lease is asked for longer than its reason permits, for no time, and for years."""

from tests.attacks.door import TICKET, Attempts, Door

CHECKLIST = ("V2.3.2", "V2.2.1")


def attack(door: Door) -> Attempts:
    """Ask for one minute too many, and for far too many."""
    agent = door.enter()
    agent.get("/tenants/nordwind/lease")
    attempts = door.attempts(422, "lease.refused", code="minutes_above_limit")
    for minutes in ("31", "0", "480", "999999", "0000"):
        attempts.post(agent, "/tenants/nordwind/lease", {**TICKET, "minutes": minutes})
    return attempts
