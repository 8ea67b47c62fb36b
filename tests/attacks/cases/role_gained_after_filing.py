"""Somebody is made an approver for a request that waits already."""

from console.domain.staff import Role
from tests.attacks.door import Attempts, Door

CHECKLIST = ("V2.3.5", "V8.2.1")


def attack(door: Door) -> Attempts:
    """Make an accomplice finance lead a minute after the filing, and let them vote."""
    request = door.asked()
    door.cast.clock.pass_by(minutes=1)
    door.change_roles("engineer", Role.FINANCE_LEAD)
    accomplice = door.enter("engineer")
    accomplice.get(f"/requests/{request}")
    attempts = door.attempts(403, "request.vote_refused", code="approver_added_late")
    attempts.post(accomplice, f"/requests/{request}/votes", door.ballot(request))
    return attempts
