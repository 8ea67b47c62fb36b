"""Somebody opens tenant after tenant within an hour, each with a good reason."""

from datetime import timedelta

from console.domain.ids import LeaseId, ReasonCode, TenantId
from console.domain.leases import Lease, LeaseEnd
from console.domain.reasons import Reason
from tests.attacks.door import TICKET, Attempts, Door

CHECKLIST = ("V2.4.1", "V2.3.2")


def attack(door: Door) -> Attempts:
    """Open one more than the hour allows; the twelve before are over already."""
    agent = door.enter()
    agent.get("/tenants/nordwind/lease")
    opened(door, door.cast.house.book.limits.tenants_per_hour, is_over=True)
    attempts = door.attempts(429, "budget.exceeded", code="budget_spent")
    attempts.post(agent, "/tenants/nordwind/lease", TICKET)
    attempts.post(agent, "/tenants/kestrel/lease", TICKET)
    return attempts


def opened(door: Door, count: int, *, is_over: bool) -> None:
    """Let the agent have opened so many other tenants a minute ago."""
    now = door.cast.clock.now()
    with door.cast.house.store.write() as unit:
        for number in range(count):
            lease = Lease(
                id=LeaseId(f"lea_{number:026d}"), staff=door.staff("support_agent"), session=None,
                tenant=TenantId(f"ten_{number:026d}"), opened_at=now - timedelta(minutes=1), last_used_at=now,
                reason=Reason(code=ReasonCode("CUSTOMER_SUPPORT"), reference=f"ZD-{number}"),
                not_after=now + timedelta(minutes=29), idle_minutes=20,
            )  # fmt: skip
            unit.leases.add(lease)
            if is_over:
                unit.leases.end(lease.id, by=LeaseEnd.HAND, at=now)
