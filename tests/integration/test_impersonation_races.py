"""What only one of several can win of an impersonation, on a real PostgreSQL: one code, one row, one end."""

import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Barrier
from typing import Any, TypeVar

import pytest
from sqlalchemy.orm import Session

from console.domain.decisions import Deny
from console.domain.freezes import Freeze, FreezeScope
from console.domain.ids import FreezeId, ImpersonationId, RequestId, SessionKey
from console.domain.impersonations import ImpersonationEnd, Mode
from console.domain.leases import Lease
from console.domain.staff import Actor, Origin
from console.storage.impersonations import StoredImpersonations
from console.usecases.control_tools import UnitTools
from console.usecases.end_impersonation import end_impersonation
from console.usecases.exchange_token import Issued, NotIssued, exchange_code
from console.usecases.introspect_token import Active, introspect_token
from console.usecases.keep_time import end_overdue
from console.usecases.open_lease import end_lease
from console.usecases.outcomes import Ran
from console.usecases.sign_in import sign_out
from tests.conftest import NewDatabase
from tests.integration.race_world import EndingLeases, Meeting, Watched
from tests.products import connected_product
from tests.web.cast import PEOPLE, Cast, on_stage, peopled_postgres
from tests.web.product_stage import TICKET, actor, ask_to_act, begun, entered, handed_over, impersonation_of

T = TypeVar("T")
CROWD = 6
ROUNDS = 12


@pytest.fixture
def cast(pg_database: NewDatabase) -> Iterator[Cast]:
    with on_stage(peopled_postgres(pg_database)) as cast:
        yield cast


def at_once(doing: Sequence[Callable[[], T]]) -> list[T]:
    """Let all of them begin at the same moment."""
    gate = Barrier(len(doing))

    def one(what: Callable[[], T]) -> T:
        gate.wait()
        return what()

    with ThreadPoolExecutor(len(doing)) as pool:
        return [each.result() for each in [pool.submit(one, what) for what in doing]]


def test_one_code_gives_one_token_however_many_bring_it(cast: Cast) -> None:
    agent = cast.sign_in("support_agent")
    cast.open_tenant(agent)
    sid = begun(cast)
    for _ in range(ROUNDS):
        verifier = secrets.token_urlsafe(48)
        code = handed_over(agent, sid, verifier)

        def bring(code: str = code, verifier: str = verifier) -> Issued | NotIssued:
            return exchange_code(cast.house, connected_product(), code=code, verifier=verifier, origin=Origin())

        kinds = Counter(type(answer) for answer in at_once([bring] * CROWD))
        assert kinds == {Issued: 1, NotIssued: CROWD - 1}
    assert cast.count("impersonation.entered") == ROUNDS
    assert cast.count("impersonation.refused") == ROUNDS * (CROWD - 1)


def test_one_person_never_has_two(cast: Cast) -> None:
    agent = cast.sign_in("support_agent")
    cast.open_tenant(agent)
    for _ in range(ROUNDS):
        answers = at_once([lambda: ask_to_act(cast, "support_agent")] * CROWD)
        (won,) = [answer for answer in answers if isinstance(answer, Ran)]
        with cast.house.store.read() as unit:
            row = unit.impersonations.open_of(PEOPLE["support_agent"].id)
        assert row is not None
        assert row.id == won.applied.made
        end_impersonation(cast.house, actor(cast, "support_agent"), impersonation=row.id)
    assert cast.count("impersonation.ended") == ROUNDS


def test_it_ends_once_and_nothing_widens_what_is_over(cast: Cast) -> None:
    agent = cast.sign_in("support_agent")
    for number in range(ROUNDS):
        inside = entered(cast, agent)

        def end(sid: str = inside.sid) -> bool:
            answer = end_impersonation(cast.house, actor(cast, "support_agent"), impersonation=sid)  # type: ignore[arg-type]
            return not hasattr(answer, "code")

        def widen(sid: str = inside.sid, number: int = number) -> bool:
            with cast.house.store.write() as unit:
                return unit.impersonations.widen(sid, by=RequestId(f"req_{number}"))  # type: ignore[arg-type]

        ends = at_once([end, end, widen])
        assert ends[:2].count(True) == 1
        with cast.house.store.read() as unit:
            row = unit.impersonations.get(inside.sid)
        assert row is not None
        assert row.ended_by is not None
        assert (row.mode is Mode.WRITE) is ends[2]
        with cast.house.store.write() as unit:
            assert not unit.impersonations.widen(inside.sid, by=RequestId("req_late"))
    assert cast.count("impersonation.ended") == ROUNDS


def test_whoever_asks_after_the_end_is_told_of_it(cast: Cast) -> None:
    agent = cast.sign_in("support_agent")
    for _ in range(ROUNDS):
        inside = entered(cast, agent)
        ended: list[bool] = []

        def end(sid: str = inside.sid, ended: list[bool] = ended) -> bool:
            end_impersonation(cast.house, actor(cast, "support_agent"), impersonation=sid)  # type: ignore[arg-type]
            ended.append(True)
            return True

        def ask(token: str = inside.token, ended: list[bool] = ended) -> bool:
            was_over = bool(ended)
            answer = introspect_token(cast.house, connected_product(), token=token, is_activity=True, origin=Origin())
            return not (was_over and isinstance(answer, Active))

        assert all(at_once([end, ask, ask, ask]))


def test_nobody_waits_in_a_circle_who_closes_a_tenant_while_another_tab_shows_a_second_factor(cast: Cast) -> None:
    agent = cast.sign_in("support_agent")
    entered(cast, agent)
    who, meeting = actor(cast, "support_agent"), Meeting(2, patience_s=0.5)
    (lease,) = leases_of(cast)
    store: Any = Watched(cast.storage.store, leases=lambda session: EndingLeases(session, meeting))

    def close() -> Deny | None:
        return end_lease(replace(cast.house, store=store), who, lease=lease.id)

    def go_on() -> None:
        assert who.session is not None
        with cast.house.store.write() as unit:
            unit.sessions.rotate(who.session, SessionKey("another"))
        meeting.arrive()

    assert at_once([close, go_on]) == [None, None]
    assert leases_of(cast) == []


@dataclass(frozen=True)
class EndingStores:
    """Stores whose users meet before they end what acts for a member, or a lease."""

    acting: Any
    leases: Any


class EndingImpersonations(StoredImpersonations):
    """The real book; whoever ends one does so once somebody else has gone as far as they can."""

    def __init__(self, session: Session, meeting: Meeting) -> None:
        super().__init__(session)
        self._meeting = meeting

    def end(self, impersonation: ImpersonationId, *, by: ImpersonationEnd, at: datetime) -> bool:
        """Meet, then end."""
        self._meeting.arrive()
        return super().end(impersonation, by=by, at=at)


def test_nobody_waits_in_a_circle_who_closes_a_tenant_while_another_tab_begins_to_act_again(cast: Cast) -> None:
    """The one before idled out, which is written when the next begins, and when its lease ends."""
    agent = cast.sign_in("support_agent")
    entered(cast, agent)
    cast.clock.pass_by(minutes=11)
    who, meeting = actor(cast, "support_agent"), Meeting(2, patience_s=0.5)
    (lease,) = leases_of(cast)
    beginning: Any = Watched(cast.storage.store, impersonations=lambda session: EndingImpersonations(session, meeting))
    closing: Any = Watched(cast.storage.store, leases=lambda session: EndingLeases(session, meeting))
    begins = replace(cast, house=replace(cast.house, store=beginning))
    closes = replace(cast.house, store=closing)
    answers = at_once([lambda: ask_to_act(begins, "support_agent"), lambda: end_lease(closes, who, lease=lease.id)])
    assert isinstance(answers[0], Ran | Deny), answers
    assert leases_of(cast) == []
    end_overdue(cast.house)
    with cast.house.store.read() as unit:
        assert unit.impersonations.open_of(PEOPLE["support_agent"].id) is None


def stage_of_two(cast: Cast) -> tuple[Actor, EndingStores]:
    """Let one browser open two tenants, and another act at the second of them; return the first, and who meets.

    So no one session has both, and what acts is found while the leases end.
    """
    cast.sign_in("support_agent")
    elsewhere = actor(cast, "support_agent").session
    assert elsewhere is not None
    cast.clock.pass_by(minutes=2)
    browser = cast.sign_in("support_agent")
    for slug in ("kestrel", "nordwind"):
        assert cast.open_tenant(browser, slug).status_code == 303
        cast.clock.pass_by(seconds=1)
    impersonation_of(cast, "support_agent", session=elsewhere, slug="nordwind")
    meeting = Meeting(2, patience_s=0.5)
    return actor(cast, "support_agent"), EndingStores(
        acting=Watched(cast.storage.store, impersonations=lambda session: EndingImpersonations(session, meeting)),
        leases=Watched(cast.storage.store, leases=lambda session: EndingLeases(session, meeting)),
    )


def test_nobody_waits_in_a_circle_who_signs_out_while_they_are_frozen(cast: Cast) -> None:
    who, stores = stage_of_two(cast)
    cast.sign_in("administrator")
    lead, now = actor(cast, "administrator"), cast.clock.now()
    freeze = Freeze(
        id=FreezeId("frz_1"), scope=FreezeScope.PERSON, subject=who.staff, name=who.name, is_drill=False,
        reason=TICKET, set_by=lead.staff, set_at=now,
    )  # fmt: skip

    def leave() -> None:
        sign_out(replace(cast.house, store=stores.acting), who)

    def freeze_them() -> None:
        with stores.leases.write() as unit:
            UnitTools(house=cast.house, unit=unit, actor=lead, tenant=None).freeze(freeze)

    assert at_once([leave, freeze_them]) == [None, None]
    assert leases_of(cast) == []
    assert (cast.count("impersonation.expired"), cast.count("lease.end")) == (1, 2)


def leases_of(cast: Cast) -> Sequence[Lease]:
    with cast.house.store.read() as unit:
        return unit.leases.open_of(PEOPLE["support_agent"].id)
