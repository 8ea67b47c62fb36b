"""Executions where something comes between: somebody faster, a freeze, another policy, a release, a crash."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from console.domain.decisions import Deny, DenyCode, NeedsStepUp
from console.domain.errors import NotFoundError
from console.domain.ids import ExecutionId
from console.domain.requests import Request, State, Verdict
from console.domain.tenancy import TenantStatus
from console.ports.actions import Fault
from console.storage.requests import StoredRequests
from console.usecases import execute_request as executor
from console.usecases.execute_request import execute_request, settle
from console.usecases.outcomes import Failed, Ran, Unsettled, Waiting
from console.usecases.scopes import directory_row
from console.usecases.verify_request import overtaken
from console.usecases.vote_on_request import Voted, vote_on_request
from tests.integration.overtaking import overtake
from tests.integration.request_stage import AGENT, approved, code, freeze, opened, refusing, released, run
from tests.integration.stage import (
    FAR,
    FRAUD,
    NOTE,
    OVERRIDE,
    SUSPEND,
    Stage,
    behind,
    tenant,
)
from tests.integration.test_crash_path import Killed, Meddled, die, recover
from tests.web.cast import PEOPLE


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with opened(tmp_path, OVERRIDE) as made:
        yield made


@pytest.fixture
def prompt(tmp_path: Path) -> Iterator[Stage]:
    """Return a stage on which the last vote sets a change off."""
    with opened(tmp_path) as made:
        yield made


# --- execution ---


def test_whoever_must_confirm_shows_a_second_factor_before_anything_runs(stage: Stage) -> None:
    request = approved(stage)
    assert isinstance(run(stage, request, confirm_after=stage.house.clock.now()), NeedsStepUp)
    assert stage.now(request.id).state is State.APPROVED
    assert isinstance(run(stage, request), Ran)


def test_what_ran_out_of_time_while_somebody_else_wrote_that_is_written_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = stage.filed(AGENT, "acme", 300)
    stage.house.clock.pass_by(days=9)  # type: ignore[attr-defined]  # the hand clock
    overtake(monkeypatch, StoredRequests, "move")
    assert code(run(stage, request)) is DenyCode.EXPIRED
    assert (stage.now(request.id).state, stage.entries("request.expired")) == (State.EXPIRED_PENDING, 0)


def test_a_change_that_was_approved_does_not_run_for_somebody_who_is_frozen(prompt: Stage) -> None:
    request = prompt.filed(AGENT, "acme", 300)
    freeze(prompt, AGENT)
    voted = prompt.approve("finance_lead", request)
    assert code(voted.execution) is DenyCode.FROZEN
    assert (prompt.now(request.id).state, prompt.entries("action.executed")) == (State.APPROVED, 0)


def test_a_freeze_between_intent_and_effect_elsewhere_lets_nothing_happen(
    prompt: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    applying = executor._apply_far_away

    def frozen_meanwhile(*given: Any) -> object:  # noqa: ANN401  handed on
        freeze(prompt, AGENT)
        return applying(*given)

    monkeypatch.setattr(executor, "_apply_far_away", frozen_meanwhile)
    request = prompt.filed(AGENT, "zeta", 300)
    voted = prompt.approve("finance_lead", request)
    assert isinstance(voted.execution, Failed)
    assert "frozen" in voted.execution.sentence
    assert prompt.now(request.id).state is State.FAILED
    assert prompt.count("SELECT count(*) FROM plane_entitlement_override", plane=FAR) == 0


def test_who_asked_is_told_that_somebody_elses_vote_set_off_what_could_not_be_done(prompt: Stage) -> None:
    def no_longer() -> None:
        raise Fault("value", "The tenant is full.")

    request = prompt.filed(AGENT, "zeta", 300)
    prompt.see("finance_lead", request.id)
    voted = vote_on_request(
        behind(prompt, planes=Meddled(prompt.house.planes, before=no_longer)), prompt.actor("finance_lead"),
        request_id=request.id, digest=request.digest, verdict=Verdict.APPROVE,
    )  # fmt: skip
    assert isinstance(voted, Voted)
    assert isinstance(voted.execution, Failed)
    with prompt.storage.store.read() as unit:
        told = [each for each in unit.outbox.unread(PEOPLE[AGENT].id, limit=9) if each.kind == "failed"]
    assert [(each.path, "says why" in each.sentence) for each in told] == [(f"/requests/{request.id}", True)]


def test_what_fails_as_somebody_else_runs_it_is_left_to_them(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def unfit(*_given: Any) -> object:  # noqa: ANN401  whatever it is given
        overtake(monkeypatch, StoredRequests, "move")
        raise Fault("value", "The tenant is full.")

    request = approved(stage)
    monkeypatch.setattr(executor, "apply_with_access", unfit)
    assert code(run(stage, request)) is DenyCode.WRONG_STATE
    assert (stage.now(request.id).state, stage.entries("action.failed")) == (State.APPROVED, 0)


def test_a_refusal_that_is_no_lost_race_is_handed_on_as_it_is(stage: Stage) -> None:
    request, frozen = approved(stage), Deny(code=DenyCode.FROZEN, rules=(), sentence="Noor is frozen.", remedy="Wait.")
    assert overtaken(stage.house, request, frozen) == frozen
    lost = overtaken(stage.house, request, replace(frozen, code=DenyCode.WRONG_STATE))
    assert lost.sentence == "Somebody else was faster: the request is approved."


def test_an_execution_that_names_no_tenant_is_carried_nowhere(stage: Stage) -> None:
    request = replace(approved(stage, "zeta"), tenant=None)
    with pytest.raises(NotFoundError):
        settle(stage.house, stage.actor(AGENT), Unsettled(request=request))


# --- what the world became ---


def test_policy_that_asks_for_more_than_was_agreed_sends_it_back(stage: Stage) -> None:
    request = approved(stage)
    tiers = {name: tuple(replace(need, count=2) for need in needs) for name, needs in stage.house.book.tiers.items()}
    stricter = behind(stage, book=replace(stage.house.book, tiers=tiers))
    answer = run(stage, request, stricter)
    assert code(answer) is DenyCode.ACTION_CHANGED
    assert isinstance(answer, Deny)
    assert answer.sentence == "Policy asks for more approval than it did."
    assert isinstance(run(stage, request), Ran)


def test_parameters_that_a_release_no_longer_takes_do_not_run(stage: Stage) -> None:
    request = approved(stage)
    answer = run(stage, request, released(stage, OVERRIDE, build=refusing))
    assert code(answer) is DenyCode.PRECONDITION_STALE
    assert isinstance(answer, Deny)
    assert answer.sentence == "Nobody gets as many any more."
    assert (stage.now(request.id).state, stage.entries("request.stale")) == (State.STALE, 1)


@pytest.mark.parametrize("what", ["drift", "votes"])
def test_what_somebody_else_sent_back_first_is_sent_back_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    request = approved(stage)
    if what == "votes":
        with stage.storage.store.write() as unit:
            unit.staff.set_active(PEOPLE["finance_lead"].id, is_active=False, at=stage.house.clock.now())
    house = stage.house if what == "votes" else released(stage, OVERRIDE, build=refusing)
    overtake(monkeypatch, StoredRequests, "move")
    assert isinstance(run(stage, request, house), Deny)
    assert stage.entries("request.stale") == stage.entries("request.votes_voided") == 0


# --- recovery ---


def stuck(stage: Stage, request: Request, step: str = "after") -> None:
    """Let the process die while the other plane is written."""
    with pytest.raises(Killed):
        run(stage, request, behind(stage, planes=Meddled(stage.house.planes, **{step: die})))


def test_the_directory_follows_what_a_plane_confirms_after_a_crash(tmp_path: Path) -> None:
    with opened(tmp_path, SUSPEND) as stage:
        stage.open("support_lead", "zeta", FRAUD)
        asked = stage.ask("support_lead", "zeta", SUSPEND, {"because": "Many cards, one address."}, reason=FRAUD)
        assert isinstance(asked, Waiting), asked
        for who in ("support_lead_2", "on_call"):
            stage.approve(who, asked.request)
        house = behind(stage, planes=Meddled(stage.house.planes, after=die))
        with pytest.raises(Killed):
            execute_request(house, stage.actor("support_lead"), request_id=asked.request.id)
        assert recover(stage) == ["executed"]
        with stage.storage.store.read() as unit:
            assert directory_row(unit, tenant("zeta")).status is TenantStatus.SUSPENDED


@pytest.mark.parametrize("change", ["gone", "stricter"])
def test_a_release_that_no_longer_knows_what_is_stuck_keeps_no_other_waiting(stage: Stage, change: str) -> None:
    first, second = approved(stage, "zeta"), stage.ask(AGENT, "zeta", NOTE, {"text": "Called back."})
    assert isinstance(second, Ran)
    stuck(stage, first)
    others = {key: action for key, action in stage.house.registry.items() if key != OVERRIDE}
    house = behind(stage, registry=others) if change == "gone" else released(stage, OVERRIDE, build=refusing)
    assert recover(stage, house) == ["unknown"]
    assert stage.now(first.id).state is State.EXECUTING, "whoever releases the old code again settles it"
    assert recover(stage) == ["executed"]


def test_an_action_that_a_release_no_longer_knows_is_run_by_nobody_and_stays_approved(stage: Stage) -> None:
    request = approved(stage, "zeta")
    others = {key: action for key, action in stage.house.registry.items() if key != OVERRIDE}
    answer = execute_request(behind(stage, registry=others), stage.actor(AGENT), request_id=request.id)
    assert isinstance(answer, Deny)
    assert answer.code is DenyCode.ACTION_CHANGED
    assert stage.now(request.id).state is State.APPROVED
    assert isinstance(execute_request(stage.house, stage.actor(AGENT), request_id=request.id), Ran)


def test_what_never_named_a_plane_is_abandoned(stage: Stage) -> None:
    request = approved(stage, "zeta")
    with stage.storage.store.write() as unit:
        moved = unit.requests.move(
            request, State.EXECUTING, execution=ExecutionId("exe_1"), executor=PEOPLE[AGENT].id,
            started_at=stage.house.clock.now(),
        )  # fmt: skip
        assert moved
    with stage.storage.store.read() as unit:
        (waiting,) = unit.requests.executing(started_before=stage.house.clock.now() + timedelta(1), limit=9)
    with stage.storage.store.write() as unit:
        assert unit.requests.move(waiting, State.EXECUTING, execution=None)
    assert recover(stage) == ["failed"]
    assert stage.now(request.id).state is State.FAILED


def test_what_was_settled_while_the_recovery_asked_stays_as_it_was_settled(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = approved(stage, "zeta")
    stuck(stage, request, "before")
    overtake(monkeypatch, StoredRequests, "move")
    assert recover(stage) == ["settled"]
    assert stage.entries("action.failed", request.id) == 0
