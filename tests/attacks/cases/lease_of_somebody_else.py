"""A colleague has the tenant open; somebody else reads on that lease, and ends it."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V8.2.2", "V8.4.1")


def attack(door: Door) -> tuple[Attempts, ...]:
    """Read the tenant and close a lease that belongs to a colleague."""
    door.inside("support_agent_2")
    (lease,) = door.leases("support_agent_2")
    agent = door.enter("support_agent")
    reading = door.attempts(404, "tenant.read_refused", code="no_lease")
    reading.get(agent, "/t/nordwind/")
    reading.get(agent, f"/t/nordwind/members?lease={lease.id}")
    ending = door.attempts(404, "lease.refused", code="not_yours")
    agent.get("/account")
    ending.post(agent, f"/leases/{lease.id}/end")
    ending.post(agent, "/leases/lea_00000000000000000000000000/end")
    assert door.leases("support_agent_2") == [lease]
    return reading, ending
