"""`webhook.reemit`: tell the same event anew, under a new message id."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.actions.webhook.deliveries import (
    YES,
    check_filter,
    delivery_of,
    is_yes,
    message_of,
    receiver_of,
    send_new,
)
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, DeliveryId
from console.domain.reasons import Effect
from console.domain.webhooks import Delivery, Endpoint, Message, MessageKind
from console.ports.actions import Action, Choice, Input, ParamField, Reach, Tools


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`delivery` says which message goes to which endpoint again."""

    delivery: DeliveryId
    ignores_filters: str


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(delivery=DeliveryId(values["delivery"]), ignores_filters=values["ignores_filters"])


def choices(field: str, _tools: Tools) -> tuple[Choice, ...]:
    """Return yes and no."""
    return YES if field == "ignores_filters" else ()


def preview(params: Params, tools: Tools) -> Preview:
    """Return what the receiver would see; raises Fault."""
    delivery, endpoint, message, _payload = _checked(params, tools)
    return Preview(
        sentence=f"Tell {delivery.event_type} to {endpoint.url} anew",
        changes=(Change(field="Message id", before=message.id, after="a new one that names the old as its origin"),),
        fingerprint={"message": message.id, "endpoint": endpoint.id, "address": endpoint.url},
        warnings=(
            "The receiver sees a new message id: one that remembers ids takes it for a new event and acts on it again.",
            "If the receiver only missed it, resend it instead: that keeps the id.",
        ),
        customer="The event as if it happened again: whatever they do upon it is done once more.",
        target_type="delivery",
        target_id=delivery.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Store the same bytes as a new message and queue it."""
    _delivery, endpoint, message, payload = _checked(params, tools)
    made = send_new(
        tools,
        endpoint,
        event_type=message.event_type,
        kind=MessageKind.REEMIT,
        payload=payload,
        kept=message.expires_at - message.created_at,
        replay_of=message.id,
        subject=message.subject,
    )
    return Applied(
        sentence=f"{message.id} is told anew to {endpoint.url} as {made.message}.",
        changes=(Change(field="Message id", before=message.id, after=made.message),),
        made=made.id,
    )


def _checked(params: Params, tools: Tools) -> tuple[Delivery, Endpoint, Message, bytes]:
    delivery = delivery_of(tools, params.delivery)
    endpoint = receiver_of(tools, delivery.endpoint)
    message, payload = message_of(tools, delivery.message)
    check_filter(endpoint, message.event_type, is_ignored=is_yes("ignores_filters", params.ignores_filters))
    return delivery, endpoint, message, payload


ACTION = Action(
    key=ActionKey("webhook.reemit"),
    version=1,
    title="Re-emit as a new message",
    button="Re-emit",
    icon="copy",
    effect=Effect.DANGEROUS,
    reach=Reach.TENANT,
    fields=(
        ParamField(name="delivery", label="Delivery", input=Input.TEXT, most=64, is_fixed_by_link=True),
        ParamField(
            name="ignores_filters",
            label="Send although the endpoint does not subscribe to it",
            input=Input.CHOICE,
            is_required=False,
        ),
    ),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    documentation="Tells an old event again under a new message id, which defeats a receiver's memory of ids.",
    customer_sees="The event as if it happened again, and the re-emission in the access log.",
    place="delivery",
)
