"""A revision of one's own request is filed after the lease on its tenant has ended."""

from tests.attacks.door import SEATS, Attempts, Door

CHECKLIST = ("V2.3.1", "V8.2.2")


def attack(door: Door) -> Attempts:
    """Ask, close the tenant, and revise."""
    agent = door.inside()
    request = door.ask(agent)
    (lease,) = door.leases("support_agent")
    assert agent.post(f"/leases/{lease.id}/end").status_code == 303
    attempts = door.attempts(404, "request.refused", code="no_lease")
    attempts.get(agent, f"/requests/{request}/revision")
    attempts.post(agent, f"/requests/{request}/revision", {**SEATS, "value": "900", "step": "ask"})
    return attempts
