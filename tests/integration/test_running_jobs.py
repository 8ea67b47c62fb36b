"""The runner of jobs: leases, authority asked again, back-off, the end of a job with its entry, and schedules."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

import pytest

from console.domain.entries import SYSTEM_ACTOR
from console.domain.errors import OutsideError
from console.domain.ids import SHARED_PLANE, JobId, ReasonCode, RequestId
from console.domain.jobs import STALLED, Job, JobDraft, JobRules, JobState, Schedule
from console.domain.requests import State
from console.domain.staff import Role
from console.ports.store import ControlUnit
from console.usecases import fire_schedules as schedules
from console.usecases import run_jobs as runner
from console.usecases.fire_schedules import fire_schedules, next_slot
from console.usecases.house import House
from console.usecases.job_kinds import KINDS, RECURRING
from console.usecases.job_outcomes import Again, Done, JobKind, JobRefusedError, forget_failures
from console.usecases.recording import emit_as
from console.usecases.run_jobs import run_due_jobs, run_one_job
from tests.databases import ENGINES, HandClock
from tests.integration.stage import Stage, new_urls, opened_stage, rows, settle_in, tenant, tenant_records
from tests.web.cast import PEOPLE

AGENT = "support_agent"


@dataclass
class Desk:
    """A stage, and a handler that does what a test says."""

    stage: Stage
    clock: HandClock
    seen: list[Job] = field(default_factory=list)
    does: Callable[[House, Job], Done | Again] = lambda _house, _job: Done()

    def handler(self, house: House, job: Job) -> Done | Again:
        self.seen.append(job)
        return self.does(house, job)

    def add(self, **other: object) -> JobId:
        base = JobDraft(kind="test", key=self.stage.house.ids.new("tst"), tenant=tenant("acme"))
        draft = replace(base, **other)  # type: ignore[arg-type]  # names and types are the dataclass's own
        with self.stage.storage.store.write() as unit:
            made = unit.jobs.add(draft, at=self.clock.now())
        assert made is not None
        return made

    def run(self, worker: str = "w1") -> int:
        return run_due_jobs(self.stage.house, worker=worker)

    def stands(self, job: JobId) -> Job:
        with self.stage.storage.store.read() as unit:
            found = unit.jobs.get(job)
        assert found is not None
        return found


@pytest.fixture(params=ENGINES)
def desk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    create = request.getfixturevalue("pg_database") if request.param == "postgresql" else str
    url, planes = new_urls(request.param, tmp_path, create)
    clock = HandClock()
    with opened_stage(url, planes, clock=clock) as stage:
        settle_in(stage, ["acme"])
        made = Desk(stage, clock)
        kinds: Mapping[str, JobKind] = MappingProxyType({
            "test": JobKind(kind="test", title="Test", handler=made.handler, is_tenant_bound=True),
            "house": JobKind(kind="house", title="House", handler=made.handler, is_tenant_bound=False),
        })  # fmt: skip
        monkeypatch.setattr(runner, "KINDS", kinds)
        yield made


def executed(desk: Desk) -> RequestId:
    """Return a request that ran: an override that a finance lead approved."""
    desk.stage.open(AGENT, "acme")
    request = desk.stage.filed(AGENT, "acme", 200)
    desk.stage.approve("finance_lead", request)
    assert desk.stage.now(request.id).state is State.EXECUTED
    return request.id


def test_it_runs_what_is_due_once(desk: Desk) -> None:
    job = desk.add()
    later = desk.add(run_at=desk.clock.now() + timedelta(minutes=1))
    assert (desk.run(), desk.run()) == (1, 0)
    assert (desk.stands(job).state, desk.stands(later).state) == (JobState.SUCCEEDED, JobState.QUEUED)
    assert run_one_job(desk.stage.house, later, worker="w1") is False
    desk.clock.pass_by(minutes=1)
    assert run_one_job(desk.stage.house, later, worker="w1") is True
    assert [each.id for each in desk.seen] == [job, later]


def test_a_job_that_goes_on_counts_no_failure_and_records_with_its_outcome(desk: Desk) -> None:
    def again(_house: House, job: Job) -> Again:
        def record(unit: ControlUnit) -> None:
            emit_as(unit, SYSTEM_ACTOR, "job.stalled", at=desk.clock.now())

        return Again(at=desk.clock.now() + timedelta(seconds=5), record=record)

    desk.does = again
    job = desk.add()
    assert desk.run() == 1
    stands = desk.stands(job)
    assert (stands.state, stands.attempts, stands.run_at) == (
        JobState.QUEUED,
        0,
        desk.clock.now() + timedelta(seconds=5),
    )
    assert desk.stage.entries("job.stalled") == 1


def test_a_failure_waits_longer_each_time_and_then_is_dead_with_an_entry(desk: Desk) -> None:
    def fail(_house: House, _job: Job) -> Done:
        raise ValueError("row 17 is odd")

    desk.does = fail
    job = desk.add(most_attempts=3)
    waits = []
    stands = desk.stands(job)
    while stands.state is JobState.QUEUED:
        assert desk.run() == 1
        stands = desk.stands(job)
        waits.append((stands.run_at - desk.clock.now()).total_seconds())
        desk.clock.pass_by(hours=3)
    assert waits[:2] == [10, 60]
    assert (stands.state, stands.attempts, stands.last_error) == (JobState.DEAD, 3, "ValueError: row 17 is odd")
    assert desk.stage.entries("job.failed") == 1
    assert stands.fingerprint is not None


@pytest.mark.parametrize(("is_permanent", "state"), [(True, JobState.DEAD), (False, JobState.QUEUED)])
def test_the_outside_world_may_fail_for_good(desk: Desk, is_permanent: bool, state: JobState) -> None:
    def fail(_house: House, _job: Job) -> Done:
        raise OutsideError("the provider is away", permanent=is_permanent)

    desk.does = fail
    job = desk.add()
    desk.run()
    assert (desk.stands(job).state, desk.stands(job).last_error) == (state, "the provider is away")


def test_a_job_whose_worker_vanished_is_found_said_and_run_by_another(desk: Desk) -> None:
    job = desk.add()
    lease = timedelta(seconds=desk.stage.house.book.jobs.lease_seconds)
    with desk.stage.storage.store.write() as unit:
        (held,) = unit.jobs.claim(worker="w0", now=desk.clock.now(), until=desk.clock.now() + lease, limit=1)
    assert desk.run() == 0
    desk.clock.pass_by(seconds=lease.total_seconds())
    assert desk.run("w1") == 1
    assert desk.stage.entries("job.stalled") == 1
    assert desk.seen[0].last_error == STALLED
    with desk.stage.storage.store.write() as unit:
        assert not unit.jobs.succeed(held, at=desk.clock.now())  # the first worker comes too late
    assert desk.stands(job).state is JobState.SUCCEEDED


def test_one_named_job_whose_worker_vanished_says_so_too(desk: Desk) -> None:
    job = desk.add()
    with desk.stage.storage.store.write() as unit:
        unit.jobs.claim(worker="w0", now=desk.clock.now(), until=desk.clock.now(), limit=1)
    assert run_one_job(desk.stage.house, job, worker="w1")
    assert desk.stage.entries("job.stalled") == 1


def test_a_job_that_got_further_each_time_outlives_any_number_of_workers(desk: Desk) -> None:
    def die(house: House, job: Job) -> Done:
        forget_failures(house, job)
        raise KeyboardInterrupt  # a hard restart: nothing of the worker is left to say anything

    desk.does = die
    job = desk.add()
    for _ in range(20):
        with pytest.raises(KeyboardInterrupt):
            desk.run()
        desk.clock.pass_by(seconds=desk.stage.house.book.jobs.lease_seconds)
    desk.does = lambda _house, _job: Done()
    desk.run()
    assert (desk.stands(job).state, desk.stage.entries("job.stalled")) == (JobState.SUCCEEDED, 20)


def test_a_job_that_kills_its_workers_ends(desk: Desk) -> None:
    job = desk.add(most_attempts=2)
    for _each in range(2):
        with desk.stage.storage.store.write() as unit:
            unit.jobs.claim(worker="w0", now=desk.clock.now(), until=desk.clock.now(), limit=1)
        desk.clock.pass_by(seconds=1)
    assert desk.run() == 1
    assert desk.seen == []
    assert (desk.stands(job).state, desk.stands(job).last_error) == (JobState.DEAD, STALLED)
    assert desk.stage.entries("job.refused") == 1


def test_a_slow_worker_records_nothing_for_a_job_that_was_taken_over(desk: Desk) -> None:
    def slow(_house: House, _job: Job) -> Done:
        desk.clock.pass_by(hours=1)
        with desk.stage.storage.store.write() as unit:
            unit.jobs.claim(worker="w2", now=desk.clock.now(), until=desk.clock.now() + timedelta(hours=1), limit=1)

        def record(_unit: object) -> None:
            pytest.fail("it is not this worker's any more")

        return Done(record=record)

    desk.does = slow
    job = desk.add()
    desk.run()
    assert desk.stands(job).worker == "w2"

    def late(_house: House, _job: Job) -> Done:
        desk.clock.pass_by(hours=2)
        with desk.stage.storage.store.write() as unit:
            unit.jobs.claim(worker="w3", now=desk.clock.now(), until=desk.clock.now() + timedelta(hours=1), limit=1)
        raise JobRefusedError("too late")

    desk.does = late
    other = desk.add()
    assert run_one_job(desk.stage.house, other, worker="w1")
    assert desk.stage.entries("job.refused") == 0


def refused(desk: Desk, job: JobId, why: str) -> None:
    desk.run()
    stands = desk.stands(job)
    assert desk.seen == []
    assert (stands.state, stands.last_error) == (JobState.DEAD, why)
    assert desk.stage.entries("job.refused") == 1


def test_it_runs_no_kind_that_it_does_not_know(desk: Desk) -> None:
    refused(desk, desk.add(kind="unknown"), "Nothing here knows this kind of job.")


@pytest.mark.parametrize("other", [{"tenant": None}, {"tenant": "ten_unknown"}])
def test_it_runs_nothing_on_a_tenant_that_is_not_there(desk: Desk, other: dict[str, object]) -> None:
    refused(desk, desk.add(**other), "Its tenant is not known.")


def test_a_job_of_the_house_needs_no_tenant(desk: Desk) -> None:
    desk.add(kind="house", tenant=None)
    assert desk.run() == 1
    assert len(desk.seen) == 1


def test_it_runs_under_the_authority_of_its_request(desk: Desk) -> None:
    request = executed(desk)
    desk.add(actor=PEOPLE[AGENT].id, request=request, reason=ReasonCode("CONTRACT_CHANGE"))
    desk.run()
    assert [each.request for each in desk.seen] == [request]


def test_it_runs_under_the_authority_of_a_person(desk: Desk) -> None:
    desk.add(actor=PEOPLE[AGENT].id)
    desk.run()
    assert len(desk.seen) == 1


def test_it_refuses_once_the_person_has_left(desk: Desk) -> None:
    request = executed(desk)
    rows(desk.stage.url, "UPDATE staff SET is_active = ? WHERE id = ?", False, PEOPLE[AGENT].id)
    refused(desk, desk.add(actor=PEOPLE[AGENT].id, request=request), "The person who asked is no longer active.")


def test_it_refuses_when_policy_no_longer_permits(desk: Desk) -> None:
    request = executed(desk)
    with desk.stage.storage.store.write() as unit:
        member = unit.staff.get(PEOPLE[AGENT].id)
        assert member is not None
        unit.staff.set_roles(member.id, frozenset({Role.SECURITY_AUDITOR}), at=desk.clock.now())
    refused(desk, desk.add(actor=PEOPLE[AGENT].id, request=request), "Policy no longer permits it: role_missing.")


@pytest.mark.parametrize(
    "other", [{"request": "req_unknown"}, {"actor": None}, {"actor": "support_agent_2"}, {"tenant": "bolt"}]
)
def test_it_refuses_a_request_that_is_not_its_own(desk: Desk, other: dict[str, str | None]) -> None:
    request = executed(desk)
    settle_more(desk)
    told: dict[str, object] = {"actor": PEOPLE[AGENT].id, "request": request} | dict(other)
    if other.get("actor"):
        told["actor"] = PEOPLE[str(other["actor"])].id
    if other.get("tenant"):
        told["tenant"] = tenant(str(other["tenant"]))
    refused(desk, desk.add(**told), "Its request does not fit.")


def settle_more(desk: Desk) -> None:
    with desk.stage.storage.bulk.write() as bulk:
        bulk.put(tenant_records("bolt", SHARED_PLANE))


def test_it_refuses_a_request_that_did_not_run(desk: Desk) -> None:
    desk.stage.open(AGENT, "acme")
    request = desk.stage.filed(AGENT, "acme", 200)
    refused(desk, desk.add(actor=PEOPLE[AGENT].id, request=request.id), f"Its request is {request.state.value}.")


def test_a_sweep_takes_only_what_waited_long(desk: Desk) -> None:
    desk.add()
    assert run_due_jobs(desk.stage.house, worker="w1", overdue_by=timedelta(seconds=15)) == 0
    desk.clock.pass_by(seconds=15)
    assert run_due_jobs(desk.stage.house, worker="w1", overdue_by=timedelta(seconds=15)) == 1


def test_a_slot_fires_once_however_many_look(desk: Desk) -> None:
    first = fire_schedules(desk.stage.house)
    assert first == len(RECURRING)
    assert fire_schedules(desk.stage.house) == 0
    count = "SELECT count(*) FROM job WHERE kind = 'webhook.expire_payloads'"
    assert desk.stage.count(count) == 1
    desk.clock.pass_by(days=3, hours=1)  # slots that were slept through fire once
    with desk.stage.storage.store.read() as unit:
        known = next(each for each in unit.jobs.schedules() if each.id == "webhook.expire_payloads")
    assert fire_schedules(desk.stage.house) == len(RECURRING)
    assert desk.stage.count(count) == 2
    with desk.stage.storage.store.write() as unit:
        draft = JobDraft(kind=known.kind, key=f"schedule:{known.id}:{known.next_at:%Y%m%dT%H%M%S}")
        assert not unit.jobs.fire(known, slot=known.next_at, next_at=next_slot(known, desk.clock.now()), draft=draft)
    assert desk.stage.count(count) == 2


def test_a_changed_interval_is_taken_over(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    fire_schedules(desk.stage.house)
    shorter = tuple(replace(each, every_s=60) for each in RECURRING)
    monkeypatch.setattr(schedules, "RECURRING", shorter)
    fire_schedules(desk.stage.house)
    with desk.stage.storage.store.read() as unit:
        assert {each.every_s for each in unit.jobs.schedules()} == {60}


def test_slots_stay_where_the_first_one_put_them() -> None:
    noon = HandClock().now()
    schedule = Schedule(id="s", kind="k", every_s=3_600, next_at=noon, is_on=True)
    assert next_slot(schedule, noon) == noon + timedelta(hours=1)
    assert next_slot(schedule, noon + timedelta(hours=5, minutes=1)) == noon + timedelta(hours=6)


def test_every_kind_says_what_it_is() -> None:
    assert all(kind.kind == key and kind.title and kind.is_idempotent for key, kind in KINDS.items())
    assert {each.kind for each in RECURRING} <= set(KINDS)
    rules = JobRules(lease_seconds=1, retry_seconds=(1, 5))
    assert [rules.wait_s(failures) for failures in (1, 2, 9)] == [1, 5, 5]
