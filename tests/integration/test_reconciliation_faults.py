"""A run that is overtaken, cut into slices, or kept from healing ends as it should, and never does a thing twice."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from console.domain.billing.objects import ObjectKind
from console.domain.errors import OutsideError, UnreadableObjectError
from console.domain.freezes import Freeze, FreezeScope
from console.domain.ids import FreezeId
from console.domain.jobs import Job, JobDraft, JobState
from console.domain.reconciling.findings import FindingState
from console.domain.reconciling.runs import Reconciliation, RunEvent, RunState
from console.storage.findings import StoredFindings
from console.storage.reconciliation_runs import StoredRuns
from console.usecases import run_reconciliation
from console.usecases.house import House
from console.usecases.reconciliation_work import RECONCILE_JOB, OvertakenError, moved
from console.usecases.run_jobs import run_due_jobs
from console.usecases.run_reconciliation import fail_reconciliation, step
from console.usecases.settle_findings import lapse_waivers
from tests.integration.overtaking import overtake
from tests.integration.reconciling_fleet import bound, broken
from tests.integration.reconciling_world import World, subscription, world
from tests.integration.stage import CONTRACT, tenant
from tests.integration.test_impersonation_planes import SilentPlanes
from tests.reconciling import A_RUN
from tests.web.cast import PEOPLE


@pytest.fixture
def small(tmp_path: Path) -> Iterator[World]:
    with world("sqlite", tmp_path, str) as made:
        yield made


def last_job(small: World) -> Job:
    return small.jobs()[0]


def queued(small: World, **payload: str) -> Job:
    """Queue a job with a payload, let it run, and return it."""
    with small.house.store.write() as unit:
        unit.jobs.add(
            JobDraft(kind=RECONCILE_JOB, key=small.house.ids.new("tst"), payload=payload), at=small.clock.now()
        )
    run_due_jobs(small.house, worker="w1")
    return last_job(small)


def passing(small: World, *, seconds: float) -> None:
    """Let time pass."""
    small.clock.pass_by(seconds=seconds)


def test_a_slice_ends_when_its_time_is_over_and_the_next_goes_on(small: World) -> None:
    small.provider.meanwhile = lambda _question: passing(small, seconds=15)
    run = small.start()
    run_due_jobs(small.house, worker="w1")
    first = small.stands(run)
    assert (first.state, last_job(small).state) == (RunState.PULLING, JobState.QUEUED)
    for _ in range(40):
        run_due_jobs(small.house, worker="w1")
    assert (small.stands(run).state, small.kinds()) == (RunState.DONE, [])


def test_a_slice_holds_so_many_steps_and_no_more(small: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_reconciliation, "_MOST_STEPS", 3)
    run, rounds = small.start(), 0
    while small.stands(run).is_open:
        assert run_due_jobs(small.house, worker="w1") == 1
        rounds += 1
    assert (small.stands(run).state, rounds > 3) == (RunState.DONE, True)


def rolled_back(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note why steps were rolled back from now on."""
    why = list[str]()

    def noting(house: House, job: Job, run: Reconciliation) -> Reconciliation:
        try:
            return step(house, job, run)
        except OvertakenError as overtaken:
            why.append(str(overtaken))
            raise

    monkeypatch.setattr(run_reconciliation, "step", noting)
    return why


@pytest.mark.parametrize(("book", "verb"), [(StoredRuns, "save"), (StoredFindings, "save")])
def test_a_step_that_was_overtaken_is_rolled_back_and_done_again(
    small: World, monkeypatch: pytest.MonkeyPatch, book: type, verb: str
) -> None:
    broken(small)
    small.run()
    overtake(monkeypatch, book, verb)
    why = rolled_back(monkeypatch)
    run = small.run()
    (finding,) = small.findings()
    assert (run.state, finding.state, finding.last_run) == (RunState.DONE, FindingState.OPEN, run.id)
    assert (run.counts["again"], run.counts["tenants"], len(why)) == (1, 3, 1)
    assert small.stage.entries("finding.opened") == 1


def test_what_is_gone_is_resolved_once_though_somebody_moved_it(small: World, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(small)
    small.run()
    small.provider.knows(subscription("bolt"))
    overtake(monkeypatch, StoredFindings, "save")
    why = rolled_back(monkeypatch)
    run = small.run()
    assert ([each.state for each in small.findings()], run.counts["resolved"]) == ([FindingState.RESOLVED], 1)
    assert (small.stage.entries("finding.resolved"), why) == (1, ["A finding moved meanwhile."])


def test_what_heals_is_healed_once_though_somebody_moved_it(small: World, monkeypatch: pytest.MonkeyPatch) -> None:
    small.provider.knows(subscription("bolt", status="past_due"))
    overtake(monkeypatch, StoredFindings, "save")
    why = rolled_back(monkeypatch)
    run = small.run()
    assert (run.state, run.counts["healed"], small.stage.entries("finding.healed")) == (RunState.DONE, 1, 1)
    assert why == ["A finding moved meanwhile."]


def test_a_waiver_that_somebody_moved_meanwhile_does_not_lapse(small: World, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(small)
    small.run()
    (finding,) = small.findings()
    small.change(finding, state=FindingState.WAIVED, waived_until=small.clock.now())
    overtake(monkeypatch, StoredFindings, "save")
    assert lapse_waivers(small.house) == 0
    assert small.stage.entries("finding.lapsed") == 0


def test_a_run_that_is_over_moves_nowhere() -> None:
    with pytest.raises(OvertakenError, match=r"^The run is over\.$"):
        moved(replace(A_RUN, state=RunState.DONE), RunEvent.BEGIN)


def test_a_job_without_a_run_is_refused_for_good(small: World) -> None:
    job = queued(small)
    assert (job.state, job.last_error) == (JobState.DEAD, "The job names no run.")
    assert small.stage.entries("reconciliation.failed") == 0


def test_a_job_whose_run_is_not_there_begins_none_beside_another(small: World) -> None:
    run = small.start()
    with small.house.store.write() as unit:
        unit.jobs.claim(worker="w9", now=small.clock.now(), until=small.clock.now() + timedelta(hours=1), limit=9)
    job = queued(small, run="rcn_other")
    assert (job.state, job.last_error) == (
        JobState.DEAD,
        "Another reconciliation over the same ground is under way.",
    )
    assert small.stands(run).is_open


def test_a_run_that_somebody_else_ended_does_not_fail(small: World, monkeypatch: pytest.MonkeyPatch) -> None:
    small.start()
    overtake(monkeypatch, StoredRuns, "save")
    fail_reconciliation(small.house, last_job(small))
    assert small.stage.entries("reconciliation.failed") == 0


def test_what_came_back_too_often_is_left_to_people(small: World) -> None:
    small.provider.knows(subscription("bolt", status="past_due"))
    bound(small, heal_most_returns=0)
    run = small.run()
    assert (run.state, run.counts["left_to_people"], run.counts.get("healed", 0)) == (RunState.DONE, 1, 0)
    assert [each.state for each in small.findings()] == [FindingState.OPEN]


def test_a_frozen_tenant_is_not_healed_and_the_next_run_finds_it_again(small: World) -> None:
    for slug in ("bolt", "cold"):
        small.provider.knows(subscription(slug, status="past_due"))
    on_call = PEOPLE["on_call"].id
    with small.house.store.write() as unit:
        unit.freezes.add(
            Freeze(
                id=FreezeId("frz_1"), scope=FreezeScope.TENANT, subject=tenant("bolt"), name="Bolt", is_drill=False,
                reason=CONTRACT, set_by=on_call, set_at=small.clock.now(),
            )
        )  # fmt: skip
    run = small.run()
    assert (run.state, run.counts["left_to_people"], run.counts["healed"]) == (RunState.DONE, 1, 1)
    with small.house.store.write() as unit:
        unit.freezes.lift(FreezeId("frz_1"), by=on_call, at=small.clock.now())
    stays = small.mirrored("bolt", ObjectKind.SUBSCRIPTION, "sub_bolt")
    assert stays is not None
    assert getattr(stays.thing, "status", "") == "active"
    assert small.run().counts["healed"] == 1


def test_it_heals_a_tenant_elsewhere_and_says_so_once(tmp_path: Path) -> None:
    with world("sqlite", tmp_path, str, slugs=("acme",), far=("zulu",)) as made:
        made.provider.knows(subscription("zulu", status="past_due"))
        run = made.run()
        healed = made.mirrored("zulu", ObjectKind.SUBSCRIPTION, "sub_zulu")
        assert healed is not None
        assert (run.counts["healed"], getattr(healed.thing, "status", "")) == (1, "past_due")
        assert made.stage.entries("finding.healed") == 1
        assert made.run().found == {}


def test_what_cannot_be_read_any_more_is_not_written_and_the_next_run_says_so(
    small: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetching = small.provider.fetch

    def garbled(kind: ObjectKind, thing: str) -> object:
        with small.house.store.read() as unit:
            healing = unit.runs.page(tenant=None, before=None, limit=1)[0].cursor.get("stage") == "heal"
        if healing and thing == "sub_bolt":
            raise UnreadableObjectError("It has no status.")
        return fetching(kind, thing)

    small.provider.knows(subscription("bolt", status="past_due"))
    monkeypatch.setattr(small.provider, "fetch", garbled)
    small.run()
    kept = small.mirrored("bolt", ObjectKind.SUBSCRIPTION, "sub_bolt")
    assert kept is not None
    assert getattr(kept.thing, "status", "") == "active"
    monkeypatch.setattr(small.provider, "fetch", fetching)
    again = small.run()
    assert [each.state for each in small.findings()] == [FindingState.RESOLVED]
    assert again.counts["healed"] == 1


@pytest.mark.parametrize("silent", ["acme", "bolt", "cold"])
def test_a_provider_that_falls_silent_within_a_batch_costs_no_tenant_twice(small: World, silent: str) -> None:
    for slug in ("acme", "bolt", "cold"):
        small.provider.knows(subscription(slug, status="dreaming"))

    def silent_once(question: tuple[str, ...]) -> None:
        if question[-2:] == (f"cus_{silent}", "") and small.stands(run).state is RunState.COMPARING:
            small.provider.meanwhile = lambda _question: None
            raise OutsideError("The provider does not answer.", permanent=False)

    small.provider.meanwhile = silent_once
    small.clock.pass_by(minutes=1)
    run = small.start()
    run_due_jobs(small.house, worker="w1")
    for _ in range(5):
        small.clock.pass_by(minutes=1)
        run_due_jobs(small.house, worker="w1")
    stands = small.stands(run)
    assert (stands.state, stands.counts["tenants"], stands.counts["seen"]) == (RunState.DONE, 3, 3)
    assert small.stage.entries("finding.opened") == 3


def test_of_a_silent_plane_only_the_first_tenant_is_tried(tmp_path: Path) -> None:
    with world("sqlite", tmp_path, str, slugs=("acme",), far=("yoke", "zulu")) as made:
        asked = list[object]()

        class Counting(SilentPlanes):
            """Planes that do not answer, and note who asked."""

            def read(self, scope: object) -> object:
                asked.append(scope)
                return super().read(scope)

        planes = Counting(made.stage)
        made.stage = replace(made.stage, house=replace(made.stage.house, planes=planes))  # type: ignore[arg-type]
        run = made.run()
        assert (run.state, run.counts["tenants_silent"], run.counts["tenants"]) == (RunState.DONE, 2, 3)
        assert len(asked) == 1


def test_a_run_over_one_tenant_of_a_silent_plane_waits_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_reconciliation, "_MOST_STEPS", 1)
    with world("sqlite", tmp_path, str, slugs=("acme",), far=("zulu",)) as made:
        house, run = made.stage.house, made.start("zulu")
        while made.stands(run).state is not RunState.COMPARING:
            run_due_jobs(made.house, worker="w1")
        made.stage = replace(made.stage, house=replace(house, planes=SilentPlanes(made.stage)))  # type: ignore[arg-type]
        run_due_jobs(made.house, worker="w1")
        assert made.stands(run).state is RunState.COMPARING
        assert "does not answer" in (last_job(made).last_error or "")
        made.stage = replace(made.stage, house=house)
        made.clock.pass_by(minutes=30)
        for _ in range(30):
            run_due_jobs(made.house, worker="w1")
        assert made.stands(run).state is RunState.DONE
