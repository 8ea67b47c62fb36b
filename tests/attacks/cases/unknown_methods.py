"""Methods that no page takes, and methods that a page does not take."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V4.1.4", "V3.5.3", "V16.4.2")


def attack(door: Door) -> Attempts:
    """Send them to pages, to the trail and to forms."""
    agent = door.inside()
    (lease,) = door.leases("support_agent")
    attempts = door.attempts(405, "route.refused")
    for path in ("/", "/trail", "/trail/aud_1", "/t/nordwind/members", f"/leases/{lease.id}/end"):
        for method in ("TRACE", "FOO", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT"):
            answer = attempts.send(agent, method, path)
            assert "Cookie" not in answer.text
    return attempts
