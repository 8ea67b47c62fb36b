"""A house with many tenants whose access is recalculated, and the people who plan and watch it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from console.domain.effective_store import StoredRow, StoredSet
from console.domain.entitlements import Grant, GrantSource, Op
from console.domain.ids import SHARED_PLANE, ActionKey, Digest, PlaneId, RunId
from console.domain.jobs import JobDraft
from console.domain.override_register import Registered
from console.domain.recalculations import Progress, Sweep
from console.domain.tenancy import TenantScope
from console.ports.override_register import Which
from console.ports.planes import TenantPlane
from console.usecases.house import House
from console.usecases.outcomes import Proposal, Ran
from console.usecases.propose_action import propose_action
from console.usecases.run_jobs import run_due_jobs
from tests.databases import ENGINES, HandClock
from tests.integration.cast import scope
from tests.integration.stage import CONTRACT, FAR, Stage, new_urls, opened_stage, settle_in, tenant
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
