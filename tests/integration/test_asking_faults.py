"""Asking, voting and revising where somebody else is faster, or what is asked for is none, or not any more."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from console.domain.decisions import Deny, DenyCode
from console.domain.errors import ConflictError, NotFoundError
from console.domain.ids import ActionKey, Digest, RequestId, TenantId
from console.domain.requests import Request, State, Verdict
from console.storage.leases import StoredLeases
from console.storage.requests import StoredRequests
from console.usecases import execute_request as executor
from console.usecases.change_request import revise_request
from console.usecases.outcomes import BadFields, Previewed, Ran, Waiting
from console.usecases.prepare_action import ActionForm, action_form, preview_action
from console.usecases.propose_action import propose_action
from console.usecases.read_requests import read_inbox
from console.usecases.scopes import directory_row
from console.usecases.vote_on_request import Voted, vote_on_request
from tests.integration.overtaking import overtake
from tests.integration.request_stage import AGENT, NOWHERE, code, opened
from tests.integration.stage import (
    CONTRACT,
    NOTE,
    OVERRIDE,
    UNTIL,
    Stage,
    tenant,
)
from tests.web.cast import PEOPLE


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with opened(tmp_path, OVERRIDE) as made:
        yield made


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


def form(stage: Stage, who: str, key: str, of: TenantId | None) -> object:
    return action_form(stage.house, stage.actor(who), key=ActionKey(key), tenant=of, typed={}, is_opening=True)


def test_a_form_is_opened_on_an_open_tenant_by_who_may_ask_and_anything_else_is_recorded(stage: Stage) -> None:
    assert code(form(stage, "support_lead", NOTE, tenant("acme"))) is DenyCode.NO_LEASE
    assert code(form(stage, "finance", "staff.deactivate", None)) is DenyCode.ROLE_MISSING
    assert (stage.entries("request.refused"), stage.entries("tenant.read")) == (2, 0)
    assert isinstance(form(stage, AGENT, NOTE, tenant("acme")), ActionForm)
    assert (stage.entries("request.refused"), stage.entries("tenant.read")) == (2, 1)


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
