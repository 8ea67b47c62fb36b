"""What the actions on deliveries and messages share."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from console.actions.webhook.endpoints import endpoint_of
from console.domain.addressing import addressed, wants
from console.domain.ids import DeliveryId, EndpointId, MessageId
from console.domain.moments import day_of, minute_of
from console.domain.webhooks import Delivery, DeliveryState, Endpoint, EndpointState, Message, MessageKind, Trigger
from console.ports.action_tools import Tools
from console.ports.actions import Choice, Fault, Input, ParamField

KEPT = timedelta(days=90)  # as payload_days in policies/sending.toml; a test holds them together
YES = (Choice(value="yes", label="Yes"), Choice(value="no", label="No"))
SUPERSEDE = ParamField(
    name="supersede",
    label="Supersede the automatic retry",
    input=Input.CHOICE,
    help="Only where one still waits.",
    is_required=False,
)
_SENT_TO = (EndpointState.ACTIVE,)
_BY_ITSELF = frozenset({DeliveryState.QUEUED, DeliveryState.RETRY_SCHEDULED, DeliveryState.HELD})


def delivery_of(tools: Tools, delivery: DeliveryId) -> Delivery:
    """Return a delivery of this tenant; raises Fault."""
    found = tools.plane().webhooks.delivery(delivery)
    if found is None:
        raise Fault("delivery", "This tenant has no such delivery.")
    return found


def message_of(tools: Tools, message: MessageId, *, field: str = "delivery") -> tuple[Message, bytes]:
    """Return a message of this tenant and its payload; raises Fault when there is none or its retention ended."""
    found = tools.plane().webhooks.message(message)
    if found is None:
        raise Fault(field, "This tenant has no such message.")
    if found.payload is None or found.expires_at <= tools.now:
        raise Fault(
            field,
            f"The payload expired on {day_of(found.expires_at)}; a snapshot of the present state can be sent instead.",
        )
    return found, found.payload


def receiver_of(tools: Tools, endpoint: EndpointId) -> Endpoint:
    """Return an endpoint that is sent to; raises Fault for a paused, disabled or deleted one."""
    return endpoint_of(tools, endpoint, _SENT_TO)


def let_through(tools: Tools, endpoint: Endpoint) -> None:
    """Close an endpoint's open breaker, so that what staff send goes at once; it opens again by itself if need be."""
    if endpoint.breaker_until is not None and endpoint.breaker_until > tools.now:
        tools.plane().webhooks.change_endpoint(replace(endpoint, breaker_until=None), version=endpoint.version)


def check_filter(endpoint: Endpoint, event_type: str, *, is_ignored: bool) -> None:
    """Hold an event type against what an endpoint subscribes to now; raises Fault."""
    if not is_ignored and not wants(endpoint, event_type):
        raise Fault(
            "ignores_filters",
            f"The endpoint does not subscribe to {event_type} (any more); choose to send it all the same.",
        )


def goes_by_itself(delivery: Delivery) -> bool:
    """Return whether a delivery goes out without anybody's doing: due, waiting for its retry, or about to be let go."""
    return delivery.state in _BY_ITSELF


def check_free(delivery: Delivery, *, supersede: str) -> None:
    """Refuse to tell an event while something else tells it, unless an automatic try is superseded; raises Fault."""
    if delivery.run is not None:
        raise Fault("delivery", f"The bulk replay {delivery.run} holds this delivery; pause or cancel that first.")
    if delivery.state is DeliveryState.SENDING:
        raise Fault("delivery", "It is being sent at this moment; look at it again in a minute.")
    if delivery.state is DeliveryState.QUEUED and delivery.trigger is not Trigger.SCHEDULED:
        raise Fault("delivery", "It is on its way already.")
    if not is_yes("supersede", supersede) and goes_by_itself(delivery):
        when = "soon" if delivery.due_at is None else f"at {minute_of(delivery.due_at)}"
        raise Fault(
            "supersede",
            f"An automatic try is due {when}; sending now as well would tell it twice. Choose to supersede it.",
        )


def write_delivery(tools: Tools, delivery: Delivery, *, version: int) -> None:
    """Write a delivery as it was seen at `version`; raises Fault when it moved meanwhile."""
    if not tools.plane().webhooks.change_delivery(delivery, version=version):
        raise Fault("delivery", "The delivery moved meanwhile; look at it again.")


def is_yes(field: str, text: str) -> bool:
    """Return what was chosen, no by default; raises Fault."""
    if text not in {"", "yes", "no"}:
        raise Fault(field, "Choose yes or no.")
    return text == "yes"


def body_of(event_type: str, tools: Tools, data: Mapping[str, Any], **marks: object) -> bytes:
    """Return a payload of our own making in the form that Standard Webhooks proposes."""
    body = {"type": event_type, "timestamp": f"{tools.now:%Y-%m-%dT%H:%M:%SZ}", **marks, "data": dict(data)}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def send_new(
    tools: Tools,
    endpoint: Endpoint,
    *,
    event_type: str,
    kind: MessageKind,
    payload: bytes,
    trigger: Trigger = Trigger.SCHEDULED,
    kept: timedelta = KEPT,
    replay_of: MessageId | None = None,
    subject: str | None = None,
) -> Delivery:
    """Store a new message with its one delivery, due at once, and return the delivery."""
    message = Message(
        id=MessageId(tools.ids.new("msg")),
        event_type=event_type,
        kind=kind,
        payload=payload,
        created_at=tools.now,
        expires_at=tools.now + kept,
        replay_of=replay_of,
        subject=subject,
    )
    delivery = addressed(message, endpoint, id=DeliveryId(tools.ids.new("whd")), at=tools.now, trigger=trigger)
    tools.plane().webhooks.add_message(message, (delivery,))
    let_through(tools, endpoint)
    return delivery
