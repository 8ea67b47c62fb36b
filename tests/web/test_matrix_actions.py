"""Every governed action by every role for every reason: what comes of asking is policy's own answer."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace

import pytest

from console.domain.decisions import Allow, Decision, Deny, DenyCode, NeedsApproval, Query
from console.domain.ids import (
    ActionKey,
    ReasonCode,
    RequestId,
    SessionKey,
    TenantId,
)
from console.domain.reasons import BREAK_GLASS, Reason
from console.domain.requests import State
from console.domain.staff import Actor, Role
from console.policy.decide import decide
from console.ports.actions import Reach
from console.usecases.outcomes import Ran, Waiting
from console.usecases.parameters import Raw
from console.usecases.propose_action import propose_action
from console.usecases.sign_in import session_key
from console.web.sessions import COOKIE
from tests.web.cast import Browser, Cast
from tests.web.matrix import TABLE, THIS, actor_of
from tests.web.matrix_scene import Scene, Stage, furnish, stage
from tests.web.matrix_trials import BROWSER, ON_AN_OVERRIDE, REFERENCES, TRIALS
from tests.web.posting import Question, fault, opened_for, sent
from tests.web.world import TENANTS

__all__ = ["stage"]


def policy_says(stage: Scene, actor: Actor, key: str, code: str) -> Decision:
    """Return policy's answer to the same question, put without any use case."""
    tenant = TENANTS[THIS] if stage.cast.house.registry[ActionKey(key)].reach is Reach.TENANT else None
    facts = dict(TRIALS[key].facts)
    query = Query(
        actor=actor.staff, person=actor.person, roles=actor.roles, kind=actor.kind, action=ActionKey(key),
        tenant=tenant, leased_tenant=tenant, reason=ReasonCode(code), step_up_age_s=0, facts=facts,
    )  # fmt: skip
    return decide(stage.cast.house.book, query)


def came_of(stage: Stage, actor: Actor, key: str, code: str, *, raw: Raw, tenant: TenantId | None) -> object:
    """Ask, and put everything back."""
    reason = Reason(code=ReasonCode(code), reference=REFERENCES[code], note="A note where one is needed.")
    if key == "impersonation.start":
        with closing(sqlite3.connect(stage.file)) as raw_file, raw_file:
            raw_file.execute(
                "UPDATE lease SET reason_code = ?, reason_reference = ? WHERE ended_at IS NULL",
                (reason.code, reason.reference),
            )
    answer = propose_action(
        stage.cast.house, actor, key=ActionKey(key), tenant=tenant, raw=raw, reason=reason, mark=None,
        form_id=RequestId("req_0000000000000000000000000b"),
    )  # fmt: skip
    if not isinstance(answer, Deny):
        stage.way.back_to(stage.place)
    return answer


def agree(answer: object, decision: Decision) -> bool:
    """Return whether what came of asking is what policy said."""
    match decision:
        case Allow():
            return isinstance(answer, Ran) and answer.request.state is State.EXECUTED
        case NeedsApproval(needs=needs):
            return isinstance(answer, Waiting) and answer.request.needs == needs
        case Deny(code=code, rules=rules):
            return isinstance(answer, Deny) and (answer.code, answer.rules) == (code, rules)
        case _:
            return False


def spoken(decisions: list[Decision]) -> str:
    """Return the word of docs/roles.md for all reasons together."""
    if any(isinstance(decision, Allow) for decision in decisions):
        return "alone"
    return "asks" if any(isinstance(decision, NeedsApproval) for decision in decisions) else "no"


def table() -> dict[str, dict[Role, str]]:
    """Return the second table of docs/roles.md."""
    rows = [
        [cell.strip() for cell in row.strip("|").split("|")]
        for row in TABLE.read_text().splitlines()
        if row.startswith("| `") and row.split("`")[1] in TRIALS
    ]
    return {row[0].strip("`"): dict(zip(Role, row[1:], strict=True)) for row in rows}


def test_it_tries_every_action_and_every_reason(cast: Cast) -> None:
    assert set(TRIALS) == set(cast.house.registry) == set(table())
    assert set(REFERENCES) == set(cast.house.book.reasons)


@pytest.mark.checklist("V8.1.1")
@pytest.mark.checklist("V8.2.1")
@pytest.mark.checklist("V8.3.1")
@pytest.mark.parametrize("role", list(Role))
def test_it_answers_every_question_as_policy_does(stage: Stage, role: Role) -> None:
    """Each question is put to the use case; and one of each action is sent by a browser, as its page sends it."""
    browser = stage.cast.sign_in(role.value)
    actor = replace(actor_of(role.value, stage.cast), session=BROWSER)
    faults: list[str | None] = []
    for key in TRIALS:
        raw = furnish(stage, key, role)
        tenant = TENANTS[THIS] if stage.cast.house.registry[ActionKey(key)].reach is Reach.TENANT else None
        decisions = {}
        for code in REFERENCES:
            decision = policy_says(stage, actor, key, code)
            decisions[code] = decision
            answer = came_of(stage, actor, key, code, raw=raw, tenant=tenant)
            if code == "BREAK_GLASS" and not isinstance(decision, Deny):  # no lease of this stage was opened for it
                assert isinstance(answer, Deny), (key, answer)
                continue
            if not agree(answer, decision):
                faults.append(f"{key} for {code}: {answer}, where policy says {decision}")
        faults.append(sent_fault(stage, browser, actor, ActionKey(key), raw=raw, decisions=decisions))
        said = spoken(list(decisions.values()))
        if said != table()[key][role]:
            faults.append(f"docs/roles.md says {table()[key][role]} of {key}, policy {said}")
    assert not any(faults), "\n".join(filter(None, faults))


def sent_fault(
    stage: Stage, browser: Browser, actor: Actor, key: ActionKey, *, raw: Raw, decisions: Mapping[str, Decision]
) -> str | None:
    """Send the form for the first reason that permits it, else for the first that is accepted; put everything back."""
    accepted = sorted(stage.cast.house.book.actions[key].reasons - {BREAK_GLASS})
    code = next((each for each in accepted if not isinstance(decisions[each], Deny)), accepted[0])
    reason = Reason(code=code, reference=REFERENCES[code], note="A note where one is needed.")
    session = SessionKey(session_key(browser.cookie(COOKIE)))
    tenant = (TENANTS[THIS], THIS) if stage.cast.house.registry[key].reach is Reach.TENANT else None
    asked = Question(key=key, actor=replace(actor, session=session), reason=reason, raw=raw, tenant=tenant)
    opened_for(stage.file, asked)
    place = stage.way.here(is_first=True)
    status = sent(stage.cast, browser, asked)
    found = fault(stage.cast, stage.file, asked, status=status, policy=decisions[code])
    stage.way.back_to(place)
    return found


def test_it_refuses_every_tenant_action_without_a_lease(stage: Stage) -> None:
    for role in Role:
        actor = actor_of(role.value, stage.cast)
        for key, trial in TRIALS.items():
            if stage.cast.house.registry[ActionKey(key)].reach is Reach.TENANT:
                raw: Raw = {"override": "x"} if key in ON_AN_OVERRIDE else trial.raw
                tenant = TENANTS[THIS]
                answer = came_of(stage, actor, key, "CONTRACT_CHANGE", raw=raw, tenant=tenant)
                assert isinstance(answer, Deny), (role, key)
                assert answer.code is DenyCode.NO_LEASE, (role, key)
