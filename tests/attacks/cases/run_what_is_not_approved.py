"""Requests that wait, were rejected, withdrawn, or never were, are run."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V2.3.1", "V2.3.5")


def attack(door: Door) -> tuple[Attempts, ...]:
    """Run each; a request that nobody filed is simply not there."""
    agent = door.inside()
    pending, rejected, cancelled = (door.ask(agent) for _ in range(3))
    lead = door.enter("finance_lead")
    lead.get(f"/requests/{rejected}")
    assert lead.post(f"/requests/{rejected}/votes", door.ballot(rejected, "reject")).status_code == 303
    assert agent.post(f"/requests/{cancelled}/cancellation").status_code == 303
    states = door.attempts(409, "request.execute_refused", code="wrong_state")
    for request in (pending, rejected, cancelled):
        states.post(agent, f"/requests/{request}/execution")
    unknown = door.attempts(404, "route.refused")
    unknown.post(agent, "/requests/req_00000000000000000000000000/execution")
    return states, unknown
