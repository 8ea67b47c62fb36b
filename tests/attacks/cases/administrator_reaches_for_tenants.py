"""An administrator, who can give any role, looks at customers all the same."""

from console.domain.staff import Role
from tests.attacks.door import TICKET, Attempts, Door

CHECKLIST = ("V8.2.1", "V8.2.3")


def attack(door: Door) -> tuple[Attempts, ...]:
    """Search and open tenants, alone and with a support role beside."""
    admin = door.enter("administrator")
    door.change_roles("administrator", Role.ADMINISTRATOR, Role.SUPPORT_AGENT)
    searching = door.attempts(403, "route.refused", code="role_missing")
    assert "Logistik" not in searching.get(admin, "/search?q=nordwind").text
    opening = door.attempts(403, "lease.refused", code="role_missing")
    opening.get(admin, "/tenants/nordwind/lease")
    admin.get("/account")
    opening.post(admin, "/tenants/nordwind/lease", TICKET)
    return searching, opening
