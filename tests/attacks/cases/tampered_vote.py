"""A vote that was cast for something else is turned to this request in the database."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V15.4.2", "V2.3.4")


def attack(door: Door) -> Attempts:
    """Change the digest that the vote names."""
    request = door.approved()
    door.unlock("request_vote")
    door.sql("UPDATE request_vote SET digest = ?", "0" * 64)
    lead = door.enter("finance_lead")
    attempts = door.attempts(
        409, "approval.digest_mismatch", "request.execute_refused", code="digest_mismatch", settles=("notice",)
    )
    attempts.post(lead, f"/requests/{request}/execution")
    return attempts
