"""Where many do one thing at the same moment on PostgreSQL: who waits for whom, and stores that forget to lock."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from console.domain.decisions import Deny
from console.domain.ids import SHARED_PLANE, ActionKey, LeaseId, RequestId
from console.domain.leases import Lease, LeaseEnd
from console.domain.requests import Request, State, Verdict
from console.storage.leases import StoredLeases
from console.storage.request_tables import RequestRow
from console.storage.requests import StoredRequests
from console.storage.rows import changed
from console.storage.store import ControlStore, StoredUnit
from console.usecases.execute_request import execute_request
from console.usecases.house import House
from console.usecases.vote_on_request import Voted, vote_on_request
from tests.conftest import NewDatabase
from tests.databases import HandClock
from tests.integration.stage import (
    OVERRIDE,
    Stage,
    behind,
    book,
    by_hand,
    new_urls,
    opened_stage,
    settle_in,
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


class EndingLeases(StoredLeases):
    """The real book; whoever ends a lease does so once somebody else has gone as far as they can."""

    def __init__(self, session: Session, meeting: Meeting) -> None:
        super().__init__(session)
        self._meeting = meeting

    def end(self, lease: LeaseId, *, by: LeaseEnd, at: datetime) -> bool:
        """Meet, then end."""
        self._meeting.arrive()
        return super().end(lease, by=by, at=at)


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


def settle_tenant(stage: Stage, *slugs: str) -> None:
    """Add tenants to a stage that is set."""
    with stage.storage.bulk.write() as bulk:
        for slug in slugs:
            bulk.put(tenant_records(slug, SHARED_PLANE))
