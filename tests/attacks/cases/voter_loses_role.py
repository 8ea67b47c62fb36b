"""An approver loses the role between the vote and the run."""

from console.domain.staff import Role
from tests.attacks.door import Attempts, Door

CHECKLIST = ("V8.3.2", "V2.3.5")


def attack(door: Door) -> Attempts:
    """Run on the word of somebody who may no longer give it."""
    request = door.approved()
    door.change_roles("finance_lead", Role.FINANCE)
    agent = door.enter()
    settled = ("request", "request_vote", "notice")  # the vote is void, and the approvers are told
    attempts = door.attempts(403, "request.execute_refused", code="not_an_approver", settles=settled)
    attempts.post(agent, f"/requests/{request}/execution")
    assert door.request(request).state == "pending"
    return attempts
