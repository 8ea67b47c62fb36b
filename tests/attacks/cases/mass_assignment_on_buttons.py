"""Forms that are only a button (run, withdraw, close) come with fields."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V15.3.3",)


def attack(door: Door) -> Attempts:
    """Send state and version along with the run, the withdrawal and the end of a lease."""
    request = door.approved()
    agent = door.inside()
    (lease, *_rest) = door.leases("support_agent")
    attempts = door.attempts(422, "csrf.refused", code="bad_parameter")
    for path in (f"/requests/{request}/execution", f"/requests/{request}/cancellation", f"/leases/{lease.id}/end"):
        for name in ("state", "version", "tenant_id"):
            attempts.post(agent, path, {name: "1"})
    return attempts
