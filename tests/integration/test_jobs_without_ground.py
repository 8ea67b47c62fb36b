"""Jobs that name no tenant, or one that is gone, or a run that moved on: nothing is written, and nothing is told."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from console.actions.webhook.runs import PLAN_JOB
from console.domain.ids import TenantId
from console.domain.jobs import Job
from console.domain.replays import Run, RunState
from console.domain.signals import Response, Signal, SignalId, SignalKey, State
from console.domain.staff import Actor
from console.storage.webhooks import StoredWebhooks
from console.usecases import asking
from console.usecases.asking import shown_to
from console.usecases.control_tools import UnitTools
from console.usecases.freezing import pausable
from console.usecases.hold_deliveries import hold_deliveries
from console.usecases.house import House
from console.usecases.job_outcomes import Done, JobRefusedError
from console.usecases.plan_replay import plan_replay, rest_plan
from console.usecases.run_jobs import run_due_jobs
from console.usecases.run_replay import rest_replay
from console.usecases.tell_access import tell_access
from tests.integration.overtaking import overtake
from tests.integration.stage import Stage
from tests.integration.test_replay_counting import SLICE, begun, run_of
from tests.integration.test_webhook_actions import jobs, stage

__all__ = ["stage"]
SMALL = pytest.mark.parametrize("stage", ["sqlite"], indirect=True)
NOBODY = TenantId("ten_none")


@pytest.fixture(autouse=True)
def _small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("console.actions.webhook.planning", "console.usecases.plan_replay"):
        monkeypatch.setattr(f"{module}.FROZEN_AT_ONCE", SLICE)


def planning(stage: Stage) -> tuple[Job, Run]:
    """Return the job of a plan that is being made, as a worker claims it, and its run."""
    run = begun(stage, "acme")
    (job,) = jobs(stage, PLAN_JOB)
    return replace(job, lease_until=stage.house.clock.now() + timedelta(minutes=2)), run_of(stage, "acme", run)


@SMALL
@pytest.mark.parametrize("handler", [plan_replay, tell_access])
def test_a_job_that_names_no_tenant_is_refused_for_good(stage: Stage, handler: Callable[[House, Job], Done]) -> None:
    job, _run = planning(stage)
    with pytest.raises(JobRefusedError):
        handler(stage.house, replace(job, tenant=None, payload={"effect": "acc_1", "cause": "test"}))


@SMALL
@pytest.mark.parametrize("spoiled", [{}, {"effect": "acc_1"}, {"effect": 7, "cause": "test"}])
def test_a_job_that_names_no_recalculation_tells_of_none(stage: Stage, spoiled: dict[str, object]) -> None:
    job, _run = planning(stage)
    with pytest.raises(JobRefusedError, match="names no recalculation"):
        tell_access(stage.house, replace(job, payload=spoiled))
    assert stage.entries("access.recalculated") == 0


@SMALL
def test_deliveries_of_no_tenant_are_held_by_nobody(stage: Stage) -> None:
    job, _run = planning(stage)
    assert hold_deliveries(stage.house, replace(job, tenant=None)) == Done()


@SMALL
@pytest.mark.parametrize("tenant", [None, NOBODY])
@pytest.mark.parametrize("rest", [rest_plan, rest_replay])
def test_what_is_dead_and_belongs_to_nobody_is_put_to_rest_without_a_word(
    stage: Stage, rest: Callable[[House, Job], None], tenant: TenantId | None
) -> None:
    job, run = planning(stage)
    rest(stage.house, replace(job, tenant=tenant))
    assert run_of(stage, "acme", run.id) == run


@SMALL
def test_a_plan_says_that_its_job_is_dead_only_while_it_is_made(stage: Stage) -> None:
    job, run = planning(stage)
    rest_plan(stage.house, replace(job, payload={"run": "run_none"}))
    rest_plan(stage.house, job)
    assert run_of(stage, "acme", run.id).because == "job_dead"
    for _ in range(8):
        run_due_jobs(stage.house, worker="w1")
    made = run_of(stage, "acme", run.id)
    assert made.state is RunState.PLANNED
    rest_plan(stage.house, job)
    assert run_of(stage, "acme", run.id) == made


@SMALL
def test_a_slice_that_another_worker_wrote_first_is_left_to_them(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    job, run = planning(stage)
    overtake(monkeypatch, StoredWebhooks, "grow_run")
    assert plan_replay(stage.house, job) == Done()
    assert (run_of(stage, "acme", run.id).planned, stage.entries("replay.planned")) == (SLICE, 0)


@SMALL
def test_a_house_that_can_be_paused_answers_all_the_same(stage: Stage) -> None:
    job, _run = planning(stage)
    paused = pausable(stage.house, job, None)
    paused.store.ping()
    with paused.store.read() as unit:
        assert unit.freezes.standing() == []


@SMALL
def test_what_is_shown_to_many_is_not_kept_for_ever(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_MOST_SHOWN", 3)
    house = replace(stage.house, book=replace(stage.house.book, shown={}))
    people: list[Actor] = [replace(stage.actor("engineer"), person=f"local|{n}") for n in range(9)]  # type: ignore[arg-type]

    def found(who: Actor) -> str:
        return shown_to(house, who, ("page",), lambda: f"for {who.person}")

    for who in (*people, *people):
        assert found(who) == f"for {who.person}"
        assert len(house.book.shown) <= 3


@SMALL
def test_a_signal_about_somebody_whom_nobody_knows_opens_no_review(stage: Stage) -> None:
    now = stage.house.clock.now()
    gone = Signal(
        id=SignalId("sig_1"), rule=SignalKey("reveal_rate"), subject="stf_gone", staff="stf_gone", tenant=None,  # type: ignore[arg-type]
        summary="", response=Response.NOTIFY, raised_at=now, last_at=now, hits=1, evidence=(), people=("stf_gone",),  # type: ignore[arg-type]
        state=State.OPEN,
    )  # fmt: skip
    with stage.house.store.write() as unit:
        UnitTools(house=stage.house, unit=unit, actor=stage.actor("security_auditor"), tenant=None).flag(gone, at=now)
    assert stage.count("SELECT count(*) FROM review") == 0
