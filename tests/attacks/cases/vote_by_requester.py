"""Whoever asked approves what they asked for, in the same and in a new session."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V2.3.5", "AC-3(2)", "V16.3.3")


def attack(door: Door) -> Attempts:
    """Approve one's own request twice over."""
    lead = door.inside("support_lead")
    request = door.ask(lead, "/t/nordwind/actions/tenant.suspend", {"because": "Invoices are unpaid since March."})
    attempts = door.attempts(403, "request.vote_refused", code="self_approval")
    lead.get(f"/requests/{request}")
    attempts.post(lead, f"/requests/{request}/votes", door.ballot(request))
    again = door.enter("support_lead")
    again.get(f"/requests/{request}")
    attempts.post(again, f"/requests/{request}/votes", door.ballot(request))
    return attempts
