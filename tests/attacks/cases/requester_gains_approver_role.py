"""The requester becomes an approver by a new role, and approves."""

from console.domain.staff import Role
from tests.attacks.door import Attempts, Door

CHECKLIST = ("V2.3.5", "V8.3.2")


def attack(door: Door) -> Attempts:
    """Ask as a support agent, become finance lead, sign in again, vote."""
    request = door.asked()
    door.change_roles("support_agent", Role.SUPPORT_AGENT, Role.FINANCE_LEAD)
    browser = door.enter("support_agent")
    browser.get(f"/requests/{request}")
    attempts = door.attempts(403, "request.vote_refused", code="self_approval")
    attempts.post(browser, f"/requests/{request}/votes", door.ballot(request))
    return attempts
