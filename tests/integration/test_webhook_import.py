"""Importing endpoints, deliveries and attempts: what they become, what a second import leaves alone, sealed secrets."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from console.domain.errors import BadValueError
from console.domain.ids import MessageId
from console.domain.imports import (
    DeliveryAttemptRecord,
    DeliveryRecord,
    Record,
    WebhookEndpointRecord,
    delivery_id_of,
    endpoint_id_of,
)
from console.domain.search_terms import SearchTerms
from console.domain.tenancy import SearchKind
from console.domain.webhooks import AttemptOutcome, DeliveryState, EndpointState, KeyAlgorithm
from console.ports.webhooks import WebhookBook
from console.storage.house import Storage
from tests.databases import ENGINES, NOON
from tests.integration import cast
from tests.integration.cast import ACME, CATALOGUE_RECORDS, scope, tenant_records
from tests.integration.stage import rows
from tests.integration.test_import import imported
from tests.webhook_fakes import OpenKeys

SECRET = "whsec_dGhlIHNlY3JldCBvZiBhIHRlc3QgdGhhdCBldmVyeWJvZHkga25vd3M="
ORDERS = endpoint_id_of("acme", "orders")


@pytest.fixture(params=ENGINES)
def storage(request: pytest.FixtureRequest, tmp_path: Path, pg_database: Callable[..., str]) -> Iterator[Storage]:
    with cast.house(request.param, tmp_path, pg_database) as opened:
        opened.bulk._seal = OpenKeys().seal
        imported(opened, *CATALOGUE_RECORDS, *tenant_records("acme"), *tenant_records("zeta"))
        yield opened


def endpoint(**changed: Any) -> WebhookEndpointRecord:  # noqa: ANN401  fields of the record
    usual: dict[str, Any] = {
        "tenant": "acme", "external_id": "orders", "url": "https://hooks.acme.example/orders", "created_at": NOON,
        "event_types": ("order.*",), "rate_per_s": 25, "secret": SECRET,
    }  # fmt: skip
    return WebhookEndpointRecord(**(usual | changed))


def sent(**changed: Any) -> DeliveryRecord:  # noqa: ANN401  fields of the record
    usual: dict[str, Any] = {
        "tenant": "acme", "message": "msg_Order1", "endpoint": "orders", "event_type": "order.paid",
        "outcome": "failed", "status_code": 503, "attempts": 3, "at": NOON, "created_at": NOON - timedelta(hours=2),
        "payload": '{"n":1}',
    }  # fmt: skip
    return DeliveryRecord(**(usual | changed))


def seen(storage: Storage, look: Callable[[WebhookBook], Any]) -> Any:  # noqa: ANN401  what the look gives
    with storage.store.read() as unit:
        return look(unit.tenant(scope(ACME)).webhooks)


def test_an_endpoint_brings_its_key_sealed_and_nothing_keeps_the_secret(storage: Storage) -> None:
    assert imported(storage, endpoint(), endpoint(external_id="old", secret=None, state="disabled")).is_kept
    found = seen(storage, lambda book: book.endpoint(ORDERS))
    assert (found.url, found.event_types, found.rate_per_s) == (endpoint().url, ("order.*",), 25)
    (key,) = seen(storage, lambda book: book.keys(ORDERS, now=NOON))
    assert (key.algorithm, key.sealed) == (KeyAlgorithm.V1, OpenKeys().seal(SECRET).sealed)
    stored = rows(storage._settings.database_url, "SELECT * FROM plane_webhook_key")
    assert len(stored) == 1
    assert SECRET not in str(stored)
    assert SECRET not in repr(endpoint())
    old = seen(storage, lambda book: book.endpoint(endpoint_id_of("acme", "old")))
    assert (old.state, old.disabled_at) == (EndpointState.DISABLED, NOON)
    assert imported(storage, endpoint()).is_kept
    assert len(seen(storage, lambda book: book.keys(ORDERS, now=NOON))) == 1


def test_an_asymmetric_key_shows_its_public_half(storage: Storage) -> None:
    imported(storage, endpoint(secret="whsk_" + "x" * 40))
    (key,) = seen(storage, lambda book: book.keys(ORDERS, now=NOON))
    assert (key.algorithm, key.public) == (KeyAlgorithm.V1A, "whpk_public")


def test_without_a_sealing_key_no_secret_is_taken(tmp_path: Path, pg_database: Callable[..., str]) -> None:
    with cast.house("sqlite", tmp_path, pg_database) as bare:
        imported(bare, *CATALOGUE_RECORDS, *tenant_records("acme"))
        with pytest.raises(BadValueError):
            imported(bare, endpoint())
        assert seen(bare, lambda book: book.endpoint(ORDERS)) is None


def test_a_delivery_becomes_message_delivery_and_last_attempt(storage: Storage) -> None:
    imported(storage, endpoint(), sent())
    message = seen(storage, lambda book: book.message(MessageId("msg_Order1")))
    assert (message.payload, message.created_at) == (b'{"n":1}', NOON - timedelta(hours=2))
    assert message.expires_at == NOON - timedelta(hours=2) + timedelta(days=30)
    name = delivery_id_of("acme", "msg_Order1", "orders")
    delivery = seen(storage, lambda book: book.delivery(name))
    assert (delivery.state, delivery.attempts, delivery.due_at) == (DeliveryState.EXHAUSTED, 3, None)
    assert (delivery.last_outcome, delivery.last_status, delivery.last_at) == (AttemptOutcome.SERVER_ERROR, 503, NOON)
    assert delivery.fingerprint is not None
    (attempt,) = seen(storage, lambda book: book.attempts(name, limit=9))
    assert (attempt.number, attempt.status, attempt.started_at) == (3, 503, NOON)
    hits = storage.fleet.search(SearchTerms(text="MSG_order1", kinds=(SearchKind.MESSAGE,)), limit=5)
    assert [hit.tenant.id for hit in hits] == [ACME]


STATES: dict[str, tuple[dict[str, Any], DeliveryState, AttemptOutcome | None]] = {
    "delivered": ({"outcome": "delivered", "status_code": 204}, DeliveryState.DELIVERED, AttemptOutcome.SUCCESS),
    "failed by timeout": ({"status_code": None}, DeliveryState.EXHAUSTED, AttemptOutcome.TIMEOUT),
    "failed by name": ({"status_code": None, "failure": "dns"}, DeliveryState.EXHAUSTED, AttemptOutcome.DNS),
    "gone": ({"status_code": 410}, DeliveryState.EXHAUSTED, AttemptOutcome.GONE),
    "slow down": ({"status_code": 429}, DeliveryState.EXHAUSTED, AttemptOutcome.SLOW_DOWN),
    "moved": ({"status_code": 301}, DeliveryState.EXHAUSTED, AttemptOutcome.REDIRECT),
    "not tried": ({"outcome": "pending", "attempts": 0, "status_code": None}, DeliveryState.QUEUED, None),
    "tried": ({"outcome": "pending"}, DeliveryState.RETRY_SCHEDULED, AttemptOutcome.SERVER_ERROR),
}


@pytest.mark.parametrize("case", STATES)
def test_the_words_of_the_product_become_states(storage: Storage, case: str) -> None:
    changed, state, outcome = STATES[case]
    imported(storage, endpoint(), sent(**changed))
    delivery = seen(storage, lambda book: book.delivery(delivery_id_of("acme", "msg_Order1", "orders")))
    assert (delivery.state, delivery.last_outcome) == (state, outcome)
    assert (delivery.delivered_at is not None) == (state is DeliveryState.DELIVERED)
    assert delivery.due_at is None  # the product goes on sending what is its own


def test_a_pending_delivery_with_a_moment_is_the_houses_to_send(storage: Storage) -> None:
    imported(storage, endpoint(), sent(outcome="pending", due_at=NOON))
    assert [each.message for each in seen(storage, lambda book: book.due(ORDERS, now=NOON, limit=9))] == ["msg_Order1"]
    assert [due.endpoint for due in storage.webhook_fleet.due(NOON, limit=9)] == [ORDERS]


def test_earlier_attempts_come_in_rows_of_their_own(storage: Storage) -> None:
    earlier = [
        DeliveryAttemptRecord(
            tenant="acme", message="msg_Order1", endpoint="orders", number=number, at=NOON - timedelta(minutes=number),
            took_ms=40, failure="connect", error="refused",
        )
        for number in (1, 2)
    ]  # fmt: skip
    imported(storage, endpoint(), sent(), *earlier)
    name = delivery_id_of("acme", "msg_Order1", "orders")
    attempts = seen(storage, lambda book: book.attempts(name, limit=9))
    assert [each.number for each in attempts] == [3, 2, 1]
    assert (attempts[1].outcome, attempts[1].error, attempts[1].took_ms) == (AttemptOutcome.CONNECT, "refused", 40)


def test_a_message_without_a_payload_counts_as_expired(storage: Storage) -> None:
    imported(storage, endpoint(), sent(payload=None))
    message = seen(storage, lambda book: book.message(MessageId("msg_Order1")))
    assert (message.payload, message.expires_at) == (None, message.created_at)


def test_a_second_import_follows_the_product_but_not_what_the_house_has_changed(storage: Storage) -> None:
    imported(storage, endpoint(), sent(outcome="pending"), sent(message="msg_2", outcome="pending"))
    name = delivery_id_of("acme", "msg_2", "orders")
    with storage.store.write() as unit:
        book = unit.tenant(scope(ACME)).webhooks
        mine = book.delivery(name)
        assert mine is not None
        book.change_delivery(replace(mine, state=DeliveryState.CANCELLED), version=1)
        there = book.endpoint(ORDERS)
        assert there is not None
        book.change_endpoint(replace(there, state=EndpointState.PAUSED), version=1)
    again = (endpoint(url="https://new.example/x"), sent(), sent(message="msg_2"), sent(message="msg_3"))
    assert imported(storage, *again).is_kept
    assert seen(storage, lambda book: book.delivery(name)).state is DeliveryState.CANCELLED
    assert seen(storage, lambda book: book.endpoint(ORDERS)).url == endpoint().url
    followed = seen(storage, lambda book: book.delivery(delivery_id_of("acme", "msg_Order1", "orders")))
    assert followed.state is DeliveryState.EXHAUSTED
    message = seen(storage, lambda book: book.message(MessageId("msg_Order1")))
    assert message.payload == b'{"n":1}'


def test_one_message_may_go_to_several_endpoints(storage: Storage) -> None:
    both = (endpoint(), endpoint(external_id="copy", secret=None))
    imported(storage, *both, sent(), sent(endpoint="copy", outcome="delivered", status_code=200))
    assert len(seen(storage, lambda book: book.deliveries_of(MessageId("msg_Order1")))) == 2


UNKNOWN: dict[str, tuple[Record, ...]] = {
    "never": (sent(),),
    "below": (sent(), endpoint()),
    "of another tenant": (endpoint(tenant="zeta"), sent()),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_a_delivery_names_an_endpoint_that_is_there(storage: Storage, case: str) -> None:
    answer = imported(storage, *UNKNOWN[case])
    assert not answer.is_kept
    assert [fault.field for fault in answer.faults] == ["endpoint"]


def test_a_delivery_may_name_an_endpoint_of_an_earlier_import(storage: Storage) -> None:
    assert imported(storage, endpoint()).is_kept
    assert imported(storage, sent()).is_kept
    assert imported(storage, sent(), sent()).faults[0].line == 2
