"""Hand the next items of a bulk replay to the sender, each looked at again in the moment of its release."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from console.domain.addressing import ENDPOINT_PAUSED, wants
from console.domain.ids import EndpointId, MessageId
from console.domain.jobs import Job
from console.domain.replays import Excluded, ItemState, Run, RunItem, RunState, Wanted
from console.domain.webhooks import Delivery, DeliveryState, Endpoint, EndpointState, Message
from console.ports.webhooks import ItemOutcome, WebhookBook
from console.usecases.house import House

_MOST_AT_ONCE = 1_000
_MOST_LATE_S = 5.0


def release_slice(house: House, book: WebhookBook, run: Run, job: Job, *, now: datetime) -> None:
    """Skip what may no longer be sent and release as much as the run's rate allows since the slice before.

    1 what lies with an endpoint that is no longer sent to comes back · 2 how many · 3 each is looked at · 4 released
    """
    endpoints = {each.id: each for each in book.endpoints(with_deleted=True)}
    # 1
    released = book.items(run.id, state=ItemState.RELEASED, after=0, limit=_MOST_AT_ONCE) if run.released else ()
    stuck = {each.endpoint for each in released if not _is_sent_to(endpoints, each.endpoint)}
    if stuck:
        book.recall_items(run.id)
        run = book.run(run.id) or run
    # 2
    allowed = _allowed(house, run, job, now=now)
    items = book.items(run.id, state=ItemState.WAITING, after=0, limit=allowed) if allowed else ()
    if any(_is_paused(endpoints, each.endpoint) for each in items):
        book.move_run(run, RunState.PAUSED, at=now, because=ENDPOINT_PAUSED)
        book.recall_items(run.id)
        return
    # 3
    deliveries = book.named([each.delivery for each in items])
    messages = book.messages([each.message for each in deliveries.values()])
    fit: list[RunItem] = []
    unfit: list[ItemOutcome] = []
    for item in items:
        reason = _unfit(run, item, deliveries.get(item.delivery), endpoints, messages, now=now)
        if reason is None:
            fit.append(item)
        else:
            unfit.append(
                ItemOutcome(delivery=item.delivery, state=ItemState.SKIPPED, tries=item.tries, reason=reason.value)
            )
    # 4
    book.settle_items(run.id, unfit)
    book.release_items(run.id, fit, at=now)


def _allowed(house: House, run: Run, job: Job, *, now: datetime) -> int:
    """Return how many may be released: the rate times the time since the last slice, with a bounded heap before it."""
    slice_s = house.book.sending.run_slice_seconds
    late_s = min(max(0.0, (now - job.run_at) / timedelta(seconds=1)), _MOST_LATE_S)
    wanted = max(1, int(run.rate_per_s * (slice_s + late_s)))
    return max(0, min(wanted, 2 * wanted - run.released, _MOST_AT_ONCE))


def _is_sent_to(endpoints: Mapping[EndpointId, Endpoint], endpoint: EndpointId) -> bool:
    found = endpoints.get(endpoint)
    return found is not None and found.state is EndpointState.ACTIVE


def _is_paused(endpoints: Mapping[EndpointId, Endpoint], endpoint: EndpointId) -> bool:
    found = endpoints.get(endpoint)
    return found is not None and found.state is EndpointState.PAUSED


def _unfit(
    run: Run,
    item: RunItem,
    delivery: Delivery | None,
    endpoints: Mapping[EndpointId, Endpoint],
    messages: Mapping[MessageId, Message],
    *,
    now: datetime,
) -> Excluded | None:
    """Return why an item must not be sent any more, or None."""
    endpoint = endpoints.get(item.endpoint)
    if endpoint is None or endpoint.state is EndpointState.DELETED:
        return Excluded.ENDPOINT_DELETED
    if endpoint.state is EndpointState.DISABLED:
        return Excluded.ENDPOINT_DISABLED
    message = None if delivery is None else messages.get(delivery.message)
    if delivery is None or message is None or message.payload is None or message.expires_at <= now:
        return Excluded.PAYLOAD_EXPIRED
    if delivery.state is DeliveryState.CANCELLED:
        return Excluded.CANCELLED
    if delivery.run is not None and delivery.run != run.id:
        return Excluded.IN_ANOTHER_RUN
    if _arrived_meanwhile(run, delivery):
        return Excluded.ALREADY_DELIVERED
    if not run.selector.ignores_filters and not wants(endpoint, delivery.event_type):
        return Excluded.FILTERED_OUT
    return None


def _arrived_meanwhile(run: Run, delivery: Delivery) -> bool:
    if delivery.delivered_at is None:
        return False
    return run.selector.wanted is Wanted.FAILED or delivery.delivered_at > run.planned_at
