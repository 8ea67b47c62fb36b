"""Stripe's signatures: what is believed, and everything that is not; and what an event says of itself."""

import hashlib
import hmac
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.adapters.inbound_stripe import StripeSignatures
from console.domain.billing.objects import ObjectKind
from console.ports.inbound import ListedEvent, Verified
from tests.unit.fakes import NOON

SECRET, NEXT = "whsec_0123456789abcdef", "whsec_fedcba9876543210"
AT = int(NOON.timestamp())
EVENT: dict[str, Any] = {
    "id": "evt_1",
    "type": "invoice.paid",
    "created": AT - 60,
    "livemode": True,
    "data": {"object": {"object": "invoice", "id": "in_1", "number": "INV-1", "customer": "cus_acme"}},
}
BODY = json.dumps(EVENT).encode()


def signature(body: bytes = BODY, *, secret: str = SECRET, at: int = AT) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()


def said(
    header: str | None, body: bytes = BODY, *, now: datetime = NOON, secrets: tuple[str, ...] = (SECRET,)
) -> Verified | str:
    headers = {} if header is None else {"stripe-signature": header}
    return StripeSignatures(secrets).verified(headers, body, now=now)


def test_it_believes_what_the_provider_signed() -> None:
    assert said(f"t={AT},v1={signature()}") == Verified(
        event_id="evt_1", account="", is_live=True, event_type="invoice.paid", object_id="in_1",
        customer="cus_acme", made_at=NOON - timedelta(seconds=60),
    )  # fmt: skip


@pytest.mark.parametrize("secrets", [(SECRET, NEXT), (NEXT, SECRET)])
def test_it_believes_every_active_secret(secrets: tuple[str, ...]) -> None:
    assert isinstance(said(f"t={AT},v1={signature()}", secrets=secrets), Verified)
    both = f"t={AT},v1={signature(secret='whsec_gone')},v0={'0' * 64},v1={signature(secret=NEXT)}"
    assert isinstance(said(both, secrets=secrets), Verified)


def test_it_believes_nothing_without_a_secret() -> None:
    empty = hmac.new(b"", f"{AT}.".encode() + BODY, hashlib.sha256).hexdigest()
    assert said(f"t={AT},v1={empty}", secrets=()) == "No active secret made this signature."


@pytest.mark.parametrize(
    ("seconds", "word"),
    [(-300, ""), (300, ""), (301, "old"), (-301, "future"), (86_400, "old"), (-86_400, "future")],
)
def test_it_tolerates_five_minutes_both_ways(seconds: int, word: str) -> None:
    answer = said(f"t={AT},v1={signature()}", now=NOON + timedelta(seconds=seconds))
    assert isinstance(answer, Verified) if not word else word in str(answer)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t",
        "t=",
        f"v1={signature()}",
        f"t={AT}",
        f"t={AT},v1=",
        f"t={AT},v1={signature()[:-1]}",
        f"t={AT},v1={signature().upper()}",
        f"t={AT},v1={'z' * 64}",
        f"t={AT},v0={signature()}",
        f"t={AT},t={AT},v1={signature()}",
        f"t=-{AT},v1={signature()}",
        f"t={AT}.0,v1={signature()}",
        f"t=0x{AT:x},v1={signature()}",
        f"t=٣,v1={signature()}",
        f"t={'9' * 400},v1={signature()}",
        f"t={AT};v1={signature()}",
        f"t={AT}," + ",".join(f"v1={signature()}" for _ in range(21)),
        f"t={AT},v1={signature()}," + "x=" + "y" * 5_000,
    ],
)
def test_it_refuses_a_malformed_header(header: str) -> None:
    assert said(header) == "The signature header is malformed."


def test_it_refuses_a_missing_header() -> None:
    assert said(None) == "The signature is missing."
    other = StripeSignatures((SECRET,)).verified({"webhook-signature": f"v1,{signature()}"}, BODY, now=NOON)
    assert other == "The signature is missing."


@pytest.mark.parametrize(
    "body",
    [
        BODY + b" ",
        BODY.replace(b"INV-1", b"INV-2"),
        BODY.replace(b"true", b"false"),
        b"",
        json.dumps(EVENT, indent=1).encode(),
    ],
)
def test_it_refuses_an_altered_body(body: bytes) -> None:
    assert said(f"t={AT},v1={signature()}", body) == "No active secret made this signature."


def test_it_refuses_another_moment_than_the_signed_one() -> None:
    assert said(f"t={AT + 1},v1={signature()}") == "No active secret made this signature."


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "no event"),
        (b"null", "no event"),
        (b'{"id":"evt_1"}', "no type"),
        (b'{"id":"evt_1","type":7}', "no type"),
        (b'{"id":"evt_1","type":"a\\u0000b"}', "no type"),
    ],
)
def test_it_refuses_what_is_signed_but_no_event(body: bytes, words: str) -> None:
    assert words in str(said(f"t={AT},v1={signature(body)}", body))


def event(**changed: Any) -> Verified:  # noqa: ANN401  fields of an event
    body = json.dumps({**EVENT, **changed}).encode()
    answer = said(f"t={AT},v1={signature(body)}", body)
    assert isinstance(answer, Verified)
    return answer


def test_it_finds_the_same_id_for_a_replay_without_one() -> None:
    body = json.dumps({name: value for name, value in EVENT.items() if name != "id"}).encode()
    header = f"t={AT},v1={signature(body)}"
    first, second = said(header, body), said(header, body, now=NOON + timedelta(seconds=200))
    assert isinstance(first, Verified)
    assert first == second
    assert first.event_id.startswith("sha256:")
    other = body.replace(b"INV-1", b"INV-2")
    differs = said(f"t={AT},v1={signature(other)}", other)
    assert isinstance(differs, Verified)
    assert differs.event_id != first.event_id


@pytest.mark.parametrize(
    ("thing", "object_id", "customer"),
    [
        ({"object": "customer", "id": "cus_9"}, "cus_9", "cus_9"),
        ({"object": "invoice", "id": "in_1", "number": None, "customer": {"id": "cus_9"}}, "in_1", "cus_9"),
        ({"object": "invoice", "id": "in_1", "number": "INV-1", "customer": "cus_9"}, "in_1", "cus_9"),
        ({"object": "invoice", "number": "INV-1", "customer": "cus_9"}, "INV-1", "cus_9"),
        ({"object": "charge", "id": "ch_1", "payment_intent": "pi_1", "customer": "cus_9"}, "pi_1", "cus_9"),
        ({"object": "charge", "id": "ch_1", "payment_intent": {"id": "pi_1"}}, "pi_1", None),
        ({"object": "charge", "id": "ch_1", "payment_intent": None}, "ch_1", None),
        ({"object": "invoice_payment", "id": "inpay_1", "payment": {"payment_intent": "pi_1"}}, "pi_1", None),
        ({"object": "invoice_payment", "id": "inpay_1", "payment": "odd"}, "inpay_1", None),
        ({"object": "dispute", "id": "dp_1", "payment_intent": "pi_1"}, "dp_1", None),
        ({"object": "invoice", "id": 7, "customer": 7}, None, None),
        ({"object": "invoice", "id": "x" * 300, "customer": "a\nb"}, None, None),
        ([], None, None),
        (None, None, None),
    ],
)
def test_it_takes_only_plain_hints(thing: object, object_id: str | None, customer: str | None) -> None:
    found = event(data={"object": thing})
    assert (found.object_id, found.customer) == (object_id, customer)
    assert event(data=thing).customer is None


@pytest.mark.parametrize("created", [None, "now", True, -1, 10**30, 1.5])
def test_it_takes_the_signed_moment_where_the_event_names_none(created: object) -> None:
    assert event(created=created).made_at == NOON


@pytest.mark.parametrize("livemode", [False, None, "true", 1])
def test_it_takes_only_true_for_live(livemode: object) -> None:
    assert event(livemode=livemode).is_live is False


def test_it_reads_what_was_fetched() -> None:
    listed = ListedEvent(event_id="evt_9", event_type="invoice.paid", made_at=NOON, payload=BODY)
    read = StripeSignatures(()).listed(listed)
    assert isinstance(read, Verified)
    assert (read.event_id, read.customer) == ("evt_9", "cus_acme")
    broken = ListedEvent(event_id="evt_9", event_type="invoice.paid", made_at=NOON, payload=b"{")
    assert StripeSignatures(()).listed(broken) == "The body is no JSON."


@settings(max_examples=300, deadline=None, database=None, derandomize=True)
@given(header=st.text(max_size=120), body=st.binary(max_size=120))
def test_it_never_believes_noise(header: str, body: bytes) -> None:
    assert isinstance(said(header, body), str)
    assert isinstance(said(f"t={AT},v1={header}", body), str)


@pytest.mark.parametrize(
    ("event_type", "kind"),
    [
        ("customer.created", ObjectKind.CUSTOMER),
        ("customer.deleted", ObjectKind.CUSTOMER),
        ("customer.subscription.trial_will_end", ObjectKind.SUBSCRIPTION),
        ("customer.tax_id.created", None),
        ("customer.discount.created", None),
        ("invoice.payment_failed", ObjectKind.INVOICE),
        ("invoiceitem.created", None),
        ("payment_intent.succeeded", ObjectKind.PAYMENT),
        ("invoice_payment.paid", ObjectKind.PAYMENT),
        ("charge.refunded", ObjectKind.PAYMENT),
        ("charge.refund.updated", ObjectKind.REFUND),
        ("refund.created", ObjectKind.REFUND),
        ("charge.dispute.closed", ObjectKind.DISPUTE),
        ("credit_note.voided", ObjectKind.CREDIT_NOTE),
        ("payout.paid", ObjectKind.PAYOUT),
        ("price.updated", ObjectKind.PRICE),
        ("entitlements.active_entitlement_summary.updated", None),
    ],
)
def test_it_knows_what_an_event_is_about(event_type: str, kind: ObjectKind | None) -> None:
    assert StripeSignatures(()).kind_of(event_type) is kind
