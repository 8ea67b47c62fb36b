"""Endpoints, keys, messages, deliveries and attempts of a tenant: the contract of the WebhookBook on both databases."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from console.domain.errors import ConflictError, ScopeError
from console.domain.ids import DeliveryId, MessageId
from console.domain.webhooks import AttemptOutcome, Bucket, Delivery, DeliveryState, EndpointState, Health, MessageKind
from console.ports.webhooks import DeliveryFilter
from console.storage.house import Storage
from tests.conftest import NewDatabase
from tests.databases import NOON
from tests.integration.cast import ACME, ZETA, house, move_in, scope
from tests.integration.stage import rows
from tests.integration.webhook_books import Books, books, storage
from tests.integration.webhook_cast import (
    DAY,
    FIRST,
    SECOND,
    dead,
    delivery,
    endpoint,
    fill,
    key,
    message,
    now_of,
    planned,
    settled,
)

__all__ = ["books", "storage"]


def test_an_endpoint_comes_back_whole_and_moves_by_its_version(books: Books) -> None:
    made = endpoint(
        event_types=("invoice.*", "member.joined"), description="Orders", bucket=Bucket(tokens=-250, at=NOON),
        breaker_until=NOON, failing_since=NOON, failures_in_row=3, warned_at=NOON,
    )  # fmt: skip
    with books() as book:
        book.add_endpoint(made)
        assert book.endpoint(FIRST) == made
        with pytest.raises(ConflictError):
            book.add_endpoint(made)
        paused = replace(made, state=EndpointState.PAUSED, because="asked", event_types=(), bucket=None)
        assert book.change_endpoint(paused, version=1)
        assert not book.change_endpoint(made, version=1)
        assert book.endpoint(FIRST) == replace(paused, version=2)


def test_deleted_endpoints_are_shown_only_to_who_asks(books: Books) -> None:
    with books() as book:
        book.add_endpoint(endpoint(SECOND))
        book.add_endpoint(endpoint(FIRST, created_at=NOON))
        book.change_endpoint(endpoint(SECOND, state=EndpointState.DELETED), version=1)
        shown = [each.id for each in book.endpoints()]
        assert SECOND not in shown
        assert shown[-1] == FIRST
        assert SECOND in [each.id for each in book.endpoints(with_deleted=True)]
        assert book.endpoint(SECOND) is not None


def test_a_new_key_lets_the_older_ones_end_but_never_later_than_before(books: Books) -> None:
    later = NOON + DAY
    with books() as book:
        book.add_endpoint(endpoint())
        book.add_key(key("whk_1", expires_at=NOON + timedelta(hours=1)), older_until=later)
        book.add_key(key("whk_2", created_at=NOON + timedelta(seconds=1)), older_until=later)
        book.add_key(key("whk_3", created_at=NOON + timedelta(seconds=2)), older_until=later)
        book.add_key(key("whk_other", endpoint=SECOND), older_until=NOON)
        live = book.keys(FIRST, now=NOON)
        assert [each.id for each in live] == ["whk_3", "whk_2", "whk_1"]
        assert [each.expires_at for each in live] == [None, later, NOON + timedelta(hours=1)]
        assert [each.id for each in book.keys(FIRST, now=later)] == ["whk_3"]


def test_a_message_is_stored_with_where_it_goes_and_never_twice(books: Books) -> None:
    said = message(kind=MessageKind.SNAPSHOT, subject="INV-1", replay_of=MessageId("msg_0"), payload=b"\x00\xff{}")
    with books() as book:
        fill(book, [delivery(2), delivery(1, endpoint=SECOND)], said=said)
        assert book.message(said.id) == said
        assert book.message(MessageId("msg_none")) is None
        assert dict(book.messages([said.id, MessageId("msg_none"), said.id])) == {said.id: said}
        assert [each.id for each in book.deliveries_of(said.id)] == [delivery(1).id, delivery(2).id]
        assert dict(book.named([delivery(1).id, DeliveryId("none")])) == {delivery(1).id: delivery(1, endpoint=SECOND)}
        with pytest.raises(ConflictError):
            book.add_message(said, [])
        with pytest.raises(ConflictError):
            book.add_message(message("msg_2"), [delivery(2)])


def test_what_the_product_wrote_is_addressed_once(books: Books, storage: Storage) -> None:
    columns = "tenant_id, id, event_type, kind, payload, created_at, expires_at"
    for number in (2, 1):
        rows(
            storage._settings.database_url,
            f"INSERT INTO plane_webhook_message ({columns}) VALUES (?, ?, 'a.b', 'event', ?, ?, 99)",
            ACME, f"msg_p{number}", b"{}", number,
        )  # fmt: skip
    assert storage.webhook_fleet.unfanned(limit=9) == [("shared", ACME)]
    with books() as book:
        waiting = book.unfanned(limit=9)
        assert [each.id for each in waiting] == ["msg_p1", "msg_p2"]
        assert book.fan_out(waiting[0].id, [delivery(1, message=waiting[0].id)], at=NOON)
        assert not book.fan_out(waiting[0].id, [delivery(2, message=waiting[0].id)], at=NOON)
        assert [each.id for each in book.unfanned(limit=9)] == ["msg_p2"]
        assert len(book.deliveries_of(waiting[0].id)) == 1
        assert book.fan_out(waiting[1].id, [], at=NOON)
    assert storage.webhook_fleet.unfanned(limit=9) == []


FILTERS = {
    "all": (DeliveryFilter(), [6, 5, 4, 3, 2, 1]),
    "endpoint": (DeliveryFilter(endpoint=SECOND), [6, 5]),
    "state": (DeliveryFilter(state=DeliveryState.EXHAUSTED), [6, 4]),
    "delivered": (DeliveryFilter(state=DeliveryState.DELIVERED), [3]),
    "event type": (DeliveryFilter(event_type="member.joined"), [5, 2]),
    "message": (DeliveryFilter(message=MessageId("msg_1")), [6, 5, 4, 3, 2, 1]),
    "endpoint and state": (DeliveryFilter(endpoint=FIRST, state=DeliveryState.EXHAUSTED), [4]),
    "endpoint and type": (DeliveryFilter(endpoint=FIRST, event_type="member.joined"), [2]),
    "type and state": (DeliveryFilter(event_type="member.joined", state=DeliveryState.QUEUED), [5, 2]),
    "all three": (DeliveryFilter(endpoint=SECOND, event_type="member.joined", state=DeliveryState.QUEUED), [5]),
    "since": (DeliveryFilter(since=delivery(4).created_at), [6, 5, 4]),
    "until": (DeliveryFilter(until=delivery(4).created_at), [3, 2, 1]),
}


@pytest.mark.parametrize("case", FILTERS)
def test_deliveries_are_found_by_every_filter_newest_first_page_by_page(books: Books, case: str) -> None:
    which, wanted = FILTERS[case]
    with books(ZETA) as book:
        fill(
            book,
            [
                delivery(1), delivery(2, event_type="member.joined"),
                delivery(3, state=DeliveryState.DELIVERED, due_at=None), dead(4),
                delivery(5, endpoint=SECOND, event_type="member.joined"), dead(6, endpoint=SECOND),
            ],
        )  # fmt: skip
        which = replace(which, since=which.since or delivery(1).created_at, until=which.until or NOON - DAY / 48)
        assert [int(each.id[-1]) for each in book.deliveries(which, before=None, limit=9)] == wanted
        paged: list[Delivery] = []
        while page := book.deliveries(which, before=paged[-1].id if paged else None, limit=2):
            paged += page
        assert [int(each.id[-1]) for each in paged] == wanted
        assert book.deliveries(which, before=DeliveryId("whd_unknown"), limit=9) == []


def test_deliveries_of_one_moment_are_paged_by_id(books: Books) -> None:
    with books() as book:
        fill(book, [delivery(number, created_at=NOON + DAY) for number in range(7)])
        page = book.deliveries(DeliveryFilter(), before=DeliveryId("whd_000004"), limit=3)
        assert [each.id for each in page] == ["whd_000003", "whd_000002", "whd_000001"]


def test_a_delivery_moves_by_its_version(books: Books) -> None:
    with books() as book:
        fill(book, [delivery(1)])
        gone = replace(delivery(1), state=DeliveryState.CANCELLED, due_at=None, reason="asked")
        assert book.change_delivery(gone, version=1)
        assert not book.change_delivery(delivery(1), version=1)
        assert now_of(book, gone) == replace(gone, version=2)


def test_dead_letters_are_grouped_by_endpoint_and_fingerprint_largest_first(books: Books) -> None:
    with books(ZETA) as book:
        for each in book.deliveries(DeliveryFilter(), before=None, limit=9):  # what the import brought
            book.change_delivery(replace(each, state=DeliveryState.DELIVERED), version=each.version)
        one = dead(9, endpoint=SECOND, fingerprint="other", last_outcome=AttemptOutcome.TIMEOUT, last_status=None)
        fill(book, [dead(1), dead(2), dead(3), one, delivery(4)])
        first, second = book.dead_letters(limit=5)
        assert (first.endpoint, first.fingerprint, first.count) == (FIRST, "same", 3)
        assert (first.oldest_at, first.newest_at) == (dead(1).created_at, dead(3).created_at)
        assert (first.outcome, first.status) == (AttemptOutcome.SERVER_ERROR, 503)
        assert (second.fingerprint, second.outcome, second.status) == ("other", AttemptOutcome.TIMEOUT, None)
        assert len(book.dead_letters(limit=1)) == 1


def test_event_types_are_told_once_in_order_of_name(books: Books) -> None:
    with books() as book:
        fill(book, [delivery(n, event_type=name) for n, name in enumerate(("b.c", "a.b", "b.c", "z.z"))])
        assert book.event_types(limit=9) == ["a.b", "b.c", "invoice.paid", "z.z"]
        assert book.event_types(limit=2) == ["a.b", "b.c"]


def test_health_counts_attempts_by_hour(books: Books) -> None:
    with books() as book:
        fill(book, [])
        for number, (minutes, outcome) in enumerate(((0, "2xx"), (59, "5xx"), (60, "2xx"), (61, "2xx"), (300, "2xx"))):
            one = delivery(number, endpoint=SECOND)
            book.add_message(message(f"msg_h{number}"), [one])
            (held,) = book.claim_deliveries([one], by="s", until=NOON)
            done = settled(held)
            at = NOON - DAY + timedelta(minutes=minutes)
            attempt = replace(done.attempt, started_at=at, outcome=AttemptOutcome(outcome))
            book.settle([replace(done, attempt=attempt)], by="s")
        found = book.health(SECOND, since=NOON - DAY, until=NOON - DAY + timedelta(hours=5))
        hour = NOON - DAY
        assert found == [
            Health(hour=hour, succeeded=1, failed=1),
            Health(hour=hour + timedelta(hours=1), succeeded=2, failed=0),
        ]


def test_payloads_go_when_their_time_is_over_and_nothing_else_of_a_message(books: Books, storage: Storage) -> None:
    with books() as book:
        for number, days in ((1, 2), (2, 1), (3, 9)):
            book.add_message(message(f"msg_e{number}", expires_at=NOON + days * DAY), [])
    over = NOON + 3 * DAY
    assert storage.webhook_fleet.expired(NOON, limit=9) == []
    assert storage.webhook_fleet.expired(over, limit=9) == [("shared", ACME)]
    with books() as book:
        assert book.expire_payloads(now=over, limit=1) == 1
        assert book.expire_payloads(now=over, limit=9) == 1
        assert book.expire_payloads(now=over, limit=9) == 0
        kept = book.messages([MessageId(f"msg_e{number}") for number in (1, 2, 3)])
        assert [each.payload for each in kept.values()] == [None, None, b'{"n":1}']
    assert storage.webhook_fleet.expired(over, limit=9) == []


def test_the_bucket_of_a_tenant_is_its_own(books: Books) -> None:
    with books() as book:
        assert book.tenant_bucket() is None
        book.keep_tenant_bucket(Bucket(tokens=5, at=NOON))
        book.keep_tenant_bucket(Bucket(tokens=-4, at=NOON + DAY))
        assert book.tenant_bucket() == Bucket(tokens=-4, at=NOON + DAY)
    with books(ZETA) as book:
        assert book.tenant_bucket() is None


WRITES = (
    "UPDATE plane_webhook_attempt SET outcome = '2xx'",
    "DELETE FROM plane_webhook_attempt",
    "UPDATE plane_webhook_message SET event_type = 'x'",
    "UPDATE plane_webhook_message SET payload = 'changed'",
    "UPDATE plane_webhook_message SET fanned_at = NULL",
    "UPDATE plane_webhook_message SET fanned_at = 7",
    "DELETE FROM plane_webhook_message",
    "UPDATE plane_webhook_run_item SET delivery = 'x'",
    "UPDATE plane_webhook_run_item SET position = position + 1000",
    "DELETE FROM plane_webhook_run_item",
    "UPDATE plane_webhook_run SET digest = 'x'",
    "DELETE FROM plane_webhook_run",
)


@pytest.mark.parametrize("sql", WRITES)
def test_what_was_said_tried_and_planned_cannot_be_changed_by_anybody(storage: Storage, sql: str) -> None:
    with storage.store.write() as unit:
        book = unit.tenant(scope(ACME)).webhooks
        fill(book, [delivery(1)])
        book.settle([settled(*book.claim_deliveries([delivery(1)], by="s", until=NOON))], by="s")
        planned(book, [delivery(1)])
    with pytest.raises(Exception, match=r"append-only|keeps what was written"):
        rows(storage._settings.database_url, sql)


def test_a_payload_that_went_does_not_come_back(storage: Storage, books: Books) -> None:
    with books() as book:
        book.add_message(message(expires_at=NOON), [])
        assert book.expire_payloads(now=NOON, limit=9) == 1
    with pytest.raises(Exception, match="keeps what was written"):
        rows(storage._settings.database_url, "UPDATE plane_webhook_message SET payload = 'x'")


def test_one_tenant_never_meets_anothers_webhooks(books: Books) -> None:
    with books() as book:
        fill(book, [delivery(1), dead(2)])
        book.add_key(key("whk_1"), older_until=NOON)
        run = planned(book, [dead(2)])
    with books(ZETA) as book:
        assert book.endpoint(FIRST) is None
        assert book.keys(FIRST, now=NOON) == []
        assert book.message(message().id) is None
        assert book.delivery(delivery(1).id) is None
        assert not book.change_endpoint(endpoint(), version=1)
        assert not book.change_delivery(delivery(1), version=1)
        assert not book.claim_endpoint(FIRST, by="s", now=NOON, until=NOON + DAY)
        assert book.claim_deliveries([delivery(1)], by="s", until=NOON) == []
        assert book.due(FIRST, now=NOON, limit=9) == []
        assert book.hold(FIRST, state=DeliveryState.HELD, reason="x", limit=9) == 0
        assert book.run(run.id) is None
        assert book.items(run.id, state=None, after=0, limit=9) == []
        assert book.skip_waiting(run.id, reason="x", limit=9) == 0
        assert not book.fan_out(message().id, [], at=NOON)
        fill(book, [delivery(1)])  # the same ids again, in another tenant
        assert now_of(book, delivery(1)) == delivery(1)


def test_the_books_are_shut_without_a_scope(storage: Storage) -> None:
    with storage.store.write() as unit, pytest.raises(ScopeError):
        unit._session.execute(text("SELECT * FROM plane_webhook_delivery"))


@pytest.mark.parametrize("table", ["delivery", "attempt", "message", "endpoint", "key", "run", "run_item", "bucket"])
def test_postgresql_shows_an_attacker_nothing_and_takes_nothing(
    tmp_path: Path, pg_database: NewDatabase, table: str
) -> None:
    with house("postgresql", tmp_path, pg_database) as storage:
        move_in(storage)
        with storage.store.write() as unit:
            fill(unit.tenant(scope(ACME)).webhooks, [delivery(1)])
        engine = storage._control.writing.execution_options(across_tenants=True)
        with engine.connect() as raw:
            assert raw.execute(text(f"SELECT count(*) FROM plane_webhook_{table}")).scalar_one() == 0
            raw.execute(text("SELECT set_config('app.tenant', :tenant, true)"), {"tenant": ZETA})
            seen = raw.execute(text(f"SELECT DISTINCT tenant_id FROM plane_webhook_{table}")).scalars().all()
            assert set(seen) <= {ZETA}
            with pytest.raises(DBAPIError):
                raw.execute(text(f"INSERT INTO plane_webhook_{table} (tenant_id) VALUES ('{ACME}')"))
