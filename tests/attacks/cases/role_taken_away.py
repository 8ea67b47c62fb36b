"""A role is taken away in a live session, with a tenant open and a form on the screen."""

from console.domain.staff import Role
from tests.attacks.door import CONTRACT, OVERRIDE, SEATS, Attempts, Door

CHECKLIST = ("V8.3.2", "V8.2.1")


def attack(door: Door) -> tuple[Attempts, ...]:
    """Become an auditor, who never sees tenants, and go on as before; then nothing at all."""
    agent = door.inside()
    form = {**door.preview(agent, OVERRIDE, SEATS), **CONTRACT}
    door.change_roles("support_agent", Role.SECURITY_AUDITOR)
    reading = door.attempts(403, "tenant.read_refused", code="role_missing")
    reading.get(agent, "/t/nordwind/members")
    asking = door.attempts(403, "request.refused", code="role_missing")
    asking.post(agent, OVERRIDE, form)
    door.change_roles("support_agent")
    nobody = door.attempts(401, "route.refused", settles=("lease",))
    nobody.get(agent, "/account")
    return reading, asking, nobody
