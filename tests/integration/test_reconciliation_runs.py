"""Runs of reconciliation as jobs: resumed wherever they die, one at a time over one ground, and held up by nobody."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import pytest

from console.domain.errors import OutsideError
from console.domain.ids import PlaneId
from console.domain.jobs import Job
from console.domain.reconciling.findings import FindingState, ReconciliationId
from console.domain.reconciling.runs import Reconciliation, RunState
from console.usecases import pull_provider, reconciliation_work
from console.usecases.house import House
from console.usecases.keep_reconciling import keep_reconciling, start_nightly
from console.usecases.run_jobs import run_due_jobs
from console.usecases.run_reconciliation import step
from tests.bench.counting import counted
from tests.integration.reconciling_fleet import bound, broken, fleet, small
from tests.integration.reconciling_world import World, subscription, world
from tests.integration.stage import FAR, behind, book, tenant
from tests.reconciling import A_RUN

__all__ = ["fleet", "small"]


class SilentPlanes:
    """Planes elsewhere that do not answer."""

    def shares_control(self, plane: PlaneId) -> bool:
        return plane != FAR

    def read(self, _scope: object) -> NoReturn:
        message = "The plane does not answer."
        raise OutsideError(message, permanent=False)


def test_it_resumes_to_the_same_findings_wherever_it_dies(small: World, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(small)
    whole = small.run()
    keeping = reconciliation_work.kept
    at, left = 0, -1

    def dying(unit: object, run: object) -> object:
        nonlocal left
        left -= 1
        if left == 0:
            raise KeyboardInterrupt  # neither the job nor the run hears of it, and the unit is rolled back
        return keeping(unit, run)  # type: ignore[arg-type]

    modules = ("compare_tenants", "compare_account", "settle_findings", "heal_findings", "run_reconciliation")
    for name in modules:
        monkeypatch.setattr(f"console.usecases.{name}.kept", dying)
    monkeypatch.setattr(pull_provider, "kept", dying)
    deaths = 0
    while True:
        at += 1
        left = at
        small.clock.pass_by(minutes=1)
        run = small.start()
        try:
            small.work()
        except KeyboardInterrupt:
            deaths += 1
            small.clock.pass_by(seconds=book().jobs.lease_seconds + 1)  # the lease lapses, another worker takes over
            while not small.stands(run).is_open or run_due_jobs(small.house, worker="w2"):
                if not small.stands(run).is_open:
                    break
        else:
            break
        stands = small.stands(run)
        assert (stands.state, stands.findings_digest) == (RunState.DONE, whole.findings_digest), at
        assert stands.counts["pulled.subscription"] == whole.counts["pulled.subscription"], at
        assert [each.state for each in small.findings()] == [FindingState.OPEN]
    assert deaths >= 20
    assert small.stage.entries("finding.opened") == 1


def test_two_runs_over_the_same_ground_never_go_on_at_once(fleet: World) -> None:
    run = fleet.start()
    with fleet.stage.storage.store.write() as unit:
        assert not unit.runs.add(replace(fleet.stands(run), id="rcn_other"))  # type: ignore[arg-type]
        assert unit.runs.add(replace(fleet.stands(run), id="rcn_acme", tenant=tenant("acme")))  # type: ignore[arg-type]
    fleet.work()
    assert fleet.stands(run).state is RunState.DONE


def test_a_silent_provider_costs_no_progress(fleet: World) -> None:
    fleet.provider.answers = 4
    run = fleet.start()
    run_due_jobs(fleet.house, worker="w1")
    stands = fleet.stands(run)
    assert (stands.state, stands.cursor["station"]) == (RunState.PULLING, "4")
    fleet.provider.answers = None
    fleet.clock.pass_by(minutes=1)
    fleet.work()
    assert fleet.stands(run).state is RunState.DONE
    assert [each[:2] for each in fleet.provider.asked].count(("page", "price")) == 1


def test_it_outlives_any_number_of_workers_that_each_get_one_step_further(
    small: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = 0

    def dying(house: House, job: Job, run: Reconciliation) -> Reconciliation:
        nonlocal steps
        steps += 1
        if not steps % 2:
            raise KeyboardInterrupt
        return step(house, job, run)

    monkeypatch.setattr("console.usecases.run_reconciliation.step", dying)
    run, deaths = small.start(), 0
    while small.stands(run).is_open:
        try:
            run_due_jobs(small.house, worker="w1")
        except KeyboardInterrupt:
            deaths += 1
        small.clock.pass_by(seconds=book().jobs.lease_seconds + 1)
    assert small.stands(run).state is RunState.DONE
    assert deaths > 12  # more often than a job may fail


def test_a_run_whose_job_is_dead_has_failed_and_says_so(fleet: World) -> None:
    fleet.provider.is_silent_for_good = True
    run = fleet.start()
    run_due_jobs(fleet.house, worker="w1")
    assert fleet.stands(run).state is RunState.FAILED
    assert fleet.stage.entries("reconciliation.failed") == 1
    fleet.provider.is_silent_for_good = False
    later = fleet.start()  # the next one may start
    run_due_jobs(fleet.house, worker="w1")
    assert fleet.stands(later).state is RunState.DONE


def test_old_staging_is_taken_away_and_the_runs_stay(fleet: World) -> None:
    run = fleet.run()
    fleet.clock.pass_by(days=8)
    job = next(iter(fleet.jobs()))
    keep_reconciling(fleet.house, job)
    assert fleet.stage.count("SELECT count(*) FROM reconciliation_object") == 0
    assert fleet.stands(run.id).findings_digest == run.findings_digest


def test_the_nightly_run_starts_once_and_only_when_policy_says_so(fleet: World) -> None:
    fleet.run()
    job = next(iter(fleet.jobs()))
    now = fleet.clock.now().hour
    for rules, runs in (
        ({"is_nightly": False, "nightly_hour_utc": now}, 1),
        ({"nightly_hour_utc": (now + 1) % 24}, 1),
        ({"nightly_hour_utc": now}, 2),
        ({"nightly_hour_utc": now}, 2),
    ):
        bound(fleet, **rules)
        start_nightly(fleet.house, job)
        assert fleet.stage.count("SELECT count(*) FROM reconciliation") == runs


def test_a_silent_plane_holds_up_no_other(tmp_path: Path) -> None:
    with world("sqlite", tmp_path, str, slugs=("acme", "bolt"), far=("zulu",)) as made:
        made.provider.knows(subscription("zulu", status="dreaming"))
        made.run()
        assert [each[2] for each in made.kinds()] == ["open"]
        made.stage = replace(made.stage, house=behind(made.stage, planes=SilentPlanes()))
        run = made.run()
        assert (run.state, run.counts["tenants_silent"], run.counts["tenants"]) == (RunState.DONE, 1, 3)
        assert [each[2] for each in made.kinds()] == ["open"]  # nobody looked, so nothing is gone


def test_it_asks_no_more_often_after_many_nights_for_what_old_runs_left(fleet: World) -> None:
    fleet.run()
    nights = [replace(A_RUN, id=ReconciliationId(f"rcn_{night}"), state=RunState.DONE) for night in range(60)]
    with fleet.house.store.write() as unit:
        for night in nights:
            assert unit.runs.add(night)
    with counted(fleet.stage.storage.engines()) as asked, fleet.house.store.write() as unit:
        gone = unit.staging.purge(before=fleet.house.clock.now() + timedelta(days=9), limit=1_000)
    assert gone > 0
    assert asked.statements == 3
