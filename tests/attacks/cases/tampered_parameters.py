"""The parameters of a request are changed in the database, before its approval and after."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V15.4.2", "V2.3.4", "PCI-10.3.4")
RAISED = '{"feature":"seats","until":"2027-01-31","value":100000}'


def attack(door: Door) -> tuple[Attempts, ...]:
    """Change the frozen row, against its seat belt and without it."""
    approved = door.approved()
    waiting = door.asked("support_agent_2")
    belt = door.attempts(
        "IntegrityError", unrecorded="the database refuses it under the application, which is never asked"
    )
    belt.sql("UPDATE request_revision SET params = ?", RAISED)
    belt.sql("DELETE FROM request_revision")
    door.unlock("request_revision")
    door.sql("UPDATE request_revision SET params = ?", RAISED)
    lead = door.enter("finance_lead")
    lead.get(f"/requests/{waiting}")
    # One entry raises the alarm, one tells of the refusal.
    voting = door.attempts(
        409, "approval.digest_mismatch", "request.vote_refused", code="digest_mismatch", settles=("notice",)
    )
    voting.post(lead, f"/requests/{waiting}/votes", door.ballot(waiting))
    running = door.attempts(
        409, "approval.digest_mismatch", "request.execute_refused", code="digest_mismatch", settles=("notice",)
    )
    running.post(lead, f"/requests/{approved}/execution")
    told = door.enter("security_auditor").get("/").text
    assert told.count("What is stored of a request is not what was approved") == 2
    return belt, voting, running
