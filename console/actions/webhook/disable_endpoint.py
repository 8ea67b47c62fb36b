"""`webhook.disable_endpoint`: stop telling an endpoint anything."""

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

_FROM = (EndpointState.ACTIVE, EndpointState.PAUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`endpoint` is an active or paused endpoint of this tenant."""

    endpoint: EndpointId


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(endpoint=EndpointId(values["endpoint"]))


def choices(field: str, tools: Tools) -> tuple[Choice, ...]:
    """Return the endpoints that can be disabled."""
    return endpoint_choices(tools, _FROM) if field == "endpoint" else ()


def preview(params: Params, tools: Tools) -> Preview:
    """Return the change of state; raises Fault."""
    endpoint = endpoint_of(tools, params.endpoint, _FROM)
    return Preview(
        sentence=f"Disable {endpoint.url}",
        changes=(Change(field="State", before=endpoint.state.value, after=EndpointState.DISABLED.value),),
        fingerprint={"endpoint": endpoint.id, "endpoint_version": endpoint.version},
        warnings=(
            "What waits, and what happens meanwhile, is suppressed: enabling it again does not send it.",
            "To lose nothing, pause it instead; after enabling, a replay can be planned for the gap.",
        ),
        customer="No message arrives, and those of the gap do not come by themselves later.",
        target_type="endpoint",
        target_id=endpoint.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Disable the endpoint and suppress what waits."""
    endpoint = endpoint_of(tools, params.endpoint, _FROM)
    stopped = replace(endpoint, state=EndpointState.DISABLED, because="disabled_by_staff", disabled_at=tools.now)
    write_endpoint(tools, endpoint, stopped)
    tools.plane().webhooks.hold(
        endpoint.id, state=DeliveryState.SUPPRESSED, reason="endpoint_disabled", limit=HELD_AT_ONCE
    )
    return Applied(
        sentence=f"Nothing is sent to {endpoint.url} any more.",
        changes=(Change(field="State", before=endpoint.state.value, after=EndpointState.DISABLED.value),),
    )


def follow_up(params: Params, execution: ExecutionId) -> tuple[JobDraft, ...]:
    """Return the job that suppresses the rest."""
    return hold_rest(params.endpoint, execution)


ACTION = Action(
    key=ActionKey("webhook.disable_endpoint"),
    version=1,
    title="Disable a webhook endpoint",
    button="Disable endpoint",
    icon="ban",
    effect=Effect.WRITE,
    reach=Reach.TENANT,
    fields=(ParamField(name="endpoint", label="Endpoint", input=Input.CHOICE),),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    follow_up=follow_up,
    documentation="Stops sending to an endpoint and suppresses what waits for it.",
    customer_sees="That no messages arrive, and the change in the access log.",
    undo=ActionKey("webhook.enable_endpoint"),
    place="endpoint",
    is_beside_its_thing=True,
)
