"""Somebody who never opened the tenant asks for actions on it."""

from tests.attacks.door import CONTRACT, OVERRIDE, SEATS, Attempts, Door

CHECKLIST = ("V8.2.2", "V2.3.1", "V8.3.1")


def attack(door: Door) -> Attempts:
    """Open the form, preview it, and file it without either."""
    agent = door.inside(slug="kestrel")
    attempts = door.attempts(404, "request.refused", code="no_lease")
    attempts.get(agent, OVERRIDE)
    attempts.get(agent, f"{OVERRIDE}?feature=seats&value=250&until=2027-01-31")
    attempts.post(agent, OVERRIDE, {**SEATS, **CONTRACT, "step": "preview"})
    attempts.post(agent, OVERRIDE, {**SEATS, **CONTRACT, "step": "ask", "mark": "0" * 64})
    return attempts
