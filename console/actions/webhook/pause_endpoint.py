"""`webhook.pause_endpoint`: send nothing to an endpoint for a while, and lose nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from console.actions.webhook.endpoints import HELD_AT_ONCE, endpoint_choices, endpoint_of, hold_rest, write_endpoint
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, EndpointId, ExecutionId
from console.domain.jobs import JobDraft
from console.domain.reasons import Effect
from console.domain.webhooks import DeliveryState, EndpointState
from console.ports.action_tools import Tools
from console.ports.actions import Action, Choice, Input, ParamField, Reach

_FROM = (EndpointState.ACTIVE,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`endpoint` is an active endpoint of this tenant."""

    endpoint: EndpointId


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(endpoint=EndpointId(values["endpoint"]))


def choices(field: str, tools: Tools) -> tuple[Choice, ...]:
    """Return the endpoints that can be paused."""
    return endpoint_choices(tools, _FROM) if field == "endpoint" else ()


def preview(params: Params, tools: Tools) -> Preview:
    """Return the change of state; raises Fault."""
    endpoint = endpoint_of(tools, params.endpoint, _FROM)
    return Preview(
        sentence=f"Pause sending to {endpoint.url}",
        changes=(Change(field="State", before=endpoint.state.value, after=EndpointState.PAUSED.value),),
        fingerprint={"endpoint": endpoint.id, "endpoint_version": endpoint.version},
        warnings=("What waits, and what happens meanwhile, is held and sent in order once it is enabled again.",),
        customer="No message arrives until the endpoint is enabled again; then all come, oldest first.",
        target_type="endpoint",
        target_id=endpoint.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Pause the endpoint and hold what waits."""
    endpoint = endpoint_of(tools, params.endpoint, _FROM)
    write_endpoint(tools, endpoint, replace(endpoint, state=EndpointState.PAUSED, because="paused_by_staff"))
    tools.plane().webhooks.hold(endpoint.id, state=DeliveryState.HELD, reason="endpoint_paused", limit=HELD_AT_ONCE)
    return Applied(
        sentence=f"Nothing is sent to {endpoint.url} until it is enabled again.",
        changes=(Change(field="State", before=endpoint.state.value, after=EndpointState.PAUSED.value),),
    )


def follow_up(params: Params, execution: ExecutionId) -> tuple[JobDraft, ...]:
    """Return the job that holds the rest."""
    return hold_rest(params.endpoint, execution)


ACTION = Action(
    key=ActionKey("webhook.pause_endpoint"),
    version=1,
    title="Pause a webhook endpoint",
    button="Pause endpoint",
    icon="pause",
    effect=Effect.WRITE,
    reach=Reach.TENANT,
    fields=(ParamField(name="endpoint", label="Endpoint", input=Input.CHOICE),),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    follow_up=follow_up,
    documentation="Holds every delivery of an endpoint until it is enabled again; nothing is lost.",
    customer_sees="That no messages arrive for a while, and the pause in the access log.",
    undo=ActionKey("webhook.enable_endpoint"),
    place="endpoint",
    is_beside_its_thing=True,
)
