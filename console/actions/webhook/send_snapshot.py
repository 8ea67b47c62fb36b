"""`webhook.send_snapshot`: tell an endpoint how an object stands now, labelled as such."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.actions.webhook.deliveries import YES, body_of, check_filter, is_yes, receiver_of, send_new
from console.actions.webhook.endpoints import endpoint_choices
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, EndpointId
from console.domain.reasons import Effect
from console.domain.webhooks import Endpoint, EndpointState, MessageKind
from console.ports.action_tools import Tools
from console.ports.actions import Action, Choice, Fault, Input, ParamField, Reach
from console.ports.planes import TenantPlane

_SHOWN_INVOICES = 50
_INVOICE = "invoice "


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`subject` is `account`, `subscription` or `invoice <number>`."""

    endpoint: EndpointId
    subject: str
    ignores_filters: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The present state of one object, ready to be told."""

    event_type: str
    subject: str
    data: Mapping[str, Any]


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(
        endpoint=EndpointId(values["endpoint"]), subject=values["subject"], ignores_filters=values["ignores_filters"]
    )


def choices(field: str, tools: Tools) -> tuple[Choice, ...]:
    """Return the endpoints that are sent to, the objects, or yes and no."""
    if field == "endpoint":
        return endpoint_choices(tools, (EndpointState.ACTIVE,))
    if field == "ignores_filters":
        return YES
    if field != "subject":
        return ()
    bills = tools.plane().invoices(limit=_SHOWN_INVOICES)
    return (
        Choice(value="account", label="Account"),
        Choice(value="subscription", label="Subscription"),
        *(Choice(value=f"{_INVOICE}{i.number}", label=f"Invoice {i.number}", current=i.status) for i in bills),
    )


def preview(params: Params, tools: Tools) -> Preview:
    """Return what would be told; raises Fault."""
    endpoint, snapshot = _checked(params, tools)
    return Preview(
        sentence=f"Send {snapshot.event_type} to {endpoint.url}",
        changes=(
            Change(field="Snapshot", before=None, after=f"{snapshot.event_type}: {snapshot.subject} as it is now"),
        ),
        fingerprint={"endpoint": endpoint.id, "address": endpoint.url, "subject": snapshot.subject},
        warnings=(
            "It tells the state of now, not what happened: it repairs a receiver that lost track, and is no history.",
            (
                "It has a message id of its own and the type "
                f"{snapshot.event_type}; a receiver that does not know the type ignores it."
            ),
        ),
        customer="One message labelled as a snapshot, with the present state.",
        target_type="endpoint",
        target_id=endpoint.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Store the snapshot as a message of its own and queue it."""
    endpoint, snapshot = _checked(params, tools)
    delivery = send_new(
        tools,
        endpoint,
        event_type=snapshot.event_type,
        kind=MessageKind.SNAPSHOT,
        payload=body_of(snapshot.event_type, tools, snapshot.data, snapshot=True),
        subject=snapshot.subject,
    )
    return Applied(
        sentence=f"A snapshot of {snapshot.subject} is on its way to {endpoint.url}.",
        changes=(Change(field="Snapshot", before=None, after=delivery.message),),
        made=delivery.id,
    )


def _checked(params: Params, tools: Tools) -> tuple[Endpoint, Snapshot]:
    endpoint = receiver_of(tools, params.endpoint)
    snapshot = _snapshot(params.subject, tools.plane())
    check_filter(endpoint, snapshot.event_type, is_ignored=is_yes("ignores_filters", params.ignores_filters))
    return endpoint, snapshot


def _snapshot(subject: str, plane: TenantPlane) -> Snapshot:
    if subject == "account":
        account = plane.account()
        data: dict[str, Any] = {
            "id": account.tenant,
            "name": account.name,
            "status": account.status.value,
            "country": account.country,
            "created_at": _moment(account.created_at),
        }
        return Snapshot(event_type="account.snapshot", subject=subject, data=data)
    if subject == "subscription":
        return _subscription(plane)
    return _invoice(subject.removeprefix(_INVOICE), plane)


def _subscription(plane: TenantPlane) -> Snapshot:
    held = plane.subscription()
    if held is None:
        raise Fault("subject", "This tenant has no subscription.")
    data = {
        "plan": held.plan_key,
        "status": held.status,
        "seats": held.seats,
        "amount_minor": held.amount_minor,
        "currency": held.currency,
        "renews_at": _moment(held.renews_at),
    }
    return Snapshot(event_type="subscription.snapshot", subject="subscription", data=data)


def _invoice(number: str, plane: TenantPlane) -> Snapshot:
    bill = plane.invoice(number)
    if bill is None:
        raise Fault("subject", "Choose the account, the subscription or an invoice of this tenant.")
    data = {
        "number": bill.number,
        "status": bill.status,
        "amount_minor": bill.amount_minor,
        "currency": bill.currency,
        "issued_at": _moment(bill.issued_at),
        "due_at": _moment(bill.due_at),
        "paid_at": None if bill.paid_at is None else _moment(bill.paid_at),
    }
    return Snapshot(event_type="invoice.snapshot", subject=bill.number, data=data)


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


ACTION = Action(
    key=ActionKey("webhook.send_snapshot"),
    version=1,
    title="Send a snapshot",
    button="Send snapshot",
    icon="database",
    effect=Effect.WRITE,
    reach=Reach.TENANT,
    fields=(
        ParamField(name="endpoint", label="Endpoint", input=Input.CHOICE),
        ParamField(name="subject", label="Object", input=Input.CHOICE, help="How it stands at the moment of sending."),
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
    documentation="Tells an endpoint the present state of one object, labelled as a snapshot and not as history.",
    customer_sees="One message labelled as a snapshot, and the sending in the access log.",
    place="endpoint",
    is_beside_its_thing=True,
)
