"""Let the deliveries of an endpoint follow its state: held, suppressed, or queued again, slice by slice."""

from datetime import datetime, timedelta

from console.domain.addressing import ENDPOINT_PAUSED
from console.domain.ids import EndpointId
from console.domain.jobs import Job
from console.domain.sending import ENDPOINT_DISABLED
from console.domain.webhooks import DeliveryState, Endpoint, EndpointState
from console.ports.webhooks import WebhookBook
from console.usecases.house import House
from console.usecases.job_outcomes import Again, Done
from console.usecases.scopes import directory_row, scope_of_job
from console.usecases.written_tenant import written_tenant

_SLICE = 1_000
_SOON = timedelta(milliseconds=100)
_FATE = {
    EndpointState.PAUSED: (DeliveryState.HELD, ENDPOINT_PAUSED),
    EndpointState.DISABLED: (DeliveryState.SUPPRESSED, ENDPOINT_DISABLED),
    EndpointState.DELETED: (DeliveryState.SUPPRESSED, "endpoint_deleted"),
}


def hold_deliveries(house: House, job: Job) -> Done | Again:
    """Move one slice of an endpoint's deliveries after the endpoint's present state. Raises: NotFoundError."""
    now = house.clock.now()
    if job.tenant is None:
        return Done()
    with house.store.read() as unit:
        row = directory_row(unit, job.tenant)
    with written_tenant(house, scope_of_job(job, row, now=now)) as written:
        book = written.plane.webhooks
        endpoint = book.endpoint(EndpointId(str(job.payload.get("endpoint", ""))))
        moved = 0 if endpoint is None else _moved(book, endpoint, now)
    return Again(at=now + _SOON) if moved == _SLICE else Done()


def _moved(book: WebhookBook, endpoint: Endpoint, now: datetime) -> int:
    if endpoint.state is EndpointState.ACTIVE:
        return book.unhold(endpoint.id, at=now, limit=_SLICE)
    state, reason = _FATE[endpoint.state]
    return book.hold(endpoint.id, state=state, reason=reason, limit=_SLICE)
