"""Resyncs of a tenant and of all tenants: page by page, resumed where a worker died, stopped when asked to."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from console.domain.billing.canonical_form import Snapshot
from console.domain.billing.objects import BillingObject, ObjectKind
from console.domain.billing.resyncing import JOB, Progress, key_of, progress_of
from console.domain.errors import UnreadableObjectError
from console.domain.ids import ActionKey, PlaneId, ReasonCode, TenantId
from console.domain.imports import TenantRecord
from console.domain.jobs import Job, JobDraft, JobState
from console.domain.reasons import Reason
from console.ports.billing import ProviderPage, Unreadable
from console.usecases.outcomes import BadFields, Ran, Waiting
from console.usecases.propose_action import propose_action
from console.usecases.resync_mirror import resync_mirror
from console.usecases.run_jobs import run_due_jobs
from console.usecases.scopes import scope_of_sender
from tests.billing import (
    A_CUSTOMER,
    A_PAYMENT,
    A_REFUND,
    A_SUBSCRIPTION,
    AN_INVOICE,
    DAY,
    ONE_OF_EACH,
    PaperProvider,
    told,
    with_owner,
)
from tests.conftest import NewDatabase
from tests.databases import ENGINES, NOON, HandClock
from tests.integration.stage import (
    FAR,
    Stage,
    behind,
    new_urls,
    opened_stage,
    rows,
    settle_in,
    tenant,
    tenant_records,
)

INCIDENT = Reason(code=ReasonCode("INCIDENT_RESPONSE"), reference="INC-2301", note="")
SHARED = PlaneId("shared")
MANY = 330
ALL, ONE, STOP = (ActionKey(f"billing.{verb}") for verb in ("resync_all", "resync_tenant", "cancel_resync"))


@dataclass
class Provider(PaperProvider):
    """Knows much, and cannot spell one invoice."""

    unreadable: tuple[Unreadable, ...] = ()
    spoilt: frozenset[str] = field(default_factory=frozenset)

    def page(self, kind: ObjectKind, **asked: object) -> ProviderPage:
        found = super().page(kind, **asked)  # type: ignore[arg-type]  # the same
        return replace(found, unreadable=self.unreadable if kind is ObjectKind.INVOICE else ())

    def fetch(self, kind: ObjectKind, thing: str) -> Snapshot | None:
        if thing in self.spoilt:
            raise UnreadableObjectError(kind=kind.value, id=thing, why="it names no status")
        return super().fetch(kind, thing)


@dataclass
class World:
    """A stage on which a resync runs."""

    stage: Stage
    clock: HandClock
    provider: Provider

    def begin(self, slug: str | None, *, since: object = None, resync: str = "exe_1") -> None:
        """Queue the first job of a resync, of a tenant or of all."""
        payload = Progress(resync=resync, since=since).payload()  # type: ignore[arg-type]  # a moment or None
        draft = JobDraft(kind=JOB, key=key_of(resync, 0), payload=payload, tenant=tenant(slug) if slug else None)
        with self.stage.house.store.write() as unit:
            unit.jobs.add(draft, at=self.clock.now())

    def work(self, *, rounds: int = 60) -> int:
        """Run jobs until none is due, and return how many were run."""
        done = 0
        for _ in range(rounds):
            ran = run_due_jobs(self.stage.house, worker="w1", limit=1)
            done += ran
            if not ran:
                break
            self.clock.pass_by(seconds=1)
            self.provider.now = self.clock.now()
        return done

    def jobs(self) -> list[Job]:
        """Return the jobs of resyncs, the first one first."""
        with self.stage.house.store.read() as unit:
            found = unit.jobs.page(state=None, kind=JOB, fingerprint=None, tenant=None, before=None, limit=100)
        return sorted(found, key=lambda job: progress_of(job.payload).step)

    def mirrored(self, slug: str) -> set[tuple[str, str]]:
        """Return kind and id of what a tenant's mirror holds and does not call deleted."""
        url = self.stage.urls[FAR] if slug == "faraway" else self.stage.url
        sql = "SELECT kind, id FROM plane_billing_object WHERE tenant_id = ? AND NOT is_deleted"
        return {(kind, thing) for kind, thing in rows(url, sql, tenant(slug))}

    def counts(self) -> dict[str, int]:
        """Return what the last entry of a resync counts."""
        told_of = "SELECT body FROM audit_event WHERE substr(action, 1, 7) = 'resync.' ORDER BY id DESC LIMIT 1"
        body = rows(self.stage.url, told_of)[0][0]
        entry = json.loads(bytes(body) if not isinstance(body, str) else body)
        return {name: value for name, value in entry["facts"].items() if isinstance(value, int)}


@pytest.fixture(params=ENGINES)
def there(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[World]:
    url, planes = new_urls(request.param, tmp_path, pg_database, far=True)
    clock, provider = HandClock(), Provider()
    with opened_stage(url, planes, clock=clock) as stage:
        settle_in(stage, ["acme", "globex"], far=["faraway"])
        yield World(replace(stage, house=behind(stage, provider=provider)), clock, provider)


def owned(slug: str) -> list[BillingObject]:
    """Return one object of each kind of a tenant's customer, with ids of their own."""
    return [
        replace(with_owner(thing, f"cus_{slug}"), id=f"cus_{slug}" if thing is A_CUSTOMER else f"{thing.id}_{slug}")
        for thing in ONE_OF_EACH
    ]


def ids(slug: str) -> set[tuple[str, str]]:
    return {(told(thing).kind.value, thing.id) for thing in owned(slug)}


def many_payments(slug: str, count: int = MANY) -> list[BillingObject]:
    payment = replace(A_PAYMENT, customer=f"cus_{slug}")
    return [replace(payment, id=f"pi_{slug}_{n:04}", created_at=NOON - n * timedelta(minutes=1)) for n in range(count)]


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


def test_it_marks_what_the_provider_lists_no_more_and_only_that(there: World) -> None:
    kept, gone, spoilt = (replace(A_SUBSCRIPTION, id=f"sub_{n}", customer="cus_acme") for n in ("a", "b", "c"))
    customer = replace(A_CUSTOMER, id="cus_acme")
    there.provider.knows(customer, kept, gone, spoilt)
    there.begin("acme")
    there.work()
    assert {thing for _, thing in there.mirrored("acme")} == {"cus_acme", "sub_a", "sub_b", "sub_c"}
    there.provider.known = [told(customer), told(kept)]
    there.provider.spoilt = frozenset({"sub_c"})
    there.begin("acme", resync="exe_2")
    there.work()
    assert {thing for _, thing in there.mirrored("acme")} == {"cus_acme", "sub_a", "sub_c"}
    counts = there.counts()
    assert (counts["written"], counts["deleted"], counts["unreadable"]) == (2, 1, 1)


def vanished(there: World, slug: str, *things: BillingObject) -> None:
    """Let the provider know a tenant's objects no more."""
    gone = {(told(thing).kind, thing.id) for thing in things or owned(slug)}
    there.provider.known = [each for each in there.provider.known if (each.kind, each.thing.id) not in gone]


def test_a_resync_of_all_marks_what_no_list_names_on_every_plane(there: World) -> None:
    there.provider.knows(*owned("acme"), *owned("globex"), *owned("faraway"))
    there.begin(None)
    there.work()
    for slug in ("acme", "faraway"):
        vanished(there, slug, *(each for each in owned(slug) if each.id.startswith(("sub_", "pi_"))))
    there.begin(None, resync="exe_2")
    there.work()
    for slug in ("acme", "faraway"):
        assert ids(slug) - there.mirrored(slug) == {("subscription", f"sub_1_{slug}"), ("payment", f"pi_1_{slug}")}
    assert there.mirrored("globex") == ids("globex")
    assert there.counts()["deleted"] == 4


def test_a_resync_of_all_marks_nothing_outside_its_bounds(there: World) -> None:
    old, new = (replace(A_PAYMENT, id=f"pi_{n}", customer="cus_acme", created_at=NOON - n * DAY) for n in (9, 1))
    there.provider.knows(replace(A_CUSTOMER, id="cus_acme"), old, new)
    there.begin(None)
    there.work()
    vanished(there, "acme", old, new)
    there.begin(None, since=NOON - 2 * DAY, resync="exe_2")
    there.work()
    assert {thing for _, thing in there.mirrored("acme")} == {"cus_acme", "pi_9"}


def test_a_resync_that_is_stopped_or_falls_silent_marks_nothing(there: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.usecases.resync_mirror._PAGES_AT_ONCE", 1)
    there.provider.knows(*owned("acme"))
    there.begin(None)
    there.work()
    vanished(there, "acme", *(each for each in owned("acme") if each.id.startswith("sub_")))
    there.begin(None, resync="exe_2")
    there.work(rounds=4)
    there.provider.is_silent_for_good = True
    there.work()
    assert there.mirrored("acme") == ids("acme")


def test_where_the_customer_is_gone_too_another_account_may_be_asked_and_nothing_is_marked(there: World) -> None:
    there.provider.knows(*owned("acme"))
    there.begin(None)
    there.work()
    vanished(there, "acme")
    for number, slug in enumerate((None, "acme")):
        there.begin(slug, resync=f"exe_empty{number}")
        there.work()
        assert there.mirrored("acme") == ids("acme")
        assert there.counts()["doubtful"] == len(ids("acme"))


def test_so_much_at_once_is_no_drift_and_is_left_to_people(there: World) -> None:
    some = many_payments("acme", 45)
    there.provider.knows(replace(A_CUSTOMER, id="cus_acme"), *some)
    there.begin(None)
    there.work()
    vanished(there, "acme", *some)
    house = there.stage.house
    few = replace(house.book, reconciliation=replace(house.book.reconciliation, heal_most_findings=30))
    there.stage = replace(there.stage, house=replace(house, book=few))
    there.begin(None, resync="exe_2")
    there.work()
    assert (there.counts()["deleted"], there.counts()["left"] > 0) == (30, True)
    assert len(there.mirrored("acme")) == 16


def test_a_worker_that_dies_while_it_asks_one_by_one_loses_and_marks_nothing_twice(
    there: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.usecases.resync_mirror._PAGES_AT_ONCE", 1)
    some = many_payments("acme", 45)
    there.provider.knows(replace(A_CUSTOMER, id="cus_acme"), *some)
    there.begin(None)
    there.work()
    vanished(there, "acme", *some)
    there.begin(None, resync="exe_2")
    there.work(rounds=9)  # the lists are read, and the first twenty asked for
    now = there.clock.now()
    with there.stage.house.store.write() as unit:
        (job,) = unit.jobs.claim(worker="dies", now=now, until=now + timedelta(seconds=30), limit=1)
    resync_mirror(there.stage.house, job)
    there.clock.pass_by(seconds=31)
    there.provider.now = there.clock.now()
    there.work()
    assert there.mirrored("acme") == {("customer", "cus_acme")}
    assert there.stage.entries("resync.finished") == 2


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


SMALL = pytest.mark.parametrize("there", ["sqlite"], indirect=True)


def mirror(there: World, slug: str, *things: BillingObject) -> None:
    """Let a tenant's mirror have heard of objects a day ago."""
    house = there.stage.house
    with house.store.write() as unit:
        scope = scope_of_sender(tenant(slug), SHARED, now=house.clock.now())
        for thing in things:
            assert unit.tenant(scope).mirror.put(told(thing, at=NOON - DAY))


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


@SMALL
def test_what_names_no_customer_is_believed_to_be_gone(there: World) -> None:
    mirror(there, "acme", replace(A_REFUND, customer=None))
    there.begin("acme")
    there.work()
    assert (there.mirrored("acme"), there.counts()["deleted"]) == (set(), 1)


@SMALL
def test_a_customer_that_cannot_be_read_is_known_all_the_same(there: World) -> None:
    mirror(there, "acme", replace(A_PAYMENT, customer="cus_acme"))
    there.provider.spoilt = frozenset({"cus_acme"})
    with_customer = replace(there.stage.house, provider=there.provider)
    there.stage = replace(there.stage, house=with_customer)
    there.begin(None)
    there.work()
    assert {job.state for job in there.jobs()} <= {JobState.SUCCEEDED, JobState.QUEUED}
    assert there.mirrored("acme") == set()


@SMALL
def test_what_belongs_to_another_customer_now_is_written_to_nobody(there: World) -> None:
    mirror(there, "acme", replace(A_PAYMENT, customer="cus_acme"))
    there.provider.knows(replace(A_CUSTOMER, id="cus_acme"), replace(A_PAYMENT, customer="cus_elsewhere"))
    there.begin("acme")
    there.work()
    assert (there.counts()["unmapped"], there.mirrored("acme")) == (
        1, {("customer", "cus_acme"), ("payment", "pi_1")},
    )  # fmt: skip
