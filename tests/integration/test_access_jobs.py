"""Access over time and over many tenants: ends that come by themselves, mass recalculations, the register."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from console.domain.decisions import Deny
from console.domain.effective_store import StoredRow, StoredSet
from console.domain.entitlements import Grant, GrantSource, Op
from console.domain.errors import OutsideError
from console.domain.ids import SHARED_PLANE, ActionKey, Digest, PlaneId, RunId, TenantId
from console.domain.imports import WebhookEndpointRecord
from console.domain.jobs import Job, JobDraft
from console.domain.override_register import Registered
from console.domain.recalculations import BY_STAFF, CANARY_WAIT_S, MORE_LOSSES, Progress, Sweep, SweepState, TenantState
from console.domain.tenancy import DirectoryRow, TenantScope
from console.ports.override_register import Which
from console.ports.planes import TenantPlane
from console.ports.store import ControlUnit
from console.usecases import run_recalculation
from console.usecases.house import House
from console.usecases.keep_register import REGISTER_JOB
from console.usecases.outcomes import BadFields, Proposal, Ran
from console.usecases.propose_action import propose_action
from console.usecases.run_jobs import run_due_jobs
from console.usecases.sweep_access import SWEEP_JOB
from tests.databases import ENGINES, HandClock
from tests.integration.cast import scope
from tests.integration.stage import CONTRACT, FAR, SEATS, Stage, behind, new_urls, opened_stage, rows, settle_in, tenant
from tests.integration.test_crash_path import Meddled
from tests.web.cast import PEOPLE

DAY = timedelta(days=1)
LEAD = "support_lead"
OTHERS = ("nordwind", "globex")  # of the cast
SLUGS = tuple(f"shop{number}" for number in range(8))

RECALCULATED = "SELECT count(*) FROM audit_event WHERE action = 'access.recalculated' AND tenant = ?"


class Desk:
    """A house with eight tenants here and one far away, its clock, and its worker."""

    def __init__(self, stage: Stage, clock: HandClock) -> None:
        self.stage, self.clock = stage, clock
        self.house: House = stage.house

    def is_away(self, slug: str) -> bool:
        return slug == "away"

    def plane(self, slug: str) -> PlaneId:
        return FAR if self.is_away(slug) else SHARED_PLANE

    def scoped(self, slug: str) -> TenantScope:
        return scope(tenant(slug), plane=self.plane(slug), hours=24 * 60)

    def stored(self, slug: str) -> StoredSet | None:
        wanted = self.scoped(slug)
        if self.is_away(slug):
            with self.stage.storage.planes.read(wanted) as plane:
                return plane.effective_set()
        with self.stage.storage.store.read() as unit:
            return unit.tenant(wanted).effective_set()

    def override(self, slug: str, value: int, *, until: timedelta | None = None, number: int = 1) -> None:
        now = self.clock.now()
        grant = Grant(
            source=GrantSource.OVERRIDE, id=f"ovr_{slug}_{number}", label="Override", feature="seats", value=value,
            starts_at=now, until=None if until is None else now + until, reference="R-1", op=Op.SET,
            owner=PEOPLE["support_agent"].id,
        )  # fmt: skip
        self.write(slug, grant)

    def write(self, slug: str, grant: Grant | None = None, *, stored: StoredSet | None = None) -> None:
        wanted, now = self.scoped(slug), self.clock.now()
        if self.is_away(slug):
            with self.stage.storage.planes.write(wanted) as plane:
                self.put(plane, grant, stored, at=now)
            return
        with self.stage.storage.store.write() as unit:
            self.put(unit.tenant(wanted), grant, stored, at=now)

    def put(self, plane: TenantPlane, grant: Grant | None, stored: StoredSet | None, *, at: datetime) -> None:
        if stored is not None:
            plane.store_effective_set(stored, cause="test", expected=None)
        elif grant is None:
            plane.recalculate(cause="test", at=at)
        else:
            plane.add_override(grant, by="t", at=at)

    def asked(self, who: str, key: str, **raw: str) -> Proposal:
        return propose_action(
            self.house, self.stage.actor(who), key=ActionKey(key), tenant=None, raw=raw, reason=CONTRACT, mark=None,
            form_id=self.stage.form(),
        )  # fmt: skip

    def ran(self, who: str, key: str, **raw: str) -> Ran:
        answer = self.asked(who, key, **raw)
        assert isinstance(answer, Ran), answer
        return answer

    def work(self, rounds: int = 1) -> None:
        for _ in range(rounds):
            run_due_jobs(self.house, worker="w1", limit=20)

    def job(self, kind: str) -> None:
        with self.stage.storage.store.write() as unit:
            unit.jobs.add(JobDraft(kind=kind, key=self.house.ids.new("tst")), at=self.clock.now())
        self.work()

    def planned(self, **raw: str) -> Sweep:
        done = self.ran(LEAD, "entitlement.plan_recalculation", **{"plan": "", "rate_per_s": "", **raw})
        assert done.applied.made is not None
        self.work(3)
        return self.sweep(done.applied.made)

    def sweep(self, run: str) -> Sweep:
        with self.stage.storage.store.read() as unit:
            found = unit.recalculations.get(RunId(run))
        assert found is not None
        return found

    def progress(self, run: str) -> Progress:
        with self.stage.storage.store.read() as unit:
            return unit.recalculations.progress(RunId(run))

    def registered(self, which: Which = Which.ALL) -> list[Registered]:
        with self.stage.storage.store.read() as unit:
            return list(unit.register.page(which, ends_before=self.clock.now() + 7 * DAY, after=None, limit=50))


@pytest.fixture(params=ENGINES)
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    create = request.getfixturevalue("pg_database") if request.param == "postgresql" else str
    url, planes = new_urls(request.param, tmp_path, create, far=True)
    clock = HandClock()
    with opened_stage(url, planes, clock=clock) as stage:
        settle_in(stage, SLUGS, ["away"])
        yield Desk(stage, clock)


def seats(stored: StoredSet | None) -> int:
    assert stored is not None
    return stored.rows[0].value


def too_generous() -> StoredSet:
    """Return what the product was told by mistake: more seats than anything gives."""
    return StoredSet(
        version=1, computed_at=HandClock().now(), valid_until=None, inputs_digest=Digest("0" * 64), source_version=1,
        rows=(StoredRow(feature="seats", value=900, access="granted", hard=900),),
    )  # fmt: skip


@pytest.mark.parametrize("slug", ["shop1", "away"])
def test_an_end_takes_effect_at_its_moment_without_any_event(desk: Desk, slug: str) -> None:
    desk.override(slug, 500, until=2 * DAY)
    desk.write(slug)
    desk.clock.pass_by(hours=47, minutes=59)
    desk.job(SWEEP_JOB)
    assert seats(desk.stored(slug)) == 500
    desk.clock.pass_by(minutes=1)
    desk.job(SWEEP_JOB)
    assert seats(desk.stored(slug)) == SEATS
    desk.work()  # of a plane elsewhere a job of its own tells
    assert desk.stage.entries("access.recalculated") == 1
    desk.job(SWEEP_JOB)
    desk.work()
    assert desk.stage.entries("access.recalculated") == 1


def test_an_override_takes_effect_in_its_own_transaction(desk: Desk) -> None:
    desk.stage.open("support_agent", "shop1")
    request = desk.stage.filed("support_agent", "shop1", 200)
    desk.stage.approve("finance_lead", request)
    assert seats(desk.stored("shop1")) == 200
    changes = desk.stage.count(
        "SELECT count(*) FROM audit_event WHERE action = 'action.executed' AND body LIKE '%Effective set%'"
    )
    assert changes == 1


def test_it_tells_those_who_subscribe_by_name_once_for_each_change(desk: Desk) -> None:
    with desk.stage.storage.bulk.write() as bulk:
        bulk.put([
            WebhookEndpointRecord(
                tenant="shop1", external_id=name, url=f"https://{name}.shop1.example/in", created_at=desk.clock.now(),
                event_types=types,
            )
            for name, types in (("named", ("entitlements.*",)), ("other", ("invoice.*",)), ("everything", ()))
        ])  # fmt: skip
    desk.write("shop1")
    desk.override("shop1", 500, until=DAY)
    desk.job(SWEEP_JOB)
    told = "SELECT count(*) FROM plane_webhook_delivery WHERE event_type = 'entitlements.updated'"
    assert desk.stage.count(told) == 0
    desk.stage.open("support_agent", "shop1")
    recalculate = ActionKey("entitlement.recalculate")
    first, second = (desk.stage.ask("support_agent", "shop1", recalculate, {}) for _ in range(2))
    assert isinstance(first, Ran)
    assert isinstance(second, Ran)
    assert [change.field for change in first.applied.changes] == ["Seats", "Effective set"]
    assert (second.applied.changes, second.applied.sentence) == (
        (), "Nothing to do: the stored set (version 2) is up to date.",
    )  # fmt: skip
    assert desk.stage.count(told) == 1
    desk.clock.pass_by(days=1)
    desk.job(SWEEP_JOB)
    assert desk.stage.count(told) == 2


def test_it_plans_and_recalculates_canaries_first_and_then_the_others(desk: Desk) -> None:
    desk.write("shop0")
    sweep = desk.planned()
    others = len(OTHERS)
    assert (sweep.state, sweep.planned, sweep.losing) == (SweepState.PLANNED, len(SLUGS) + others, 0)
    desk.ran(LEAD, "entitlement.run_recalculation", run=sweep.id)
    desk.work()
    assert desk.progress(sweep.id) == Progress(done=5, waiting=3 + others)
    desk.clock.pass_by(seconds=5)
    desk.work()
    desk.clock.pass_by(seconds=30)
    desk.work()
    assert desk.progress(sweep.id) == Progress(done=5, waiting=3 + others)
    desk.clock.pass_by(seconds=CANARY_WAIT_S)
    desk.work()
    desk.clock.pass_by(seconds=2)
    desk.work()
    assert desk.progress(sweep.id) == Progress(done=8 + others)
    assert desk.sweep(sweep.id).state is SweepState.FINISHED
    assert seats(desk.stored("away")) == SEATS
    assert desk.stage.entries("access.recalculated") == len(SLUGS) + others
    assert [desk.stage.entries(f"access.{word}") for word in ("planned", "started", "finished")] == [1, 1, 1]
    assert desk.planned().planned == 0


def test_it_goes_on_where_it_was_when_its_worker_is_killed(desk: Desk) -> None:
    sweep = desk.planned()
    desk.ran(LEAD, "entitlement.run_recalculation", run=sweep.id)
    with desk.stage.storage.store.read() as unit:
        first = unit.recalculations.tenants(sweep.id, after=0, limit=1)[0]
    with desk.stage.storage.store.write() as unit:  # the set was stored and its settling was lost
        wanted = scope(first.tenant, plane=SHARED_PLANE, hours=24 * 60)
        if unit.directory.many([first.tenant])[first.tenant].plane == SHARED_PLANE:
            unit.tenant(wanted).recalculate(cause=sweep.id, at=desk.clock.now())
    for _ in range(20):
        desk.work()
        desk.clock.pass_by(seconds=30)
    assert desk.progress(sweep.id) == Progress(done=sweep.planned)
    assert all(desk.stored(slug) is not None for slug in SLUGS)


def test_it_says_what_a_killed_worker_did_elsewhere_and_says_it_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.write("away", stored=too_generous())
    sweep = desk.planned()
    desk.ran(LEAD, "entitlement.run_recalculation", run=sweep.id)
    settling = run_recalculation._settle

    def dying(unit: ControlUnit, job: Job, row: DirectoryRow, *rest: Any, at: datetime) -> None:  # noqa: ANN401
        if row.id == tenant("away"):
            monkeypatch.setattr(run_recalculation, "_settle", settling)
            raise KeyboardInterrupt  # the plane has committed, the control store has not
        settling(unit, job, row, *rest, at=at)

    monkeypatch.setattr(run_recalculation, "_settle", dying)
    deaths = 0
    for _ in range(20):
        try:
            desk.work()
        except KeyboardInterrupt:
            deaths += 1
            assert seats(desk.stored("away")) == SEATS
            desk.clock.pass_by(seconds=desk.house.book.jobs.lease_seconds)
        desk.clock.pass_by(seconds=30)
    assert (deaths, desk.progress(sweep.id)) == (1, Progress(done=sweep.planned))
    assert desk.stage.entries("access.recalculated") == sweep.planned
    body = rows(desk.stage.url, "SELECT body FROM audit_event WHERE action = 'access.recalculated' AND tenant = ?",
                tenant("away"))[0][0]  # fmt: skip
    assert all(word in body for word in ('"900', '"version 2"', '"lost":1'))


def test_it_says_what_a_plane_did_whose_answer_was_lost_and_nothing_where_it_did_nothing(desk: Desk) -> None:
    desk.write("away", stored=too_generous())
    told: list[int] = []
    for step, often in (("inside", 0), ("after", 1)):
        sweep = desk.planned()
        desk.ran(LEAD, "entitlement.run_recalculation", run=sweep.id)
        silent = behind(desk.stage, planes=Meddled(desk.house.planes, **{step: fall_silent}))
        for _ in range(20):
            run_due_jobs(silent, worker="w1", limit=20)
            desk.clock.pass_by(seconds=30)
        assert desk.progress(sweep.id).failed == 1
        assert seats(desk.stored("away")) == (SEATS if often else 900)
        desk.clock.pass_by(hours=1)
        desk.work(2)
        told.append(desk.stage.count(RECALCULATED, tenant("away")))
    assert told == [0, 1]


def fall_silent() -> None:
    """Be a plane that does not answer any more."""
    message = "The plane does not answer."
    raise OutsideError(message, permanent=False)


def test_it_holds_a_tenant_that_would_lose_more_than_was_planned_and_stops(desk: Desk) -> None:
    sweep = desk.planned()
    desk.write("shop3", stored=too_generous())
    desk.ran(LEAD, "entitlement.run_recalculation", run=sweep.id)
    for _ in range(20):
        desk.work()
        desk.clock.pass_by(seconds=30)
    stopped = desk.sweep(sweep.id)
    assert (stopped.state, stopped.because, desk.progress(sweep.id).held) == (SweepState.PAUSED, MORE_LOSSES, 1)
    assert seats(desk.stored("shop3")) == 900
    desk.ran(LEAD, "entitlement.resume_recalculation", run=sweep.id)
    for _ in range(20):
        desk.work()
        desk.clock.pass_by(seconds=30)
    assert desk.sweep(sweep.id).state is SweepState.FINISHED
    assert desk.progress(sweep.id) == Progress(done=sweep.planned - 1, held=1)


def test_people_hold_it_and_end_it(desk: Desk) -> None:
    sweep = desk.planned()
    desk.ran(LEAD, "entitlement.run_recalculation", run=sweep.id)
    desk.ran(LEAD, "entitlement.pause_recalculation", run=sweep.id)
    desk.work()
    assert (desk.sweep(sweep.id).because, desk.progress(sweep.id).done) == (BY_STAFF, 0)
    desk.ran(LEAD, "entitlement.cancel_recalculation", run=sweep.id)
    desk.clock.pass_by(seconds=30)
    desk.work()
    assert (desk.sweep(sweep.id).state, desk.progress(sweep.id).done) == (SweepState.CANCELLED, 0)


def test_it_lists_who_loses_and_lets_few_losers_through_without_approval(desk: Desk) -> None:
    for slug in SLUGS:
        desk.write(slug, stored=too_generous())
    sweep = desk.planned()
    assert sweep.losing == len(SLUGS)
    with desk.stage.storage.store.read() as unit:
        losers = unit.recalculations.tenants(sweep.id, after=0, limit=50, losers_only=True)
    assert {each.losses for each in losers} == {1}
    assert sum(each.is_canary for each in losers) >= 2
    assert isinstance(desk.asked("support_agent", "entitlement.run_recalculation", run=sweep.id), Deny)
    assert isinstance(desk.asked(LEAD, "entitlement.run_recalculation", run=sweep.id), Ran)


def test_a_list_that_was_altered_does_not_run(desk: Desk) -> None:
    sweep = desk.planned()
    with desk.stage.storage.store.write() as unit:
        listed = unit.recalculations.tenants(sweep.id, after=0, limit=50)
        assert unit.recalculations.settle(listed[0], TenantState.DONE, because=None, at=desk.clock.now())
        assert not unit.recalculations.settle(listed[0], TenantState.DONE, because=None, at=desk.clock.now())
        unit.recalculations.order(sweep.id, frozenset({listed[-1].tenant}))
    answer = desk.asked(LEAD, "entitlement.run_recalculation", run=sweep.id)
    assert isinstance(answer, BadFields)
    assert "not what was planned" in answer.faults[0].remedy


def test_it_registers_every_override_with_its_cost_and_reminds_its_owner_once(desk: Desk) -> None:
    desk.override("shop1", SEATS + 50, until=6 * DAY)
    desk.override("shop2", SEATS, until=30 * DAY)
    desk.override("away", SEATS + 10)
    desk.job(REGISTER_JOB)
    found = {each.override: each for each in desk.registered()}
    assert list(found) == ["ovr_shop1_1", "ovr_shop2_1", "ovr_away_1"]
    assert [(each.monthly_minor, each.is_redundant) for each in found.values()] == [
        (50 * 900, False), (0, True), (10 * 900, False),
    ]  # fmt: skip
    assert [each.override for each in desk.registered(Which.ENDS_SOON)] == ["ovr_shop1_1"]
    assert [each.override for each in desk.registered(Which.REDUNDANT)] == ["ovr_shop2_1"]
    assert desk.registered(Which.NO_OWNER) == desk.registered(Which.ORPHANED) == []
    with desk.stage.storage.store.write() as unit:
        unit.staff.set_active(PEOPLE["support_agent"].id, is_active=False, at=desk.clock.now())
    assert len(desk.registered(Which.NO_OWNER)) == 3
    with desk.stage.storage.store.write() as unit:
        unit.staff.set_active(PEOPLE["support_agent"].id, is_active=True, at=desk.clock.now())
    desk.job(REGISTER_JOB)
    with desk.stage.storage.store.read() as unit:
        told = unit.outbox.unread(PEOPLE["support_agent"].id, limit=10)
        assert unit.register.totals() == [("EUR", 2, 60 * 900)]
    assert [notice.kind for notice in told] == ["override_ends"]
    assert "Shop1 GmbH" in told[0].sentence
    desk.clock.pass_by(days=7)
    desk.job(REGISTER_JOB)
    assert [each.override for each in desk.registered()] == ["ovr_shop2_1", "ovr_away_1"]


def test_the_register_is_turned_page_by_page_and_misses_nothing(desk: Desk) -> None:
    now, acme, globex = desk.clock.now(), tenant("acme"), tenant("globex")
    ends = [None, now + DAY, now + DAY, None, now + 2 * DAY, now + 9 * DAY, None]
    rows = {
        who: [registered_row(who, f"ovr_{at}", until=until, now=now) for at, until in enumerate(ends)]
        for who in (acme, globex)
    }
    with desk.stage.storage.store.write() as unit:
        for who, registered in rows.items():
            unit.register.replace(who, registered)
    with desk.stage.storage.store.read() as unit:
        for which in (Which.ALL, Which.ENDS_SOON, Which.REDUNDANT):
            whole = unit.register.page(which, ends_before=now + 7 * DAY, after=None, limit=50)
            turned: list[Registered] = []
            while page := unit.register.page(which, ends_before=now + 7 * DAY, after=place(turned), limit=3):
                turned += page
            assert turned == list(whole)
            expected = [each for each in (*rows[acme], *rows[globex]) if is_part(each, which, now)]
            assert sorted(map(key, turned)) == sorted(map(key, expected))
            assert [each.until is None for each in turned] == sorted(each.until is None for each in turned)
        gone = unit.register.page(Which.ALL, ends_before=now, after=(acme, "ovr_gone"), limit=50)
        assert gone == unit.register.page(Which.ALL, ends_before=now, after=None, limit=50)


def registered_row(who: TenantId, override: str, *, until: datetime | None, now: datetime) -> Registered:
    return Registered(
        tenant=who, override=override, starts_at=now - DAY, until=until, owner="", monthly_minor=0, currency="EUR",
        is_redundant=override in {"ovr_0", "ovr_1", "ovr_5"}, is_orphaned=False, checked_at=now,
    )  # fmt: skip


def place(turned: list[Registered]) -> tuple[TenantId, str] | None:
    return key(turned[-1]) if turned else None


def key(each: Registered) -> tuple[TenantId, str]:
    return each.tenant, each.override


def is_part(each: Registered, which: Which, now: datetime) -> bool:
    if which is Which.REDUNDANT:
        return each.is_redundant
    return which is Which.ALL or (each.until is not None and each.until <= now + 7 * DAY)
