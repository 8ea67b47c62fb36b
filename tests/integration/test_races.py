"""Everything that only one of several people can win, on a real PostgreSQL: one winner, one effect, one entry each."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta

import pytest

from console.domain.decisions import Deny
from console.domain.ids import SHARED_PLANE
from console.domain.requests import State
from console.usecases.change_request import cancel_request, revise_request, revoke_request
from console.usecases.execute_request import execute_request
from console.usecases.keep_time import end_overdue
from console.usecases.open_lease import end_lease
from console.usecases.outcomes import BadFields, Ran, Waiting
from console.usecases.vote_on_request import Voted
from tests.databases import HandClock
from tests.integration.race_world import (
    APPLIED,
    CROWD,
    EXECUTORS,
    OVERRIDES,
    PAIRS,
    ROUNDS,
    CarelessRequests,
    Meeting,
    approved,
    at_once,
    denials,
    execute_eightfold,
    meeting_house,
    nobody_waits,
    pool,
    refusals,
    settle_tenant,
    stage,
    vote,
)
from tests.integration.stage import FRAUD, SUSPEND, UNTIL, Stage, book, tenant_records

__all__ = ["pool", "stage"]


def raced(stage: Stage, pool: ThreadPoolExecutor, slug: str, rounds: int) -> Counter[str]:
    """Race for that many requests on one tenant and return how often each answer was given."""
    lease = stage.open("support_agent", slug)
    told: Counter[str] = Counter()
    for number in range(rounds):
        request = approved(stage, 200 + number, slug)
        is_tight = number % 4 != 3  # every fourth round takes its chances, without anybody waiting at the fence
        house = meeting_house(stage, Meeting(EXECUTORS if is_tight else 1))
        with nobody_waits() if is_tight else nullcontext():
            answers = execute_eightfold(stage, pool, house, request)
        told.update(answer.code.value if isinstance(answer, Deny) else type(answer).__name__ for answer in answers)
        assert stage.now(request).state is State.EXECUTED
    assert end_lease(stage.house, stage.actor("support_agent"), lease=lease.id) is None
    return told


@pytest.mark.checklist("V2.3.4")
@pytest.mark.checklist("V15.4.2")
@pytest.mark.slow
def test_it_runs_an_approved_request_once_however_many_execute_it(stage: Stage, pool: ThreadPoolExecutor) -> None:
    with stage.storage.bulk.write() as bulk:
        for slug in CROWD:
            bulk.put(tenant_records(slug, SHARED_PLANE))
    winners = sum((raced(stage, pool, slug, ROUNDS // len(CROWD)) for slug in CROWD), Counter[str]())
    losers = ROUNDS * (EXECUTORS - 1)
    assert winners == {"Ran": ROUNDS, "wrong_state": losers}
    assert stage.count(OVERRIDES) == stage.count(APPLIED) == ROUNDS
    assert stage.entries("action.executed") == ROUNDS
    assert stage.entries("request.execute_refused") == losers
    assert stage.entries("request.stale") == 0
    assert stage.count("SELECT count(DISTINCT correlation) FROM audit_event WHERE action = 'action.executed'") == ROUNDS
    print(f"{ROUNDS} rounds x {EXECUTORS} executors: {stage.count(OVERRIDES)} effects, {losers} refusals")  # noqa: T201


def test_its_race_would_catch_a_read_then_write(stage: Stage, pool: ThreadPoolExecutor) -> None:
    stage.open("support_agent", "acme")
    rounds = 3
    for number in range(rounds):
        request = approved(stage, 200 + number)
        with nobody_waits():
            execute_eightfold(stage, pool, meeting_house(stage, Meeting(EXECUTORS), CarelessRequests), request)
    effects = stage.count(OVERRIDES)
    assert effects > rounds
    assert stage.entries("action.executed") > rounds
    print(f"seeded fault: {effects} effects in {rounds} rounds")  # noqa: T201


@pytest.mark.parametrize("runs_at_once", [True, False])
def test_an_approval_and_a_withdrawal_at_once_have_one_outcome(
    stage: Stage, pool: ThreadPoolExecutor, runs_at_once: bool
) -> None:
    stage.open("support_agent", "acme")
    seen: set[State] = set()
    for number in range(PAIRS):
        request = stage.filed("support_agent", "acme", 200 + number)
        stage.see("finance_lead", request.id)
        house = meeting_house(stage, Meeting(2))
        if runs_at_once:
            house = replace(house, book=book())
        answers = at_once(
            pool,
            vote(stage, house, "finance_lead", request),
            lambda house=house, request=request: cancel_request(  # type: ignore[misc]
                house, stage.actor("support_agent"), request_id=request.id
            ),
        )
        state = stage.now(request.id).state
        seen.add(state)
        assert state in ({State.EXECUTED, State.CANCELLED} if runs_at_once else {State.APPROVED, State.CANCELLED})
        assert stage.entries("request.cancelled", request.id) == (state is State.CANCELLED)
        assert stage.entries("action.executed", request.id) == (state is State.EXECUTED)
        assert len(denials(answers)) == refusals(stage, request.id) == 1
        left = {state, State.APPROVED} if runs_at_once else {state}  # it was approved when the loser was told, then ran
        assert any(each.value in denials(answers)[0].sentence for each in left)
    assert stage.count(OVERRIDES) == stage.entries("action.executed")
    print(f"approve || cancel: {sorted(seen)}")  # noqa: T201


def test_an_approval_and_the_clock_at_once_have_one_outcome(stage: Stage, pool: ThreadPoolExecutor) -> None:
    seen: set[State] = set()
    for number in range(PAIRS):
        stage.open("support_agent", "acme")  # the clock that comes too late for the request ends the lease as well
        request = stage.filed("support_agent", "acme", 200 + number)
        stage.see("finance_lead", request.id)
        house = meeting_house(stage, Meeting(2))
        in_time = replace(house, clock=HandClock(request.approve_by - timedelta(milliseconds=1)))
        too_late = replace(house, clock=HandClock(request.approve_by))
        answers = at_once(
            pool,
            vote(stage, in_time, "finance_lead", request),
            lambda too_late=too_late: end_overdue(too_late),  # type: ignore[misc]
        )
        state = stage.now(request.id).state
        seen.add(state)
        assert state in {State.APPROVED, State.EXPIRED_PENDING}
        assert stage.entries("request.approved", request.id) == (state is State.APPROVED)
        assert stage.entries("request.expired", request.id) == (state is State.EXPIRED_PENDING)
        assert len(denials(answers)) == refusals(stage, request.id) == (state is State.EXPIRED_PENDING)
    assert stage.count(OVERRIDES) == 0
    print(f"approve || expire: {sorted(seen)}")  # noqa: T201


@pytest.mark.checklist("V15.4.2")
def test_an_approval_and_an_edit_at_once_never_approve_what_was_not_seen(
    stage: Stage, pool: ThreadPoolExecutor
) -> None:
    stage.open("support_agent", "acme")
    seen: set[State] = set()
    for number in range(PAIRS):
        request = stage.filed("support_agent", "acme", 200 + number)
        stage.see("finance_lead", request.id)
        house = meeting_house(stage, Meeting(2))
        raw = {"feature": "seats", "value": str(2_000 + number), "until": UNTIL}
        answers = at_once(
            pool,
            vote(stage, house, "finance_lead", request),
            lambda house=house, request=request, raw=raw: revise_request(  # type: ignore[misc]
                house, stage.actor("support_agent"), request_id=request.id, raw=raw, mark=None
            ),
        )
        stored = stage.now(request.id)
        seen.add(stored.state)
        assert not [answer for answer in answers if isinstance(answer, BadFields)]
        assert (stored.state, stored.revision) in {(State.APPROVED, 1), (State.PENDING, 2)}
        assert (stored.digest == request.digest) == (stored.state is State.APPROVED)
        assert stage.entries("request.revised", request.id) == (stored.revision == 2)
        assert len(denials(answers)) == 1
        assert refusals(stage, request.id) == 1
        live = "SELECT count(*) FROM request_vote WHERE request = ? AND voided_because IS NULL"
        assert stage.count(live, request.id) == (stored.state is State.APPROVED)
    print(f"approve || revise: {sorted(seen)}")  # noqa: T201


def test_a_revocation_and_an_execution_at_once_have_one_outcome(stage: Stage, pool: ThreadPoolExecutor) -> None:
    stage.open("support_agent", "acme")
    seen: set[State] = set()
    for number in range(PAIRS):
        request = approved(stage, 200 + number)
        house = meeting_house(stage, Meeting(2))
        answers = at_once(
            pool,
            lambda house=house, request=request: execute_request(  # type: ignore[misc]
                house, stage.actor("support_agent"), request_id=request
            ),
            lambda house=house, request=request: revoke_request(  # type: ignore[misc]
                house, stage.actor("finance_lead"), request_id=request, because="not agreed"
            ),
        )
        state = stage.now(request).state
        seen.add(state)
        assert state in {State.EXECUTED, State.REVOKED}
        assert stage.entries("action.executed", request) == (state is State.EXECUTED)
        assert stage.entries("request.revoked", request) == (state is State.REVOKED)
        assert len(denials(answers)) == refusals(stage, request) == 1
        assert state.value in denials(answers)[0].sentence
    assert stage.count(OVERRIDES) == stage.entries("action.executed")
    print(f"revoke || execute: {sorted(seen)}")  # noqa: T201


@pytest.mark.checklist("V2.3.4")
def test_the_last_two_votes_at_once_approve_once_and_tell_everybody_once(
    stage: Stage, pool: ThreadPoolExecutor
) -> None:
    for number in range(5):
        slug = f"quorum{number}"
        settle_tenant(stage, slug)
        lease = stage.open("support_lead", slug, FRAUD)
        answer = stage.ask("support_lead", slug, SUSPEND, {"because": "Cards of many people."}, reason=FRAUD)
        assert isinstance(answer, Waiting), answer
        request = answer.request
        assert sum(need.count for need in request.needs) == 2
        for who in ("support_lead_2", "finance_lead"):
            stage.see(who, request.id)
        house = meeting_house(stage, Meeting(2))
        answers = at_once(pool, *[vote(stage, house, who, request) for who in ("support_lead_2", "finance_lead")])
        votes = [each for each in answers if isinstance(each, Voted)]
        assert len(votes) == 2
        assert sorted(isinstance(each.execution, Ran) for each in votes) == [False, True]
        assert stage.now(request.id).state is State.EXECUTED
        for action, often in {"request.vote": 2, "request.approved": 1, "action.executed": 1}.items():
            assert stage.entries(action, request.id) == often
        told = "SELECT count(*) FROM notice WHERE path = ? AND kind = ?"
        assert stage.count(told, f"/requests/{request.id}", "approved") == 1
        assert stage.count(told, f"/requests/{request.id}", "executed") == 1
        twice = (
            "SELECT count(*) FROM (SELECT 1 FROM notice WHERE path = ? GROUP BY to_staff, kind HAVING count(*) > 1) t"
        )
        assert stage.count(twice, f"/requests/{request.id}") == 0
        assert end_lease(stage.house, stage.actor("support_lead"), lease=lease.id) is None
