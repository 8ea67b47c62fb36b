"""`webhook.enable_endpoint`: send to an endpoint again, and plan what it missed where that is wanted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.actions.webhook.endpoints import (
    HELD_AT_ONCE,
    checked_url,
    endpoint_choices,
    endpoint_of,
    healthy,
    hold_rest,
    write_endpoint,
)
from console.actions.webhook.planning import Plan, duration_text, excluded_text, planned, retries_text, store_plan
from console.actions.webhook.runs import plan_job
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, EndpointId, ExecutionId
from console.domain.jobs import JobDraft
from console.domain.moments import minute_of
from console.domain.reasons import Effect
from console.domain.replays import Selector, Wanted
from console.domain.webhooks import Endpoint, EndpointState
from console.ports.action_tools import Tools
from console.ports.actions import Action, Choice, Fault, Input, ParamField, Reach

_FROM = (EndpointState.PAUSED, EndpointState.DISABLED)
_RATE = 50
_RECOVER = {"no": "Leave the gap", "plan": "Plan a replay of the gap"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`endpoint` is paused or disabled; `recover` says whether a replay of the gap is planned with it."""

    endpoint: EndpointId
    recover: str


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(endpoint=EndpointId(values["endpoint"]), recover=values["recover"] or "no")


def choices(field: str, tools: Tools) -> tuple[Choice, ...]:
    """Return the endpoints that can be enabled, or what may become of the gap."""
    if field == "recover":
        return tuple(Choice(value=value, label=label) for value, label in _RECOVER.items())
    return endpoint_choices(tools, _FROM) if field == "endpoint" else ()


def preview(params: Params, tools: Tools) -> Preview:
    """Return the change of state, and what a recovery would send; raises Fault."""
    endpoint = _endpoint(params, tools)
    changes = [Change(field="State", before=endpoint.state.value, after=EndpointState.ACTIVE.value)]
    if params.recover == "plan":
        changes.append(Change(field="Replay of the gap", before=None, after="planned; it waits for its own approval"))
    return Preview(
        sentence=f"Send to {endpoint.url} again",
        changes=tuple(changes),
        fingerprint={"endpoint": endpoint.id, "endpoint_version": endpoint.version},
        warnings=_warnings(params, endpoint, tools),
        customer="Messages arrive again from now on.",
        target_type="endpoint",
        target_id=endpoint.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Enable the endpoint, queue what was held, and freeze the plan of the gap where it is wanted."""
    endpoint = _endpoint(params, tools)
    plan = _recovery(endpoint, tools) if params.recover == "plan" else None
    write_endpoint(tools, endpoint, healthy(endpoint, EndpointState.ACTIVE))
    tools.plane().webhooks.unhold(endpoint.id, at=tools.now, limit=HELD_AT_ONCE)
    run = store_plan(tools, plan) if plan is not None and (plan.chosen or plan.is_counted_later) else None
    told = "" if plan is None or run is None else f" A replay of {_many(plan)} deliveries is planned: {run.id}."
    return Applied(
        sentence=f"{endpoint.url} is sent to again.{told}",
        changes=(Change(field="State", before=endpoint.state.value, after=EndpointState.ACTIVE.value),),
        made=None if run is None else run.id,
    )


def follow_up(params: Params, execution: ExecutionId) -> tuple[JobDraft, ...]:
    """Return the job that queues the rest of what was held, and the one that makes a long list of the gap."""
    rest = hold_rest(params.endpoint, execution)
    return (*rest, *plan_job(execution)) if params.recover == "plan" else rest


def _many(plan: Plan) -> str:
    return f"up to {plan.matching:,}" if plan.is_counted_later else f"{len(plan.chosen):,}"


def _endpoint(params: Params, tools: Tools) -> Endpoint:
    if params.recover not in _RECOVER:
        raise Fault("recover", "Choose what becomes of the gap.")
    endpoint = endpoint_of(tools, params.endpoint, _FROM)
    checked_url(tools, endpoint.url)
    if params.recover == "plan" and _gap(endpoint) is None:
        raise Fault("recover", "This endpoint has no gap: what was held is sent by itself once it is enabled.")
    return endpoint


def _gap(endpoint: Endpoint) -> datetime | None:
    """Return since when deliveries were given up or suppressed; a paused endpoint only held them."""
    if endpoint.state is not EndpointState.DISABLED:
        return None
    moments = [moment for moment in (endpoint.failing_since, endpoint.disabled_at) if moment is not None]
    return min(moments, default=None)


def _recovery(endpoint: Endpoint, tools: Tools) -> Plan | None:
    since = _gap(endpoint)
    if since is None or since >= tools.now:
        return None
    selector = Selector(endpoints=(endpoint.id,), event_types=(), wanted=Wanted.FAILED, since=since, until=tools.now)
    return planned(tools, selector, rate_per_s=min(_RATE, endpoint.rate_per_s), enabled=endpoint.id)


def _warnings(params: Params, endpoint: Endpoint, tools: Tools) -> tuple[str, ...]:
    """Return what becomes of the gap: the recovery is offered here, because nobody thinks of it later."""
    if endpoint.state is EndpointState.PAUSED:
        return ("What was held is sent now, oldest first, with the same message ids.",)
    try:
        plan = _recovery(endpoint, tools)
    except Fault as too_many:
        if params.recover == "plan":
            raise
        return (f"The gap is not sent by itself. {too_many.remedy}",)
    if plan is None or not (plan.chosen or plan.is_counted_later):
        return ("Nothing of the gap could be sent again.",)
    left = excluded_text(plan.excluded)
    since = minute_of(plan.selector.since)
    found = (
        f"Since {since}, {_many(plan)} deliveries did not arrive; a replay of them takes "
        f"{duration_text(plan.takes_s)}{'' if left is None else f' (left out: {left})'}."
    )
    if params.recover == "plan":
        return (found, "The replay is planned with this, and starts once it is approved.", *retries_text(plan))
    return (found, "Enabling does not send them: choose to plan a replay of the gap, here or later.")


ACTION = Action(
    key=ActionKey("webhook.enable_endpoint"),
    version=2,
    title="Enable a webhook endpoint",
    button="Enable endpoint",
    icon="play",
    effect=Effect.WRITE,
    reach=Reach.TENANT,
    fields=(
        ParamField(name="endpoint", label="Endpoint", input=Input.CHOICE),
        ParamField(
            name="recover",
            label="What it missed",
            input=Input.CHOICE,
            help="A planned replay is looked at and approved apart.",
            is_required=False,
        ),
    ),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    follow_up=follow_up,
    documentation="Sends to a paused or disabled endpoint again, and offers a replay of what it missed.",
    customer_sees="That messages arrive again, and the change in the access log.",
    undo=ActionKey("webhook.pause_endpoint"),
    place="endpoint",
    is_beside_its_thing=True,
)
