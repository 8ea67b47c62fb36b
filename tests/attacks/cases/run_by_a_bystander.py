"""Somebody who neither asked nor approved runs an approved request."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V8.2.2", "V2.3.5")


def attack(door: Door) -> Attempts:
    """Let a colleague, another lead and an auditor press the button by its address."""
    request = door.approved()
    attempts = door.attempts(404, "request.execute_refused", code="not_yours")
    for who in ("support_agent_2", "finance_lead_2", "security_auditor"):
        attempts.post(door.enter(who), f"/requests/{request}/execution")
    return attempts
