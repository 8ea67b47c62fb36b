"""Somebody raises a limit further than any override may, by one override upon another."""

from tests.attacks.door import OVERRIDE, SEATS, Attempts, Door

CHECKLIST = ("V2.3.4",)


def attack(door: Door) -> Attempts:
    """Have a raise agreed to that is just small enough, then ask for another upon it."""
    agent, lead = door.inside(), door.enter("finance_lead")
    door.vote(lead, door.ask(agent, fields={**SEATS, "value": "4000"}))
    attempts = door.attempts(403, "request.refused", code="ceiling_exceeded")
    form = door.preview(agent, OVERRIDE, {**SEATS, "value": "8000"})
    attempts.post(agent, OVERRIDE, form)
    return attempts
