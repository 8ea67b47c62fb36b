"""To whom a message goes: which endpoints want its event type, and how a delivery begins."""

from datetime import datetime

from console.domain.ids import DeliveryId
from console.domain.sending import ENDPOINT_DISABLED
from console.domain.webhooks import Delivery, DeliveryState, Endpoint, EndpointState, Message, Trigger

ENDPOINT_PAUSED = "endpoint_paused"
_BEGINNINGS = {
    EndpointState.ACTIVE: (DeliveryState.QUEUED, None),
    EndpointState.PAUSED: (DeliveryState.HELD, ENDPOINT_PAUSED),
    EndpointState.DISABLED: (DeliveryState.SUPPRESSED, ENDPOINT_DISABLED),
    EndpointState.DELETED: (DeliveryState.SUPPRESSED, "endpoint_deleted"),
}


def wants(endpoint: Endpoint, event_type: str) -> bool:
    """Return whether an endpoint subscribes to an event type; `invoice.*` stands for all that begin with `invoice.`."""
    if not endpoint.event_types:
        return True
    return any(
        event_type == wanted or (wanted.endswith(".*") and event_type.startswith(wanted[:-1]))
        for wanted in endpoint.event_types
    )


def addressed(
    message: Message,
    endpoint: Endpoint,
    *,
    id: DeliveryId,  # noqa: A002  the field's own name
    at: datetime,
    trigger: Trigger = Trigger.SCHEDULED,
) -> Delivery:
    """Return how a message begins its way to an endpoint, by the endpoint's state."""
    state, reason = _BEGINNINGS[endpoint.state]
    return Delivery(
        id=id,
        message=message.id,
        endpoint=endpoint.id,
        event_type=message.event_type,
        state=state,
        created_at=at,
        due_at=at if state is DeliveryState.QUEUED else None,
        trigger=trigger,
        reason=reason,
    )
