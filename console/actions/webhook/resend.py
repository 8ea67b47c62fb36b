"""`webhook.resend`: send the same message once more, with the same id and a new signature."""

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
    let_through,
    message_of,
    receiver_of,
    write_delivery,
)
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, DeliveryId
from console.domain.reasons import Effect
from console.domain.sending import handed_over
from console.domain.webhooks import Delivery, DeliveryState, Endpoint, Message, Trigger
from console.ports.action_tools import Tools
from console.ports.actions import Action, Choice, Input, ParamField, Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`supersede` gives up the automatic retry that still waits; `ignores_filters` sends what is not subscribed to."""

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
    delivery, endpoint, message = _checked(params, tools)
    warnings = [
        (
            f"The receiver sees the same message id ({message.id}) and the same bytes with a new time and signature: a "
            "receiver that remembers ids ignores it if it has it."
        ),
        "It is tried once more; a failure is not repeated by itself.",
    ]
    if delivery.state is DeliveryState.DELIVERED:
        warnings.append("It was delivered before: a receiver that does not remember ids acts on it twice.")
    if goes_by_itself(delivery):
        warnings.append("The automatic retry that waits is given up in favour of this one.")
    return Preview(
        sentence=f"Resend {delivery.event_type} to {endpoint.url}",
        changes=(Change(field="Delivery", before=delivery.state.words, after="sent again, same message id"),),
        fingerprint={"delivery": delivery.id, "delivery_version": delivery.version, "endpoint": endpoint.id},
        warnings=tuple(warnings),
        customer="The same message once more, with the id that it had.",
        target_type="delivery",
        target_id=delivery.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Make the delivery due at once; raises Fault when it moved meanwhile."""
    delivery, endpoint, message = _checked(params, tools)
    again = handed_over(delivery, Trigger.RESEND, at=tools.now)
    write_delivery(tools, again, version=delivery.version)
    let_through(tools, endpoint)
    return Applied(
        sentence=f"{message.id} is on its way to {endpoint.url} again.",
        changes=(Change(field="Delivery", before=delivery.state.words, after="sent again, same message id"),),
    )


def _checked(params: Params, tools: Tools) -> tuple[Delivery, Endpoint, Message]:
    delivery = delivery_of(tools, params.delivery)
    endpoint = receiver_of(tools, delivery.endpoint)
    message, _payload = message_of(tools, delivery.message)
    check_filter(endpoint, delivery.event_type, is_ignored=is_yes("ignores_filters", params.ignores_filters))
    check_free(delivery, supersede=params.supersede)
    return delivery, endpoint, message


ACTION = Action(
    key=ActionKey("webhook.resend"),
    version=1,
    title="Resend a delivery",
    button="Resend",
    icon="refresh-cw",
    effect=Effect.WRITE,
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
    documentation="Sends the same message once more: same id and bytes, new time and signature.",
    customer_sees="The same message again under its old id, and the resend in the access log.",
    place="delivery",
)
