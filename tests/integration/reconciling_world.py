"""A few tenants whose books agree on every side, a provider of paper, and a hand that breaks things."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from console.domain.billing.canonical_form import Snapshot
from console.domain.billing.objects import (
    OF_CUSTOMERS,
    BillingObject,
    Customer,
    ObjectKind,
    Price,
    Subscription,
    SubscriptionItem,
)
from console.domain.ids import SHARED_PLANE, PlaneId, ReasonCode, StaffId
from console.domain.jobs import Job, JobDraft
from console.domain.reconciling.findings import Finding, FindingId, ReconciliationId
from console.domain.reconciling.runs import Reconciliation
from console.domain.tenancy import ScopeBasis, TenantScope
from console.ports.billing import ProviderPage
from console.usecases.house import House
from console.usecases.reconciliation_work import RECONCILE_JOB
from console.usecases.run_jobs import run_due_jobs
from console.usecases.run_reconciliation import new_run
from console.usecases.written_tenant import written_tenant
from tests.billing import PaperProvider, told
from tests.databases import HandClock
from tests.integration.stage import FAR, Stage, new_urls, opened_stage, rows, settle_in, tenant
from tests.web.cast import LONG_AGO

SLUGS = ("acme", "bolt", "cold")
BUSINESS = Price(
    id="price_business", plan="business", feature=None, currency="EUR", unit_minor=49_900, interval="month",
    is_metered=False, is_active=True, is_live=True,
)  # fmt: skip


@dataclass
class Provider(PaperProvider):
    """A provider of paper that lists what belongs to no customer too; `meanwhile` happens before each answer."""

    meanwhile: Callable[[tuple[str, ...]], None] = lambda _question: None

    def page(
        self,
        kind: ObjectKind,
        *,
        customer: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> ProviderPage:
        if kind in OF_CUSTOMERS:
            return super().page(kind, customer=customer, since=since, until=until, after=after, limit=limit)
        self._answer("page", kind.value, "", after or "")
        ordered = sorted((each for each in self.known if each.kind is kind), key=lambda each: each.thing.id)
        start = 0 if after is None else [each.thing.id for each in ordered].index(after) + 1
        items = tuple(ordered[start : start + limit])
        return ProviderPage(items=items, after=items[-1].thing.id if len(ordered) > start + limit else None)

    def _answer(self, *question: str) -> None:
        self.meanwhile(question)
        super()._answer(*question)


@dataclass
class World:
    """An open house with a provider of paper; what is asked of that may be answered by a test's own hand."""

    stage: Stage
    clock: HandClock
    provider: Provider
    planes: dict[str, PlaneId] = field(default_factory=dict)

    @property
    def house(self) -> House:
        """Return the house with its provider."""
        return replace(self.stage.house, provider=self.provider)

    def start(self, slug: str | None = None) -> ReconciliationId:
        """Queue a run over the fleet, or over one tenant."""
        run = ReconciliationId(self.stage.house.ids.new("rcn"))
        of = None if slug is None else tenant(slug)
        with self.stage.storage.store.write() as unit:
            assert unit.runs.add(new_run(self.house, run, tenant=of, by=None, request=None))
            draft = JobDraft(kind=RECONCILE_JOB, key=f"reconciliation:{run}", payload={"run": run}, tenant=of)
            assert isinstance(unit.jobs.add(draft, at=self.clock.now()), str)
        return run

    def work(self, rounds: int = 50) -> None:
        """Let jobs run until nothing is due; none of them may have failed."""
        for _ in range(rounds):
            if not run_due_jobs(self.house, worker="w1"):
                break
        errors = [job.last_error for job in self.jobs() if job.last_error]
        assert errors == [], errors

    def run(self, slug: str | None = None) -> Reconciliation:
        """Carry a run to its end and return it; a little later than the last one."""
        self.clock.pass_by(minutes=1)
        self.provider.now = self.clock.now()
        run = self.start(slug)
        self.work()
        return self.stands(run)

    def stands(self, run: ReconciliationId) -> Reconciliation:
        """Return a run as it is stored."""
        with self.stage.storage.store.read() as unit:
            found = unit.runs.get(run)
        assert found is not None
        return found

    def jobs(self) -> Sequence[Job]:
        """Return the jobs of runs, newest first."""
        with self.stage.storage.store.read() as unit:
            return unit.jobs.page(
                state=None, kind=RECONCILE_JOB, fingerprint=None, tenant=None, before=None, limit=50
            )  # fmt: skip

    def findings(self) -> list[Finding]:
        """Return every finding, in order of id."""
        with self.stage.storage.store.read() as unit:
            ids = [FindingId(row[0]) for row in rows(self.stage.url, "SELECT id FROM finding ORDER BY id")]
            known = unit.findings.many(ids)
        return [known[each] for each in ids]

    def kinds(self) -> list[tuple[str, str, str]]:
        """Return kind, tenant and state of every finding."""
        return sorted((each.kind, each.tenant or "-", each.state.value) for each in self.findings())

    def change(self, finding: Finding, **values: object) -> None:
        """Write a finding as somebody might."""
        with self.stage.storage.store.write() as unit:
            assert unit.findings.save(replace(finding, **values))  # type: ignore[arg-type]  # its own fields

    def forget_the_cast(self, slugs: Sequence[str] = ()) -> None:
        """Take the tenants out of the directory that come with the cast; all but these."""
        others = f"NOT IN ({', '.join(repr(str(tenant(slug))) for slug in slugs)})"
        rows(self.stage.url, f"DELETE FROM directory_key WHERE tenant_id {others}")
        rows(self.stage.url, f"DELETE FROM directory_tenant WHERE id {others}")

    def plane_of(self, slug: str) -> PlaneId:
        """Return where a tenant lives."""
        return self.planes.get(slug, SHARED_PLANE)

    def scope(self, slug: str) -> TenantScope:
        """Return a scope on a tenant."""
        return TenantScope(
            tenant=tenant(slug), plane=self.plane_of(slug), staff=StaffId("system"),
            basis=ScopeBasis.JOB, reason=ReasonCode("NONE"), not_after=self.clock.now() + timedelta(hours=1),
        )  # fmt: skip

    def mirror(self, slug: str, *things: BillingObject, at: datetime | None = None) -> None:
        """Write objects into a tenant's mirror."""
        with written_tenant(self.house, self.scope(slug)) as written:
            for thing in things:
                assert written.plane.mirror.put(told(thing, at=at or self.clock.now()))

    def recalculate(self, slug: str) -> None:
        """Bring a tenant's stored set up to date."""
        with written_tenant(self.house, self.scope(slug)) as written:
            written.plane.recalculate(cause="test", at=self.clock.now())

    def mirrored(self, slug: str, kind: ObjectKind, thing: str) -> Snapshot | None:
        """Return what a tenant's mirror says."""
        with written_tenant(self.house, self.scope(slug)) as written:
            return written.plane.mirror.get(kind, thing)

    def move_in(self, slug: str) -> None:
        """Make a tenant's books agree on every side."""
        with written_tenant(self.house, self.scope(slug)) as written:
            written.plane.customers.link(f"cus_{slug}", by="test", because="import", at=LONG_AGO)
        self.provider.knows(customer(slug), subscription(slug))
        self.mirror(slug, customer(slug), subscription(slug))
        self.recalculate(slug)


def customer(slug: str, **other: object) -> Customer:
    """Return the customer of a tenant."""
    base = Customer(
        id=f"cus_{slug}", name=f"{slug.title()} GmbH", email=None, tenant=tenant(slug), currency="EUR",
        balance_minor=0, created_at=LONG_AGO, is_live=True,
    )  # fmt: skip
    return replace(base, **other)  # type: ignore[arg-type]  # names and types are the dataclass's own


def subscription(slug: str, **other: object) -> Subscription:
    """Return the subscription of a tenant."""
    base = Subscription(
        id=f"sub_{slug}", customer=f"cus_{slug}", status="active", currency="EUR",
        items=(SubscriptionItem(id=f"si_{slug}", price=BUSINESS.id, plan="business", quantity=150),),
        started_at=LONG_AGO, period_from=LONG_AGO, period_until=LONG_AGO + timedelta(days=365), trial_until=None,
        ends_at_period_end=False, ended_at=None, is_live=True,
    )  # fmt: skip
    return replace(base, **other)  # type: ignore[arg-type]  # names and types are the dataclass's own


@contextmanager
def world(
    engine: str, path: Path, create: Callable[..., str], *, slugs: Sequence[str] = SLUGS, far: Sequence[str] = ()
) -> Iterator[World]:
    """Open a house whose tenants' books agree."""
    url, planes = new_urls(engine, path, create, far=bool(far))
    clock = HandClock()
    with opened_stage(url, planes, clock=clock) as stage:
        settle_in(stage, slugs, far=far)
        made = World(stage, clock, Provider(now=clock.now()), planes=dict.fromkeys(far, FAR))
        made.forget_the_cast((*slugs, *far))
        made.provider.knows(BUSINESS)
        for slug in (*slugs, *far):
            made.move_in(slug)
        yield made
