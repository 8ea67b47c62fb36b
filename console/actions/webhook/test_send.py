"""`webhook.test_send`: send a harmless test message to one endpoint."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.actions.webhook.deliveries import body_of, receiver_of, send_new
from console.actions.webhook.endpoints import endpoint_choices
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, EndpointId
from console.domain.reasons import Effect
from console.domain.webhooks import EndpointState, MessageKind, Trigger
from console.ports.action_tools import Tools
from console.ports.actions import Action, Choice, Input, ParamField, Reach

_TYPE = "webhook.test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`endpoint` is an active endpoint of this tenant."""

    endpoint: EndpointId


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(endpoint=EndpointId(values["endpoint"]))


def choices(field: str, tools: Tools) -> tuple[Choice, ...]:
    """Return the endpoints that are sent to."""
    return endpoint_choices(tools, (EndpointState.ACTIVE,)) if field == "endpoint" else ()


def preview(params: Params, tools: Tools) -> Preview:
    """Return what would be sent; raises Fault."""
    endpoint = receiver_of(tools, params.endpoint)
    return Preview(
        sentence=f"Send a test to {endpoint.url}",
        changes=(Change(field="Test message", before=None, after=f"{_TYPE}, once"),),
        fingerprint={"endpoint": endpoint.id},
        warnings=("It is tried once: a failed test is not repeated by itself.",),
        customer=f"One message of type {_TYPE} that holds nothing of theirs; a receiver that knows only its own "
        "types ignores it.",
        target_type="endpoint",
        target_id=endpoint.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Queue the test."""
    endpoint = receiver_of(tools, params.endpoint)
    payload = body_of(_TYPE, tools, {"note": "A test of this endpoint. Nothing happened."})
    delivery = send_new(tools, endpoint, event_type=_TYPE, kind=MessageKind.TEST, payload=payload, trigger=Trigger.TEST)
    return Applied(
        sentence=f"A test is on its way to {endpoint.url}.",
        changes=(Change(field="Test message", before=None, after=delivery.message),),
        made=delivery.id,
    )


ACTION = Action(
    key=ActionKey("webhook.test_send"),
    version=1,
    title="Send a test message",
    button="Send test",
    icon="send",
    effect=Effect.WRITE,
    reach=Reach.TENANT,
    fields=(ParamField(name="endpoint", label="Endpoint", input=Input.CHOICE),),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    documentation="Sends one harmless, signed test message to an endpoint.",
    customer_sees="One test message at their receiver, and the test in the access log.",
    place="endpoint",
    is_beside_its_thing=True,
)
