"""The form that opens a tenant carries a lifetime, a person and a state of its own."""

from tests.attacks.door import TICKET, Attempts, Door

CHECKLIST = ("V15.3.3", "V2.3.2")
SMUGGLED = ("not_after", "staff", "tenant", "idle_minutes", "ended_at", "session", "budget", "is_new_tenant")


def attack(door: Door) -> Attempts:
    """Add each to an otherwise perfect form."""
    agent = door.enter()
    agent.get("/tenants/nordwind/lease")
    attempts = door.attempts(422, "csrf.refused", code="bad_parameter")
    for name in SMUGGLED:
        attempts.post(agent, "/tenants/nordwind/lease", {**TICKET, name: "9999"})
    return attempts
