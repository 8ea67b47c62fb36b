"""Somebody leaves in the moment in which they begin something, on a real PostgreSQL: nothing of theirs is left open."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from console.domain.decisions import Deny
from console.domain.freezes import Freeze, FreezeScope
from console.domain.ids import FreezeId, LeaseId, SessionKey
from console.domain.leases import Lease, LeaseEnd
from console.domain.staff import Actor, Origin, StaffSession
from console.storage.leases import StoredLeases
from console.storage.sessions import StoredSessions
from console.storage.staff import StoredStaff
from console.usecases.control_tools import UnitTools
from console.usecases.house import House
from console.usecases.keep_time import end_overdue
from console.usecases.leases_ending import end_lease_in
from console.usecases.open_lease import open_lease
from console.usecases.resume_session import Resumed, SessionOver, resume_session
from console.usecases.sign_in import SignedIn, sign_in_with_password, sign_out
from console.usecases.step_up import step_up_with_code
from tests.integration.overtaking import overtake
from tests.integration.race_world import EndingLeases, Meeting, Watched, at_once, pool, settle_tenant, stage
from tests.integration.stage import CONTRACT, Stage, behind, tenant
from tests.web.cast import CODES, PEOPLE

__all__ = ["pool", "stage"]
WHO = PEOPLE["support_agent"]
OPEN = "SELECT count(*) FROM lease WHERE ended_at IS NULL"
LIVE = "SELECT count(*) FROM staff_session WHERE revoked_at IS NULL"
Leaving = Callable[[Stage, Actor], object]


class MeetingLeases(StoredLeases):
    """The real book; whoever opens a tenant stores it once somebody else has gone as far as they can."""

    def __init__(self, session: Session, meeting: Meeting) -> None:
        super().__init__(session)
        self._meeting = meeting

    def add(self, lease: Lease) -> None:
        """Meet, then store."""
        self._meeting.arrive()
        super().add(lease)


class MeetingSessions(StoredSessions):
    """The real book; whoever signs in stores the session once somebody else has gone as far as they can."""

    def __init__(self, session: Session, meeting: Meeting) -> None:
        super().__init__(session)
        self._meeting = meeting

    def add(self, session: StaffSession) -> None:
        """Meet, then store."""
        self._meeting.arrive()
        super().add(session)


class EndedLeases(StoredLeases):
    """The real book; whoever has ended a lease goes on once somebody else has gone as far as they can."""

    def __init__(self, session: Session, meeting: Meeting) -> None:
        super().__init__(session)
        self._meeting = meeting

    def end(self, lease: LeaseId, *, by: LeaseEnd, at: datetime) -> bool:
        """End, then meet."""
        is_ended = super().end(lease, by=by, at=at)
        self._meeting.arrive()
        return is_ended


class EndingSessions(StoredSessions):
    """The real book; whoever ends a session does so once somebody else has gone as far as they can."""

    def __init__(self, session: Session, meeting: Meeting) -> None:
        super().__init__(session)
        self._meeting = meeting

    def revoke(self, key: SessionKey, at: datetime) -> bool:
        """Meet, then end."""
        self._meeting.arrive()
        return super().revoke(key, at)


def enter(stage: Stage, house: House | None = None) -> SignedIn | Deny:
    now = stage.house.clock.now()
    return sign_in_with_password(
        house or stage.house, email=WHO.email, password=WHO.password, code=WHO.code(now), origin=Origin()
    )


def signed_in(stage: Stage) -> Actor:
    entered = enter(stage)
    assert isinstance(entered, SignedIn)
    return signed_in_as(stage, entered)


def signed_in_as(stage: Stage, entered: SignedIn) -> Actor:
    resumed = resume_session(stage.house, token=entered.token, origin=Origin(), is_activity=False)
    assert isinstance(resumed, Resumed)
    return resumed.actor


def deactivate(stage: Stage, _actor: Actor | None = None) -> None:
    """Do what the action does."""
    now = stage.house.clock.now()
    with stage.storage.store.write() as unit:
        unit.staff.set_active(WHO.id, is_active=False, at=now)
        tools = UnitTools(house=stage.house, unit=unit, actor=stage.actor("administrator"), tenant=None)
        tools.end_everything_of(WHO.id, at=now)


def leave(stage: Stage, actor: Actor) -> None:
    sign_out(stage.house, actor)


def rotate(stage: Stage, actor: Actor) -> None:
    """Do what a second factor in another tab does."""
    assert actor.session is not None
    with stage.storage.store.write() as unit:
        unit.sessions.rotate(actor.session, SessionKey("another"))


LEAVING = pytest.mark.parametrize("leaving", [deactivate, leave])


def open_tenant(stage: Stage, actor: Actor, house: House | None = None) -> object:
    return open_lease(house or stage.house, actor, tenant=tenant("acme"), reason=CONTRACT, minutes=None)


def test_what_is_over_already_is_ended_by_nobody_else(stage: Stage) -> None:
    lease, actor, now = stage.open("support_agent", "acme"), stage.actor("support_agent"), stage.house.clock.now()
    with stage.storage.store.write() as unit:
        told = [end_lease_in(unit, actor, lease, by=by, now=now) for by in (LeaseEnd.HAND, LeaseEnd.FROZEN)]
    assert told == [True, False]
    assert stage.count("SELECT count(*) FROM lease WHERE ended_by = 'hand'") == 1


@LEAVING
def test_what_is_opened_while_somebody_leaves_is_ended_with_the_rest(
    stage: Stage, pool: ThreadPoolExecutor, leaving: Leaving
) -> None:
    actor, meeting = signed_in(stage), Meeting(2, patience_s=0.5)
    store = Watched(stage.storage.store, leases=lambda session: MeetingLeases(session, meeting))

    def go() -> None:
        leaving(stage, actor)
        meeting.arrive()

    answers = at_once(pool, lambda: open_tenant(stage, actor, behind(stage, store=store)), go)
    assert isinstance(answers[0], Lease | Deny)
    assert stage.count(OPEN) == stage.count(LIVE) == 0


@LEAVING
def test_nothing_is_opened_by_somebody_who_has_just_left(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, leaving: Leaving
) -> None:
    actor = signed_in(stage)
    overtake(monkeypatch, StoredLeases, "lock_budget", lambda *_given: leaving(stage, actor))
    assert isinstance(open_tenant(stage, actor), Deny)
    assert stage.count("SELECT count(*) FROM lease") == 0
    assert stage.entries("lease.refused") == 1


def test_nothing_is_opened_for_a_session_that_went_on_under_another_key(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sign-out would never find what was opened under the key before."""
    actor = signed_in(stage)
    overtake(monkeypatch, StoredLeases, "lock_budget", lambda *_given: rotate(stage, actor))
    assert isinstance(open_tenant(stage, actor), Deny)
    assert stage.count("SELECT count(*) FROM lease") == 0


@pytest.mark.parametrize("faster", [leave, rotate])
def test_no_second_factor_counts_for_a_session_that_ended_or_went_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, faster: Leaving
) -> None:
    actor = signed_in(stage)
    stage.house.clock.pass_by(seconds=60)  # type: ignore[attr-defined]  # a HandClock
    overtake(monkeypatch, StoredStaff, "accept_totp_step", lambda *_given: faster(stage, actor))
    code = WHO.code(stage.house.clock.now())
    assert isinstance(step_up_with_code(stage.house, actor, code=code), Deny)
    assert (stage.entries("step_up.passed"), stage.entries("step_up.refused")) == (0, 1)
    with stage.storage.store.read() as unit:
        credentials = unit.staff.credentials(WHO.id)
    assert credentials is not None
    step = CODES.step_of(str(credentials.totp_sealed), code, now=stage.house.clock.now())
    assert step is not None
    assert credentials.totp_last_step < step, "the code is still good"


def test_a_session_that_begins_while_its_account_is_deactivated_ends_with_it(
    stage: Stage, pool: ThreadPoolExecutor
) -> None:
    meeting = Meeting(2, patience_s=0.5)
    store = Watched(stage.storage.store, sessions=lambda session: MeetingSessions(session, meeting))

    def go() -> None:
        deactivate(stage)
        meeting.arrive()

    at_once(pool, lambda: enter(stage, behind(stage, store=store)), go)
    assert stage.count(LIVE) == 0


def test_whoever_comes_back_too_late_and_the_clock_do_not_wait_in_a_circle(
    stage: Stage, pool: ThreadPoolExecutor
) -> None:
    """The clock ends the lease and then the session; whoever comes back finds the session over, and then the lease."""
    entered = enter(stage)
    assert isinstance(entered, SignedIn)
    open_tenant(stage, signed_in_as(stage, entered))
    stage.house.clock.pass_by(minutes=25)  # type: ignore[attr-defined]  # a HandClock
    meeting = Meeting(2, patience_s=0.5)
    clock = Watched(stage.storage.store, sessions=lambda session: EndingSessions(session, meeting))
    desk = Watched(stage.storage.store, leases=lambda session: EndingLeases(session, meeting))
    ended, back = at_once(
        pool,
        lambda: end_overdue(behind(stage, store=clock)),
        lambda: resume_session(
            behind(stage, store=desk), token=entered.token, origin=Origin(), is_activity=True
        ),
    )  # fmt: skip
    assert isinstance(back, SessionOver)
    assert isinstance(ended, int)
    assert stage.count(OPEN) == stage.count(LIVE) == 0
    assert stage.entries("session.expired") == stage.entries("lease.end") + stage.entries("lease.expired") == 1


def test_nobody_waits_in_a_circle_whose_sessions_end_while_they_are_frozen(
    stage: Stage, pool: ThreadPoolExecutor
) -> None:
    """Who ends sessions begins with the newest, who freezes with the lease that was opened first."""
    settle_tenant(stage, "beta")
    for slug in ("acme", "beta"):
        actor = signed_in(stage)
        lease = open_lease(stage.house, actor, tenant=tenant(slug), reason=CONTRACT, minutes=None)
        assert isinstance(lease, Lease)
        stage.house.clock.pass_by(minutes=2)  # type: ignore[attr-defined]  # a HandClock
    meeting, admin, now = Meeting(2, patience_s=0.5), stage.actor("administrator"), stage.house.clock.now()
    store = Watched(stage.storage.store, leases=lambda session: EndedLeases(session, meeting))
    freeze = Freeze(
        id=FreezeId("frz_1"), scope=FreezeScope.PERSON, subject=WHO.id, name="Noor", is_drill=False, reason=CONTRACT,
        set_by=admin.staff, set_at=now,
    )  # fmt: skip

    def end() -> None:
        with store.write() as unit:
            UnitTools(house=stage.house, unit=unit, actor=admin, tenant=None).end_sessions_of(WHO.id, at=now)

    def freeze_them() -> None:
        with store.write() as unit:
            UnitTools(house=stage.house, unit=unit, actor=admin, tenant=None).freeze(freeze)

    at_once(pool, end, freeze_them)
    assert stage.count(OPEN) == stage.count(LIVE) == 0
    assert stage.entries("lease.end") == 2
