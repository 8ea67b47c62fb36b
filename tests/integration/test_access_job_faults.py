"""What a mass recalculation, its plan, the sweep and the register do where tenants, planes and jobs fail them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from console.domain.freezes import Freeze, FreezeScope
from console.domain.ids import FreezeId
from console.domain.jobs import JobDraft, JobState
from console.domain.leases import LeaseEnd
from console.domain.recalculations import CANARY_NOT_CURRENT, JOB_DEAD, Sweep, SweepState, TenantState
from console.domain.tenancy import TenantStatus
from console.storage.leases import StoredLeases
from console.storage.recalculations import StoredRecalculations
from console.usecases import plan_recalculation, run_recalculation
from console.usecases.keep_time import end_overdue
from console.usecases.plan_recalculation import PLAN_JOB
from console.usecases.run_recalculation import RUN_JOB
from console.usecases.sweep_access import SWEEP_JOB
from tests.databases import HandClock
from tests.integration.access_desk import DAY, LEAD, OTHERS, SLUGS, Desk, seats, too_generous
from tests.integration.overtaking import overtake
from tests.integration.stage import CONTRACT, SEATS, behind, new_urls, opened_stage, rows, settle_in, tenant
from tests.integration.test_impersonation_planes import SilentPlanes
from tests.web.cast import PEOPLE


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    url, planes = new_urls("sqlite", tmp_path, str, far=True)
    clock = HandClock()
    with opened_stage(url, planes, clock=clock) as stage:
        settle_in(stage, SLUGS, ["away"])
        yield Desk(stage, clock)


def silence(desk: Desk) -> None:
    """Let the planes elsewhere answer nobody."""
    desk.house = behind(desk.stage, planes=SilentPlanes(desk.stage))


def freeze(desk: Desk, slug: str) -> None:
    frozen = Freeze(
        id=FreezeId(f"frz_{slug}"), scope=FreezeScope.TENANT, subject=tenant(slug), name=slug, is_drill=False,
        reason=CONTRACT, set_by=PEOPLE["on_call"].id, set_at=desk.clock.now(),
    )  # fmt: skip
    with desk.stage.storage.store.write() as unit:
        unit.freezes.add(frozen)


def last_job(desk: Desk, kind: str) -> tuple[JobState, str]:
    with desk.stage.storage.store.read() as unit:
        (job,) = unit.jobs.page(state=None, kind=kind, fingerprint=None, tenant=None, before=None, limit=1)
    return job.state, job.last_error or ""


def queued(desk: Desk, kind: str, run: str) -> tuple[JobState, str]:
    """Queue a job about a run, let it run, and return how it ended."""
    with desk.stage.storage.store.write() as unit:
        unit.jobs.add(JobDraft(kind=kind, key=desk.house.ids.new("tst"), payload={"run": run}), at=desk.clock.now())
    desk.work()
    return last_job(desk, kind)


def carried(desk: Desk, sweep: Sweep, *, rounds: int = 20) -> Sweep:
    """Set a planned run going and let time pass."""
    desk.ran(LEAD, "entitlement.run_recalculation", run=sweep.id)
    for _ in range(rounds):
        desk.work()
        desk.clock.pass_by(seconds=30)
    return desk.sweep(sweep.id)


def became(desk: Desk, sweep: Sweep) -> dict[str, tuple[TenantState, str]]:
    """Return what became of the tenants of a run that were not simply done."""
    with desk.stage.storage.store.read() as unit:
        listed = unit.recalculations.tenants(sweep.id, after=0, limit=50)
    return {str(each.tenant): (each.state, each.because or "") for each in listed if each.state is not TenantState.DONE}


def test_nothing_runs_that_was_not_planned_and_set_going(desk: Desk) -> None:
    sweep = desk.planned()
    for run in ("run_none", sweep.id):
        state, error = queued(desk, RUN_JOB, run)
        assert (state, error) == (JobState.DEAD, "There is no such recalculation that was set going.")
    assert desk.sweep(sweep.id) == sweep
    assert queued(desk, PLAN_JOB, "run_none") == (JobState.DEAD, "There is no such recalculation.")


def test_a_plan_that_is_made_is_not_made_again(desk: Desk) -> None:
    sweep = desk.planned()
    assert queued(desk, PLAN_JOB, sweep.id)[0] is JobState.SUCCEEDED
    assert (desk.sweep(sweep.id), desk.stage.entries("access.planned")) == (sweep, 1)


def test_a_plan_that_another_worker_moves_is_left_to_them(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    overtake(monkeypatch, StoredRecalculations, "move")
    desk.ran(LEAD, "entitlement.plan_recalculation", plan="", rate_per_s="")
    desk.work(3)
    assert last_job(desk, PLAN_JOB) == (JobState.DEAD, "The plan moved meanwhile.")
    assert desk.stage.entries("access.planned") == 0


def test_a_plan_goes_on_slice_by_slice_and_passes_by_what_is_closed_or_silent(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_recalculation, "_AT_ONCE", 4)
    with desk.stage.storage.store.write() as unit:
        unit.directory.set_status(tenant("shop0"), TenantStatus.CLOSED)
    silence(desk)
    done = desk.ran(LEAD, "entitlement.plan_recalculation", plan="", rate_per_s="")
    for _ in range(5):
        desk.work()
        desk.clock.pass_by(seconds=1)
    sweep = desk.sweep(str(done.applied.made))
    everybody = len(SLUGS) + len(OTHERS) + 1
    assert (sweep.state, sweep.looked_at, sweep.unreadable) == (SweepState.PLANNED, everybody, 1)
    assert sweep.planned == everybody - 2
    assert desk.stage.entries("access.planned") == 1


def test_it_passes_by_a_plane_that_is_silent_and_goes_on(desk: Desk) -> None:
    sweep = desk.planned()
    silence(desk)
    ended = carried(desk, sweep)
    assert ended.state is SweepState.FINISHED
    ((state, because),) = became(desk, sweep).values()
    assert (state, "does not answer" in because) == (TenantState.FAILED, True)


def test_it_passes_by_a_tenant_that_is_frozen_and_does_not_say_that_it_would_lose(desk: Desk) -> None:
    sweep = desk.planned()
    freeze(desk, "shop3")
    ended = carried(desk, sweep)
    assert (ended.state, ended.because) == (SweepState.FINISHED, None)
    assert [(who, state) for who, (state, _why) in became(desk, sweep).items()] == [
        (tenant("shop3"), TenantState.FAILED)
    ]
    assert desk.stored("shop3") is None


def test_it_stops_where_one_of_the_first_does_not_stay_as_it_was_made(desk: Desk) -> None:
    sweep = desk.planned()
    desk.ran(LEAD, "entitlement.run_recalculation", run=sweep.id)
    desk.work()
    with desk.stage.storage.store.read() as unit:
        first = next(each for each in unit.recalculations.tenants(sweep.id, after=0, limit=1))
    slug = next(each for each in (*SLUGS, *OTHERS, "away") if tenant(each) == first.tenant)
    desk.override(slug, 500)
    desk.clock.pass_by(seconds=5)
    desk.work()
    stopped = desk.sweep(sweep.id)
    assert (stopped.state, stopped.because) == (SweepState.PAUSED, CANARY_NOT_CURRENT)
    (body,) = rows(desk.stage.url, "SELECT body FROM audit_event WHERE action = 'access.paused'")
    assert CANARY_NOT_CURRENT in str(body[0])


def test_it_stops_in_the_middle_of_a_slice_once_people_hold_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    working = run_recalculation._work_off

    def held_meanwhile(*given: Any, **named: Any) -> None:  # noqa: ANN401  handed on
        working(*given, **named)
        monkeypatch.setattr(run_recalculation, "_work_off", working)
        desk.ran(LEAD, "entitlement.pause_recalculation", run=sweep.id)

    sweep = desk.planned()
    monkeypatch.setattr(run_recalculation, "_work_off", held_meanwhile)
    assert carried(desk, sweep, rounds=2).state is SweepState.PAUSED
    assert (desk.progress(sweep.id).done, desk.stage.entries("access.paused")) == (1, 0)


@pytest.mark.parametrize("is_held", [True, False])
def test_what_another_worker_said_first_is_not_said_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, *, is_held: bool
) -> None:
    sweep = desk.planned()
    if is_held:
        desk.write("shop3", stored=too_generous())
    wanted = SweepState.PAUSED if is_held else SweepState.FINISHED
    moving = StoredRecalculations.move

    def overtaken(book: StoredRecalculations, of: Sweep, to: SweepState, **moved: object) -> bool:
        if to is wanted:
            assert moving(book, of, to, **moved)  # they were faster by a moment
        return moving(book, of, to, **moved)

    monkeypatch.setattr(StoredRecalculations, "move", overtaken)
    assert carried(desk, sweep).state is wanted
    assert desk.stage.entries("access.paused") == desk.stage.entries("access.finished") == 0


def test_a_run_whose_job_is_dead_is_held_for_people_to_see_and_says_so_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_given: Any, **_named: Any) -> None:  # noqa: ANN401  whatever it is given
        raise RuntimeError("a bug of ours")

    sweep = desk.planned()
    monkeypatch.setattr(run_recalculation, "_work_off", broken)
    desk.ran(LEAD, "entitlement.run_recalculation", run=sweep.id)
    for _ in range(12):
        desk.work()
        desk.clock.pass_by(hours=2)
    stopped = desk.sweep(sweep.id)
    assert (stopped.state, stopped.because) == (SweepState.PAUSED, JOB_DEAD)
    assert (last_job(desk, RUN_JOB)[0], desk.stage.entries("access.paused")) == (JobState.DEAD, 1)
    with desk.stage.storage.store.read() as unit:
        (job,) = unit.jobs.page(state=None, kind=RUN_JOB, fingerprint=None, tenant=None, before=None, limit=1)
    for run in (sweep.id, "run_none"):
        run_recalculation.rest_recalculation(desk.house, replace(job, payload={"run": run}))
    assert (desk.sweep(sweep.id), desk.stage.entries("access.paused")) == (stopped, 1)


def test_a_dead_job_pauses_nothing_that_somebody_moved_meanwhile(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = desk.planned()
    desk.ran(LEAD, "entitlement.run_recalculation", run=sweep.id)
    with desk.stage.storage.store.read() as unit:
        (job,) = unit.jobs.page(state=None, kind=RUN_JOB, fingerprint=None, tenant=None, before=None, limit=1)
    overtake(monkeypatch, StoredRecalculations, "move")
    run_recalculation.rest_recalculation(desk.house, job)
    assert desk.stage.entries("access.paused") == 0


@pytest.mark.parametrize("fault", ["gone", "frozen", "silent"])
def test_the_sweep_passes_by_who_cannot_be_reached_and_comes_back(desk: Desk, fault: str) -> None:
    slug = "away" if fault == "silent" else "shop1"
    for each in (slug, "shop2"):
        desk.override(each, 500, until=DAY)
        desk.write(each)
    desk.clock.pass_by(days=1)
    usual = desk.house
    gone = "UPDATE directory_tenant SET id = '{}' WHERE id = '{}'"
    match fault:
        case "gone":
            rows(desk.stage.url, "PRAGMA foreign_keys = OFF")
            rows(desk.stage.url, gone.format("ten_moved", tenant(slug)))
        case "frozen":
            freeze(desk, slug)
        case _:
            silence(desk)
    desk.job(SWEEP_JOB)
    assert (seats(desk.stored(slug)), seats(desk.stored("shop2"))) == (500, SEATS)
    assert last_job(desk, SWEEP_JOB) == (JobState.SUCCEEDED, "")
    desk.house = usual
    rows(desk.stage.url, gone.format(tenant(slug), "ten_moved"))
    with desk.stage.storage.store.write() as unit:
        unit.freezes.lift(FreezeId(f"frz_{slug}"), by=PEOPLE["on_call"].id, at=desk.clock.now())
    desk.job(SWEEP_JOB)
    assert seats(desk.stored(slug)) == SEATS


def test_a_lease_that_somebody_else_ended_is_ended_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    lease = desk.stage.open("support_agent", "shop1")
    desk.clock.pass_by(hours=9)
    overtake(monkeypatch, StoredLeases, "end")
    assert end_overdue(desk.house) == 0
    with desk.stage.storage.store.read() as unit:
        ended = unit.leases.get(lease.id)
    assert ended is not None
    assert (ended.ended_by, desk.stage.entries("lease.expired")) == (LeaseEnd.TIME, 0)
