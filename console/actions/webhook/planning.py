"""Choose the deliveries of a bulk replay and freeze their list."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from console.actions.webhook.runs import run_id_of
from console.domain.ids import Digest, EndpointId, RunId
from console.domain.replay_plans import left_out, listed
from console.domain.replays import (
    FROZEN_AT_ONCE,
    Candidate,
    Counting,
    Excluded,
    Run,
    RunState,
    Selector,
    Wanted,
    least_seconds,
    list_digest,
)
from console.domain.webhooks import DeliveryState
from console.ports.action_tools import Tools
from console.ports.actions import Fault
from console.ports.webhooks import WebhookBook

_MOST_DELIVERED = 1_000  # already delivered ones are counted no further: they are only told, never planned
_VALID = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a bulk replay would send.

    Shape: one that `is_counted_later` holds nothing but how many match: a job looks at them, and freezes their list.
    `retries` of those wait for an automatic retry.
    Units: `rate_per_s` deliveries a second over all endpoints, `takes_s` seconds.
    """

    selector: Selector
    matching: int
    retries: int
    chosen: tuple[Candidate, ...]
    excluded: Mapping[str, int]
    digest: Digest
    rate_per_s: int
    takes_s: int

    @property
    def is_counted_later(self) -> bool:
        """Return whether the list is too long to be frozen at once."""
        return self.matching > FROZEN_AT_ONCE

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
    candidates, matching = _matches(tools, selector)
    endpoints = {each.id: each for each in tools.plane().webhooks.endpoints(with_deleted=True)}
    chosen = []
    excluded: Counter[str] = Counter()
    for candidate in candidates:
        because = left_out(
            candidate, endpoints.get(candidate.endpoint), selector=selector, now=tools.now, enabled=enabled
        )
        if because is None:
            chosen.append(candidate)
        else:
            excluded[because.value] += 1
    is_counted_later = matching > FROZEN_AT_ONCE
    delivered = 0 if is_counted_later else delivered_beside(tools.plane().webhooks, selector)
    if delivered:
        excluded[Excluded.ALREADY_DELIVERED.value] = delivered
    takes_s = least_seconds(
        Counter(each.endpoint for each in chosen),
        {each.id: each.rate_per_s for each in endpoints.values()},
        rate_per_s=rate_per_s,
    )
    return Plan(
        selector=selector,
        matching=matching,
        retries=_retries(tools.plane().webhooks, selector, most=matching) if is_counted_later else _waiting(chosen),
        chosen=tuple(chosen),
        excluded=dict(excluded),
        digest=Digest("") if is_counted_later else list_digest(each.delivery for each in chosen),
        rate_per_s=rate_per_s,
        takes_s=-(-matching // rate_per_s) if is_counted_later else takes_s,
    )


def store_plan(tools: Tools, plan: Plan) -> Run:
    """Freeze the list of a plan and return its run; a long one is only begun, and its job goes on."""
    run = Run(
        id=RunId(tools.ids.new("whr")) if tools.execution is None else run_id_of(tools.execution),
        state=RunState.COUNTING if plan.is_counted_later else RunState.PLANNED,
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
        counting=Counting(matching=plan.matching) if plan.is_counted_later else None,
    )
    tools.plane().webhooks.add_run(run, listed(run, plan.chosen))
    return run


def excluded_text(excluded: Mapping[str, int]) -> str | None:
    """Return what is left out, by reason, in words."""
    parts = []
    for reason, count in sorted(excluded.items()):
        is_capped = reason == Excluded.ALREADY_DELIVERED.value and count > _MOST_DELIVERED
        shown = f"more than {_MOST_DELIVERED:,}" if is_capped else f"{count:,}"
        parts.append(f"{shown} {reason.replace('_', ' ')}")
    return ", ".join(parts) or None


def retries_text(plan: Plan) -> tuple[str, ...]:
    """Return the warning that a replay takes over from the automatic schedule, where it does."""
    if not plan.retries:
        return ()
    many = f"{'Up to ' if plan.is_counted_later else ''}{plan.retries:,} {'waits' if plan.retries == 1 else 'wait'}"
    replaced = "for an automatic retry, which this replaces: what the replay gives up is not tried again by itself."
    return (f"{many} {replaced}",)


def duration_text(seconds: int) -> str:
    """Return a duration in the two largest units."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"about {hours} h {minutes} min"
    return f"about {minutes} min {rest} s" if minutes else f"about {rest} s"


def _matches(tools: Tools, selector: Selector) -> tuple[Sequence[Candidate], int]:
    """Return what matches, oldest first, and how many that are; of more than are frozen at once only how many."""
    book = tools.plane().webhooks
    found = book.candidates(selector, after=None, limit=min(FROZEN_AT_ONCE, selector.most) + 1)
    if len(found) <= min(FROZEN_AT_ONCE, selector.most):
        return found, len(found)
    matching = book.count_candidates(selector, most=selector.most + 1)
    if matching <= selector.most:
        return (), matching
    fits = book.candidate_at(selector, selector.most)
    until = "" if fits is None else f"Choose an end before {fits:%Y-%m-%d %H:%M} UTC and plan the rest apart."
    raise Fault("until", f"More than {selector.most:,} deliveries match; a plan holds no more. {until}")


def _waiting(chosen: Sequence[Candidate]) -> int:
    return sum(each.state is DeliveryState.RETRY_SCHEDULED for each in chosen)


def _retries(book: WebhookBook, selector: Selector, *, most: int) -> int:
    """Return how many of those that match wait for an automatic retry: no more than all of them, which are counted."""
    return book.count_candidates(selector, most=most, state=DeliveryState.RETRY_SCHEDULED)


def delivered_beside(book: WebhookBook, selector: Selector) -> int:
    """Return how many were delivered anyway, where they are not wanted; counted no further than one past the most."""
    if selector.wanted is not Wanted.FAILED:
        return 0
    return book.count_candidates(replace(selector, wanted=Wanted.DELIVERED), most=_MOST_DELIVERED + 1)
