"""How broken glass fires once, when its minute is over, and all that stops it before."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from console.domain.decisions import DenyCode
from console.domain.jobs import Job
from console.domain.requests import Request, State
from console.domain.reviews import ReviewKind, ReviewState
from console.storage.requests import StoredRequests
from console.usecases.break_glass import FIRE_JOB
from console.usecases.change_request import cancel_request, revoke_request
from console.usecases.control_tools import UnitTools
from console.usecases.end_execution import fail
from console.usecases.execute_request import execute_request
from console.usecases.fire_break_glass import fire_break_glass
from console.usecases.job_outcomes import Again, Done, JobRefusedError
from console.usecases.keep_time import end_overdue
from console.usecases.outcomes import CountingDown, Ran
from tests.integration.emergency import Emergency, code, fire
from tests.integration.overtaking import overtake
from tests.integration.stage import rows, tenant
from tests.web.cast import PEOPLE

__all__ = ["fire"]


def test_the_requester_stops_it_within_the_minute(fire: Emergency) -> None:
    fire.open()
    request = fire.begun()
    assert isinstance(cancel_request(fire.stage.house, fire.stage.actor("on_call"), request_id=request.id), Request)
    fire.after(120)
    assert fire.stage.now(request.id).state is State.CANCELLED
    assert fire.stage.entries("action.executed", request.id) == 0
    with fire.stage.storage.store.read() as unit:
        review = unit.reviews.of(ReviewKind.BREAK_GLASS, request.id)
        assert unit.reviews.owed_by(request.requester_person) is None
    assert review is not None
    assert review.state is ReviewState.WITHDRAWN


def test_an_approver_who_was_skipped_stops_it_and_nobody_else(fire: Emergency) -> None:
    fire.open()
    request = fire.begun()
    stranger = revoke_request(fire.stage.house, fire.stage.actor("finance"), request_id=request.id, because="No.")
    assert code(stranger) is DenyCode.NOT_YOURS
    stopped = revoke_request(fire.stage.house, fire.stage.actor("support_lead"), request_id=request.id, because="No.")
    assert isinstance(stopped, Request)
    fire.after(120)
    assert fire.stage.now(request.id).state is State.REVOKED


def test_nobody_runs_it_before_its_minute_is_over(fire: Emergency) -> None:
    fire.open()
    request = fire.begun()
    early = execute_request(fire.stage.house, fire.stage.actor("on_call"), request_id=request.id)
    assert code(early) is DenyCode.WRONG_STATE
    fire.clock.pass_by(seconds=60)
    run = execute_request(fire.stage.house, fire.stage.actor("on_call"), request_id=request.id)
    assert isinstance(run, Ran)


def test_a_runner_that_was_down_too_long_fires_nothing(fire: Emergency) -> None:
    fire.open()
    request = fire.begun()
    fire.clock.pass_by(minutes=7)
    assert end_overdue(fire.stage.house) >= 1
    fire.after(0)
    assert fire.stage.now(request.id).state is State.EXPIRED_APPROVED
    assert fire.stage.entries("action.executed", request.id) == 0


@pytest.mark.checklist("EAM-90")
def test_a_drill_rehearses_all_of_it_and_changes_nothing(fire: Emergency) -> None:
    fire.open()
    request = fire.begun(drill=True)
    assert "break_glass" in fire.told("security_auditor")
    fire.after(60)
    ended = fire.stage.now(request.id)
    assert (ended.state, ended.ended_because) == (
        State.CANCELLED,
        "it was a drill; it would have run, and nothing was changed",
    )
    assert fire.stage.entries("break_glass.rehearsed", request.id) == 1
    assert fire.stage.entries("action.executed", request.id) == 0
    with fire.stage.storage.store.read() as unit:
        assert unit.reviews.owed_by(request.requester_person) is None
        assert unit.glass.tainting(tenant("acme"), fire.clock.now()) is None
        row = unit.directory.get(tenant("acme"))
    assert row is not None
    assert row.status.value == "active"


def test_a_deactivated_person_fires_nothing(fire: Emergency) -> None:
    fire.open()
    request = fire.begun()
    with fire.stage.storage.store.write() as unit:
        unit.staff.set_active(PEOPLE["on_call"].id, is_active=False, at=fire.clock.now())
    fire.after(60)
    assert fire.stage.now(request.id).state is State.COUNTING_DOWN
    assert fire.stage.entries("action.executed", request.id) == 0
    assert fire.stage.entries("job.refused") == 1


def test_a_tenant_that_changed_meanwhile_is_left_as_it_is(fire: Emergency) -> None:
    fire.open()
    request = fire.begun()
    rows(fire.stage.url, "UPDATE plane_account SET status = 'suspended' WHERE tenant_id = ?", tenant("acme"))
    fire.after(60)
    assert fire.stage.now(request.id).state is State.STALE
    assert fire.stage.entries("action.executed", request.id) == 0


def expired(fire: Emergency, request: Request) -> None:
    fire.clock.pass_by(minutes=7)
    end_overdue(fire.stage.house)


def expired_as_it_was_run(fire: Emergency, request: Request) -> None:
    fire.clock.pass_by(minutes=7)
    execute_request(fire.stage.house, fire.stage.actor("on_call"), request_id=request.id)


def overtaken_by_the_tenant(fire: Emergency, request: Request) -> None:
    rows(fire.stage.url, "UPDATE plane_account SET status = 'suspended' WHERE tenant_id = ?", tenant("acme"))
    fire.after(60)


def failed(fire: Emergency, request: Request) -> None:
    fire.clock.pass_by(seconds=60)
    with fire.stage.storage.store.write() as unit:
        fail(fire.stage.house, unit, fire.stage.actor("on_call"), request, "It does not work.", at=fire.clock.now())


def stopped(fire: Emergency, request: Request) -> None:
    cancel_request(fire.stage.house, fire.stage.actor("on_call"), request_id=request.id)


def left_by_its_requester(fire: Emergency, request: Request) -> None:
    with fire.stage.storage.store.write() as unit:
        actor = fire.stage.actor("administrator")
        tools = UnitTools(house=fire.stage.house, unit=unit, actor=actor, tenant=None)
        tools.end_everything_of(PEOPLE["on_call"].id, at=fire.clock.now())


ENDINGS: Mapping[Callable[[Emergency, Request], None], State] = {
    expired: State.EXPIRED_APPROVED,
    expired_as_it_was_run: State.EXPIRED_APPROVED,
    overtaken_by_the_tenant: State.STALE,
    failed: State.FAILED,
    stopped: State.CANCELLED,
    left_by_its_requester: State.CANCELLED,
}


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda ending: ending.__name__)
def test_a_use_that_did_nothing_owes_no_review_and_casts_no_shadow(
    fire: Emergency, ending: Callable[[Emergency, Request], None]
) -> None:
    fire.open()
    request = fire.begun()
    ending(fire, request)
    assert fire.stage.now(request.id).state is ENDINGS[ending]
    with fire.stage.storage.store.read() as unit:
        review = unit.reviews.of(ReviewKind.BREAK_GLASS, request.id)
        assert unit.reviews.owed_by(request.requester_person) is None
        assert unit.glass.tainting(tenant("acme"), fire.clock.now()) is None
    assert review is not None
    assert review.state is ReviewState.WITHDRAWN
    assert fire.stage.entries("action.executed", request.id) == 0
    fire.open(slug="zeta")
    assert isinstance(fire.smash(slug="zeta"), CountingDown)


SMALL = pytest.mark.parametrize("fire", ["sqlite"], indirect=True)


def firing(fire: Emergency) -> Job:
    """Return the job that fires what counts down."""
    with fire.stage.storage.store.read() as unit:
        (job,) = unit.jobs.page(state=None, kind=FIRE_JOB, fingerprint=None, tenant=None, before=None, limit=1)
    return job


@SMALL
@pytest.mark.parametrize("spoiled", [{"payload": {}}, {"actor": PEOPLE["engineer"].id}, {"actor": None}])
def test_no_job_fires_what_nobody_broke_glass_for(fire: Emergency, spoiled: dict[str, Any]) -> None:
    fire.open()
    request = fire.begun()
    fire.clock.pass_by(seconds=60)
    with pytest.raises(JobRefusedError, match="no such use of break-glass"):
        fire_break_glass(fire.stage.house, replace(firing(fire), **spoiled))
    assert fire.stage.now(request.id).state is State.COUNTING_DOWN


@SMALL
def test_a_job_that_comes_too_early_waits_and_one_that_comes_too_late_does_nothing(fire: Emergency) -> None:
    fire.open()
    request, job = fire.begun(), firing(fire)
    fire.clock.pass_by(seconds=59)
    assert fire_break_glass(fire.stage.house, job) == Again(at=request.approve_by)
    assert fire.stage.now(request.id).state is State.COUNTING_DOWN
    fire.after(1)
    assert fire_break_glass(fire.stage.house, job) == Done()
    assert fire.stage.entries("action.executed", request.id) == 1


@SMALL
def test_a_drill_that_somebody_stops_as_it_ends_was_not_rehearsed(
    fire: Emergency, monkeypatch: pytest.MonkeyPatch
) -> None:
    fire.open()
    request = fire.begun(drill=True)
    overtake(monkeypatch, StoredRequests, "move")
    fire.after(60)
    assert fire.stage.now(request.id).state is State.CANCELLED
    assert fire.stage.entries("break_glass.rehearsed") == 0
    assert "drill" not in fire.told("on_call")
