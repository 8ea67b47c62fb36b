"""A page that is never allowed is asked for under spellings of its address."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V5.3.2", "V8.2.1", "V13.4.5")


def attack(door: Door) -> tuple[Attempts, ...]:
    """Spell the staff list, the trail and another tenant's members in other ways."""
    agent = door.inside()
    forbidden = door.attempts(403, "route.refused", code="role_missing")
    for path in ("/staff", "/%73taff", "/staff?x=/healthz", "/s%74aff"):
        forbidden.get(agent, path)
    lost = door.attempts(404, "route.refused")
    for path in (
        "/STAFF", "/Staff", "/staff/", "/staff%2f", "/staff;x=1", "/staff.json", "/staff%20", "/t/kestrel/%2e%2e/staff",
        "/metrics", "/debug", "/openapi.json", "/.git/config", "/console", "/admin", "/.env",
    ):  # fmt: skip
        lost.get(agent, path)
    return forbidden, lost
