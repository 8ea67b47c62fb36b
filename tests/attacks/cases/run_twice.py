"""An approval is used a second time, by the requester and by the approver."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V2.3.4",)


def attack(door: Door) -> Attempts:
    """Run once rightly, then again and again."""
    request = door.approved()
    agent = door.enter()
    agent.get(f"/requests/{request}")
    assert agent.post(f"/requests/{request}/execution").status_code == 303
    assert door.request(request).state == "executed"
    lead = door.enter("finance_lead")
    attempts = door.attempts(409, "request.execute_refused", code="wrong_state")
    for browser in (agent, lead, agent):
        attempts.post(browser, f"/requests/{request}/execution")
    assert door.cast.count("action.executed") == 1
    return attempts
