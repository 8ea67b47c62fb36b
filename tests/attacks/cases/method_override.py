"""A harmless method carries a header that names a harmful one."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V3.5.3", "V4.1.4")


def attack(door: Door) -> Attempts:
    """Try the three headers that frameworks have believed."""
    agent = door.inside()
    (lease,) = door.leases("support_agent")
    attempts = door.attempts(400, "route.refused")
    for header in ("X_HTTP_Method_Override", "X_HTTP_Method", "X_Method_Override"):
        attempts.get(agent, f"/leases/{lease.id}/end", **{header: "POST"})
        attempts.post(agent, "/account/notices/read", {}, token=None, **{header: "DELETE"})
    return attempts
