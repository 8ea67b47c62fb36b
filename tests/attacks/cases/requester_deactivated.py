"""The person who asked has left the company; the approved request is run by the approver."""

from tests.attacks.door import Attempts, Door
from tests.web.cast import PEOPLE

CHECKLIST = ("V8.3.2", "V7.4.2")


def attack(door: Door) -> Attempts:
    """Run what a deactivated colleague asked for."""
    request = door.approved()
    with door.cast.house.store.write() as unit:
        unit.staff.set_active(PEOPLE["support_agent"].id, is_active=False, at=door.cast.clock.now())
    lead = door.enter("finance_lead")
    attempts = door.attempts(403, "request.execute_refused", code="staff_inactive")
    attempts.post(lead, f"/requests/{request}/execution")
    return attempts
