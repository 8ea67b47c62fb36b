"""What becomes of a plan as the deliveries that it matches are looked at, oldest first."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from console.domain.addressing import wants
from console.domain.ids import EndpointId
from console.domain.replays import Candidate, Counting, Excluded, ItemState, Run, RunItem, Selector
from console.domain.webhooks import DeliveryState, Endpoint, EndpointState

_ON_ITS_WAY = frozenset({DeliveryState.SENDING, DeliveryState.QUEUED})


def left_out(
    candidate: Candidate,
    endpoint: Endpoint | None,
    *,
    selector: Selector,
    now: datetime,
    enabled: EndpointId | None = None,
) -> Excluded | None:
    """Return why a delivery that matches is left out of a plan, or None.

    Shape: `enabled` is an endpoint that is about to be enabled and counts as active already.
    """
    if endpoint is None or endpoint.state is EndpointState.DELETED:
        return Excluded.ENDPOINT_DELETED
    if endpoint.state is not EndpointState.ACTIVE and endpoint.id != enabled:
        return Excluded.ENDPOINT_DISABLED
    if candidate.payload_expires_at <= now:
        return Excluded.PAYLOAD_EXPIRED
    if not selector.ignores_filters and not wants(endpoint, candidate.event_type):
        return Excluded.FILTERED_OUT
    if candidate.run is not None:
        return Excluded.IN_ANOTHER_RUN
    return Excluded.BEING_SENT if candidate.state in _ON_ITS_WAY else None


def grown(
    run: Run, page: Sequence[Candidate], endpoints: Mapping[EndpointId, Endpoint], *, is_last: bool, now: datetime
) -> tuple[Run, tuple[RunItem, ...]]:
    """Return a run that is being counted with one more slice looked at, and what the slice adds to its list."""
    counting = run.counting or Counting()
    excluded, per_endpoint, per_type = Counter(run.excluded), Counter(run.per_endpoint), Counter(run.per_type)
    chosen: list[Candidate] = []
    for candidate in page:
        because = left_out(candidate, endpoints.get(candidate.endpoint), selector=run.selector, now=now)
        if because is not None:
            excluded[because.value] += 1
            continue
        chosen.append(candidate)
        per_endpoint[candidate.endpoint] += 1
        per_type[candidate.event_type] += 1
    after = (page[-1].created_at, page[-1].delivery) if page else counting.after
    more = replace(
        run,
        planned=run.planned + len(chosen),
        excluded=dict(excluded),
        per_endpoint=dict(per_endpoint),
        per_type=dict(per_type),
        oldest_at=run.oldest_at or (chosen[0].created_at if chosen else None),
        newest_at=chosen[-1].created_at if chosen else run.newest_at,
        counting=replace(counting, after=after, looked_at=counting.looked_at + len(page), is_over=is_last),
    )
    return more, listed(run, chosen, first=run.planned + 1)


def listed(run: Run, chosen: Sequence[Candidate], *, first: int = 1) -> tuple[RunItem, ...]:
    """Return the items of a run for deliveries in their order, from a position."""
    return tuple(
        RunItem(run=run.id, position=place, delivery=each.delivery, endpoint=each.endpoint, state=ItemState.WAITING)
        for place, each in enumerate(chosen, start=first)
    )
