"""Somebody who neither asked nor approved runs a request, whatever state it is in."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V8.2.2", "V2.3.5")


def attack(door: Door) -> Attempts:
    """Let a colleague, another lead and an auditor press the button by its address: all are told the same."""
    approved = door.approved()
    agent = door.inside()
    pending, cancelled = (door.ask(agent) for _ in range(2))
    assert agent.post(f"/requests/{cancelled}/cancellation").status_code == 303
    attempts = door.attempts(404, "request.execute_refused", code="not_yours")
    for who in ("support_agent_2", "finance_lead_2", "security_auditor"):
        browser = door.enter(who)
        for request in (approved, pending, cancelled):
            attempts.post(browser, f"/requests/{request}/execution")
    return attempts
