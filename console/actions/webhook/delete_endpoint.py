"""`webhook.delete_endpoint`: take an endpoint away for good."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`endpoint` is an endpoint of this tenant that is not deleted."""

    endpoint: EndpointId


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(endpoint=EndpointId(values["endpoint"]))


def choices(field: str, tools: Tools) -> tuple[Choice, ...]:
    """Return the endpoints that can be deleted."""
    return endpoint_choices(tools) if field == "endpoint" else ()


def preview(params: Params, tools: Tools) -> Preview:
    """Return the change of state; raises Fault."""
    endpoint = endpoint_of(tools, params.endpoint)
    return Preview(
        sentence=f"Delete {endpoint.url}",
        changes=(Change(field="State", before=endpoint.state.value, after=EndpointState.DELETED.value),),
        fingerprint={"endpoint": endpoint.id, "endpoint_version": endpoint.version},
        warnings=(
            "There is no way back: its keys sign nothing any more, and no delivery can be sent to it again.",
            "Its deliveries and attempts stay readable.",
        ),
        customer="The endpoint disappears from their settings; no message arrives there any more.",
        target_type="endpoint",
        target_id=endpoint.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Delete the endpoint and suppress what waits."""
    endpoint = endpoint_of(tools, params.endpoint)
    gone = replace(endpoint, state=EndpointState.DELETED, because="deleted_by_staff", disabled_at=tools.now)
    write_endpoint(tools, endpoint, gone)
    tools.plane().webhooks.hold(
        endpoint.id, state=DeliveryState.SUPPRESSED, reason="endpoint_deleted", limit=HELD_AT_ONCE
    )
    return Applied(
        sentence=f"The endpoint {endpoint.url} is deleted.",
        changes=(Change(field="State", before=endpoint.state.value, after=EndpointState.DELETED.value),),
    )


def follow_up(params: Params, execution: ExecutionId) -> tuple[JobDraft, ...]:
    """Return the job that suppresses the rest."""
    return hold_rest(params.endpoint, execution)


ACTION = Action(
    key=ActionKey("webhook.delete_endpoint"),
    version=1,
    title="Delete a webhook endpoint",
    button="Delete endpoint",
    icon="circle-x",
    effect=Effect.DANGEROUS,
    reach=Reach.TENANT,
    fields=(ParamField(name="endpoint", label="Endpoint", input=Input.CHOICE),),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    follow_up=follow_up,
    documentation="Takes an endpoint away for good; its deliveries and attempts stay readable.",
    customer_sees="That the endpoint is gone, and the change in the access log.",
    place="endpoint",
    is_beside_its_thing=True,
)
