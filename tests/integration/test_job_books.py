"""Jobs, schedules and the inbox: the contracts of JobBook and Inbox on both databases."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from console.domain.ids import InboundId, JobId, ReasonCode, RequestId
from console.domain.inbound import InboundEvent, InboundState
from console.domain.jobs import STALLED, Job, JobDraft, JobState, QueueState, Schedule
from console.ports.jobs import JobBook
from console.storage.house import Storage
from console.storage.jobs import StoredJobs
from console.storage.store import StoredUnit
from tests.conftest import NewDatabase
from tests.databases import ENGINES, NOON, CountedIds
from tests.integration.cast import ACME, ANNA, house, move_in
from tests.integration.stage import rows

Units = Callable[[], AbstractContextManager[StoredUnit]]
LATER, LAPSED = NOON + timedelta(minutes=1), NOON + timedelta(hours=1)
LEAP = timedelta(minutes=5)
WORKER, OTHER_WORKER = "worker-1", "worker-2"


@pytest.fixture(params=ENGINES)
def storage(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Storage]:
    with house(request.param, tmp_path, pg_database) as opened:
        yield opened


def draft(key: str = "a", **changed: Any) -> JobDraft:  # noqa: ANN401  fields of JobDraft
    usual: dict[str, Any] = {
        "kind": "webhook.replay", "payload": {"run": "whr_1", "deep": [1, {"x": None}]}, "tenant": ACME, "actor": ANNA,
        "reason": ReasonCode("INCIDENT"), "request": RequestId("req_1"), "most_attempts": 3,
    }  # fmt: skip
    return JobDraft(key=key, **(usual | changed))


def queued(book: JobBook, one: JobDraft | None = None, *, at: datetime = NOON) -> JobId:
    job = book.add(one or draft(), at=at)
    assert job is not None
    return job


def claimed(book: JobBook, *, by: str = WORKER, now: datetime = NOON) -> Job:
    (job,) = book.claim(worker=by, now=now, until=now + timedelta(minutes=1), limit=1)
    return job


def now_of(book: JobBook, job: JobId) -> Job:
    found = book.get(job)
    assert found is not None
    return found


def test_a_job_is_queued_once_for_ever_by_its_key(storage: Storage) -> None:
    with storage.store.write() as unit:
        job = queued(unit.jobs)
        assert unit.jobs.add(draft(kind="other"), at=LATER) is None
        stored = now_of(unit.jobs, job)
        assert (stored.state, stored.run_at, stored.attempts, stored.version) == (JobState.QUEUED, NOON, 0, 1)
        assert stored.payload == draft().payload
        assert (stored.tenant, stored.actor, stored.reason, stored.request) == (ACME, ANNA, "INCIDENT", "req_1")
        assert unit.jobs.succeed(claimed(unit.jobs), at=NOON)
        assert unit.jobs.add(draft(), at=LATER) is None
        assert unit.jobs.get(JobId("job_unknown")) is None


def test_a_job_goes_with_the_unit_that_queued_it(storage: Storage) -> None:
    with storage.store.read() as unit:
        queued(unit.jobs)
    with storage.store.write() as unit:
        assert unit.jobs.page(state=None, kind=None, fingerprint=None, tenant=None, before=None, limit=9) == []


def test_due_jobs_are_taken_oldest_first_and_by_one_worker(storage: Storage) -> None:
    with storage.store.write() as unit:
        second, first = queued(unit.jobs, draft("b"), at=NOON), queued(unit.jobs, draft("a", run_at=NOON - LEAP))
        queued(unit.jobs, draft("later", run_at=LATER))
        taken = unit.jobs.claim(worker=WORKER, now=NOON, until=LATER, limit=9)
        assert [job.id for job in taken] == [first, second]
        assert (taken[0].state, taken[0].worker, taken[0].lease_until, taken[0].attempts) == (
            JobState.RUNNING, WORKER, LATER, 0,
        )  # fmt: skip
        assert unit.jobs.claim(worker=OTHER_WORKER, now=NOON, until=LATER, limit=9) == []
        assert unit.jobs.claim_one(first, worker=OTHER_WORKER, now=NOON, until=LATER) is None


def test_one_named_job_is_taken_when_it_is_due(storage: Storage) -> None:
    with storage.store.write() as unit:
        job = queued(unit.jobs, draft(run_at=LATER))
        assert unit.jobs.claim_one(job, worker=WORKER, now=NOON, until=LATER) is None
        taken = unit.jobs.claim_one(job, worker=WORKER, now=LATER, until=LAPSED)
        assert taken is not None
        assert taken.worker == WORKER
        lapsed = unit.jobs.claim_one(job, worker=OTHER_WORKER, now=LAPSED, until=LAPSED + LEAP)
        assert lapsed is not None
        assert (lapsed.attempts, lapsed.last_error) == (1, STALLED)
        assert unit.jobs.claim_one(JobId("job_unknown"), worker=WORKER, now=LAPSED, until=LAPSED) is None


def test_a_lapsed_job_counts_an_attempt_and_its_old_worker_can_do_nothing_more(storage: Storage) -> None:
    with storage.store.write() as unit:
        queued(unit.jobs)
        old = claimed(unit.jobs)
        assert unit.jobs.extend(old, until=LAPSED)
        assert unit.jobs.claim(worker=OTHER_WORKER, now=LATER, until=LAPSED, limit=9) == []
        new = claimed(unit.jobs, by=OTHER_WORKER, now=LAPSED)
        assert (new.id, new.attempts, new.last_error) == (old.id, 1, STALLED)
        for late in (
            unit.jobs.extend(old, until=LAPSED),
            unit.jobs.succeed(old, at=LAPSED),
            unit.jobs.again(old, run_at=LAPSED),
            unit.jobs.fail(old, error="x", fingerprint="f", run_at=None, at=LAPSED),
        ):
            assert not late
        assert unit.jobs.succeed(new, at=LAPSED)
        done = now_of(unit.jobs, new.id)
        assert (done.state, done.finished_at, done.worker, done.lease_until) == (
            JobState.SUCCEEDED, LAPSED, None, None,
        )  # fmt: skip


def test_going_on_later_is_no_failure(storage: Storage) -> None:
    with storage.store.write() as unit:
        queued(unit.jobs)
        assert unit.jobs.again(claimed(unit.jobs), run_at=LATER)
        assert unit.jobs.claim(worker=WORKER, now=NOON, until=LATER, limit=9) == []
        assert claimed(unit.jobs, now=LATER).attempts == 0


def test_a_job_that_gets_further_starts_counting_afresh(storage: Storage) -> None:
    with storage.store.write() as unit:
        queued(unit.jobs)
        claimed(unit.jobs)
        lapsed = claimed(unit.jobs, by=OTHER_WORKER, now=LAPSED)
        assert (lapsed.attempts, lapsed.last_error) == (1, STALLED)
        assert unit.jobs.again(lapsed, run_at=LAPSED)
        stands = now_of(unit.jobs, lapsed.id)
        assert (stands.attempts, stands.last_error) == (0, None)


def test_a_failed_job_comes_back_until_it_is_given_up_and_can_be_retried_or_discarded(storage: Storage) -> None:
    with storage.store.write() as unit:
        job = queued(unit.jobs)
        assert unit.jobs.fail(claimed(unit.jobs), error="Boom 1", fingerprint="f1", run_at=LATER, at=NOON)
        waiting = now_of(unit.jobs, job)
        assert (waiting.state, waiting.attempts, waiting.last_error, waiting.run_at) == (
            JobState.QUEUED, 1, "Boom 1", LATER,
        )  # fmt: skip
        assert not unit.jobs.retry(waiting, by=ANNA, at=LATER)
        assert unit.jobs.fail(claimed(unit.jobs, now=LATER), error="Boom 2", fingerprint="f1", run_at=None, at=LATER)
        dead = now_of(unit.jobs, job)
        assert (dead.state, dead.attempts, dead.finished_at) == (JobState.DEAD, 2, LATER)
        assert unit.jobs.retry(dead, by=ANNA, at=LAPSED)
        assert not unit.jobs.retry(dead, by=ANNA, at=LAPSED)
        fresh = now_of(unit.jobs, job)
        assert (fresh.state, fresh.attempts, fresh.finished_at, fresh.retried_by, fresh.retried_at) == (
            JobState.QUEUED, 0, None, ANNA, LAPSED,
        )  # fmt: skip
        assert not unit.jobs.discard(dead, by=ANNA, at=LAPSED)
        assert unit.jobs.discard(fresh, by=ANNA, at=LAPSED)
        assert now_of(unit.jobs, job).state is JobState.DISCARDED
        assert unit.jobs.claim(worker=WORKER, now=LAPSED, until=LAPSED, limit=9) == []


def test_queues_are_told_in_figures(storage: Storage) -> None:
    with storage.store.write() as unit:
        for number in range(3):
            queued(unit.jobs, draft(f"a{number}", run_at=NOON - timedelta(seconds=90)))
        queued(unit.jobs, draft("b", queue="slow", run_at=LATER))
        claimed(unit.jobs)
        unit.jobs.fail(claimed(unit.jobs), error="x", fingerprint="f", run_at=None, at=NOON)
        assert unit.jobs.queues(now=NOON) == [
            QueueState(queue="default", queued=1, running=1, dead=1, lag_s=90),
            QueueState(queue="slow", queued=1, running=0, dead=0, lag_s=0),
        ]


def test_dead_jobs_are_grouped_by_cause_largest_first(storage: Storage) -> None:
    with storage.store.write() as unit:
        for number, (kind, print_) in enumerate((("k", "one"), ("k", "two"), ("k", "two"), ("other", "two"))):
            queued(unit.jobs, draft(f"a{number}", kind=kind))
            at = NOON + timedelta(seconds=number)
            unit.jobs.fail(claimed(unit.jobs), error=f"Boom {number}", fingerprint=print_, run_at=None, at=at)
        first, *rest = unit.jobs.failed(limit=9)
        assert (first.kind, first.fingerprint, first.count, first.sample) == ("k", "two", 2, "Boom 2")
        assert (first.oldest_at, first.newest_at) == (NOON + timedelta(seconds=1), NOON + timedelta(seconds=2))
        assert [(group.kind, group.fingerprint) for group in rest] == [("k", "one"), ("other", "two")]
        assert len(unit.jobs.failed(limit=1)) == 1


PAGES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "all": ({}, ["d", "c", "b", "a"]),
    "state": ({"state": JobState.QUEUED}, ["d", "c", "b"]),
    "kind": ({"kind": "other"}, ["c", "b"]),
    "both": ({"kind": "other", "state": JobState.QUEUED}, ["c", "b"]),
    "fingerprint": ({"fingerprint": "f"}, ["a"]),
    "tenant": ({"tenant": ACME}, ["c", "a"]),
}


@pytest.mark.parametrize("case", PAGES)
def test_jobs_are_paged_newest_first(storage: Storage, case: str) -> None:
    changed, wanted = PAGES[case]
    with storage.store.write() as unit:
        kinds = {"a": "k", "b": "other", "c": "other", "d": "k"}
        for number, (key, kind) in enumerate(kinds.items()):
            tenant = ACME if key in "ac" else None
            queued(unit.jobs, draft(key, kind=kind, tenant=tenant), at=NOON + timedelta(seconds=number // 2))
        unit.jobs.fail(claimed(unit.jobs), error="x", fingerprint="f", run_at=None, at=NOON)
        which = {"state": None, "kind": None, "fingerprint": None, "tenant": None} | changed
        assert [job.key for job in unit.jobs.page(**which, before=None, limit=9)] == wanted
        paged: list[Job] = []
        while page := unit.jobs.page(**which, before=paged[-1].id if paged else None, limit=1):
            paged += page
        assert [job.key for job in paged] == wanted


def test_a_slot_is_fired_once(storage: Storage) -> None:
    every = Schedule(id="find_gaps", kind="inbound.find_gaps", every_s=900, next_at=NOON, is_on=True)
    with storage.store.write() as unit:
        unit.jobs.put_schedule(every)
        unit.jobs.put_schedule(replace(every, every_s=600, next_at=LAPSED))
        assert unit.jobs.schedules() == [replace(every, every_s=600)]
        slot = draft("find_gaps:1")
        assert unit.jobs.fire(every, slot=NOON, next_at=LATER, draft=slot)
        assert not unit.jobs.fire(every, slot=NOON, next_at=LAPSED, draft=draft("find_gaps:again"))
        assert unit.jobs.schedules()[0].next_at == LATER
        assert [job.key for job in unit.jobs.claim(worker=WORKER, now=NOON, until=LATER, limit=9)] == ["find_gaps:1"]


def test_what_a_job_was_asked_cannot_be_changed(storage: Storage) -> None:
    with storage.store.write() as unit:
        queued(unit.jobs)
    url = storage._settings.database_url
    for sql in ("UPDATE job SET payload = '{}'", "UPDATE job SET actor = 'x'", "DELETE FROM job"):
        with pytest.raises(Exception, match="keeps what was written"):
            rows(url, sql)


def test_an_outside_queue_hears_of_each_job_in_the_same_transaction(storage: Storage) -> None:
    heard: list[tuple[JobId, str, datetime, bool]] = []

    def deferred(connection: Connection, job: JobId, one: JobDraft, at: datetime) -> None:
        heard.append((job, one.key, at, connection.in_transaction()))

    with storage.store.write() as unit:
        book = StoredJobs(unit._session, ids=CountedIds(), deferred=deferred)
        job = queued(book, draft(run_at=LATER))
        assert book.add(draft(), at=NOON) is None
        taken = claimed(book, now=LATER)
        book.fail(taken, error="x", fingerprint="f", run_at=None, at=LATER)
        assert book.retry(now_of(book, job), by=ANNA, at=LAPSED)
    assert heard == [(job, "a", LATER, True), (job, "a", LAPSED, True)]


def test_workers_that_claim_at_once_never_get_the_same_job(tmp_path: Path, pg_database: NewDatabase) -> None:
    with house("postgresql", tmp_path, pg_database) as storage:
        with storage.store.write() as unit:
            jobs = {queued(unit.jobs, draft(f"a{number}")) for number in range(120)}

        def work(name: int) -> list[JobId]:
            mine: list[JobId] = []
            for _ in range(30):
                with storage.store.write() as unit:
                    taken = unit.jobs.claim(worker=f"w{name}", now=NOON, until=LATER, limit=3)
                with storage.store.write() as unit:
                    mine += [job.id for job in taken if unit.jobs.succeed(job, at=NOON)]
            return mine

        with ThreadPoolExecutor(4) as pool:
            done = [job for mine in pool.map(work, range(4)) for job in mine]
        assert len(done) == len(set(done)) == 120
        assert set(done) == jobs


def test_one_of_many_that_fire_a_slot_at_once_wins(tmp_path: Path, pg_database: NewDatabase) -> None:
    every = Schedule(id="s", kind="k", every_s=60, next_at=NOON, is_on=True)
    with house("postgresql", tmp_path, pg_database) as storage:
        with storage.store.write() as unit:
            unit.jobs.put_schedule(every)

        def fire(number: int) -> bool:
            with storage.store.write() as unit:
                return unit.jobs.fire(every, slot=NOON, next_at=LATER, draft=draft(f"s:{number}"))

        with ThreadPoolExecutor(6) as pool:
            assert sum(pool.map(fire, range(6))) == 1
        with storage.store.read() as unit:
            assert len(unit.jobs.page(state=None, kind=None, fingerprint=None, tenant=None, before=None, limit=9)) == 1


# --- the inbox ---


def event(number: int = 1, **changed: Any) -> InboundEvent:  # noqa: ANN401  fields of InboundEvent
    usual: dict[str, Any] = {
        "provider": "stripe", "account": "acct_1", "is_live": True, "event_id": f"evt_{number}",
        "event_type": "invoice.paid", "object_id": "in_1", "customer": "cus_acme1", "made_at": NOON,
        "received_at": NOON + timedelta(seconds=number // 2), "payload": b'{"x":"\xc3\xa9"}',
        "state": InboundState.RECEIVED,
    }  # fmt: skip
    return InboundEvent(id=InboundId(f"inb_{number:04d}"), **(usual | changed))


def test_an_event_is_kept_once_for_each_account_and_mode(storage: Storage) -> None:
    with storage.store.write() as unit:
        assert unit.inbox.add(event())
        assert not unit.inbox.add(replace(event(), id=InboundId("inb_again")))
        assert unit.inbox.add(replace(event(), id=InboundId("inb_test"), is_live=False))
        assert unit.inbox.add(replace(event(), id=InboundId("inb_two"), account="acct_2", is_fetched=True))
        assert unit.inbox.get(event().id) == event()
        assert unit.inbox.get(InboundId("inb_unknown")) is None
        assert unit.inbox.known("stripe", "acct_1", True, ["evt_1", "evt_2"]) == {"evt_1"}
        assert unit.inbox.known("stripe", "acct_2", False, ["evt_1"]) == frozenset()


def test_an_event_is_settled_once_and_may_be_opened_again(storage: Storage) -> None:
    with storage.store.write() as unit:
        unit.inbox.add(event())
        assert not unit.inbox.reopen(event())
        settled = {"at": LATER, "because": "no tenant", "tenant": None}
        assert unit.inbox.settle(event(), InboundState.QUARANTINED, **settled)  # type: ignore[arg-type]
        assert not unit.inbox.settle(event(), InboundState.PROCESSED, at=LATER, because=None, tenant=ACME)
        kept = unit.inbox.get(event().id)
        assert kept == replace(
            event(), state=InboundState.QUARANTINED, because="no tenant", attempts=1, settled_at=LATER, version=2
        )
        assert unit.inbox.reopen(kept)
        assert not unit.inbox.reopen(kept)
        reopened = unit.inbox.get(event().id)
        assert reopened is not None
        assert unit.inbox.settle(reopened, InboundState.PROCESSED, at=LAPSED, because=None, tenant=ACME)
        assert unit.inbox.counts()[InboundState.PROCESSED] == 1


def test_events_are_paged_newest_first(storage: Storage) -> None:
    with storage.store.write() as unit:
        for number in range(1, 6):
            unit.inbox.add(event(number, event_type="invoice.paid" if number % 2 else "x.y"))
        unit.inbox.settle(event(3), InboundState.FAILED, at=NOON, because="x", tenant=None)
        for state, kind, wanted in (
            (None, None, [5, 4, 3, 2, 1]),
            (InboundState.RECEIVED, None, [5, 4, 2, 1]),
            (None, "invoice.paid", [5, 3, 1]),
            (InboundState.RECEIVED, "invoice.paid", [5, 1]),
        ):
            paged: list[InboundEvent] = []
            while page := unit.inbox.page(
                state=state, event_type=kind, before=paged[-1].id if paged else None, limit=2
            ):
                paged += page
            assert [int(each.event_id[-1]) for each in paged] == wanted


def test_what_was_received_cannot_be_changed(storage: Storage) -> None:
    with storage.store.write() as unit:
        unit.inbox.add(event())
    url = storage._settings.database_url
    for sql in ("UPDATE inbound_event SET payload = 'x'", "UPDATE inbound_event SET event_id = 'x'",
                "DELETE FROM inbound_event"):  # fmt: skip
        with pytest.raises(Exception, match="keeps what was written"):
            rows(url, sql)


def test_a_customer_leads_to_its_tenant_and_to_none_when_two_claim_it(storage: Storage) -> None:
    move_in(storage)
    with storage.store.write() as unit:
        assert unit.inbox.tenant_of_customer("CUS_acme1") == ACME
        assert unit.inbox.tenant_of_customer("cus_unknown") is None
    url = storage._settings.database_url
    rows(url, "INSERT INTO directory_key (kind, value, tenant_id) VALUES ('customer', 'cus_acme1', 'ten_other')")
    with storage.store.read() as unit:
        assert unit.inbox.tenant_of_customer("cus_acme1") is None
