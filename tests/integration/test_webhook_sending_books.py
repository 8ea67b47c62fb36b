"""Endpoints, deliveries and the whole fleet as a sender finds them in storage: claimed, settled, held and told."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from console.domain.ids import DeliveryId
from console.domain.replays import ItemState
from console.domain.webhooks import AttemptOutcome, Bucket, Delivery, DeliveryState, EndpointState
from console.ports.sending import DueEndpoint
from console.ports.webhooks import ItemOutcome
from console.storage.house import Storage
from tests.conftest import NewDatabase
from tests.databases import NOON
from tests.integration.cast import ACME, ZETA, house, move_in
from tests.integration.webhook_books import SHARED, Books, books, books_of, counted, storage
from tests.integration.webhook_cast import (
    DAY,
    FIRST,
    OTHER_SENDER,
    SECOND,
    SENDER,
    SOON,
    dead,
    delivery,
    endpoint,
    fill,
    found,
    lapse,
    now_of,
    planned,
    settled,
)

__all__ = ["books", "storage"]

# --- endpoints ---


def test_one_sender_works_on_an_endpoint_until_it_gives_it_back_or_its_claim_lapses(books: Books) -> None:
    with books() as book:
        fill(book, [])
        assert book.claim_endpoint(FIRST, by=SENDER, now=NOON, until=SOON)
        assert not book.claim_endpoint(FIRST, by=OTHER_SENDER, now=NOON, until=SOON)
        assert book.claim_endpoint(FIRST, by=SENDER, now=NOON, until=SOON)
        judged = endpoint(failures_in_row=4, failing_since=NOON, breaker_until=SOON, bucket=Bucket(tokens=9, at=NOON))
        book.release_endpoint(replace(judged, url="https://elsewhere.example"), by=OTHER_SENDER)
        assert book.endpoint(FIRST) == endpoint(claimed_by=SENDER, claimed_until=SOON)
        book.release_endpoint(replace(judged, url="https://elsewhere.example"), by=SENDER)
        assert book.endpoint(FIRST) == judged  # the address is not the sender's to change
        assert book.claim_endpoint(FIRST, by=SENDER, now=NOON, until=SOON)
        assert book.claim_endpoint(FIRST, by=OTHER_SENDER, now=SOON, until=lapse(SOON))


# --- deliveries ---


def test_due_ones_come_oldest_first_and_so_do_those_whose_sender_vanished(books: Books) -> None:
    with books() as book:
        later = delivery(4, due_at=NOON + timedelta(seconds=1), state=DeliveryState.RETRY_SCHEDULED)
        fill(book, [delivery(3), delivery(1), later, dead(5), delivery(6, endpoint=SECOND), delivery(2)])
        due = book.due(FIRST, now=NOON, limit=9)
        assert [each.id for each in due] == [delivery(number).id for number in (1, 2, 3)]
        assert len(book.due(FIRST, now=NOON, limit=2)) == 2
        taken = book.claim_deliveries(due[:1], by=SENDER, until=SOON)
        assert [each.id for each in book.due(FIRST, now=NOON, limit=9)] == [delivery(2).id, delivery(3).id]
        assert taken[0] in book.due(FIRST, now=SOON, limit=9)


def test_a_claim_takes_only_what_has_not_moved(books: Books) -> None:
    with books() as book:
        fill(book, [delivery(number) for number in range(3)])
        seen = book.due(FIRST, now=NOON, limit=9)
        book.change_delivery(replace(seen[1], state=DeliveryState.CANCELLED, due_at=None), version=1)
        taken = book.claim_deliveries(seen, by=SENDER, until=SOON)
        assert [each.id for each in taken] == [seen[0].id, seen[2].id]
        wanted = replace(seen[0], state=DeliveryState.SENDING, due_at=SOON, claimed_by=SENDER, version=2)
        assert taken[0] == wanted == now_of(book, seen[0])
        assert book.claim_deliveries(seen, by=OTHER_SENDER, until=SOON) == []


def test_a_delivery_is_settled_once_by_who_holds_it(books: Books) -> None:
    with books() as book:
        fill(book, [delivery(1), delivery(2)])
        first, second = book.claim_deliveries([delivery(1), delivery(2)], by=SENDER, until=SOON)
        (again,) = book.claim_deliveries([second], by=OTHER_SENDER, until=lapse(SOON))  # the first sender seemed dead
        assert book.settle([settled(first), settled(second)], by=SENDER) == 1
        assert now_of(book, first) == replace(settled(first).delivery, version=3)
        assert book.attempts(first.id, limit=9) == [settled(first).attempt]
        assert book.attempts(second.id, limit=9) == []
        assert book.settle([settled(first)], by=SENDER) == 1
        assert book.settle([settled(again)], by=OTHER_SENDER) == 0
        assert len(book.attempts(second.id, limit=9)) == 1


def test_what_was_not_tried_goes_back_as_it_was(books: Books) -> None:
    with books() as book:
        fill(book, [delivery(1), delivery(2)])
        first, second = book.claim_deliveries([delivery(1), delivery(2)], by=SENDER, until=SOON)
        back = [replace(each, state=DeliveryState.QUEUED, due_at=NOON, attempts=9) for each in (first, second)]
        assert book.give_back(back, by=OTHER_SENDER) == 0
        assert book.give_back(back, by=SENDER) == 2
        assert now_of(book, first) == delivery(1, due_at=NOON, version=3)


def test_attempts_are_told_newest_first(books: Books) -> None:
    with books() as book:
        fill(book, [delivery(1)])
        one = delivery(1)
        for _ in range(3):
            (held,) = book.claim_deliveries([one], by=SENDER, until=SOON)
            failed = settled(held, state=DeliveryState.RETRY_SCHEDULED, due_at=NOON, delivered_at=None)
            book.settle([failed], by=SENDER)
            one = now_of(book, one)
        assert [each.number for each in book.attempts(one.id, limit=2)] == [3, 2]
        assert one.attempts == 3


def test_holding_an_endpoint_stops_what_waits_and_nothing_else(books: Books) -> None:
    with books() as book:
        run_held = delivery(5)
        scheduled = delivery(2, state=DeliveryState.RETRY_SCHEDULED, due_at=NOON + DAY)
        fill(book, [delivery(1), scheduled, dead(3), delivery(4, endpoint=SECOND), run_held, delivery(6)])
        run = planned(book, [run_held])
        book.release_items(run.id, book.items(run.id, state=None, after=0, limit=9), at=NOON)
        book.claim_deliveries([delivery(6)], by=SENDER, until=SOON)
        assert book.hold(FIRST, state=DeliveryState.HELD, reason="endpoint_paused", limit=1) == 1
        assert book.hold(FIRST, state=DeliveryState.HELD, reason="endpoint_paused", limit=9) == 1
        assert now_of(book, delivery(1)) == delivery(
            1, state=DeliveryState.HELD, due_at=None, reason="endpoint_paused", version=2
        )
        assert now_of(book, delivery(4, endpoint=SECOND)).state is DeliveryState.QUEUED
        assert now_of(book, run_held).state is DeliveryState.QUEUED
        assert now_of(book, delivery(6)).state is DeliveryState.SENDING
        assert book.unhold(FIRST, at=SOON, limit=1) == 1
        assert book.unhold(FIRST, at=SOON, limit=9) == 1
        assert now_of(book, delivery(1)) == delivery(1, due_at=SOON, version=3)


def test_a_batch_of_a_thousand_is_a_handful_of_statements(storage: Storage, books: Books) -> None:
    many = [delivery(number) for number in range(1_000)]
    with books() as book:
        fill(book, many)
        run = planned(book, many)
    with counted(storage) as sent, books() as book:
        released = book.release_items(run.id, book.items(run.id, state=None, after=0, limit=1_000), at=NOON)
        due = book.due(FIRST, now=NOON, limit=1_000)
        taken = book.claim_deliveries(due, by=SENDER, until=SOON)
        assert book.settle([settled(each) for each in taken], by=SENDER) == 0
        done = [ItemOutcome(delivery=each.id, state=ItemState.SENT, tries=1, reason=None) for each in taken]
        assert book.settle_items(run.id, done) == len(released) == 1_000
    assert len(sent) <= 22, sent
    with books() as book:
        assert found(book, run).sent == 1_000


# --- the fleet ---


def test_the_fleet_says_who_waits_longest_and_leaves_out_who_may_not_be_asked(storage: Storage, books: Books) -> None:
    fleet = storage.webhook_fleet
    with books() as book:
        fill(book, [delivery(2, due_at=NOON), delivery(1, endpoint=SECOND, due_at=NOON - DAY)])
    with books(ZETA) as book:
        fill(book, [delivery(1, due_at=NOON - DAY / 2), dead(2)])
    first, second, zeta = (
        DueEndpoint(plane=SHARED, tenant=tenant, endpoint=name)
        for tenant, name in ((ACME, FIRST), (ACME, SECOND), (ZETA, FIRST))
    )
    assert fleet.due(NOON, limit=9) == [second, zeta, first]
    assert fleet.due(NOON, limit=1) == [second]
    assert fleet.due(NOON - DAY, limit=9) == [second]
    with books() as book:
        book.change_endpoint(endpoint(SECOND, state=EndpointState.PAUSED), version=1)
        book.change_endpoint(endpoint(FIRST, breaker_until=SOON), version=1)
    assert fleet.due(NOON, limit=9) == [zeta]
    with books(ZETA) as book:
        book.claim_endpoint(FIRST, by=SENDER, now=NOON, until=SOON)
    assert fleet.due(NOON, limit=9) == []
    assert fleet.due(SOON, limit=9) == [zeta, first]


def test_one_endless_queue_does_not_hide_the_others(storage: Storage, books: Books) -> None:
    with books() as book:
        fill(book, [delivery(number, due_at=NOON - DAY) for number in range(6_000)])
        book.change_endpoint(endpoint(FIRST, breaker_until=NOON + DAY), version=1)
    with books(ZETA) as book:
        fill(book, [delivery(1)])
    assert [each.tenant for each in storage.webhook_fleet.due(NOON, limit=9)] == [ZETA]


# --- many at once ---


def test_senders_that_claim_at_once_never_get_the_same_delivery(tmp_path: Path, pg_database: NewDatabase) -> None:
    with house("postgresql", tmp_path, pg_database) as storage:
        move_in(storage)
        books = books_of(storage)
        with books() as book:
            fill(book, [delivery(number) for number in range(200)])

        def send(name: int) -> list[DeliveryId]:
            mine: list[DeliveryId] = []
            for _ in range(30):
                with books() as book:
                    due = book.due(FIRST, now=NOON, limit=20)
                    mine += [each.id for each in book.claim_deliveries(due, by=f"s{name}", until=SOON)]
            return mine

        with ThreadPoolExecutor(4) as pool:
            taken = [each for mine in pool.map(send, range(4)) for each in mine]
        assert len(taken) == len(set(taken)) == 200


def test_interrupted_attempts_are_kept_as_such(books: Books) -> None:
    with books() as book:
        fill(book, [delivery(1)])
        (first,) = book.claim_deliveries([delivery(1)], by=SENDER, until=SOON)
        (second,) = book.claim_deliveries(book.due(FIRST, now=SOON, limit=9), by=OTHER_SENDER, until=lapse(SOON))
        back: Delivery = replace(second, state=DeliveryState.QUEUED, due_at=SOON, claimed_by=None, attempts=1)
        attempt = replace(settled(first).attempt, outcome=AttemptOutcome.INTERRUPTED, status=None)
        assert book.settle([replace(settled(second), attempt=attempt, delivery=back)], by=OTHER_SENDER) == 0
        assert book.attempts(first.id, limit=1)[0].outcome is AttemptOutcome.INTERRUPTED
        assert book.due(FIRST, now=SOON, limit=9) == [replace(back, version=4)]
