"""Openings, sign-ins, second factors and forms that come at the same moment on PostgreSQL keep to their limits."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from console.adapters.passwords import Argon2Passwords
from console.domain.changes import Preview
from console.domain.decisions import DenyCode
from console.domain.ids import ReasonCode
from console.domain.leases import Lease
from console.domain.reasons import Reason
from console.domain.staff import Origin
from console.ports.action_tools import Tools
from console.usecases.house import House
from console.usecases.open_lease import end_lease, open_lease
from console.usecases.outcomes import Already, Ran, Waiting
from console.usecases.propose_action import propose_action
from console.usecases.resume_session import Resumed, resume_session
from console.usecases.sign_in import SignedIn, sign_in_with_password
from console.usecases.step_up import SteppedUp, step_up_with_code
from tests.databases import HandClock
from tests.integration.race_world import (
    END_SESSIONS,
    EXECUTORS,
    NOTES,
    CarelessLeases,
    Meeting,
    Watched,
    at_once,
    denials,
    pool,
    settle_tenant,
    stage,
)
from tests.integration.stage import CONTRACT, NOTE, OVERRIDE, UNTIL, Stage, behind, tenant
from tests.web.cast import LONG_AGO, PEOPLE

__all__ = ["pool", "stage"]


def open_eight(stage: Stage, pool: ThreadPoolExecutor, house: House, slugs: list[str]) -> list[object]:
    """Let one person open eight tenants at once, from eight browser tabs."""
    actor = stage.actor("support_agent")
    return at_once(
        pool,
        *[
            lambda slug=slug: open_lease(house, actor, tenant=tenant(slug), reason=CONTRACT, minutes=5)
            for slug in slugs
        ],
    )


def test_eight_openings_at_once_never_pass_the_limit_of_open_tenants(stage: Stage, pool: ThreadPoolExecutor) -> None:
    slugs = [f"open{number}" for number in range(EXECUTORS)]
    settle_tenant(stage, *slugs)
    answers = open_eight(stage, pool, stage.house, slugs)
    most = stage.house.book.limits.leases_open_per_person
    assert len([answer for answer in answers if isinstance(answer, Lease)]) == most
    assert {answer.code for answer in denials(answers)} == {DenyCode.TOO_MANY_LEASES}
    assert stage.count("SELECT count(*) FROM lease WHERE ended_at IS NULL") == stage.entries("lease.open") == most
    assert stage.entries("lease.refused") == EXECUTORS - most


@pytest.mark.checklist("V15.4.2")
def test_eight_openings_at_once_never_pass_the_tenant_budget(stage: Stage, pool: ThreadPoolExecutor) -> None:
    most = stage.house.book.limits.tenants_per_hour
    slugs = [f"tenant{number}" for number in range(most - 1 + EXECUTORS)]
    settle_tenant(stage, *slugs)
    for slug in slugs[: most - 1]:
        lease = stage.open("support_agent", slug)
        assert end_lease(stage.house, stage.actor("support_agent"), lease=lease.id) is None
    answers = open_eight(stage, pool, stage.house, slugs[most - 1 :])
    assert len([answer for answer in answers if isinstance(answer, Lease)]) == 1
    assert {answer.code for answer in denials(answers)} == {DenyCode.BUDGET_SPENT}
    assert stage.count("SELECT count(DISTINCT tenant) FROM lease") == most
    assert stage.entries("budget.exceeded") == EXECUTORS - 1


def test_its_race_would_catch_a_budget_without_a_lock(stage: Stage, pool: ThreadPoolExecutor) -> None:
    slugs = [f"open{number}" for number in range(EXECUTORS)]
    settle_tenant(stage, *slugs)
    meeting = Meeting(EXECUTORS)
    store = Watched(stage.storage.store, leases=lambda session: CarelessLeases(session, meeting))
    answers = open_eight(stage, pool, behind(stage, store=store), slugs)
    assert len([answer for answer in answers if isinstance(answer, Lease)]) == EXECUTORS


@pytest.mark.checklist("V15.4.2")
def test_one_code_signs_in_once(stage: Stage, pool: ThreadPoolExecutor) -> None:
    person, house = PEOPLE["support_agent"], stage.house
    code = person.code(house.clock.now())
    answers = at_once(
        pool,
        *[
            lambda number=number: sign_in_with_password(
                house, email=person.email, password=person.password, code=code, origin=Origin(ip=f"10.0.0.{number}")
            )
            for number in range(EXECUTORS)
        ],
    )
    assert len([answer for answer in answers if isinstance(answer, SignedIn)]) == 1
    assert stage.count("SELECT count(*) FROM staff_session") == stage.entries("staff.sign_in") == 1
    assert stage.entries("staff.sign_in_refused") == EXECUTORS - 1


class MeetingPasswords(Argon2Passwords):
    """Takes so long over a password that whoever is let to try at all tries in the same moment."""

    def __init__(self, meeting: Meeting) -> None:
        super().__init__(memory_kib=8, rounds=1, lanes=1)
        self._meeting = meeting

    def matches(self, password: str, stored: str | None) -> bool:
        """Meet, and find a password wrong."""
        self._meeting.arrive()
        return False


def test_eight_who_guess_at_once_try_no_more_often_than_one_address_may(stage: Stage, pool: ThreadPoolExecutor) -> None:
    left = 3
    with stage.storage.store.write() as unit:
        for _ in range(stage.house.book.limits.sign_in_address_tries - left):
            unit.throttles.hit("sign_in_address", "10.0.0.1", at=stage.house.clock.now())
    house = behind(stage, passwords=MeetingPasswords(Meeting(EXECUTORS, patience_s=0.5)))
    answers = at_once(
        pool,
        *[
            lambda who=who: sign_in_with_password(
                house, email=f"{who}@elsewhere.example", password="x", code="000000", origin=Origin(ip="10.0.0.1")
            )
            for who in range(EXECUTORS)
        ],
    )
    told = [answer.code for answer in denials(answers)]
    assert (told.count(DenyCode.SIGN_IN_REFUSED), told.count(DenyCode.THROTTLED)) == (left, EXECUTORS - left)
    tried = stage.count("SELECT count(*) FROM throttle_event WHERE bucket = 'sign_in_address'")
    assert tried == house.book.limits.sign_in_address_tries


def test_an_office_that_signs_in_at_once_counts_nothing_against_its_address(
    stage: Stage, pool: ThreadPoolExecutor
) -> None:
    office = [PEOPLE[who] for who in ("support_agent", "support_lead", "finance", "finance_lead")]
    now = stage.house.clock.now()
    answers = at_once(
        pool,
        *[
            lambda one=one: sign_in_with_password(
                stage.house, email=one.email, password=one.password, code=one.code(now), origin=Origin(ip="10.0.0.1")
            )
            for one in office
        ],
    )
    assert {type(answer) for answer in answers} == {SignedIn}
    with stage.storage.store.read() as unit:
        assert unit.throttles.count("sign_in_address", "10.0.0.1", since=LONG_AGO) == 0


def test_one_code_steps_up_one_session_once(stage: Stage, pool: ThreadPoolExecutor) -> None:
    person, clock = PEOPLE["support_agent"], HandClock()
    house = behind(stage, clock=clock)
    actors = []
    for number in range(4):
        clock.pass_by(seconds=60)
        signed_in = sign_in_with_password(
            house, email=person.email, password=person.password, code=person.code(clock.now()), origin=Origin()
        )
        assert isinstance(signed_in, SignedIn), number
        resumed = resume_session(house, token=signed_in.token, origin=Origin(), is_activity=False)
        assert isinstance(resumed, Resumed)
        actors.append(resumed.actor)
    clock.pass_by(seconds=60)
    code = person.code(clock.now())
    answers = at_once(pool, *[lambda actor=actor: step_up_with_code(house, actor, code=code) for actor in actors * 2])
    assert len([answer for answer in answers if isinstance(answer, SteppedUp)]) == stage.entries("step_up.passed") == 1
    assert stage.entries("step_up.refused") == EXECUTORS - 1
    assert stage.count("SELECT count(*) FROM staff_session") == 4


def test_wrong_codes_at_once_are_tried_no_more_often_than_one_after_another(
    stage: Stage, pool: ThreadPoolExecutor
) -> None:
    person, house = PEOPLE["support_agent"], stage.house
    signed_in = sign_in_with_password(
        house, email=person.email, password=person.password, code=person.code(house.clock.now()), origin=Origin()
    )
    assert isinstance(signed_in, SignedIn)
    resumed = resume_session(house, token=signed_in.token, origin=Origin(), is_activity=False)
    assert isinstance(resumed, Resumed)
    for _ in range(3):
        at_once(pool, *[lambda: step_up_with_code(house, resumed.actor, code="000000")] * EXECUTORS)
    tried = stage.count("SELECT count(*) FROM throttle_event WHERE bucket = 'step_up'")
    assert tried == house.book.limits.step_up_tries


@pytest.mark.parametrize("waits", [True, False])
def test_a_form_sent_eight_times_at_once_is_one_request(stage: Stage, pool: ThreadPoolExecutor, waits: bool) -> None:
    stage.open("support_agent", "acme")
    raw = {"feature": "seats", "value": "300", "until": UNTIL} if waits else {"text": "Called back."}
    key = OVERRIDE if waits else NOTE
    for often in range(1, 6):
        form = stage.form()
        answers = at_once(
            pool, *[lambda form=form: stage.ask("support_agent", "acme", key, raw, form_id=form)] * EXECUTORS
        )
        first = [answer for answer in answers if isinstance(answer, Waiting if waits else Ran)]
        again = [answer for answer in answers if isinstance(answer, Already)]
        assert (len(first), len(again)) == (1, EXECUTORS - 1)
        assert {answer.request.id for answer in (*first, *again)} == {form}
        assert stage.count("SELECT count(*) FROM request") == stage.entries("request.proposed") == often
        assert stage.count(NOTES) == stage.entries("action.executed") == (0 if waits else often)


def test_a_form_that_is_overtaken_by_its_own_second_copy_finds_the_first_result(stage: Stage) -> None:
    person, house, form = PEOPLE["support_agent"], stage.house, stage.form()
    now = house.clock.now()
    sign_in_with_password(house, email=person.email, password=person.password, code=person.code(now), origin=Origin())
    first: list[object] = []

    def ask(where: House) -> object:
        return propose_action(
            where, stage.actor("administrator"), key=END_SESSIONS, tenant=None, raw={"colleague": person.id},
            reason=Reason(code=ReasonCode("STAFF_CHANGE"), reference="HR-1"), mark=None, form_id=form,
        )  # fmt: skip

    def overtaken(params: object, tools: Tools) -> Preview:
        first.append(ask(house))
        preview: Preview = house.registry[END_SESSIONS].preview(params, tools)
        return preview

    slow = {**house.registry, END_SESSIONS: replace(house.registry[END_SESSIONS], preview=overtaken)}
    answer = ask(replace(house, registry=slow))
    assert isinstance(first[0], Ran), first
    assert isinstance(answer, Already), answer
    assert answer.request.id == first[0].request.id
    assert stage.entries("request.refused") == 0
