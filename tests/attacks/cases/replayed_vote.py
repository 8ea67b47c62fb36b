"""One approver sends the same approval again, to count for two."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V2.3.4", "V2.3.5", "AC-3(2)")


def attack(door: Door) -> tuple[Attempts, ...]:
    """Vote twice on a request that needs two, and once more when it has run."""
    request = door.suspension_asked()
    lead = door.enter("support_lead_2")
    ballot = door.ballot(request)
    door.vote(lead, request)
    twice = door.attempts(409, "request.vote_refused", code="already_voted")
    twice.post(lead, f"/requests/{request}/votes", ballot)
    assert len(door.votes(request)) == 1
    second = door.enter("finance_lead")
    door.vote(second, request)
    assert door.request(request).state == "executed"
    late = door.attempts(409, "request.vote_refused", code="wrong_state")
    late.post(second, f"/requests/{request}/votes", ballot)
    return twice, late
