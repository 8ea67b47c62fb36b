"""Bulk replays in storage: what a plan chooses, a run's frozen list, its items and its counters."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from console.domain.errors import ConflictError
from console.domain.ids import DeliveryId
from console.domain.replays import ItemState, Run, RunState, Wanted
from console.domain.webhooks import DeliveryState, Trigger
from console.ports.webhooks import ItemOutcome, WebhookBook
from console.storage.house import Storage
from tests.conftest import NewDatabase
from tests.databases import NOON
from tests.integration.cast import ZETA, house, move_in
from tests.integration.stage import rows
from tests.integration.webhook_books import Books, books, books_of, storage
from tests.integration.webhook_cast import (
    DAY,
    FIRST,
    SECOND,
    SENDER,
    SOON,
    dead,
    delivery,
    everything,
    fill,
    found,
    now_of,
    planned,
    settled,
)

__all__ = ["books", "storage"]

# --- plans ---


CHOSEN: dict[str, tuple[dict[str, Any], list[int]]] = {
    "all": ({}, [1, 2, 3, 4, 5, 6]),
    "failed": ({"wanted": Wanted.FAILED}, [2, 4, 5, 6]),
    "delivered": ({"wanted": Wanted.DELIVERED}, [3]),
    "one endpoint": ({"endpoints": (SECOND,)}, [5]),
    "both endpoints": ({"endpoints": (SECOND, FIRST)}, [1, 2, 3, 4, 5, 6]),
    "types": ({"event_types": ("member.joined", "x.y")}, [2, 6]),
    "one type": ({"event_types": ("x.y",)}, [6]),
    "range": ({"since": delivery(2).created_at, "until": delivery(4).created_at}, [2, 3]),
    "together": ({"endpoints": (FIRST,), "event_types": ("invoice.paid",), "wanted": Wanted.FAILED}, [4]),
}


@pytest.mark.parametrize("case", CHOSEN)
def test_candidates_come_oldest_first_page_by_page(books: Books, case: str) -> None:
    changed, wanted = CHOSEN[case]
    selector = everything(**({"since": delivery(1).created_at, "until": delivery(7).created_at} | changed))
    with books(ZETA) as book:
        fill(
            book,
            [
                delivery(1), dead(2, event_type="member.joined"),
                delivery(3, state=DeliveryState.DELIVERED, due_at=None),
                delivery(4, state=DeliveryState.RETRY_SCHEDULED), dead(5, endpoint=SECOND),
                dead(6, event_type="x.y", state=DeliveryState.SUPPRESSED),
            ],
        )  # fmt: skip
        got = book.candidates(selector, after=None, limit=9)
        assert [int(each.delivery[-1]) for each in got] == wanted
        assert got[0].payload_expires_at == NOON + 30 * DAY
        assert book.count_candidates(selector, most=9) == len(wanted)
        for state in DeliveryState:
            of_state = [each for each in got if each.state is state]
            assert book.count_candidates(selector, most=9, state=state) == len(of_state), state
        paged = list(got[:0])
        while page := book.candidates(
            selector, after=(paged[-1].created_at, paged[-1].delivery) if paged else None, limit=2
        ):
            paged += page
        assert paged == list(got)


def test_a_run_comes_back_whole_with_its_frozen_list(books: Books) -> None:
    many = [dead(number) for number in range(4_100)]
    with books() as book:
        fill(book, many)
        run = planned(book, many)
        assert (run.state, run.version, run.started_at, run.left) == (RunState.RUNNING, 2, NOON, 4_100)
        assert run.selector == everything()
        assert run.excluded == {"already_delivered": 3}
        assert book.frozen_digest(run.id) == run.digest
        assert [each.position for each in book.items(run.id, state=None, after=4_098, limit=9)] == [4_099, 4_100]
        assert book.items(run.id, state=ItemState.SENT, after=0, limit=9) == []
        assert book.runs(limit=9) == [run]
        assert book.tally(run.id) == {(ItemState.WAITING, None): 4_100}


def test_a_list_that_somebody_changed_has_another_digest(storage: Storage, books: Books) -> None:
    with books() as book:
        fill(book, [dead(1), dead(2)])
        run = planned(book, [dead(1), dead(2)])
    url = storage._settings.database_url
    if url.startswith("sqlite"):
        rows(url, "DROP TRIGGER plane_webhook_run_item_keep")
    else:
        rows(url, "ALTER TABLE plane_webhook_run_item DISABLE TRIGGER plane_webhook_run_item_keep")
    rows(url, "UPDATE plane_webhook_run_item SET delivery = 'whd_000009' WHERE position = 2")
    with books() as book:
        assert book.frozen_digest(run.id) != run.digest


def test_a_run_moves_by_its_version_and_only_with_what_may_move(books: Books) -> None:
    with books() as book:
        fill(book, [dead(1)])
        run = planned(book, [dead(1)])
        stale = replace(run, version=1)
        assert not book.move_run(stale, RunState.PAUSED, at=NOON)
        assert not book.move_run(replace(run, state=RunState.PLANNED), RunState.PAUSED, at=NOON)
        assert book.move_run(run, RunState.PAUSED, at=NOON, because="slow_down", failures_in_row=0)
        paused = found(book, run)
        assert (paused.state, paused.because, paused.version, paused.finished_at) == (
            RunState.PAUSED, "slow_down", 3, None,
        )  # fmt: skip
        assert book.move_run(paused, RunState.CANCELLED, at=SOON)
        assert found(book, run).finished_at == SOON
        with pytest.raises(TypeError):
            book.move_run(paused, RunState.RUNNING, at=NOON, planned=7)


# --- runs ---


def test_released_items_are_due_at_once_for_their_run(books: Books) -> None:
    with books() as book:
        retry = delivery(2, state=DeliveryState.RETRY_SCHEDULED, due_at=NOON + DAY, tries=3)
        arrived = delivery(4, state=DeliveryState.DELIVERED, due_at=None, delivered_at=NOON)
        all_four = [dead(1), retry, delivery(3), arrived]
        fill(book, all_four)
        book.claim_deliveries([delivery(3)], by=SENDER, until=SOON)
        run = planned(book, all_four)
        items = book.items(run.id, state=None, after=0, limit=9)
        released = book.release_items(run.id, items, at=NOON)
        assert [each.position for each in released] == [1, 2, 4]
        assert {each.state for each in released} == {ItemState.RELEASED}
        one = now_of(book, dead(1))
        assert (one.state, one.due_at, one.trigger, one.run) == (
            DeliveryState.QUEUED, NOON, Trigger.BULK, run.id,
        )  # fmt: skip
        assert (one.tries, one.attempts, one.fingerprint) == (0, 8, "same")
        assert now_of(book, arrived).delivered_at == NOON
        assert [each.state for each in book.items(run.id, state=None, after=2, limit=1)] == [ItemState.WAITING]
        assert found(book, run).released == 3
        assert book.release_items(run.id, items, at=NOON) == []


def test_what_another_run_holds_is_left_waiting(books: Books) -> None:
    with books() as book:
        fill(book, [dead(1)])
        first, second = planned(book, [dead(1)]), planned(book, [dead(1)], name="whr_2")
        assert len(book.release_items(first.id, book.items(first.id, state=None, after=0, limit=9), at=NOON)) == 1
        assert book.release_items(second.id, book.items(second.id, state=None, after=0, limit=9), at=NOON) == []
        assert book.recall_items(second.id) == 0
        assert book.recall_items(first.id) == 1
        assert len(book.release_items(second.id, book.items(second.id, state=None, after=0, limit=9), at=NOON)) == 1


def test_recalled_items_leave_their_deliveries_as_they_were(books: Books) -> None:
    with books() as book:
        retry = delivery(2, state=DeliveryState.RETRY_SCHEDULED, due_at=NOON + DAY, tries=3)
        held = dead(3, state=DeliveryState.HELD, reason="endpoint_paused")
        fill(book, [dead(1), retry, held, dead(4)])
        run = planned(book, [dead(1), retry, held, dead(4)])
        book.release_items(run.id, book.items(run.id, state=None, after=0, limit=9), at=NOON)
        book.claim_deliveries([now_of(book, dead(4))], by=SENDER, until=SOON)
        assert book.recall_items(run.id) == 3
        for before in (dead(1), retry, held):
            after = now_of(book, before)
            assert after == replace(before, trigger=Trigger.BULK, version=after.version)
        assert book.tally(run.id) == {(ItemState.WAITING, None): 3, (ItemState.RELEASED, None): 1}
        assert found(book, run).released == 1
        assert book.recall_items(run.id) == 0


def test_counters_and_rows_say_the_same_and_every_item_is_settled_once(books: Books) -> None:
    many = [dead(number) for number in range(10)]
    with books() as book:
        fill(book, many)
        run = planned(book, many)
        book.release_items(run.id, book.items(run.id, state=None, after=0, limit=6), at=NOON)
        assert book.settle_item(run.id, dead(0).id, state=ItemState.SENT, tries=1, reason=None)
        assert not book.settle_item(run.id, dead(0).id, state=ItemState.SKIPPED, tries=1, reason="gave_up")
        assert book.settle_item(run.id, dead(1).id, state=ItemState.RELEASED, tries=2, reason=None)
        assert book.settle_item(run.id, dead(1).id, state=ItemState.SKIPPED, tries=3, reason="gave_up")
        assert book.settle_item(run.id, dead(2).id, state=ItemState.WAITING, tries=1, reason=None)
        assert book.settle_item(run.id, dead(9).id, state=ItemState.SKIPPED, tries=0, reason="payload_expired")
        assert not book.settle_item(run.id, DeliveryId("whd_unknown"), state=ItemState.SENT, tries=1, reason=None)
        assert book.skip_waiting(run.id, reason="cancelled", limit=2) == 2
        assert book.skip_waiting(run.id, reason="cancelled", limit=9) == 2
        assert_agreed(book, run)
        now = found(book, run)
        assert (now.sent, now.skipped, now.released, now.left) == (1, 6, 3, 3)
        assert now.skipped_by == {"gave_up": 1, "payload_expired": 1, "cancelled": 4}
        assert book.items(run.id, state=None, after=1, limit=1)[0].tries == 3


def test_failures_in_a_row_are_counted_until_one_arrives(books: Books) -> None:
    with books() as book:
        fill(book, [dead(1)])
        run = planned(book, [dead(1)])
        assert [book.note_outcome(run.id, is_success=False) for _ in range(3)] == [1, 2, 3]
        assert book.note_outcome(run.id, is_success=True) == 0
        assert found(book, run).version == run.version


def assert_agreed(book: WebhookBook, run: Run) -> None:
    """Compare a run's counters with its rows."""
    stored, tally = found(book, run), book.tally(run.id)
    assert sum(tally.values()) == stored.planned
    assert stored.sent == tally.get((ItemState.SENT, None), 0)
    assert stored.released == sum(many for (state, _), many in tally.items() if state is ItemState.RELEASED)
    by_reason = {reason: many for (state, reason), many in tally.items() if state is ItemState.SKIPPED}
    assert stored.skipped_by == by_reason
    assert stored.skipped == sum(by_reason.values())


def test_a_run_that_is_sent_paused_and_released_at_once_stays_whole(tmp_path: Path, pg_database: NewDatabase) -> None:
    """Senders settle two endpoints while somebody releases, recalls and skips: nothing waits for ever or is lost."""
    many = [dead(number, endpoint=(FIRST, SECOND)[number % 2]) for number in range(160)]
    with house("postgresql", tmp_path, pg_database) as storage:
        move_in(storage)
        books = books_of(storage)
        with books() as book:
            fill(book, many)
            run = planned(book, many)

        steered, begun = threading.Event(), threading.Event()

        def send(number: int) -> int:
            sent, is_last = 0, False
            while not is_last:
                is_last = steered.is_set()
                with books() as book:
                    due = book.due((FIRST, SECOND)[number], now=NOON, limit=7)
                    taken = book.claim_deliveries(due, by=f"s{number}", until=SOON)
                with books() as book:
                    book.settle([settled(each, run=None) for each in taken], by=f"s{number}")
                    done = [ItemOutcome(delivery=each.id, state=ItemState.SENT, tries=1, reason=None) for each in taken]
                    sent += book.settle_items(run.id, done) if done else 0
                if sent:
                    begun.set()
                steered.wait(0.02)  # leaves the machine to whoever steers
            return sent

        def turn_it(turn: int) -> None:
            with books() as book:
                waiting = book.items(run.id, state=ItemState.WAITING, after=0, limit=9)
                book.release_items(run.id, waiting, at=NOON)
            if turn % 5 == 4:
                with books() as book:
                    book.recall_items(run.id)
            if turn % 20 == 19:
                with books() as book:
                    book.skip_waiting(run.id, reason="cancelled", limit=2)

        def steer(_number: int) -> int:
            try:
                for turn in range(60):
                    turn_it(turn)
                    assert begun.wait(30), "nobody sends what is released"
            finally:
                steered.set()
            return 0

        with ThreadPoolExecutor(3) as pool:
            sent = sum(pool.map(lambda work: work[0](work[1]), ((send, 0), (send, 1), (steer, 2))))
        with books() as book:
            assert_agreed(book, run)
            assert found(book, run).sent == sent > 0
            attempts = [len(book.attempts(each.id, limit=9)) for each in many]
            assert sum(attempts) == sent
            assert max(attempts) == 1


def test_a_plan_may_not_name_a_delivery_twice(books: Books) -> None:
    with books() as book:
        fill(book, [dead(1)])
    with pytest.raises((ConflictError, DBAPIError)), books() as book:
        planned(book, [dead(1), dead(1)])
