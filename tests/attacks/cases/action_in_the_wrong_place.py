"""Actions on staff are asked for through a tenant, actions on tenants without one, and actions that are none."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V8.2.1", "V2.3.1")


def attack(door: Door) -> Attempts:
    """Ask by form and by address."""
    agent = door.inside()
    attempts = door.attempts(404, "request.refused", code="unknown_action")
    paths = (
        "/t/nordwind/actions/staff.add", "/actions/tenant.suspend", "/actions/entitlement.override",
        "/t/nordwind/actions/nothing.here", "/t/nordwind/actions/entitlement.override%00", "/actions/x",
    )  # fmt: skip
    for path in paths:
        if "%00" not in path:
            attempts.get(agent, path)
            attempts.post(agent, path, {"step": "ask"})
    return attempts
