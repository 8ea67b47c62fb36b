"""Endpoints, messages, deliveries and runs as tests of storage need them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from console.domain.ids import DeliveryId, EndpointId, MessageId, RunId
from console.domain.replays import ItemState, Run, RunItem, RunState, Selector, Wanted, list_digest
from console.domain.webhooks import (
    Attempt,
    AttemptOutcome,
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointKey,
    EndpointState,
    KeyAlgorithm,
    Message,
    MessageKind,
    Trigger,
)
from console.ports.webhooks import Settled, WebhookBook
from tests.databases import NOON

FIRST, SECOND = EndpointId("whe_first"), EndpointId("whe_second")
SENDER, OTHER_SENDER = "sender-1", "sender-2"
SOON = NOON + timedelta(seconds=30)
DAY = timedelta(days=1)


def endpoint(name: EndpointId = FIRST, **changed: Any) -> Endpoint:  # noqa: ANN401  fields of Endpoint
    """Return an endpoint that is sent everything."""
    usual: dict[str, Any] = {
        "url": f"https://hooks.example/{name}", "description": "", "event_types": (), "state": EndpointState.ACTIVE,
        "because": None, "rate_per_s": 10, "created_at": NOON - DAY, "version": 1,
    }  # fmt: skip
    return Endpoint(id=name, **(usual | changed))


def key(name: str, **changed: Any) -> EndpointKey:  # noqa: ANN401  fields of EndpointKey
    """Return a key of the first endpoint."""
    usual: dict[str, Any] = {
        "endpoint": FIRST, "algorithm": KeyAlgorithm.V1, "sealed": f"sealed-{name}", "public": None,
        "created_at": NOON, "expires_at": None,
    }  # fmt: skip
    return EndpointKey(id=name, **(usual | changed))


def message(name: str = "msg_1", **changed: Any) -> Message:  # noqa: ANN401  fields of Message
    """Return a message."""
    usual: dict[str, Any] = {
        "event_type": "invoice.paid", "kind": MessageKind.EVENT, "payload": b'{"n":1}', "created_at": NOON,
        "expires_at": NOON + 30 * DAY,
    }  # fmt: skip
    return Message(id=MessageId(name), **(usual | changed))


def delivery(number: int, **changed: Any) -> Delivery:  # noqa: ANN401  fields of Delivery
    """Return a delivery that is due; later numbers were made later."""
    at = NOON - timedelta(hours=1) + timedelta(milliseconds=number)
    usual: dict[str, Any] = {
        "message": MessageId("msg_1"), "endpoint": FIRST, "event_type": "invoice.paid",
        "state": DeliveryState.QUEUED, "created_at": at, "due_at": at,
    }  # fmt: skip
    return Delivery(id=DeliveryId(f"whd_{number:06d}"), **(usual | changed))


def dead(number: int, **changed: Any) -> Delivery:  # noqa: ANN401  fields of Delivery
    """Return a delivery that was given up."""
    usual: dict[str, Any] = {
        "state": DeliveryState.EXHAUSTED, "due_at": None, "attempts": 8, "tries": 8, "fingerprint": "same",
        "last_outcome": AttemptOutcome.SERVER_ERROR, "last_status": 503, "last_at": NOON,
    }  # fmt: skip
    return delivery(number, **(usual | changed))


def settled(one: Delivery, **changed: Any) -> Settled:  # noqa: ANN401  fields of Delivery
    """Return a delivery that arrived, with its attempt."""
    number = one.attempts + 1
    attempt = Attempt(
        id=f"wha_{one.id}_{number}", delivery=one.id, endpoint=one.endpoint, number=number, trigger=one.trigger,
        run=one.run, started_at=NOON, took_ms=12, outcome=AttemptOutcome.SUCCESS, status=200, error=None,
        keys=("whk_1",), sent_headers=(("webhook-id", one.message),), got_headers=(("server", "x"),), got_body="ok",
    )  # fmt: skip
    usual: dict[str, Any] = {
        "state": DeliveryState.DELIVERED, "due_at": None, "claimed_by": None, "attempts": number, "last_at": NOON,
        "last_outcome": AttemptOutcome.SUCCESS, "last_status": 200, "delivered_at": NOON,
    }  # fmt: skip
    return Settled(attempt=attempt, delivery=replace(one, **(usual | changed)))


def fill(book: WebhookBook, deliveries: Iterable[Delivery], *, said: Message | None = None) -> None:
    """Store both endpoints and one message with its deliveries."""
    for name in (FIRST, SECOND):
        if book.endpoint(name) is None:
            book.add_endpoint(endpoint(name))
    book.add_message(said or message(), list(deliveries))


def everything(**changed: Any) -> Selector:  # noqa: ANN401  fields of Selector
    """Return a selector of all that happened lately."""
    usual: dict[str, Any] = {
        "endpoints": (), "event_types": (), "wanted": Wanted.ALL, "since": NOON - 30 * DAY, "until": NOON + DAY,
    }  # fmt: skip
    return Selector(**(usual | changed))


def planned(book: WebhookBook, deliveries: Sequence[Delivery], *, name: str = "whr_1") -> Run:
    """Store a run over some deliveries and start it."""
    ids = [each.id for each in deliveries]
    run = Run(
        id=RunId(name), state=RunState.PLANNED, selector=everything(), digest=list_digest(ids), planned=len(ids),
        excluded={"already_delivered": 3}, per_endpoint={FIRST: len(ids)}, per_type={"invoice.paid": len(ids)},
        oldest_at=NOON, newest_at=NOON, rate_per_s=20, planned_by="stf_anna", planned_at=NOON, expires_at=NOON + DAY,
        version=1,
    )  # fmt: skip
    book.add_run(run, items_of(run, deliveries))
    assert book.move_run(run, RunState.RUNNING, at=NOON)
    return found(book, run)


def items_of(run: Run, deliveries: Iterable[Delivery]) -> Iterable[RunItem]:
    """Yield the frozen list over some deliveries."""
    for position, each in enumerate(deliveries, start=1):
        yield RunItem(run=run.id, position=position, delivery=each.id, endpoint=each.endpoint, state=ItemState.WAITING)


def found(book: WebhookBook, run: Run) -> Run:
    """Return a run as it is stored."""
    stored = book.run(run.id)
    assert stored is not None
    return stored


def now_of(book: WebhookBook, one: Delivery) -> Delivery:
    """Return a delivery as it is stored."""
    stored = book.delivery(one.id)
    assert stored is not None
    return stored


def lapse(moment: datetime) -> datetime:
    """Return a moment when every claim made at `moment` has lapsed."""
    return moment + timedelta(minutes=10)


RESENT = Trigger.RESEND
