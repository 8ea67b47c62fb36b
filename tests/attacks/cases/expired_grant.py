"""Approvals are used, and votes cast, after their clocks have run out, with no background job to say so."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V2.3.2",)


def attack(door: Door) -> tuple[Attempts, ...]:
    """Run an hour after the approval; vote four hours after the filing."""
    approved = door.approved()
    waiting = door.asked("support_agent_2")
    door.cast.clock.pass_by(minutes=61)
    agent = door.enter()
    running = door.attempts(409, "request.execute_refused", code="expired", settles=("request", "notice"))
    running.post(agent, f"/requests/{approved}/execution")
    assert door.request(approved).state == "expired_approved"
    door.cast.clock.pass_by(hours=4)
    lead = door.enter("finance_lead")
    voting = door.attempts(409, "request.vote_refused", code="expired", settles=("request", "notice"))
    voting.post(lead, f"/requests/{waiting}/votes", door.ballot(waiting))
    assert door.request(waiting).state == "expired_pending"
    return running, voting
