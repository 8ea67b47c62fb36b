"""Everything that only one of several people can win, on a real PostgreSQL: one winner, one effect, one entry each."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from console.domain.changes import Preview
from console.domain.decisions import Deny, DenyCode
from console.domain.ids import SHARED_PLANE, ActionKey, ReasonCode, RequestId
from console.domain.leases import Lease
from console.domain.reasons import Reason
from console.domain.requests import Request, State, Verdict
from console.domain.staff import Origin
from console.ports.actions import Tools
from console.storage.leases import StoredLeases
from console.storage.request_tables import RequestRow
from console.storage.requests import StoredRequests
from console.storage.rows import changed
from console.storage.store import ControlStore, StoredUnit
from console.usecases.change_request import cancel_request, revise_request, revoke_request
from console.usecases.execute_request import execute_request
from console.usecases.house import House
from console.usecases.keep_time import end_overdue
from console.usecases.open_lease import end_lease, open_lease
from console.usecases.outcomes import Already, BadFields, Ran, Waiting
from console.usecases.propose_action import propose_action
from console.usecases.resume_session import Resumed, resume_session
from console.usecases.sign_in import SignedIn, sign_in_with_password
from console.usecases.step_up import SteppedUp, step_up_with_code
from console.usecases.vote_on_request import Voted, vote_on_request
from tests.conftest import NewDatabase
from tests.databases import HandClock
from tests.integration.stage import (
    CONTRACT,
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
    tenant_records,
)
from tests.web.cast import PEOPLE

T = TypeVar("T")
EXECUTORS = 8
ROUNDS = 200
CROWD = tuple(f"acme{number}" for number in range(8))  # a preview reads all overrides of a tenant: nobody gets all
PAIRS = 15
END_SESSIONS = ActionKey("staff.end_sessions")
OVERRIDES = "SELECT count(*) FROM plane_entitlement_override"
NOTES = "SELECT count(*) FROM plane_note WHERE text = 'Called back.'"
APPLIED = "SELECT count(*) FROM plane_applied_execution WHERE outcome = 'applied'"


class Meeting:
    """Holds contenders right before their fenced UPDATE until all of them are there, or one is known not to come."""

    def __init__(self, parties: int, *, patience_s: float = 2.0) -> None:
        """Expect that many threads, each once."""
        self._barrier = threading.Barrier(parties, timeout=patience_s)
        self._been: set[int] = set()

    def arrive(self) -> None:
        """Wait for the others, the first time."""
        me = threading.get_ident()
        if me not in self._been:
            self._been.add(me)
            with suppress(threading.BrokenBarrierError):
                self._barrier.wait()


class MeetingRequests(StoredRequests):
    """The real book, whose contenders all stand at the fence before the first goes through."""

    def __init__(self, session: Session, meeting: Meeting) -> None:
        super().__init__(session)
        self._meeting = meeting

    def _fenced(self, request: Request, values: dict[str, Any]) -> bool:
        self._meeting.arrive()
        return super()._fenced(request, values)


class CarelessRequests(MeetingRequests):
    """The seeded fault: the state is read first and written afterwards, as in the consoles that came before us."""

    def _fenced(self, request: Request, values: dict[str, Any]) -> bool:
        stored = self.get(request.id)
        is_unmoved = stored is not None and (stored.state, stored.version) == (request.state, request.version)
        self._meeting.arrive()
        if is_unmoved:
            blind = update(RequestRow).where(RequestRow.id == request.id)
            changed(self._session, blind.values({**values, "version": request.version + 1}))
        return is_unmoved


class CarelessLeases(StoredLeases):
    """The seeded fault for budgets: nobody waits for anybody."""

    def __init__(self, session: Session, meeting: Meeting) -> None:
        super().__init__(session)
        self._meeting = meeting

    def lock_budget(self, staff: object) -> None:
        """Lock nothing."""

    def add(self, lease: Lease) -> None:
        """Store a lease once everybody has counted."""
        self._meeting.arrive()
        super().add(lease)


class Watched:
    """The real store with one book of each unit replaced by a subclass of it."""

    def __init__(self, store: ControlStore, **books: Callable[[Session], object]) -> None:
        """Keep what makes the books."""
        self._store = store
        self._books = books

    @contextmanager
    def write(self) -> Iterator[StoredUnit]:
        """Open a writing unit with the replaced books."""
        with self._store.write() as unit:
            for name, made in self._books.items():
                unit.__dict__[name] = made(unit._session)
            yield unit

    @contextmanager
    def read(self) -> Iterator[StoredUnit]:
        """Open a reading unit."""
        with self._store.read() as unit:
            yield unit

    def ping(self) -> None:
        """Ask the real store."""
        self._store.ping()


@pytest.fixture
def stage(tmp_path: Path, pg_database: NewDatabase) -> Iterator[Stage]:
    url, planes = new_urls("postgresql", tmp_path, pg_database)
    policy = by_hand(book(), OVERRIDE)
    with opened_stage(url, planes, clock=HandClock(), policy=policy, pool_size=2 * EXECUTORS) as opened:
        settle_in(opened, ["acme", "zeta"])
        yield opened


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(EXECUTORS) as opened:
        yield opened


def meeting_house(stage: Stage, meeting: Meeting, books: type[MeetingRequests] = MeetingRequests) -> House:
    """Return the house in which contenders meet at the fence."""
    return behind(stage, store=Watched(stage.storage.store, requests=lambda session: books(session, meeting)))


def at_once(pool: ThreadPoolExecutor, *calls: Callable[[], T]) -> list[T]:
    """Let every call begin in the same moment, each in a thread and on a connection of its own."""
    start = threading.Barrier(len(calls), timeout=10)

    def run(call: Callable[[], T]) -> T:
        start.wait()
        return call()

    return list(pool.map(run, calls))


def approved(stage: Stage, value: int, slug: str = "acme") -> RequestId:
    """Return a request that finance has approved and that waits to be run by hand; its page is marked as seen only."""
    request = stage.filed("support_agent", slug, value)
    with stage.storage.store.write() as unit:
        unit.requests.rendered(
            request.id, revision=request.revision, staff=PEOPLE["finance_lead"].id, at=stage.house.clock.now()
        )
    answer = vote(stage, stage.house, "finance_lead", request)()
    assert isinstance(answer, Voted)
    assert answer.request.state is State.APPROVED
    return request.id


def execute_eightfold(stage: Stage, pool: ThreadPoolExecutor, house: House, request: RequestId) -> list[object]:
    """Let requester and approver each execute four times at once."""
    people = [stage.actor(who) for who in ("support_agent", "finance_lead")] * (EXECUTORS // 2)
    return at_once(pool, *[lambda who=who: execute_request(house, who, request_id=request) for who in people])


@contextmanager
def nobody_waits() -> Iterator[None]:
    """Let executors all come to the fence at once: it has to hold by itself, also where no turn was taken before."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("console.usecases.execute_request.take_turn", lambda *_arguments: None)
        yield


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


def vote(stage: Stage, house: House, who: str, request: Request) -> Callable[[], object]:
    """Return the approval of somebody who has seen the diff."""
    return lambda: vote_on_request(
        house, stage.actor(who, house), request_id=request.id, digest=request.digest, verdict=Verdict.APPROVE
    )


def refusals(stage: Stage, request: RequestId) -> int:
    """Return how many refusals are on record about a request."""
    return stage.count("SELECT count(*) FROM audit_event WHERE correlation = ? AND outcome = 'denied'", request)


def denials(answers: Sequence[object]) -> list[Deny]:
    """Return the refusals among what contenders were told, the run after a vote included."""
    told = [answer.execution if isinstance(answer, Voted) and answer.execution else answer for answer in answers]
    return [answer for answer in told if isinstance(answer, Deny)]


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


def settle_tenant(stage: Stage, *slugs: str) -> None:
    """Add tenants to a stage that is set."""
    with stage.storage.bulk.write() as bulk:
        for slug in slugs:
            bulk.put(tenant_records(slug, SHARED_PLANE))


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
