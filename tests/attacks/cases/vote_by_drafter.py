"""A drafts, B submits, and A approves what is their own."""

from tests.attacks.door import Attempts, Door
from tests.web.cast import PEOPLE

CHECKLIST = ("V2.3.5", "AC-3(2)")


def attack(door: Door) -> Attempts:
    """Vote on a request that somebody else submitted after one's own draft."""
    request = door.suspension_asked()
    drafter = PEOPLE["support_lead_2"]
    door.unlock("request_revision")
    door.sql("UPDATE request_revision SET drafted_by = ? WHERE request = ?", f"local|{drafter.id}", request)
    lead = door.enter("support_lead_2")
    lead.get(f"/requests/{request}")
    attempts = door.attempts(403, "request.vote_refused", code="self_approval")
    attempts.post(lead, f"/requests/{request}/votes", door.ballot(request))
    return attempts
