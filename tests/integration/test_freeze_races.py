"""Freeze against execute on a real PostgreSQL: once the freeze is committed, nothing is executed any more."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from console.domain.decisions import Deny, DenyCode, NeedsStepUp
from console.domain.freezes import Door, Freeze
from console.domain.ids import SHARED_PLANE, ActionKey, FreezeId, ReasonCode, RequestId, StaffId
from console.domain.leases import Lease, LeaseEnd
from console.domain.reasons import Reason
from console.domain.signals import Response, SignalKey
from console.storage.freezes import StoredFreezes
from console.storage.leases import StoredLeases
from console.usecases.execute_request import execute_request
from console.usecases.house import House
from console.usecases.open_lease import open_lease
from console.usecases.outcomes import Ran
from console.usecases.propose_action import propose_action
from console.usecases.watch_trail import watch_trail
from tests.conftest import NewDatabase
from tests.databases import HandClock
from tests.integration.cast import PaperSigner, PaperSink
from tests.integration.race_world import Meeting, Watched, at_once
from tests.integration.stage import (
    CONTRACT,
    NOTE,
    OVERRIDE,
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
from tests.integration.test_signals import MANY, SLUGS, rules, tuned, visit
from tests.web.cast import PEOPLE

EXECUTORS = 6
ROUNDS = 4
CROWD = tuple(f"crowd{number}" for number in range(EXECUTORS))
UNFAMILIAR = SignalKey("first_time_tenants")
SET, DRILL = ActionKey("freeze.set"), ActionKey("freeze.drill")
INCIDENT = Reason(code=ReasonCode("CONTAINMENT"), reference="INC-2301")
EXECUTED = "SELECT count(*) FROM plane_entitlement_override"


class LingeringFreezes(StoredFreezes):
    """The real book; whoever has looked takes a while before they go on, as on a slow machine."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, writing=True)

    def over(self, **about: object) -> Freeze | None:
        """Look, then linger."""
        found = super().over(**about)  # type: ignore[arg-type]
        time.sleep(0.03)
        return found


class CarelessFreezes(LingeringFreezes):
    """The seeded fault: whoever looks holds nobody off, and whoever freezes waits for nobody."""

    def hold(self) -> None:
        """Hold nothing."""

    def claim(self) -> None:
        """Wait for nobody."""


@pytest.fixture
def stage(tmp_path: Path, pg_database: NewDatabase) -> Iterator[Stage]:
    url, planes = new_urls("postgresql", tmp_path, pg_database)
    with opened_stage(
        url, planes, clock=HandClock(), policy=by_hand(book(), OVERRIDE), pool_size=3 * EXECUTORS
    ) as opened:
        settle_in(opened, ["acme"])
        with opened.storage.bulk.write() as bulk:
            for slug in CROWD:
                bulk.put(tenant_records(slug, SHARED_PLANE))
        yield opened


def approved(stage: Stage, slug: str, value: int) -> RequestId:
    lease = stage.open("support_agent", slug)
    request = stage.filed("support_agent", slug, value)
    stage.approve("finance_lead", request)
    with stage.storage.store.write() as unit:
        unit.leases.end(lease.id, by=LeaseEnd.HAND, at=stage.house.clock.now())
    return request.id


def raced(stage: Stage, freezes: Callable[[Session], StoredFreezes], number: int) -> tuple[list[object], int, int]:
    """Freeze while everybody executes; return the answers, and how much ran until the freeze stood and in the end."""
    house = behind(stage, store=Watched(stage.storage.store, freezes=freezes))
    requests = [approved(stage, slug, 200 + number) for slug in CROWD]
    stood: list[int] = []

    def freeze() -> object:
        time.sleep(0.05 * number)
        answer = propose_action(
            house, stage.actor("on_call"), key=SET, tenant=None, raw={"scope": "all", "subject": ""}, reason=INCIDENT,
            mark=None, form_id=stage.form(),
        )  # fmt: skip
        stood.append(stage.count(EXECUTED))
        return answer

    def execute(request: RequestId) -> object:
        time.sleep(0.1 * requests.index(request))
        return execute_request(house, stage.actor("support_agent"), request_id=request)

    with ThreadPoolExecutor(EXECUTORS + 1) as pool:
        answers = at_once(pool, freeze, *[lambda each=each: execute(each) for each in requests])
    assert isinstance(answers[0], Ran), answers[0]
    with stage.storage.store.write() as unit:
        for each in unit.freezes.standing():
            unit.freezes.lift(each.id, by=PEOPLE["on_call"].id, at=stage.house.clock.now())
    return answers[1:], stood[0], stage.count(EXECUTED)


def test_nothing_is_executed_once_a_freeze_is_committed(stage: Stage) -> None:
    ran = refused = 0
    for number in range(ROUNDS):
        answers, stood, end = raced(stage, LingeringFreezes, number)
        assert stood == end
        ran += sum(isinstance(each, Ran) for each in answers)
        refused += sum(isinstance(each, Deny) and each.code is DenyCode.FROZEN for each in answers)
    assert ran + refused == ROUNDS * EXECUTORS
    assert ran > 0
    assert refused > 0
    print(f"freeze || execute: {ran} ran before it was committed, {refused} were refused, 0 after")  # noqa: T201


def test_its_race_would_catch_a_freeze_that_waits_for_nobody(stage: Stage) -> None:
    late = 0
    for number in range(ROUNDS):
        _answers, stood, end = raced(stage, CarelessFreezes, number)
        late += end - stood
    assert late > 0
    print(f"seeded fault: {late} executed after the freeze")  # noqa: T201


def test_two_freezes_at_once_both_stand(stage: Stage) -> None:
    house: House = stage.house
    start = threading.Barrier(2, timeout=10)

    def freeze(who: str, slug: str) -> object:
        start.wait()
        return propose_action(
            house, stage.actor(who), key=SET, tenant=None, raw={"scope": "tenant", "subject": slug}, reason=INCIDENT,
            mark=None, form_id=stage.form(),
        )  # fmt: skip

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(freeze, ["on_call", "administrator"], CROWD[:2]))
    assert [type(each) for each in answers] == [Ran, Ran]
    with stage.storage.store.read() as unit:
        assert len(unit.freezes.standing()) == 2


class WaitingFreezes(StoredFreezes):
    """The real book; whoever freezes asks to be alone once somebody else has gone as far as they can."""

    def __init__(self, session: Session, meeting: Meeting) -> None:
        super().__init__(session, writing=True)
        self._meeting = meeting

    def claim(self) -> None:
        """Meet, then wait."""
        self._meeting.arrive()
        super().claim()


class BrowsingLeases(StoredLeases):
    """The real book; whoever opens a tenant asks for the budget once somebody else has gone as far as they can."""

    def __init__(self, session: Session, meeting: Meeting) -> None:
        super().__init__(session)
        self._meeting = meeting

    def lock_budget(self, staff: StaffId) -> None:
        """Meet, then wait."""
        self._meeting.arrive()
        super().lock_budget(staff)


def test_a_person_is_frozen_though_they_go_on_opening_tenants_in_the_same_moment(
    tmp_path: Path, pg_database: NewDatabase
) -> None:
    """One signal wants their second factor, which writes on their row, and the next freezes, which waits for them."""
    url, planes = new_urls("postgresql", tmp_path, pg_database)
    found = rules(tuned(MANY, at_least=3), tuned(UNFAMILIAR, at_least=3, response=Response.FREEZE))
    with opened_stage(url, planes, clock=HandClock(), policy=replace(book(), signals=found)) as stage:
        settle_in(stage, SLUGS)
        visit(stage, "support_agent", *SLUGS[:3])
        sequencer = stage.storage.sequencer(PaperSigner(), PaperSink())
        while sequencer.run_once():
            pass
        meeting = Meeting(2, patience_s=0.5)
        watcher = Watched(stage.storage.store, freezes=lambda session: WaitingFreezes(session, meeting))
        browser = Watched(stage.storage.store, leases=lambda session: BrowsingLeases(session, meeting))
        with ThreadPoolExecutor(2) as pool:
            watched = pool.submit(watch_trail, behind(stage, store=watcher))
            asker = stage.actor("support_agent")
            opened = pool.submit(
                open_lease, behind(stage, store=browser), asker, tenant=tenant(SLUGS[3]), reason=CONTRACT, minutes=None
            )
            assert watched.result() is False
            assert isinstance(opened.result(), Lease | Deny | NeedsStepUp)
        assert stage.entries("signal.raised") == 2
        assert stage.count("SELECT count(*) FROM house_freeze") == 1
        assert stage.count("SELECT count(*) FROM lease WHERE ended_at IS NULL") == 0


def test_a_drill_holds_nobody_up_who_comes_to_its_doors_first(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks comes to the door of asking first, whoever runs what was approved to the door of running."""
    request, slug = approved(stage, CROWD[0], 200), CROWD[1]
    stage.open("support_lead", slug)
    answer = propose_action(
        stage.house, stage.actor("on_call"), key=DRILL, tenant=None, raw={},
        reason=INCIDENT, mark=None, form_id=stage.form(),
    )  # fmt: skip
    assert isinstance(answer, Ran), answer
    assert stage.count("SELECT count(*) FROM freeze_sighting") == 0
    meeting, sighted = Meeting(2, patience_s=0.5), StoredFreezes.sighted

    def seen(self: StoredFreezes, freeze: FreezeId, door: Door, *, at: datetime) -> None:
        sighted(self, freeze, door, at=at)
        meeting.arrive()

    monkeypatch.setattr(StoredFreezes, "sighted", seen)
    with ThreadPoolExecutor(2) as pool:
        asking = pool.submit(stage.ask, "support_lead", slug, NOTE, {"text": "Called back."})
        running = pool.submit(execute_request, stage.house, stage.actor("support_agent"), request_id=request)
        assert [type(each.result()) for each in (asking, running)] == [Ran, Ran]
    with stage.storage.store.read() as unit:
        (drill,) = unit.freezes.newest(limit=1)
        assert {each.door for each in unit.freezes.sightings(drill.id)} >= {Door.ASKING, Door.RUNNING}
