"""Access over time and over many tenants: ends that come by themselves, mass recalculations."""

from datetime import datetime
from typing import Any

import pytest

from console.domain.decisions import Deny
from console.domain.errors import OutsideError
from console.domain.ids import SHARED_PLANE, ActionKey
from console.domain.imports import WebhookEndpointRecord
from console.domain.jobs import Job
from console.domain.recalculations import BY_STAFF, CANARY_WAIT_S, MORE_LOSSES, Progress, SweepState, TenantState
from console.domain.tenancy import DirectoryRow
from console.ports.store import ControlUnit
from console.usecases import run_recalculation
from console.usecases.outcomes import BadFields, Ran
from console.usecases.run_jobs import run_due_jobs
from console.usecases.sweep_access import SWEEP_JOB
from tests.integration.access_desk import DAY, LEAD, OTHERS, RECALCULATED, SLUGS, Desk, desk, seats, too_generous
from tests.integration.cast import scope
from tests.integration.stage import SEATS, behind, rows, tenant
from tests.integration.test_crash_path import Meddled

__all__ = ["desk"]


@pytest.mark.parametrize("slug", ["shop1", "away"])
def test_an_end_takes_effect_at_its_moment_without_any_event(desk: Desk, slug: str) -> None:
    desk.override(slug, 500, until=2 * DAY)
    desk.write(slug)
    desk.clock.pass_by(hours=47, minutes=59)
    desk.job(SWEEP_JOB)
    assert seats(desk.stored(slug)) == 500
    desk.clock.pass_by(minutes=1)
    desk.job(SWEEP_JOB)
    assert seats(desk.stored(slug)) == SEATS
    desk.work()  # of a plane elsewhere a job of its own tells
    assert desk.stage.entries("access.recalculated") == 1
    desk.job(SWEEP_JOB)
    desk.work()
    assert desk.stage.entries("access.recalculated") == 1


def test_an_override_takes_effect_in_its_own_transaction(desk: Desk) -> None:
    desk.stage.open("support_agent", "shop1")
    request = desk.stage.filed("support_agent", "shop1", 200)
    desk.stage.approve("finance_lead", request)
    assert seats(desk.stored("shop1")) == 200
    changes = desk.stage.count(
        "SELECT count(*) FROM audit_event WHERE action = 'action.executed' AND body LIKE '%Effective set%'"
    )
    assert changes == 1


def test_it_tells_those_who_subscribe_by_name_once_for_each_change(desk: Desk) -> None:
    with desk.stage.storage.bulk.write() as bulk:
        bulk.put([
            WebhookEndpointRecord(
                tenant="shop1", external_id=name, url=f"https://{name}.shop1.example/in", created_at=desk.clock.now(),
                event_types=types,
            )
            for name, types in (("named", ("entitlements.*",)), ("other", ("invoice.*",)), ("everything", ()))
        ])  # fmt: skip
    desk.write("shop1")
    desk.override("shop1", 500, until=DAY)
    desk.job(SWEEP_JOB)
    told = "SELECT count(*) FROM plane_webhook_delivery WHERE event_type = 'entitlements.updated'"
    assert desk.stage.count(told) == 0
    desk.stage.open("support_agent", "shop1")
    recalculate = ActionKey("entitlement.recalculate")
    first, second = (desk.stage.ask("support_agent", "shop1", recalculate, {}) for _ in range(2))
    assert isinstance(first, Ran)
    assert isinstance(second, Ran)
    assert [change.field for change in first.applied.changes] == ["Seats", "Effective set"]
    assert (second.applied.changes, second.applied.sentence) == (
        (), "Nothing to do: the stored set (version 2) is up to date.",
    )  # fmt: skip
    assert desk.stage.count(told) == 1
    desk.clock.pass_by(days=1)
    desk.job(SWEEP_JOB)
    assert desk.stage.count(told) == 2


def test_it_plans_and_recalculates_canaries_first_and_then_the_others(desk: Desk) -> None:
    desk.write("shop0")
    sweep = desk.planned()
    others = len(OTHERS)
    assert (sweep.state, sweep.planned, sweep.losing) == (SweepState.PLANNED, len(SLUGS) + others, 0)
    desk.ran(LEAD, "entitlement.run_recalculation", run=sweep.id)
    desk.work()
    assert desk.progress(sweep.id) == Progress(done=5, waiting=3 + others)
    desk.clock.pass_by(seconds=5)
    desk.work()
    desk.clock.pass_by(seconds=30)
    desk.work()
    assert desk.progress(sweep.id) == Progress(done=5, waiting=3 + others)
    desk.clock.pass_by(seconds=CANARY_WAIT_S)
    desk.work()
    desk.clock.pass_by(seconds=2)
    desk.work()
    assert desk.progress(sweep.id) == Progress(done=8 + others)
    assert desk.sweep(sweep.id).state is SweepState.FINISHED
    assert seats(desk.stored("away")) == SEATS
    assert desk.stage.entries("access.recalculated") == len(SLUGS) + others
    assert [desk.stage.entries(f"access.{word}") for word in ("planned", "started", "finished")] == [1, 1, 1]
    assert desk.planned().planned == 0


def test_it_goes_on_where_it_was_when_its_worker_is_killed(desk: Desk) -> None:
    sweep = desk.planned()
    desk.ran(LEAD, "entitlement.run_recalculation", run=sweep.id)
    with desk.stage.storage.store.read() as unit:
        first = unit.recalculations.tenants(sweep.id, after=0, limit=1)[0]
    with desk.stage.storage.store.write() as unit:  # the set was stored and its settling was lost
        wanted = scope(first.tenant, plane=SHARED_PLANE, hours=24 * 60)
        if unit.directory.many([first.tenant])[first.tenant].plane == SHARED_PLANE:
            unit.tenant(wanted).recalculate(cause=sweep.id, at=desk.clock.now())
    for _ in range(20):
        desk.work()
        desk.clock.pass_by(seconds=30)
    assert desk.progress(sweep.id) == Progress(done=sweep.planned)
    assert all(desk.stored(slug) is not None for slug in SLUGS)


def test_it_says_what_a_killed_worker_did_elsewhere_and_says_it_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.write("away", stored=too_generous())
    sweep = desk.planned()
    desk.ran(LEAD, "entitlement.run_recalculation", run=sweep.id)
    settling = run_recalculation._settle

    def dying(unit: ControlUnit, job: Job, row: DirectoryRow, *rest: Any, at: datetime) -> None:  # noqa: ANN401
        if row.id == tenant("away"):
            monkeypatch.setattr(run_recalculation, "_settle", settling)
            raise KeyboardInterrupt  # the plane has committed, the control store has not
        settling(unit, job, row, *rest, at=at)

    monkeypatch.setattr(run_recalculation, "_settle", dying)
    deaths = 0
    for _ in range(20):
        try:
            desk.work()
        except KeyboardInterrupt:
            deaths += 1
            assert seats(desk.stored("away")) == SEATS
            desk.clock.pass_by(seconds=desk.house.book.jobs.lease_seconds)
        desk.clock.pass_by(seconds=30)
    assert (deaths, desk.progress(sweep.id)) == (1, Progress(done=sweep.planned))
    assert desk.stage.entries("access.recalculated") == sweep.planned
    body = rows(desk.stage.url, "SELECT body FROM audit_event WHERE action = 'access.recalculated' AND tenant = ?",
                tenant("away"))[0][0]  # fmt: skip
    assert all(word in body for word in ('"900', '"version 2"', '"lost":1'))


def test_it_says_what_a_plane_did_whose_answer_was_lost_and_nothing_where_it_did_nothing(desk: Desk) -> None:
    desk.write("away", stored=too_generous())
    told: list[int] = []
    for step, often in (("inside", 0), ("after", 1)):
        sweep = desk.planned()
        desk.ran(LEAD, "entitlement.run_recalculation", run=sweep.id)
        silent = behind(desk.stage, planes=Meddled(desk.house.planes, **{step: fall_silent}))
        for _ in range(20):
            run_due_jobs(silent, worker="w1", limit=20)
            desk.clock.pass_by(seconds=30)
        assert desk.progress(sweep.id).failed == 1
        assert seats(desk.stored("away")) == (SEATS if often else 900)
        desk.clock.pass_by(hours=1)
        desk.work(2)
        told.append(desk.stage.count(RECALCULATED, tenant("away")))
    assert told == [0, 1]


def fall_silent() -> None:
    """Be a plane that does not answer any more."""
    message = "The plane does not answer."
    raise OutsideError(message, permanent=False)


def test_it_holds_a_tenant_that_would_lose_more_than_was_planned_and_stops(desk: Desk) -> None:
    sweep = desk.planned()
    desk.write("shop3", stored=too_generous())
    desk.ran(LEAD, "entitlement.run_recalculation", run=sweep.id)
    for _ in range(20):
        desk.work()
        desk.clock.pass_by(seconds=30)
    stopped = desk.sweep(sweep.id)
    assert (stopped.state, stopped.because, desk.progress(sweep.id).held) == (SweepState.PAUSED, MORE_LOSSES, 1)
    assert seats(desk.stored("shop3")) == 900
    desk.ran(LEAD, "entitlement.resume_recalculation", run=sweep.id)
    for _ in range(20):
        desk.work()
        desk.clock.pass_by(seconds=30)
    assert desk.sweep(sweep.id).state is SweepState.FINISHED
    assert desk.progress(sweep.id) == Progress(done=sweep.planned - 1, held=1)


def test_people_hold_it_and_end_it(desk: Desk) -> None:
    sweep = desk.planned()
    desk.ran(LEAD, "entitlement.run_recalculation", run=sweep.id)
    desk.ran(LEAD, "entitlement.pause_recalculation", run=sweep.id)
    desk.work()
    assert (desk.sweep(sweep.id).because, desk.progress(sweep.id).done) == (BY_STAFF, 0)
    desk.ran(LEAD, "entitlement.cancel_recalculation", run=sweep.id)
    desk.clock.pass_by(seconds=30)
    desk.work()
    assert (desk.sweep(sweep.id).state, desk.progress(sweep.id).done) == (SweepState.CANCELLED, 0)


def test_it_lists_who_loses_and_lets_few_losers_through_without_approval(desk: Desk) -> None:
    for slug in SLUGS:
        desk.write(slug, stored=too_generous())
    sweep = desk.planned()
    assert sweep.losing == len(SLUGS)
    with desk.stage.storage.store.read() as unit:
        losers = unit.recalculations.tenants(sweep.id, after=0, limit=50, losers_only=True)
    assert {each.losses for each in losers} == {1}
    assert sum(each.is_canary for each in losers) >= 2
    assert isinstance(desk.asked("support_agent", "entitlement.run_recalculation", run=sweep.id), Deny)
    assert isinstance(desk.asked(LEAD, "entitlement.run_recalculation", run=sweep.id), Ran)


def test_a_list_that_was_altered_does_not_run(desk: Desk) -> None:
    sweep = desk.planned()
    with desk.stage.storage.store.write() as unit:
        listed = unit.recalculations.tenants(sweep.id, after=0, limit=50)
        assert unit.recalculations.settle(listed[0], TenantState.DONE, because=None, at=desk.clock.now())
        assert not unit.recalculations.settle(listed[0], TenantState.DONE, because=None, at=desk.clock.now())
        unit.recalculations.order(sweep.id, frozenset({listed[-1].tenant}))
    answer = desk.asked(LEAD, "entitlement.run_recalculation", run=sweep.id)
    assert isinstance(answer, BadFields)
    assert "not what was planned" in answer.faults[0].remedy
