"""Somebody approves without ever having had the difference on the screen."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V2.3.1", "V2.3.5")


def attack(door: Door) -> Attempts:
    """Vote with the right digest, learnt elsewhere."""
    request = door.asked()
    lead = door.enter("finance_lead")
    attempts = door.attempts(409, "request.vote_refused", code="diff_not_seen")
    attempts.post(lead, f"/requests/{request}/votes", door.ballot(request))
    return attempts
