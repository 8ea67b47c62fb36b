"""Choose the deliveries of a bulk replay and freeze their list."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from console.domain.addressing import wants
from console.domain.ids import Digest, EndpointId, RunId
from console.domain.replays import (
    Candidate,
    Excluded,
    ItemState,
    Run,
    RunItem,
    RunState,
    Selector,
    Wanted,
    least_seconds,
    list_digest,
)
from console.domain.webhooks import DeliveryState, Endpoint, EndpointState
from console.ports.actions import Fault, Tools

_PAGE = 1_000
_MOST_DELIVERED = 1_000  # already delivered ones are counted no further: they are only told, never planned
_VALID = timedelta(hours=24)
_ON_ITS_WAY = frozenset({DeliveryState.SENDING, DeliveryState.QUEUED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a bulk replay would send. Units: `rate_per_s` deliveries a second over all endpoints, `takes_s` seconds."""

    selector: Selector
    chosen: tuple[Candidate, ...]
    excluded: Mapping[str, int]
    digest: Digest
    rate_per_s: int
    takes_s: int

    @property
    def per_endpoint(self) -> dict[str, int]:
        """Return how many go to each endpoint."""
        return dict(Counter(str(each.endpoint) for each in self.chosen))

    @property
    def per_type(self) -> dict[str, int]:
        """Return how many are of each event type."""
        return dict(Counter(each.event_type for each in self.chosen))


def planned(tools: Tools, selector: Selector, *, rate_per_s: int, enabled: EndpointId | None = None) -> Plan:
    """Return the plan as things stand; raises Fault when more match than may.

    Shape: `enabled` is an endpoint that is about to be enabled and counts as active already.
    """
    endpoints = {each.id: each for each in tools.plane().webhooks.endpoints(with_deleted=True)}
    chosen = []
    excluded: Counter[str] = Counter()
    for candidate in _matches(tools, selector):
        because = _left_out(
            candidate, endpoints.get(candidate.endpoint), selector=selector, now=tools.now, enabled=enabled
        )
        if because is None:
            chosen.append(candidate)
        else:
            excluded[because.value] += 1
    delivered = _delivered(tools, selector)
    if delivered:
        excluded[Excluded.ALREADY_DELIVERED.value] = delivered
    return Plan(
        selector=selector,
        chosen=tuple(chosen),
        excluded=dict(excluded),
        digest=list_digest(each.delivery for each in chosen),
        rate_per_s=rate_per_s,
        takes_s=least_seconds(
            Counter(each.endpoint for each in chosen),
            {each.id: each.rate_per_s for each in endpoints.values()},
            rate_per_s=rate_per_s,
        ),
    )


def store_plan(tools: Tools, plan: Plan) -> Run:
    """Freeze the list of a plan and return its run."""
    run = Run(
        id=RunId(tools.ids.new("whr")),
        state=RunState.PLANNED,
        selector=plan.selector,
        digest=plan.digest,
        planned=len(plan.chosen),
        excluded=dict(plan.excluded),
        per_endpoint=plan.per_endpoint,
        per_type=plan.per_type,
        oldest_at=plan.chosen[0].created_at if plan.chosen else None,
        newest_at=plan.chosen[-1].created_at if plan.chosen else None,
        rate_per_s=plan.rate_per_s,
        planned_by=tools.requester,
        planned_at=tools.now,
        expires_at=tools.now + _VALID,
        version=1,
    )
    tools.plane().webhooks.add_run(run, _items(run.id, plan.chosen))
    return run


def excluded_text(excluded: Mapping[str, int]) -> str | None:
    """Return what is left out, by reason, in words."""
    parts = []
    for reason, count in sorted(excluded.items()):
        is_capped = reason == Excluded.ALREADY_DELIVERED.value and count > _MOST_DELIVERED
        shown = f"more than {_MOST_DELIVERED:,}" if is_capped else f"{count:,}"
        parts.append(f"{shown} {reason.replace('_', ' ')}")
    return ", ".join(parts) or None


def duration_text(seconds: int) -> str:
    """Return a duration in the two largest units."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"about {hours} h {minutes} min"
    return f"about {minutes} min {rest} s" if minutes else f"about {rest} s"


def _matches(tools: Tools, selector: Selector) -> Sequence[Candidate]:
    """Return what matches, oldest first, reading at most one more than may be planned."""
    found: list[Candidate] = []
    after = None
    while True:
        limit = min(_PAGE, selector.most + 1 - len(found))
        page = tools.plane().webhooks.candidates(selector, after=after, limit=limit)
        found += page
        if len(found) > selector.most:
            fits = found[selector.most - 1].created_at
            raise Fault(
                "until",
                f"More than {selector.most:,} deliveries match; a plan holds no more. "
                f"Choose an end before {fits:%Y-%m-%d %H:%M} UTC and plan the rest apart.",
            )
        if len(page) < limit:
            return found
        after = (page[-1].created_at, page[-1].delivery)


def _delivered(tools: Tools, selector: Selector) -> int:
    """Return how many were delivered anyway, where they are not wanted; counted no further than one past the most."""
    if selector.wanted is not Wanted.FAILED:
        return 0
    others = replace(selector, wanted=Wanted.DELIVERED)
    return len(tools.plane().webhooks.candidates(others, after=None, limit=_MOST_DELIVERED + 1))


def _left_out(
    candidate: Candidate, endpoint: Endpoint | None, *, selector: Selector, now: datetime, enabled: EndpointId | None
) -> Excluded | None:
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


def _items(run: RunId, chosen: Iterable[Candidate]) -> Iterable[RunItem]:
    for position, each in enumerate(chosen, start=1):
        yield RunItem(
            run=run, position=position, delivery=each.delivery, endpoint=each.endpoint, state=ItemState.WAITING
        )
