"""The actions on deliveries: each says what the receiver will see, and refuses what would tell it twice or never."""

import json
import tomllib
from dataclasses import replace
from datetime import timedelta
from itertools import count, product
from pathlib import Path
from typing import Any

import pytest

from console.actions.webhook import cancel_delivery, reemit, resend, reveal_payload, send_snapshot, test_send
from console.actions.webhook.deliveries import KEPT
from console.domain.ids import DeliveryId, MessageId, RunId
from console.domain.reasons import Effect
from console.domain.webhooks import DeliveryState, EndpointState, MessageKind, Trigger
from console.domain.workspace import Invoice
from console.ports.action_tools import Tools
from tests.unit.fakes import NOON, FakeIds, FakePlane, Unchanged, fault_of, shown, tools
from tests.unit.webhook_fakes import HOOK, URL, FakeWebhooks, attempt, delivery, endpoint, message

BILL = Invoice(
    number="INV-1", status="paid", provider_status="paid", amount_minor=49_900, currency="EUR", issued_at=NOON,
    due_at=NOON, paid_at=NOON, mirrored_at=NOON,
)  # fmt: skip


def tooled(book: FakeWebhooks) -> Tools:
    there = tools(FakePlane(webhooks=book, bills=[BILL]))
    return replace(there, ids=FakeIds(count(100)))


def again(**values: str) -> resend.Params:
    return resend.build({"delivery": "dlv_1", "supersede": "", "ignores_filters": "", **values})


def anew(**values: str) -> reemit.Params:
    return reemit.build({"delivery": "dlv_1", "supersede": "", "ignores_filters": "", **values})


def snapshot(subject: str, **values: str) -> send_snapshot.Params:
    return send_snapshot.build({"endpoint": HOOK, "subject": subject, "ignores_filters": "", **values})


OF_ONE_DELIVERY = pytest.mark.parametrize(
    ("verb", "params"), [(resend, again), (reemit, anew)], ids=["resend", "reemit"]
)
WAITING = (DeliveryState.RETRY_SCHEDULED, DeliveryState.QUEUED, DeliveryState.HELD)


def test_it_resends_the_same_message() -> None:
    book = FakeWebhooks()
    with Unchanged(book):
        seen = resend.preview(again(), tooled(book))
    assert "same message id (msg_1) and the same bytes" in seen.warnings[0]
    assert "receiver that remembers ids ignores it" in seen.warnings[0]
    resend.apply(again(), tooled(book))
    (sent,) = book.sent
    assert (sent.state, sent.due_at, sent.trigger, sent.message) == (
        DeliveryState.QUEUED, NOON, Trigger.RESEND, "msg_1",
    )  # fmt: skip
    assert book.told == [message()]


def test_it_warns_before_it_resends_what_arrived() -> None:
    book = FakeWebhooks(sent=[delivery(state=DeliveryState.DELIVERED)])
    assert any("delivered before" in warning for warning in resend.preview(again(), tooled(book)).warnings)


@OF_ONE_DELIVERY
@pytest.mark.parametrize("state", WAITING)
def test_it_asks_before_it_supersedes_an_automatic_retry(verb: Any, params: Any, state: DeliveryState) -> None:  # noqa: ANN401  a module and its parameters
    book = FakeWebhooks(sent=[delivery(state=state, due_at=NOON + timedelta(hours=5))])
    with Unchanged(book):
        for function in (verb.preview, verb.apply):
            field, remedy = fault_of(function, params(), tooled(book))
            assert (field, "21 Nov 2026, 17:00 UTC" in remedy) == ("supersede", True)
            assert fault_of(function, params(supersede="perhaps"), tooled(book))[0] == "supersede"
    assert any("given up" in warning for warning in verb.preview(params(supersede="yes"), tooled(book)).warnings)
    verb.apply(params(supersede="yes"), tooled(book))
    assert [each.due_at for each in book.sent if each.due_at is not None] == [NOON], "one try is left, and it is due"


@pytest.mark.parametrize("state", WAITING)
def test_it_tells_anew_instead_of_the_retry_that_waited(state: DeliveryState) -> None:
    book = FakeWebhooks(sent=[delivery(state=state, due_at=NOON + timedelta(hours=5))])
    seen = reemit.preview(anew(supersede="yes"), tooled(book))
    assert shown(seen)["Old delivery"] == (state.words, "cancelled")
    assert "only the new id is sent" in seen.warnings[-1]
    assert "may have arrived" in seen.warnings[-1]
    done = reemit.apply(anew(supersede="yes"), tooled(book))
    old, new = book.sent
    assert (old.state, old.due_at, old.reason, old.version) == (DeliveryState.CANCELLED, None, "reemitted", 10)
    assert (new.state, new.due_at, new.message) == (DeliveryState.QUEUED, NOON, book.told[-1].id)
    assert [change.field for change in done.changes] == ["Message id", "Old delivery"]
    assert "nothing to cancel" in fault_of(
        cancel_delivery.preview, cancel_delivery.build({"delivery": "dlv_1"}), tooled(book)
    )[1]  # fmt: skip


def test_it_says_of_an_old_delivery_that_it_arrived_where_it_had() -> None:
    earlier = NOON - timedelta(hours=2)
    waits = delivery(state=DeliveryState.RETRY_SCHEDULED, due_at=NOON, delivered_at=earlier)
    book = FakeWebhooks(sent=[waits])
    assert shown(reemit.preview(anew(supersede="yes"), tooled(book)))["Old delivery"][1] == "delivered"
    reemit.apply(anew(supersede="yes"), tooled(book))
    assert (book.sent[0].state, book.sent[0].due_at) == (DeliveryState.DELIVERED, None)


@pytest.mark.parametrize(
    ("seen", "field", "words"),
    [
        (({"state": EndpointState.DISABLED}, {}, {}), "endpoint", "Enable it first"),
        (({"state": EndpointState.PAUSED}, {}, {}), "endpoint", "Enable it first"),
        (({"state": EndpointState.DELETED}, {}, {}), "endpoint", "deleted"),
        (({"event_types": ("order.made",)}, {}, {}), "ignores_filters", "does not subscribe to invoice.paid"),
        (({}, {}, {"payload": None}), "delivery", "expired"),
        (({}, {}, {"expires_at": NOON}), "delivery", "snapshot"),
        (({}, {"state": DeliveryState.SENDING}, {}), "delivery", "being sent"),
        (({}, {"state": DeliveryState.QUEUED, "trigger": Trigger.RESEND}, {}), "delivery", "on its way already"),
        (({}, {"run": RunId("run_1")}, {}), "delivery", "run_1"),
        (({}, {"run": RunId("run_1"), "state": DeliveryState.QUEUED}, {}), "delivery", "run_1"),
    ],
)
@OF_ONE_DELIVERY
def test_it_refuses_to_send_again(verb: Any, params: Any, seen: Any, field: str, words: str) -> None:  # noqa: ANN401  a module and its parameters, fields
    hook, sent, told = seen
    book = FakeWebhooks(hooks=[endpoint(**hook)], sent=[delivery(**sent)], told=[message(**told)])
    with Unchanged(book):
        for function, supersede in product((verb.preview, verb.apply), ("", "yes")):
            wrong, remedy = fault_of(function, params(supersede=supersede), tooled(book))
            assert wrong == field
            assert words in remedy


def test_it_knows_no_delivery_of_another_tenant() -> None:
    book = FakeWebhooks()
    for module, params in ((resend, again(delivery="dlv_9")), (reemit, anew(delivery="dlv_9"))):
        assert fault_of(module.preview, params, tooled(book)) == ("delivery", "This tenant has no such delivery.")
    orphan = FakeWebhooks(sent=[delivery(message=MessageId("msg_9"))])
    assert fault_of(resend.preview, again(), tooled(orphan)) == ("delivery", "This tenant has no such message.")


def test_it_sends_what_is_not_subscribed_to_only_when_told() -> None:
    book = FakeWebhooks(hooks=[endpoint(event_types=("order.made",))])
    resend.apply(again(ignores_filters="yes"), tooled(book))
    assert book.sent[0].state is DeliveryState.QUEUED
    assert fault_of(resend.preview, again(ignores_filters="maybe"), tooled(book))[0] == "ignores_filters"
    assert fault_of(reemit.preview, anew(), tooled(book))[0] == "ignores_filters"


@OF_ONE_DELIVERY
@pytest.mark.parametrize("state", [DeliveryState.EXHAUSTED, DeliveryState.RETRY_SCHEDULED])
def test_it_notices_that_a_delivery_moved(verb: Any, params: Any, state: DeliveryState) -> None:  # noqa: ANN401  a module and its parameters
    book = FakeWebhooks(sent=[delivery(state=state)], is_raced=True)
    with Unchanged(book):
        assert "meanwhile" in fault_of(verb.apply, params(supersede="yes"), tooled(book))[1]


@OF_ONE_DELIVERY
def test_it_binds_what_is_sent_again_to_its_delivery(verb: Any, params: Any) -> None:  # noqa: ANN401  a module and its parameters
    before = verb.preview(params(), tooled(FakeWebhooks())).fingerprint
    moved = FakeWebhooks(sent=[delivery(version=10)])
    assert verb.preview(params(), tooled(moved)).fingerprint != before


def test_it_lets_a_resend_through_an_open_breaker() -> None:
    book = FakeWebhooks(hooks=[endpoint(breaker_until=NOON + timedelta(minutes=9))])
    resend.apply(again(), tooled(book))
    assert book.hooks[0].breaker_until is None


def test_it_tells_anew_under_a_new_id() -> None:
    book = FakeWebhooks()
    with Unchanged(book):
        seen = reemit.preview(anew(), tooled(book))
    assert "new message id" in seen.warnings[0]
    assert "acts on it again" in seen.warnings[0]
    done = reemit.apply(anew(), tooled(book))
    old, new = book.told
    assert (new.replay_of, new.payload, new.kind, new.event_type) == (
        old.id, old.payload, MessageKind.REEMIT, old.event_type,
    )  # fmt: skip
    assert new.id != old.id
    assert new.expires_at - new.created_at == old.expires_at - old.created_at
    assert (book.sent[-1].message, done.made) == (new.id, book.sent[-1].id)
    assert book.sent[0] == delivery(version=10), "nothing but its version, which lets it be told anew once"


def test_it_binds_a_reemission_to_its_address() -> None:
    before = reemit.preview(anew(), tooled(FakeWebhooks())).fingerprint
    moved = FakeWebhooks(hooks=[endpoint(url=f"{URL}/elsewhere")])
    assert reemit.preview(anew(), tooled(moved)).fingerprint != before


@pytest.mark.parametrize(
    ("subject", "event_type", "part"),
    [
        ("account", "account.snapshot", ("status", "active")),
        ("invoice INV-1", "invoice.snapshot", ("number", "INV-1")),
    ],
)
def test_it_labels_a_snapshot_as_such(subject: str, event_type: str, part: tuple[str, str]) -> None:
    book = FakeWebhooks()
    assert "not what happened" in send_snapshot.preview(snapshot(subject), tooled(book)).warnings[0]
    send_snapshot.apply(snapshot(subject), tooled(book))
    told = book.told[-1]
    body = json.loads(told.payload or b"")
    assert (told.kind, told.event_type, body["type"], body["snapshot"]) == (
        MessageKind.SNAPSHOT, event_type, event_type, True,
    )  # fmt: skip
    assert body["data"][part[0]] == part[1]


@pytest.mark.parametrize("subject", ["subscription", "invoice INV-9", "member mem_1", ""])
def test_it_takes_no_snapshot_of_what_is_not_there(subject: str) -> None:
    assert fault_of(send_snapshot.preview, snapshot(subject), tooled(FakeWebhooks()))[0] == "subject"


def test_it_offers_what_there_is_to_tell() -> None:
    offered = [choice.value for choice in send_snapshot.choices("subject", tooled(FakeWebhooks()))]
    assert offered == ["account", "subscription", "invoice INV-1"]
    assert [choice.value for choice in send_snapshot.choices("endpoint", tooled(FakeWebhooks()))] == [HOOK]


def test_it_sends_a_test_that_holds_nothing_of_theirs() -> None:
    book, params = FakeWebhooks(), test_send.build({"endpoint": HOOK})
    with Unchanged(book):
        test_send.preview(params, tooled(book))
    test_send.apply(params, tooled(book))
    told, sent = book.told[-1], book.sent[-1]
    assert (told.kind, sent.trigger, sent.state) == (MessageKind.TEST, Trigger.TEST, DeliveryState.QUEUED)
    assert b"acme" not in (told.payload or b"")
    off = FakeWebhooks(hooks=[endpoint(state=EndpointState.DISABLED)])
    assert fault_of(test_send.preview, params, tooled(off))[0] == "endpoint"


@pytest.mark.parametrize("state", [DeliveryState.QUEUED, DeliveryState.RETRY_SCHEDULED, DeliveryState.HELD])
def test_it_cancels_what_waits(state: DeliveryState) -> None:
    book, params = FakeWebhooks(sent=[delivery(state=state, due_at=NOON)]), cancel_delivery.build({"delivery": "dlv_1"})
    assert shown(cancel_delivery.preview(params, tooled(book))) == {"Delivery": (state.words, "cancelled")}
    cancel_delivery.apply(params, tooled(book))
    assert (book.sent[0].state, book.sent[0].due_at) == (DeliveryState.CANCELLED, None)
    assert fault_of(cancel_delivery.preview, params, tooled(book))[0] == "delivery"


def test_it_leaves_what_a_bulk_replay_holds() -> None:
    book = FakeWebhooks(sent=[delivery(state=DeliveryState.QUEUED, run=RunId("run_1"))])
    params = cancel_delivery.build({"delivery": "dlv_1"})
    assert "run_1" in fault_of(cancel_delivery.preview, params, tooled(book))[1]
    raced = FakeWebhooks(sent=[delivery(state=DeliveryState.QUEUED)], is_raced=True)
    assert "meanwhile" in fault_of(cancel_delivery.apply, params, tooled(raced))[1]


def test_it_reveals_a_payload_only_on_apply() -> None:
    book, params = FakeWebhooks(), reveal_payload.build({"message": "msg_1"})
    with Unchanged(book):
        seen = reveal_payload.preview(params, tooled(book))
        done = reveal_payload.apply(params, tooled(book))
    assert "ada@" not in repr((seen, done.sentence, done.changes))
    assert done.shown["Payload"].startswith('{"type":"invoice.paid"')
    assert (reveal_payload.ACTION.budget, reveal_payload.ACTION.effect) == ("reveals", Effect.READ)
    for book in (FakeWebhooks(told=[]), FakeWebhooks(told=[replace(message(), payload=None)])):
        assert fault_of(reveal_payload.preview, params, tooled(book))[0] == "message"


def test_it_reveals_what_receivers_answered_without_their_secrets() -> None:
    said = "Ada Byron, token=abc, Bearer xyz"
    book = FakeWebhooks(tried=[attempt(2, got_body=said), attempt(1), attempt(3, delivery=DeliveryId("dlv_9"))])
    done = reveal_payload.apply(reveal_payload.build({"message": "msg_1"}), tooled(book))
    answer = done.shown["Answer to attempt 2 of dlv_1"]
    assert answer.startswith("Ada Byron")
    assert "abc" not in answer
    assert "xyz" not in answer
    assert list(done.shown) == ["Payload", "Answer to attempt 2 of dlv_1"]


def test_it_keeps_what_it_makes_as_long_as_everything_else() -> None:
    rules = tomllib.loads((Path(__file__).parents[3] / "policies" / "sending.toml").read_text())
    assert timedelta(days=rules["payload_days"]) == KEPT
