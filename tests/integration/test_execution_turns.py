"""Two requests derived from one moment: whichever runs second is out of date, however close behind the first."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from console.domain.decisions import Deny, DenyCode
from console.domain.ids import ActionKey, ReasonCode, RequestId
from console.domain.imports import member_id_of
from console.domain.reasons import Reason
from console.domain.requests import Request, State
from console.storage.store import ControlStore, StoredUnit
from console.usecases.execute_request import execute_request
from console.usecases.house import House
from console.usecases.outcomes import BadFields, Drifted, Failed, Ran, Waiting
from console.usecases.propose_action import propose_action
from tests.conftest import NewDatabase
from tests.databases import ENGINES, HandClock
from tests.integration.kill_world import REVEAL, member_record
from tests.integration.money_stage import REFUND, Till, opened_till, refund
from tests.integration.race_world import Watched
from tests.integration.stage import (
    FAR,
    OVERRIDE,
    Stage,
    behind,
    book,
    by_hand,
    new_urls,
    opened_stage,
    rows,
    settle_in,
)
from tests.integration.test_crash_path import Meddled, dangling
from tests.web.cast import PEOPLE

ASSIGN, ROLES = ActionKey("entitlement.assign_owner"), ActionKey("staff.change_roles")
OVERRIDES = "SELECT count(*) FROM plane_entitlement_override"
PATIENCE_S = 1.0


class MeetingStore(Watched):
    """The real store, in which two that write meet once they have read what they go by, or the second is known to wait.

    Both have then looked at the tenant in the same moment, unless one was kept waiting before it looked.
    """

    def __init__(self, store: ControlStore) -> None:
        super().__init__(store)
        self._both = threading.Barrier(2, timeout=PATIENCE_S)

    @contextmanager
    def write(self) -> Iterator[StoredUnit]:
        with super().write() as unit:
            move = unit.requests._fenced

            def fenced(*arguments: object) -> bool:
                with suppress(threading.BrokenBarrierError):
                    self._both.wait()
                return move(*arguments)  # type: ignore[arg-type]

            unit.requests._fenced = fenced  # type: ignore[method-assign, assignment]
            yield unit


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Let every call run in a thread of its own."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [running.result() for running in [pool.submit(call) for call in calls]]


def run(stage: Stage, house: House, who: str, request: RequestId) -> Callable[[], object]:
    return lambda: execute_request(house, stage.actor(who), request_id=request)


def approved(stage: Stage, slug: str, value: int) -> Request:
    request = stage.filed("support_agent", slug, value)
    assert stage.approve("finance_lead", request).request.state is State.APPROVED
    return request


@pytest.fixture
def stage(tmp_path: Path, pg_database: NewDatabase) -> Iterator[Stage]:
    url, planes = new_urls("postgresql", tmp_path, pg_database)
    with opened_stage(url, planes, clock=HandClock(), policy=by_hand(book(), OVERRIDE, ROLES)) as opened:
        settle_in(opened, ["acme"])
        opened.open("support_agent", "acme")
        yield opened


@pytest.fixture
def till(tmp_path: Path, pg_database: NewDatabase) -> Iterator[Till]:
    with opened_till("postgresql", tmp_path, pg_database, slow=True) as opened:
        yield opened


@pytest.mark.checklist("V15.4.2")
def test_of_two_overrides_approved_over_the_same_value_one_runs(stage: Stage) -> None:
    """Finance agreed to 150 → 300 and to 150 → 400, and to nothing that leads from 300 to 400."""
    first, second = (approved(stage, "acme", value) for value in (300, 400))
    house = behind(stage, store=MeetingStore(stage.storage.store))
    answers = at_once(*[run(stage, house, "support_agent", each.id) for each in (first, second)])
    assert Ran in {type(answer) for answer in answers}
    assert {stage.now(each.id).state for each in (first, second)} == {State.EXECUTED, State.STALE}
    assert stage.count(OVERRIDES) == stage.entries("action.executed") == stage.entries("request.stale") == 1


@pytest.mark.checklist("V15.4.2")
def test_of_two_refunds_approved_over_the_same_payment_one_is_paid(till: Till) -> None:
    """Each was approved as the first refund of this payment, which is what a ceiling is held against."""
    requests = [till.agreed(REFUND, refund("40.00")) for _ in range(2)]
    house = behind(till.stage, store=MeetingStore(till.stage.storage.store))
    answers = at_once(*[run(till.stage, house, "finance", each.id) for each in requests])
    till.run()
    assert {type(answer) for answer in answers} == {Ran, Drifted}
    assert till.stage.count("SELECT sum(amount_minor) FROM plane_provider_write") == 4_000
    assert till.stage.entries("provider.written") == till.stage.entries("request.stale") == 1


@pytest.mark.checklist("V15.4.2")
def test_of_two_changes_of_one_persons_roles_one_is_made(stage: Stage) -> None:
    """Each was agreed to over what that person could do before; together they would give what nobody has agreed to."""
    requests = []
    for role in ("finance", "engineer"):
        asked = propose_action(
            stage.house, stage.actor("administrator"), key=ROLES, tenant=None, mark=None, form_id=stage.form(),
            raw={"colleague": PEOPLE["support_agent_2"].id, "roles": [role]},
            reason=Reason(code=ReasonCode("STAFF_CHANGE"), reference="HR-1"),
        )  # fmt: skip
        assert isinstance(asked, Waiting), asked
        assert stage.approve("security_auditor", asked.request).request.state is State.APPROVED
        requests.append(asked.request)
    house = behind(stage, store=MeetingStore(stage.storage.store))
    answers = at_once(*[run(stage, house, "administrator", each.id) for each in requests])
    assert Ran in {type(answer) for answer in answers}
    assert {stage.now(each.id).state for each in requests} == {State.EXECUTED, State.STALE}
    assert stage.entries("action.executed") == stage.entries("request.stale") == 1


def test_what_runs_at_once_is_derived_from_what_the_one_before_left(stage: Stage) -> None:
    request = approved(stage, "acme", 300)
    assert isinstance(run(stage, stage.house, "support_agent", request.id)(), Ran)
    ((grant,),) = rows(stage.url, "SELECT id FROM plane_entitlement_override")
    stage.open("support_lead", "acme")
    ask = {"override": grant}
    answers = at_once(*[lambda: stage.ask("support_lead", "acme", ASSIGN, ask)] * 2)
    assert {type(answer) for answer in answers} == {Ran, BadFields}, answers


@pytest.mark.checklist("V2.3.3")
@pytest.mark.parametrize("engine", ENGINES)
def test_on_another_plane_it_looks_again_where_it_is_alone(
    engine: str, tmp_path: Path, pg_database: NewDatabase
) -> None:
    """Between the check in our books and the change on the plane there is time for somebody else."""
    url, planes = new_urls(engine, tmp_path, pg_database, far=True)
    with opened_stage(url, planes, clock=HandClock(), policy=by_hand(book(), OVERRIDE)) as stage:
        settle_in(stage, [], far=["zeta"])
        stage.open("support_agent", "zeta")
        first, second = (approved(stage, "zeta", value) for value in (300, 400))
        faster: list[object] = []
        slow = Meddled(
            stage.house.planes, before=lambda: faster.append(run(stage, stage.house, "support_agent", first.id)())
        )
        answer = run(stage, behind(stage, planes=slow), "support_agent", second.id)()
        assert isinstance(faster[0], Ran)
        assert isinstance(answer, Failed)
        assert "same moment" in answer.sentence
        assert [stage.now(each.id).state for each in (first, second)] == [State.EXECUTED, State.FAILED]
        assert stage.count(OVERRIDES, plane=FAR) == stage.entries("action.executed") == stage.entries("action.failed")
        assert stage.count(OVERRIDES, plane=FAR) == 1
        assert dangling(stage) == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_what_only_reads_on_another_plane_waits_for_nobody_there(
    engine: str, tmp_path: Path, pg_database: NewDatabase
) -> None:
    url, planes = new_urls(engine, tmp_path, pg_database, far=True)
    with opened_stage(url, planes, clock=HandClock()) as stage:
        settle_in(stage, [], far=["zeta"])
        with stage.storage.bulk.write() as bulk:
            bulk.put([member_record("zeta")])
        stage.open("support_agent", "zeta")
        state = stage.count("SELECT count(*) FROM plane_account_state", plane=FAR)
        shown = stage.ask("support_agent", "zeta", REVEAL, {"member": member_id_of("zeta", "m1"), "field": "email"})
        assert isinstance(shown, Ran), shown
        assert stage.count("SELECT count(*) FROM plane_account_state", plane=FAR) == state, "to take a turn is to write"
        assert stage.entries("action.executed", shown.request.id) == 1


def test_who_is_late_for_the_same_request_is_told_that_it_ran(stage: Stage) -> None:
    request = approved(stage, "acme", 300)
    house = behind(stage, store=MeetingStore(stage.storage.store))
    answers = at_once(*[run(stage, house, who, request.id) for who in ("support_agent", "finance_lead")])
    (late,) = [answer for answer in answers if isinstance(answer, Deny)]
    assert late.code is DenyCode.WRONG_STATE
    assert "executed" in late.sentence
