"""`webhook.cancel_delivery`: give up a delivery that still waits."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from console.actions.webhook.deliveries import delivery_of, write_delivery
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, DeliveryId
from console.domain.reasons import Effect
from console.domain.webhooks import Delivery, DeliveryState
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault, Input, ParamField, Reach

_WAITING = frozenset({DeliveryState.QUEUED, DeliveryState.RETRY_SCHEDULED, DeliveryState.HELD})


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`delivery` is a delivery of this tenant that nobody is sending."""

    delivery: DeliveryId


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(delivery=DeliveryId(values["delivery"]))


def preview(params: Params, tools: Tools) -> Preview:
    """Return what would not be sent; raises Fault."""
    delivery = _waiting(params, tools)
    return Preview(
        sentence=f"Cancel {delivery.event_type}",
        changes=(Change(field="Delivery", before=delivery.state.words, after=DeliveryState.CANCELLED.value),),
        fingerprint={"delivery": delivery.id, "delivery_version": delivery.version},
        warnings=("The receiver is not told of this event unless somebody resends it.",),
        customer=f"The message {delivery.message} does not arrive."
        if delivery.attempts == 0
        else f"The message {delivery.message} is not tried again; an earlier try may have arrived.",
        target_type="delivery",
        target_id=delivery.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Cancel the delivery; raises Fault when it moved meanwhile."""
    delivery = _waiting(params, tools)
    given_up = replace(delivery, state=DeliveryState.CANCELLED, due_at=None, reason="cancelled_by_staff")
    write_delivery(tools, given_up, version=delivery.version)
    return Applied(
        sentence=f"{delivery.message} is not sent.",
        changes=(Change(field="Delivery", before=delivery.state.words, after=DeliveryState.CANCELLED.value),),
    )


def _waiting(params: Params, tools: Tools) -> Delivery:
    delivery = delivery_of(tools, params.delivery)
    if delivery.run is not None:
        raise Fault("delivery", f"The bulk replay {delivery.run} holds this delivery; cancel that instead.")
    if delivery.state not in _WAITING:
        raise Fault("delivery", f"There is nothing to cancel; where it stands: {delivery.state.words}.")
    return delivery


ACTION = Action(
    key=ActionKey("webhook.cancel_delivery"),
    version=1,
    title="Cancel a delivery",
    button="Cancel delivery",
    icon="x",
    effect=Effect.WRITE,
    reach=Reach.TENANT,
    fields=(ParamField(name="delivery", label="Delivery", input=Input.TEXT, most=64, is_fixed_by_link=True),),
    build=build,
    preview=preview,
    apply=apply,
    documentation="Gives up a delivery that waits to be sent or tried again.",
    customer_sees="That the message does not arrive, and the cancellation in the access log.",
    undo=ActionKey("webhook.resend"),
    place="delivery",
)
