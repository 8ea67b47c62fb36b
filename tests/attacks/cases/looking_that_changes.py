"""What changes something is asked for by GET and HEAD, as a link or a picture would."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V3.5.3",)


def attack(door: Door) -> Attempts:
    """Look at the address of every button."""
    agent = door.inside()
    request = door.ask(agent)
    (lease,) = door.leases("support_agent")
    attempts = door.attempts(405, "route.refused")
    paths = (
        f"/leases/{lease.id}/end", f"/requests/{request}/votes", f"/requests/{request}/execution", "/sign-out",
        f"/requests/{request}/cancellation", f"/requests/{request}/revocation", "/account/notices/read",
        f"/account/sessions/{door.session(agent)}/end",
    )  # fmt: skip
    for path in paths:
        for method in ("GET", "HEAD"):
            attempts.send(agent, method, path)
    return attempts
