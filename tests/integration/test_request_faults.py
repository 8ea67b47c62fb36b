"""Requests where something comes between: somebody faster, a freeze, another policy, a release, a form of another."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from console.domain.decisions import Deny, DenyCode, NeedsStepUp
from console.domain.errors import ConflictError, NotFoundError
from console.domain.freezes import Freeze, FreezeScope
from console.domain.ids import ActionKey, Digest, ExecutionId, FreezeId, RequestId, TenantId
from console.domain.requests import Request, State, Verdict
from console.domain.tenancy import TenantStatus
from console.ports.actions import Action, Fault
from console.storage.leases import StoredLeases
from console.storage.requests import StoredRequests
from console.usecases import execute_request as executor
from console.usecases.change_request import revise_request
from console.usecases.execute_request import execute_request, settle
from console.usecases.house import House
from console.usecases.outcomes import BadFields, Failed, Previewed, Ran, Unsettled, Waiting
from console.usecases.prepare_action import preview_action
from console.usecases.propose_action import propose_action
from console.usecases.read_requests import read_inbox
from console.usecases.scopes import directory_row
from console.usecases.vote_on_request import Voted, vote_on_request
from tests.databases import HandClock
from tests.integration.overtaking import overtake
from tests.integration.stage import (
    CONTRACT,
    FAR,
    FRAUD,
    NOTE,
    OVERRIDE,
    SUSPEND,
    UNTIL,
    Stage,
    behind,
    book,
    by_hand,
    new_urls,
    opened_stage,
    settle_in,
    tenant,
)
from tests.integration.test_crash_path import Killed, Meddled, die, recover
from tests.web.cast import PEOPLE

NOWHERE = RequestId("req_none")
AGENT = "support_agent"


@contextmanager
def opened(path: Path, *keys: ActionKey) -> Iterator[Stage]:
    """Open a stage with a tenant here and one elsewhere; these actions are run by hand."""
    url, planes = new_urls("sqlite", path, str, far=True)
    with opened_stage(url, planes, clock=HandClock(), policy=by_hand(book(), *keys)) as made:
        settle_in(made, ["acme"], far=["zeta"])
        for slug in ("acme", "zeta"):
            made.open(AGENT, slug)
        yield made


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with opened(tmp_path, OVERRIDE) as made:
        yield made


@pytest.fixture
def prompt(tmp_path: Path) -> Iterator[Stage]:
    """Return a stage on which the last vote sets a change off."""
    with opened(tmp_path) as made:
        yield made


def approved(stage: Stage, slug: str = "acme", value: int = 300) -> Request:
    return stage.approve("finance_lead", stage.filed(AGENT, slug, value)).request


def run(stage: Stage, request: Request, house: House | None = None, **changed: Any) -> object:  # noqa: ANN401
    actor = replace(stage.actor(AGENT), **changed)
    return execute_request(house or stage.house, actor, request_id=request.id)


def freeze(stage: Stage, who: str) -> None:
    frozen = Freeze(
        id=FreezeId(f"frz_{who}"), scope=FreezeScope.PERSON, subject=PEOPLE[who].id, name=who, is_drill=False,
        reason=CONTRACT, set_by=PEOPLE["on_call"].id, set_at=stage.house.clock.now(),
    )  # fmt: skip
    with stage.storage.store.write() as unit:
        unit.freezes.add(frozen)


def code(answer: object) -> DenyCode:
    assert isinstance(answer, Deny), answer
    return answer.code


def released(stage: Stage, key: ActionKey, **changed: Any) -> House:  # noqa: ANN401  fields of Action
    """Return the house after a release in which an action works differently, though its version says otherwise."""
    newer: Action[Any] = replace(stage.house.registry[key], **changed)
    return behind(stage, registry={**stage.house.registry, key: newer})


def refusing(_values: object) -> object:
    raise Fault("value", "Nobody gets as many any more.")


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
    assert [each.sentence for each in told] == ["Not done: Override a limit. The request says why."]


def test_what_fails_as_somebody_else_runs_it_is_left_to_them(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def unfit(*_given: Any) -> object:  # noqa: ANN401  whatever it is given
        overtake(monkeypatch, StoredRequests, "move")
        raise Fault("value", "The tenant is full.")

    request = approved(stage)
    monkeypatch.setattr(executor, "apply_with_access", unfit)
    assert code(run(stage, request)) is DenyCode.WRONG_STATE
    assert (stage.now(request.id).state, stage.entries("action.failed")) == (State.APPROVED, 0)


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


# --- asking ---


def propose(stage: Stage, who: str = AGENT, **changed: Any) -> object:  # noqa: ANN401  as propose_action takes it
    asked: dict[str, Any] = {
        "key": NOTE, "tenant": tenant("acme"), "raw": {"text": "Called back."}, "reason": CONTRACT, "mark": None,
        "form_id": stage.form(),
    }  # fmt: skip
    return propose_action(stage.house, stage.actor(who), **{**asked, **changed})


def preview(stage: Stage, who: str = AGENT, **changed: Any) -> object:  # noqa: ANN401  as preview_action takes it
    asked: dict[str, Any] = {"key": NOTE, "tenant": tenant("acme"), "raw": {"text": "Called."}, "reason": CONTRACT}
    return preview_action(stage.house, stage.actor(who), **{**asked, **changed})


@pytest.mark.parametrize(
    ("key", "of"), [("tenant.explode", tenant("acme")), (NOTE, None), ("staff.deactivate", tenant("acme"))]
)
@pytest.mark.parametrize("ask", [propose, preview])
def test_what_is_no_action_there_is_neither_shown_nor_done(
    stage: Stage, ask: Callable[..., object], key: str, of: TenantId | None
) -> None:
    assert code(ask(stage, key=ActionKey(key), tenant=of)) is DenyCode.UNKNOWN_ACTION
    assert stage.entries("request.refused") == 1


def test_a_preview_of_a_tenant_that_is_shut_shows_nothing_and_is_recorded(stage: Stage) -> None:
    assert code(preview(stage, "support_lead")) is DenyCode.NO_LEASE
    assert (stage.entries("request.refused"), stage.entries("request.previewed")) == (1, 0)
    assert isinstance(preview(stage), Previewed)


def test_what_somebody_else_moved_while_it_was_asked_for_is_refused_and_recorded(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    overtake(monkeypatch, StoredRequests, "move")
    assert code(propose(stage)) is DenyCode.WRONG_STATE
    assert (stage.entries("request.refused"), stage.entries("action.executed")) == (1, 0)


def test_what_a_plane_refuses_because_it_is_there_already_is_told_as_that(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(*_given: Any) -> object:  # noqa: ANN401  whatever it is given
        raise ConflictError("This plane has that row already.")

    monkeypatch.setattr(executor, "apply_with_access", taken)
    with pytest.raises(ConflictError, match="has that row already"):
        propose(stage)
    assert (stage.entries("action.executed"), stage.count("SELECT count(*) FROM request")) == (0, 0)


def test_an_inbox_is_no_page_for_somebody_without_a_role(stage: Stage) -> None:
    nobody = replace(stage.actor(AGENT), roles=frozenset())
    assert isinstance(read_inbox(stage.house, nobody, tab="all", after=None), Deny)
    assert (stage.entries("route.refused"), stage.entries("request.inbox_read")) == (1, 0)


# --- voting ---


def vote(stage: Stage, request: RequestId, digest: str) -> object:
    return vote_on_request(
        stage.house, stage.actor("finance_lead"), request_id=request, digest=Digest(digest), verdict=Verdict.APPROVE
    )


def test_nobody_votes_on_what_is_not_there(stage: Stage) -> None:
    with pytest.raises(NotFoundError):
        vote(stage, NOWHERE, "x")


def test_a_vote_that_loses_every_race_is_given_up_and_leaves_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = stage.filed(AGENT, "acme", 300)
    stage.see("finance_lead", request.id)
    with monkeypatch.context() as always:
        always.setattr(StoredRequests, "move", lambda *_given, **_named: False)
        with pytest.raises(ConflictError):
            vote(stage, request.id, request.digest)
    assert (stage.entries("request.vote"), stage.now(request.id).state) == (0, State.PENDING)
    assert isinstance(vote(stage, request.id, request.digest), Voted)


# --- revising ---


def revise(stage: Stage, request: Request, **raw: str) -> object:
    asked = {"feature": "seats", "value": "200", "until": UNTIL, **raw}
    return revise_request(stage.house, stage.actor(AGENT), request_id=request.id, raw=asked, mark=None)


def test_a_revision_has_to_fit_as_a_first_request_has(stage: Stage) -> None:
    request = stage.filed(AGENT, "acme", 300)
    for wrong, field in (
        ({"value": "many"}, "value"),
        ({"until": "2020-01-01"}, "until"),
        ({"feature": "x"}, "feature"),
    ):
        answer = revise(stage, request, **wrong)
        assert isinstance(answer, BadFields), answer
        assert [fault.field for fault in answer.faults] == [field]
    assert code(revise(stage, request, value="900000")) is not DenyCode.WRONG_STATE
    assert stage.now(request.id).revision == request.revision


def test_a_revision_to_which_nobody_has_to_agree_is_asked_for_anew(stage: Stage) -> None:
    key = ActionKey("access_policy.set")
    assert isinstance(stage.ask(AGENT, "acme", key, {"impersonation": "consent", "notify": "each"}), Ran)
    looser = stage.ask(AGENT, "acme", key, {"impersonation": "allowed", "notify": "each"})
    assert isinstance(looser, Waiting), looser
    stricter = {"impersonation": "refused", "notify": "each"}
    answer = revise_request(
        stage.house, stage.actor(AGENT), request_id=looser.request.id, raw=stricter, mark=None
    )  # fmt: skip
    assert code(answer) is DenyCode.ACTION_CHANGED
    assert stage.now(looser.request.id).revision == looser.request.revision


def test_a_revision_that_nobody_could_agree_to_is_refused(stage: Stage) -> None:
    request = stage.filed(AGENT, "acme", 300)
    with stage.storage.store.write() as unit:
        for who in ("finance_lead", "finance_lead_2"):
            unit.staff.set_active(PEOPLE[who].id, is_active=False, at=stage.house.clock.now())
    assert code(revise(stage, request)) is DenyCode.QUORUM_IMPOSSIBLE
    assert stage.now(request.id).revision == request.revision


def test_a_revision_needs_the_tenant_open(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    request = stage.filed(AGENT, "acme", 300)
    stage.house.clock.pass_by(hours=1)  # type: ignore[attr-defined]  # the hand clock
    overtake(monkeypatch, StoredLeases, "end")
    assert code(revise(stage, request)) is DenyCode.LEASE_ENDED
    assert stage.entries("lease.expired") == 0, "whoever was faster wrote it"
    assert code(revise(stage, request)) is DenyCode.NO_LEASE


def test_a_tenant_that_is_not_there_has_no_row(stage: Stage) -> None:
    with stage.storage.store.read() as unit, pytest.raises(NotFoundError):
        directory_row(unit, TenantId("ten_none"))
