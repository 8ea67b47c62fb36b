"""Take away the payloads of messages whose retention has ended; that they were sent stays known."""

from console.domain.jobs import Job
from console.usecases.house import House
from console.usecases.job_outcomes import Again, Done
from console.usecases.scopes import scope_of_sender
from console.usecases.written_tenant import written_tenant

_TENANTS = 100
_MESSAGES = 1_000


def expire_payloads(house: House, job: Job) -> Done | Again:
    """Expire a slice over all planes; goes on at once while there is more."""
    now = house.clock.now()
    waiting = house.webhook_fleet.expired(now, limit=_TENANTS)
    for plane, tenant in waiting:
        with written_tenant(house, scope_of_sender(tenant, plane, now=now)) as written:
            written.plane.webhooks.expire_payloads(now=now, limit=_MESSAGES)
    return Again(at=now) if waiting else Done()
