"""The head of a pending request is set to approved in the database, with no vote behind it."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V2.3.5", "V15.4.2")


def attack(door: Door) -> Attempts:
    """Write the state and a clock that runs, then press run."""
    door.run_by_hand()
    request = door.asked()
    door.sql("UPDATE request SET state = 'approved', execute_by = approve_by WHERE id = ?", request)
    agent = door.enter()
    # It goes back to its approvers: that is stored, and nothing runs.
    attempts = door.attempts(403, "request.execute_refused", code="not_an_approver", settles=("request", "notice"))
    attempts.post(agent, f"/requests/{request}/execution")
    assert door.request(request).state == "pending"
    return attempts
