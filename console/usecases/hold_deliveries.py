"""Let the deliveries of an endpoint follow its state: held, suppressed, or queued again, slice by slice."""

from datetime import datetime, timedelta

from console.domain.addressing import ENDPOINT_PAUSED
from console.domain.ids import EndpointId
from console.domain.jobs import Job
from console.domain.sending import ENDPOINT_DISABLED
from console.domain.webhooks import DeliveryState, Endpoint, EndpointState
from console.ports.webhooks import DeliveryFilter, WebhookBook
from console.usecases.claim_deliveries import free_lapsed
from console.usecases.house import House
from console.usecases.job_outcomes import Again, Done
from console.usecases.scopes import directory_row, scope_of_job
from console.usecases.written_tenant import written_tenant

_SLICE = 1_000
_SOON = timedelta(milliseconds=100)
_LATER = timedelta(seconds=15)
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
        moved = 0 if endpoint is None else _moved(house, book, endpoint, now)
        is_sending = endpoint is not None and _is_sending(book, endpoint)
    if moved == _SLICE:
        return Again(at=now + _SOON)
    return Again(at=now + _LATER) if is_sending else Done()


def _is_sending(book: WebhookBook, endpoint: Endpoint) -> bool:
    """Return whether a sender has deliveries of a shut endpoint in its hands: what it gives back must follow too."""
    if endpoint.state is EndpointState.ACTIVE:
        return False
    sending = DeliveryFilter(endpoint=endpoint.id, state=DeliveryState.SENDING)
    return bool(book.deliveries(sending, before=None, limit=1))


def _moved(house: House, book: WebhookBook, endpoint: Endpoint, now: datetime) -> int:
    if endpoint.state is EndpointState.ACTIVE:
        return book.unhold(endpoint.id, at=now, limit=_SLICE)
    lapsed = [each for each in book.due(endpoint.id, now=now, limit=_SLICE) if each.state is DeliveryState.SENDING]
    free_lapsed(house, book, lapsed, now=now)  # no sender comes to a shut endpoint, so nobody else would
    state, reason = _FATE[endpoint.state]
    return book.hold(endpoint.id, state=state, reason=reason, limit=_SLICE)
