"""Everything is frozen while somebody has a tenant open, an approved request in hand, and a colleague's to vote on."""

from tests.attacks.door import OVERRIDE, SEATS, TICKET, Attempts, Door
from tests.attacks.frozen import freeze

CHECKLIST = ("V7.4.2", "V8.3.2", "V2.3.2")


def attack(door: Door) -> tuple[Attempts, ...]:
    """Go on in every way that a page offers."""
    approved = door.approved()
    waiting = door.suspension_asked()
    ballot = door.ballot(waiting)
    agent, lead = door.inside("support_agent"), door.inside("support_lead_2")
    lead.get(f"/requests/{waiting}")
    form = door.preview(agent, OVERRIDE, SEATS)
    freeze(door)
    reading = door.attempts(404, "tenant.read_refused", code="no_lease")
    reading.get(agent, "/t/nordwind/members")
    opening = door.attempts(409, "lease.refused", code="frozen")
    opening.post(agent, "/tenants/nordwind/lease", TICKET)
    asking = door.attempts(404, "request.refused", code="no_lease")
    asking.post(agent, OVERRIDE, form)
    voting = door.attempts(409, "request.vote_refused", code="frozen")
    voting.post(lead, f"/requests/{waiting}/votes", ballot)
    running = door.attempts(409, "request.execute_refused", code="frozen")
    running.post(agent, f"/requests/{approved}/execution")
    return reading, opening, asking, voting, running
