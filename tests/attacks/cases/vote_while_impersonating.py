"""The requester acts for a member of the tenant and approves their own request meanwhile."""

from tests.attacks.door import SUSPEND, UNPAID, Attempts, Door
from tests.attacks.product import still_runs
from tests.web.product_stage import entered

CHECKLIST = ("V2.3.5", "V8.2.1")


def attack(door: Door) -> tuple[Attempts, ...]:
    """Vote from the console, then with the token that lets the product act; a second lead's vote is what counts."""
    lead = door.enter("support_lead")
    inside = entered(door.cast, lead, "support_lead")
    request = door.ask(lead, SUSPEND, UNPAID)
    path, ballot = f"/requests/{request}/votes", door.ballot(request)
    lead.get(f"/requests/{request}")
    voting = door.attempts(403, "request.vote_refused", code="self_approval")
    voting.post(lead, path, ballot)
    by_token = door.attempts(401, "route.refused")
    stranger, bearer = door.cast.stranger(), {"Authorization": f"Bearer {inside.token}"}
    by_token.send(stranger, "POST", path, data=ballot, headers=bearer)
    assert still_runs(door, inside.sid)
    assert not door.votes(request)
    door.vote(door.enter("support_lead_2"), request)
    assert len(door.votes(request)) == 1
    return voting, by_token
