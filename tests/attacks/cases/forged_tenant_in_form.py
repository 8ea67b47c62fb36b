"""A form on one tenant's address names another tenant in fields of its own making."""

from tests.attacks.door import CONTRACT, OVERRIDE, SEATS, Attempts, Door
from tests.web.world import TENANTS

CHECKLIST = ("V8.4.1", "V2.2.3", "V15.3.3")


def attack(door: Door) -> Attempts:
    """Name the other tenant in every way that a form could."""
    agent = door.inside()
    attempts = door.attempts(422, "csrf.refused", code="bad_parameter")
    form = {**door.preview(agent, OVERRIDE, SEATS), **CONTRACT}
    for name in ("tenant", "tenant_id", "slug", "row", "plane", "scope"):
        for value in (TENANTS["kestrel"], "kestrel"):
            attempts.post(agent, OVERRIDE, {**form, name: value})
    return attempts
