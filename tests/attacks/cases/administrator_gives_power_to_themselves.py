"""An administrator gives themselves a role, switches themselves on, or makes an accomplice one alone."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V8.2.1", "V2.3.5")
REASON = {"reason_code": "STAFF_CHANGE", "reason_reference": "HR-123"}


def attack(door: Door) -> tuple[Attempts, ...]:
    """Ask for one's own role; then approve one's own request to make an accomplice administrator."""
    admin = door.enter("administrator")
    path = "/actions/staff.change_roles"
    own = {"colleague": door.staff("administrator"), "roles": "support_lead"}
    form = door.preview(admin, path, own, **REASON)
    selfish = door.attempts(403, "request.refused", code="self_target")
    selfish.post(admin, path, form)
    other = {"colleague": door.staff("engineer"), "roles": "administrator"}
    request = door.ask(admin, path, other, **REASON)
    admin.get(f"/requests/{request}")
    alone = door.attempts(403, "request.vote_refused", code="self_approval")
    alone.post(admin, f"/requests/{request}/votes", door.ballot(request))
    return selfish, alone
