"""A finance lead approves the refund that they asked for themselves, in the same and in a new session."""

from tests.attacks.door import Attempts, Door
from tests.attacks.money import FORTY, REFUND, WHY, finance_inside, open_till

CHECKLIST = ("V2.3.5", "AC-3(2)", "V16.3.3")


def attack(door: Door) -> Attempts:
    """Vote twice over; no other hand touches it."""
    open_till(door)
    lead = finance_inside(door, "finance_lead")
    request = door.ask(lead, REFUND, FORTY, **WHY)
    attempts = door.attempts(403, "request.vote_refused", code="self_approval")
    lead.get(f"/requests/{request}")
    attempts.post(lead, f"/requests/{request}/votes", door.ballot(request))
    again = door.enter("finance_lead")
    again.get(f"/requests/{request}")
    attempts.post(again, f"/requests/{request}/votes", door.ballot(request))
    return attempts
