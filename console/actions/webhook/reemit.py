"""`webhook.reemit`: tell the same event anew, under a new message id."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.actions.webhook.deliveries import (
    SUPERSEDE,
    YES,
    check_filter,
    check_free,
    delivery_of,
    goes_by_itself,
    is_yes,
    message_of,
    receiver_of,
    send_new,
    write_delivery,
)
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, DeliveryId
from console.domain.reasons import Effect
from console.domain.sending import told_anew
from console.domain.webhooks import Delivery, Endpoint, Message, MessageKind
from console.ports.action_tools import Tools
from console.ports.actions import Action, Choice, Input, ParamField, Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`delivery` says which message goes to which endpoint; `supersede` gives up the automatic retry that waits."""

    delivery: DeliveryId
    supersede: str
    ignores_filters: str


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(
        delivery=DeliveryId(values["delivery"]),
        supersede=values["supersede"],
        ignores_filters=values["ignores_filters"],
    )


def choices(field: str, _tools: Tools) -> tuple[Choice, ...]:
    """Return yes and no."""
    return YES if field in {"supersede", "ignores_filters"} else ()


def preview(params: Params, tools: Tools) -> Preview:
    """Return what the receiver would see; raises Fault."""
    delivery, endpoint, message, _payload = _checked(params, tools)
    warnings = [
        "The receiver sees a new message id: one that remembers ids takes it for a new event and acts on it again.",
        "If the receiver only missed it, resend it instead: that keeps the id.",
    ]
    if is_yes("ignores_filters", params.ignores_filters):
        warnings.append(f"The endpoint need not listen to {delivery.event_type} for this: it is told all the same.")
    if goes_by_itself(delivery):
        earlier = "" if delivery.attempts == 0 else " An earlier try may have arrived."
        warnings.append(f"The automatic retry that waits is given up: only the new id is sent from now on.{earlier}")
    return Preview(
        sentence=f"Tell {delivery.event_type} to {endpoint.url} anew",
        changes=(
            Change(field="Message id", before=message.id, after="a new one that names the old as its origin"),
            *_superseded(delivery),
        ),
        fingerprint={
            "delivery": delivery.id,
            "delivery_version": delivery.version,
            "message": message.id,
            "endpoint": endpoint.id,
            "address": endpoint.url,
        },
        warnings=tuple(warnings),
        customer="The event as if it happened again: whatever they do upon it is done once more.",
        target_type="delivery",
        target_id=delivery.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Store the same bytes as a new message and queue it; raises Fault when the old delivery moved meanwhile.

    The old delivery is written even where it stays as it is: of two who tell it anew at once, one is refused.
    """
    delivery, endpoint, message, payload = _checked(params, tools)
    stays = told_anew(delivery) if goes_by_itself(delivery) else delivery
    write_delivery(tools, stays, version=delivery.version)
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
        changes=(Change(field="Message id", before=message.id, after=made.message), *_superseded(delivery)),
        made=made.id,
    )


def _checked(params: Params, tools: Tools) -> tuple[Delivery, Endpoint, Message, bytes]:
    delivery = delivery_of(tools, params.delivery)
    endpoint = receiver_of(tools, delivery.endpoint)
    message, payload = message_of(tools, delivery.message)
    check_filter(endpoint, message.event_type, is_ignored=is_yes("ignores_filters", params.ignores_filters))
    check_free(delivery, supersede=params.supersede)
    return delivery, endpoint, message, payload


def _superseded(delivery: Delivery) -> tuple[Change, ...]:
    """Return what becomes of the old delivery, where it would have gone out by itself."""
    if not goes_by_itself(delivery):
        return ()
    return (Change(field="Old delivery", before=delivery.state.words, after=told_anew(delivery).state.words),)


ACTION = Action(
    key=ActionKey("webhook.reemit"),
    version=2,
    title="Re-emit as a new message",
    button="Re-emit",
    icon="copy",
    effect=Effect.DANGEROUS,
    reach=Reach.TENANT,
    fields=(
        ParamField(name="delivery", label="Delivery", input=Input.TEXT, most=64, is_fixed_by_link=True),
        SUPERSEDE,
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
