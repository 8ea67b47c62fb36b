"""The book of requests and its notices, the same on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from console.domain.errors import ConflictError
from console.domain.ids import ExecutionId, NoticeId, RequestId, StaffId
from console.domain.requests import Request, State, Verdict
from console.domain.staff import Role
from console.ports.outbox import Notice
from console.storage.house import Storage
from tests.databases import NOON
from tests.integration.cast import ACME, ANNA, BERT, ZETA, request, vote
from tests.integration.test_storage_books import storage

__all__ = ["storage"]


def test_a_request_comes_back_as_it_was_and_its_digest_still_fits(storage: Storage) -> None:
    with storage.store.write() as unit:
        unit.requests.add(request(1))
    with storage.store.read() as unit:
        stored = unit.requests.get(RequestId("req_0001"))
        assert stored == request(1)
        assert stored is not None
        assert stored.recomputed_digest() == stored.digest
        assert unit.requests.get(RequestId("req_x")) is None


def test_a_request_moves_once(storage: Storage) -> None:
    with storage.store.write() as unit:
        unit.requests.add(request(1))
        first = request(1)
        execute_by = NOON + timedelta(hours=1)
        moves = [unit.requests.move(first, State.APPROVED, execute_by=execute_by) for _ in range(2)]
        assert moves == [True, False]
        approved = unit.requests.get(first.id)
        assert approved == replace(first, state=State.APPROVED, version=2, execute_by=execute_by)
        assert approved is not None
        execution = ExecutionId("exe_1")
        assert unit.requests.move(approved, State.EXECUTING, execution=execution, executor=BERT, started_at=NOON)
        running = unit.requests.by_execution(execution)
        assert running is not None
        assert [each.id for each in unit.requests.executing(started_before=NOON, limit=9)] == []
        later = NOON + timedelta(seconds=1)
        assert [each.id for each in unit.requests.executing(started_before=later, limit=9)] == [first.id]
        assert unit.requests.move(running, State.EXECUTED, finished_at=later, outcome="applied")
        with pytest.raises(TypeError):
            unit.requests.move(running, State.FAILED, digest="x")


def revised(before: Request) -> Request:
    after = replace(before, revision=before.revision + 1, version=before.version + 1, params={"value": 7})
    return replace(after, digest=after.recomputed_digest())


def test_a_revision_voids_votes_and_keeps_the_old_text(storage: Storage) -> None:
    first = request(1)
    second = revised(first)
    with storage.store.write() as unit:
        unit.requests.add(first)
        assert unit.requests.add_vote(vote(first))
        assert not unit.requests.add_vote(replace(vote(first), staff=StaffId("stf_second_account")))
        assert unit.requests.revise(first, second)
        assert not unit.requests.revise(first, second)
        assert [each.voided_because for each in unit.requests.votes(first.id)] == ["revised"]
        assert unit.requests.add_vote(vote(second))
        assert unit.requests.get(first.id) == second
        assert [each.params for each in unit.requests.revisions(first.id)] == [first.params, second.params]
        with pytest.raises(ConflictError):
            unit.requests.revise(second, second)


def test_votes_are_voided_by_staff_or_all(storage: Storage) -> None:
    first = request(1)
    with storage.store.write() as unit:
        unit.requests.add(first)
        for number in range(3):
            unit.requests.add_vote(vote(first, StaffId(f"stf_{number}"), verdict=Verdict.APPROVE))
        assert unit.requests.void_votes(first.id, because="role lost", staff=[StaffId("stf_1")]) == 1
        assert unit.requests.void_votes(first.id, because="approver added late") == 2
        assert unit.requests.void_votes(first.id, because="again") == 0
        unit.requests.rendered(first.id, revision=1, staff=BERT, at=NOON)
        unit.requests.rendered(first.id, revision=1, staff=BERT, at=NOON)
        assert unit.requests.was_rendered(first.id, revision=1, staff=BERT)
        assert not unit.requests.was_rendered(first.id, revision=2, staff=BERT)


def test_the_inbox_holds_what_somebody_could_still_vote_on(storage: Storage) -> None:
    roles = [Role.FINANCE_LEAD]
    with storage.store.write() as unit:
        for number in range(5):
            unit.requests.add(request(number, at=NOON + timedelta(minutes=number)))
        unit.requests.add_vote(vote(request(3)))
        unit.requests.move(request(4, at=NOON + timedelta(minutes=4)), State.CANCELLED, ended_because="mistake")

        def waiting(staff: StaffId, after: str | None = None, minutes: float = 0) -> list[str]:
            start = None if after is None else RequestId(after)
            now = NOON + timedelta(minutes=minutes)
            return [each.id for each in unit.requests.waiting_for(staff, roles, now=now, after=start, limit=2)]

        assert waiting(BERT) == ["req_0000", "req_0001"]
        assert waiting(BERT, "req_0001") == ["req_0002"]
        assert waiting(BERT, minutes=8 * 60) == ["req_0001", "req_0002"]
        assert waiting(ANNA) == []
        count = unit.requests.count_waiting_for
        assert [count(BERT, roles, now=NOON, most=most) for most in (2, 9)] == [2, 3]
        assert count(BERT, [Role.ENGINEER], now=NOON, most=9) == 0


def test_lists_of_requests_page_newest_first(storage: Storage) -> None:
    with storage.store.write() as unit:
        for number in range(4):
            unit.requests.add(request(number))
        unit.requests.move(request(1), State.APPROVED, execute_by=NOON + timedelta(hours=1))
        books = unit.requests
        mine = books.mine(ANNA, after=None, limit=3)
        assert [each.id for each in mine] == ["req_0003", "req_0002", "req_0001"]
        assert [each.id for each in books.mine(ANNA, after=mine[-1].id, limit=3)] == ["req_0000"]
        assert not books.mine(BERT, after=None, limit=3)
        recent = books.recent(states=[State.APPROVED], tenant=None, after=None, limit=9)
        assert [each.id for each in recent] == ["req_0001"]
        assert len(books.recent(states=[], tenant=ACME, after=None, limit=9)) == 4
        assert not books.recent(states=list(State), tenant=ZETA, after=None, limit=9)
        assert len(books.open_of_requester(ANNA)) == 4
        assert not books.overdue(NOON, limit=9)
        assert [each.id for each in books.overdue(NOON + timedelta(hours=2), limit=9)] == ["req_0001"]
        assert len(books.overdue(NOON + timedelta(hours=8), limit=9)) == 4


def test_notices_are_read_and_delivered_once(storage: Storage) -> None:
    def notice(number: int) -> Notice:
        return Notice(
            id=NoticeId(f"ntc_{number}"), to=ANNA, kind="request", sentence="\u05d0", path="/requests/x",
            at=NOON + timedelta(seconds=number),
        )  # fmt: skip

    with storage.store.write() as unit:
        for number in range(3):
            unit.outbox.add(notice(number))
        assert unit.outbox.unread(ANNA, limit=2) == [notice(2), notice(1)]
        assert unit.outbox.undelivered(limit=1) == [notice(0)]
        unit.outbox.delivered(notice(0).id, NOON)
        assert unit.outbox.undelivered(limit=1) == [notice(1)]
        assert [unit.outbox.mark_read(ANNA, NOON) for _ in range(2)] == [3, 0]
