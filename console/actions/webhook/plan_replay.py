"""`webhook.plan_replay`: freeze the list of deliveries that a bulk replay would send again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from console.actions.webhook.deliveries import YES, is_yes
from console.actions.webhook.endpoints import checked_types, endpoint_choices, endpoint_of, types_text
from console.actions.webhook.planning import Plan, duration_text, excluded_text, planned, retries_text, store_plan
from console.actions.webhook.runs import plan_job
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, EndpointId, ExecutionId
from console.domain.jobs import JobDraft
from console.domain.moments import minute_of
from console.domain.reasons import Effect
from console.domain.replays import FROZEN_AT_ONCE, MOST_PLANNED, Selector, Wanted
from console.domain.webhooks import EndpointState
from console.ports.action_tools import Tools
from console.ports.actions import Action, Choice, Fault, Input, ParamField, Reach

_DEFAULT_RATE = 50
_MOST_RATE = 500
_ALL = "all"
_MOMENT = r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}"
_EXAMPLE = "2026-11-21 02:00 (UTC)"
_LABELS = {
    Wanted.FAILED: "Those that did not arrive",
    Wanted.DELIVERED: "Those that arrived",
    Wanted.ALL: "All of them",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """The range is [since, until), UTC. Units: `rate_per_s` deliveries per second; `most` deliveries."""

    endpoint: str
    event_types: str
    wanted: str
    since: datetime
    until: datetime
    most: int
    rate_per_s: int
    ignores_filters: str


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values; raises Fault for a moment that is none."""
    since, until = _moment("since", values["since"]), _moment("until", values["until"])
    if until <= since:
        raise Fault("until", "The end comes before the beginning: choose a later end.")
    return Params(
        endpoint=values["endpoint"] or _ALL,
        event_types=values["event_type"],
        wanted=values["wanted"] or Wanted.FAILED.value,
        since=since,
        until=until,
        most=values["most"] or MOST_PLANNED,
        rate_per_s=values["rate_per_s"] or _DEFAULT_RATE,
        ignores_filters=values["ignores_filters"],
    )


def choices(field: str, tools: Tools) -> tuple[Choice, ...]:
    """Return the endpoints, the ways deliveries ended, or yes and no."""
    if field == "endpoint":
        return (
            Choice(value=_ALL, label="All endpoints"),
            *endpoint_choices(tools, (EndpointState.ACTIVE,)),
        )
    if field == "wanted":
        return tuple(Choice(value=each.value, label=label) for each, label in _LABELS.items())
    return YES if field == "ignores_filters" else ()


def preview(params: Params, tools: Tools) -> Preview:
    """Return what a bulk replay would send and leave out, with the reasons; raises Fault."""
    plan = _plan(params, tools)
    if plan.is_counted_later:
        return _preview_later(plan)
    urls = {str(each.id): each.url for each in tools.plane().webhooks.endpoints(with_deleted=True)}
    oldest, newest = plan.chosen[0].created_at, plan.chosen[-1].created_at
    changes = [
        Change(field="Planned", before=None, after=f"{len(plan.chosen):,} deliveries, oldest first"),
        Change(field="Left out", before=None, after=excluded_text(plan.excluded) or "none"),
        Change(field="Oldest and newest", before=None, after=f"{minute_of(oldest)} to {minute_of(newest)}"),
        Change(field="Takes", before=None, after=f"{duration_text(plan.takes_s)} at {plan.rate_per_s} a second"),
        *(
            Change(field=f"To {urls[each]}", before=None, after=f"{n:,}")
            for each, n in sorted(plan.per_endpoint.items())
        ),
        *(Change(field=f"Of {each}", before=None, after=f"{n:,}") for each, n in sorted(plan.per_type.items())),
    ]
    return Preview(
        sentence=f"Plan a replay of {len(plan.chosen):,} deliveries",
        changes=tuple(changes),
        fingerprint={"digest": plan.digest, "planned": len(plan.chosen)},
        warnings=_warnings(plan),
        customer="Nothing yet: the plan is looked at, approved and run apart.",
        target_type="replay_run",
    )


def _preview_later(plan: Plan) -> Preview:
    """Return how much a job has to look at; what is sent is approved apart, by the list that it freezes."""
    return Preview(
        sentence=f"Plan a replay of up to {plan.matching:,} deliveries",
        changes=(
            Change(field="Matching", before=None, after=f"{plan.matching:,} deliveries"),
            Change(
                field="Takes", before=None, after=f"up to {duration_text(plan.takes_s)} at {plan.rate_per_s} a second"
            ),
        ),
        fingerprint={"counted": "later"},
        warnings=(
            f"More than {FROZEN_AT_ONCE:,} match: a job makes the list and freezes it, and nobody can run it before.",
            *_warnings(plan),
        ),
        customer="Nothing yet: the plan is looked at, approved and run apart.",
        target_type="replay_run",
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Freeze the list under its digest, or begin to; nothing is sent."""
    plan = _plan(params, tools)
    run = store_plan(tools, plan)
    if plan.is_counted_later:
        return Applied(
            sentence=f"Up to {plan.matching:,} deliveries are put on the list of {run.id} now.",
            changes=(Change(field="Replay", before=None, after=run.state.value),),
            made=run.id,
        )
    return Applied(
        sentence=f"Planned: {run.planned:,} deliveries under {run.id}. It runs once it is approved.",
        changes=(Change(field="Planned", before=None, after=f"{run.planned:,} deliveries"),),
        made=run.id,
    )


def follow_up(_params: Params, execution: ExecutionId) -> tuple[JobDraft, ...]:
    """Return the job that makes a long list."""
    return plan_job(execution)


def _plan(params: Params, tools: Tools) -> Plan:
    if params.since >= tools.now:
        raise Fault("since", "The range lies in the future: nothing happened there yet.")
    if params.wanted not in [each.value for each in Wanted]:
        raise Fault("wanted", "Choose which deliveries are meant.")
    selector = Selector(
        endpoints=() if params.endpoint == _ALL else (endpoint_of(tools, EndpointId(params.endpoint)).id,),
        event_types=_types(params, tools),
        wanted=Wanted(params.wanted),
        since=params.since,
        until=params.until,
        most=params.most,
        ignores_filters=is_yes("ignores_filters", params.ignores_filters),
    )
    plan = planned(tools, selector, rate_per_s=params.rate_per_s)
    if not plan.chosen and not plan.is_counted_later:
        left = excluded_text(plan.excluded)
        raise Fault("since", f"Nothing could be sent again there{'' if left is None else f' (left out: {left})'}.")
    return plan


def _types(params: Params, tools: Tools) -> tuple[str, ...]:
    try:
        return checked_types(tools, params.event_types) if params.event_types else ()
    except Fault as fault:
        raise Fault("event_type", fault.remedy) from fault


def _warnings(plan: Plan) -> tuple[str, ...]:
    told = [
        "Each keeps its message id and its bytes: a receiver that remembers ids ignores what it has.",
        "What happens once the list is frozen is not in it. The plan is good for 24 hours.",
        f"Events: {types_text(plan.selector.event_types)}.",
        *retries_text(plan),
    ]
    if plan.selector.wanted is not Wanted.FAILED:
        told.append("Deliveries that arrived are among them: a receiver that does not remember ids acts on them twice.")
    if plan.selector.ignores_filters:
        told.append("Events to which an endpoint does not subscribe (any more) are sent to it all the same.")
    return tuple(told)


def _moment(field: str, text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
    except ValueError:
        raise Fault(field, f"Write day and time like {_EXAMPLE}.") from None


ACTION = Action(
    key=ActionKey("webhook.plan_replay"),
    version=3,
    title="Plan a bulk replay",
    button="Plan replay",
    icon="list-checks",
    effect=Effect.WRITE,
    reach=Reach.TENANT,
    fields=(
        ParamField(name="endpoint", label="Endpoint", input=Input.CHOICE, is_required=False),
        ParamField(name="since", label="From", input=Input.TEXT, pattern=_MOMENT, pattern_example=_EXAMPLE),
        ParamField(
            name="until",
            label="Until",
            input=Input.TEXT,
            help="The first minute that is not in it any more.",
            pattern=_MOMENT,
            pattern_example=_EXAMPLE,
        ),
        ParamField(name="wanted", label="Which", input=Input.CHOICE, is_required=False),
        ParamField(
            name="event_type",
            label="Events",
            input=Input.TEXT,
            help="Event types with commas between them; empty: all.",
            most=2_000,
            is_required=False,
        ),
        ParamField(
            name="most",
            label="Refuse when more match than",
            input=Input.INTEGER,
            help=f"{MOST_PLANNED:,} when left empty.",
            unit="deliveries",
            least=1,
            most=MOST_PLANNED,
            is_required=False,
        ),
        ParamField(
            name="rate_per_s",
            label="Most per second",
            input=Input.INTEGER,
            help=f"{_DEFAULT_RATE} when left empty; an endpoint's own rate holds as well.",
            unit="deliveries",
            least=1,
            most=_MOST_RATE,
            is_required=False,
        ),
        ParamField(
            name="ignores_filters",
            label="Send although an endpoint does not subscribe to it",
            input=Input.CHOICE,
            is_required=False,
        ),
    ),
    build=build,
    preview=preview,
    apply=apply,
    follow_up=follow_up,
    choices=choices,
    documentation="Freezes the list of deliveries that a bulk replay would send again, with counts and reasons.",
    customer_sees="Nothing yet; the plan stands in the access log.",
    place="webhooks",
)
