"""Resyncs of a tenant and of all tenants: page by page, resumed where a worker died, stopped when asked to."""

from dataclasses import replace
from datetime import timedelta

import pytest

from console.domain.billing.objects import ObjectKind
from console.domain.billing.resyncing import progress_of
from console.domain.ids import ActionKey, TenantId
from console.domain.imports import TenantRecord
from console.domain.jobs import JobState
from console.ports.billing import Unreadable
from console.usecases.outcomes import BadFields, Ran, Waiting
from console.usecases.propose_action import propose_action
from console.usecases.resync_mirror import resync_mirror
from console.usecases.run_jobs import run_due_jobs
from tests.billing import A_PAYMENT, A_REFUND, AN_INVOICE, DAY
from tests.databases import NOON
from tests.integration.resync_world import (
    ALL,
    INCIDENT,
    MANY,
    ONE,
    SHARED,
    STOP,
    World,
    ids,
    many_payments,
    owned,
    there,
)
from tests.integration.stage import rows, tenant, tenant_records
from tests.integration.test_resync_marks import SMALL

__all__ = ["there"]


def test_it_brings_everything_of_one_tenant_and_nothing_of_another(there: World) -> None:
    there.provider.knows(*owned("acme"), *owned("globex"))
    there.begin("acme")
    there.work()
    assert there.mirrored("acme") == ids("acme")
    assert there.mirrored("globex") == set()
    assert there.stage.entries("resync.finished") == 1
    assert there.counts()["written"] == 7


def test_it_reaches_a_plane_elsewhere_and_every_tenant_by_its_link(there: World) -> None:
    known = [*owned("acme"), *owned("globex"), *owned("faraway"), *owned("nobody")]
    there.provider.knows(*known, replace(A_REFUND, id="re_lost", customer=None))
    there.begin(None)
    there.work()
    for slug in ("acme", "globex", "faraway"):
        assert there.mirrored(slug) == ids(slug)
    assert (there.counts()["written"], there.counts()["unmapped"]) == (21, 8)


def test_it_asks_only_for_what_was_made_since_a_day(there: World) -> None:
    there.provider.knows(*many_payments("acme", 3), replace(A_PAYMENT, id="pi_old", customer="cus_acme"))
    there.begin(None, since=NOON - DAY)
    there.work()
    assert {thing for _, thing in there.mirrored("acme")} == {f"pi_acme_{n:04}" for n in range(3)}


def test_it_goes_on_in_a_further_job_and_tells_how_far_it_came(there: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.usecases.resync_mirror._PAGES_AT_ONCE", 2)
    there.provider.knows(*many_payments("acme"))
    there.begin("acme")
    there.work()
    assert len(there.mirrored("acme")) == MANY
    jobs = there.jobs()
    assert {job.state for job in jobs} == {JobState.SUCCEEDED}
    assert [progress_of(job.payload).step for job in jobs] == list(range(len(jobs)))
    assert there.stage.entries("resync.advanced") == len(jobs) - 1
    halfway = progress_of(jobs[3].payload)
    assert (halfway.kind, halfway.pages) == (ObjectKind.PAYMENT, 6)
    assert halfway.sentence() == "At payments after 6 pages: 300 written."
    assert there.counts()["written"] == MANY


def test_a_worker_that_dies_after_writing_loses_nothing_and_counts_nothing_twice(there: World) -> None:
    there.provider.knows(*many_payments("acme", 150))
    there.begin("acme")
    now = there.clock.now()
    with there.stage.house.store.write() as unit:
        (job,) = unit.jobs.claim(worker="dies", now=now, until=now + timedelta(seconds=30), limit=1)
    resync_mirror(there.stage.house, job)  # it wrote its pages, and never came to end its job
    assert len(there.mirrored("acme")) == 150
    there.clock.pass_by(seconds=31)
    there.provider.now = there.clock.now()
    there.work()
    assert len(there.mirrored("acme")) == 150
    assert there.counts()["written"] == 150
    assert there.stage.entries("resync.finished") == 1


def test_the_job_of_a_slow_worker_queues_nothing_once_another_has_taken_it_over(there: World) -> None:
    there.provider.knows(*owned("acme"))
    there.begin("acme")
    there.work()
    ended = there.jobs()[0]
    assert ended.state is JobState.SUCCEEDED
    with there.stage.house.store.write() as unit:
        assert not unit.jobs.succeed(ended, at=there.clock.now())


def test_it_keeps_what_it_has_when_the_provider_falls_silent_half_way_and_goes_on_later(there: World) -> None:
    there.provider.knows(*many_payments("acme"))
    there.begin("acme")
    there.provider.answers = 5
    there.work(rounds=1)
    written = len(there.mirrored("acme"))
    assert 0 < written < MANY
    there.work(rounds=1)  # nothing answers now, so this job fails and waits
    waiting = there.jobs()[-1]
    assert (waiting.state, waiting.attempts) == (JobState.QUEUED, 1)
    assert progress_of(waiting.payload).counts["written"] == written
    there.provider.answers = None
    there.clock.pass_by(minutes=10)
    there.work()
    assert len(there.mirrored("acme")) == MANY
    assert there.counts()["written"] == MANY


def test_it_dies_at_once_where_nobody_will_ever_answer_and_can_be_retried(there: World) -> None:
    there.begin("acme")
    there.provider.is_silent_for_good = True
    there.work()
    (job,) = there.jobs()
    assert job.state is JobState.DEAD
    assert there.stage.entries("job.failed") == 1


def test_it_counts_what_cannot_be_read(there: World) -> None:
    there.provider.unreadable = (
        Unreadable(kind=ObjectKind.INVOICE, id="in_x", customer="cus_acme", why="it names no currency"),
    )
    there.begin("acme")
    there.work()
    assert there.counts()["unreadable"] == 1


def test_a_fresher_mirror_stays(there: World) -> None:
    there.provider.knows(replace(AN_INVOICE, customer="cus_acme"))
    there.begin("acme")
    there.work()
    there.provider.now = NOON - DAY  # answers of yesterday
    there.begin("acme", resync="exe_2")
    run_due_jobs(there.stage.house, worker="w1", limit=1)
    found = rows(there.stage.url, "SELECT fetched_at FROM plane_billing_object WHERE id = 'in_1'")
    assert found[0][0] >= int(NOON.timestamp() * 1_000_000)


def test_an_object_of_a_customer_that_was_unlinked_is_not_written(there: World) -> None:
    there.provider.knows(*owned("acme"))
    sql = (
        "INSERT INTO plane_billing_customer (tenant_id, customer, linked_at, linked_by, because, unlinked_at) "
        "VALUES (?, 'cus_acme', 1, 'x', 'x', 2)"
    )
    rows(there.stage.url, sql, tenant("acme"))
    there.begin(None)
    there.work()
    assert there.mirrored("acme") == set()
    assert there.counts()["unmapped"] == 7


def test_it_stops_between_two_pages_when_somebody_asks(there: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.usecases.resync_mirror._PAGES_AT_ONCE", 1)
    there.provider.knows(*many_payments("acme"))
    there.begin(None)
    there.work(rounds=6)
    stopped = propose(there, "engineer", STOP, {"resync": "exe_1"}, None)
    assert isinstance(stopped, Ran), stopped
    there.work()
    written = len(there.mirrored("acme"))
    assert 0 < written < MANY
    assert there.stage.entries("resync.cancelled") == 1
    assert there.stage.entries("resync.finished") == 0
    for resync, words in (("exe_1", "is over"), ("exe_9", "no such resync")):
        refused = propose(there, "engineer", STOP, {"resync": resync}, None)
        assert isinstance(refused, BadFields)
        assert words in refused.faults[0].remedy


def test_a_tenant_is_resynced_by_one_person_and_everybody_by_two(there: World) -> None:
    there.provider.knows(*owned("acme"), *owned("globex"))
    there.stage.open("support_lead", "acme")
    ran = there.stage.ask("support_lead", "acme", ONE, {})
    assert isinstance(ran, Ran), ran
    there.work()
    assert (there.mirrored("acme"), there.mirrored("globex")) == (ids("acme"), set())
    waiting = propose(there, "engineer", ALL, {"since": ""}, None)
    assert isinstance(waiting, Waiting), waiting
    there.work()
    assert there.mirrored("globex") == set()
    there.stage.approve("finance_lead", waiting.request)
    there.work()
    assert there.mirrored("globex") == ids("globex")


def propose(there: World, who: str, key: ActionKey, raw: dict[str, str], where: TenantId | None) -> object:
    return propose_action(
        there.stage.house, there.stage.actor(who), key=key, tenant=where, raw=raw, reason=INCIDENT, mark=None,
        form_id=there.stage.form(),
    )  # fmt: skip


@SMALL
def test_a_tenant_of_no_customer_has_nothing_to_be_resynced(there: World) -> None:
    with there.stage.storage.bulk.write() as bulk:
        found = tenant_records("dust", SHARED)[0]
        assert isinstance(found, TenantRecord)
        bulk.put([replace(found, provider_customer="")])
    there.begin("dust")
    there.work()
    assert {job.state for job in there.jobs()} == {JobState.SUCCEEDED}
    assert there.provider.asked == []
    assert there.stage.entries("resync.finished") == 1
