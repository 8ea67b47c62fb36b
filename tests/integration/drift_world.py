"""The demo's tenants in real storage and in the invented provider, and how each break of their books gets there."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from console.adapters.demo.books import DemoBooks, demo_books
from console.adapters.demo.charges import prices
from console.adapters.demo.drift import broken
from console.adapters.demo.drift_account import account_books
from console.adapters.demo.generator import DEFAULT_SEED, demo_world, tenant_records
from console.adapters.demo.sketches import Sketch, sketched
from console.adapters.fake_stripe.app import FakeStripe
from console.adapters.inbound_stripe import PROVIDER, StripeSignatures
from console.adapters.stripe import connecting
from console.adapters.stripe.events import StripeEvents
from console.adapters.stripe.lists import VERSION
from console.adapters.stripe.provider import StripeProvider
from console.adapters.stripe.writer import StripeWriter
from console.domain.accounting.period_books import PeriodBooks
from console.domain.billing.objects import BillingObject, ObjectKind
from console.domain.ids import SHARED_PLANE
from console.domain.imports import Record
from console.domain.periods import FrozenObject, FrozenSet, Period, PeriodId, PeriodState, SealedFile
from console.domain.reconciling.books import AccountBooks, ClosedSet
from console.domain.tenancy import ScopeBasis, TenantScope
from console.usecases.house import House
from console.usecases.import_directory import Imported, ImportSource, import_directory
from console.usecases.operator import operator
from console.usecases.written_tenant import written_tenant
from console.domain.ids import ReasonCode, StaffId
from tests.databases import HandClock
from tests.integration.reconciling_world import Provider, World
from tests.integration.stage import behind, book, new_urls, opened_stage
from tests.unit.reconciling.worlds import NOW

API_KEY = "rk_live_of_the_drift_tests"
_MEMBERS = 3
_SEEDS = 40
_TYPES = {ObjectKind.PAYMENT: "payment_intent"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One tenant on all sides; `kind` is what is broken of it, None of one that is clean."""

    sketch: Sketch
    books: DemoBooks
    kind: str | None = None


@dataclass
class DriftWorld(World):
    """An open house whose provider is the invented one, in this process."""

    fake: FakeStripe = field(kw_only=True)
    provided: Mapping[str, object] = field(kw_only=True)

    @property
    def house(self) -> House:
        """Return the house with the invented provider in all its roles."""
        return behind(self.stage, **self.provided)

    def take_in(self, tenants: Sequence[Tenant]) -> None:
        """Import tenants, and let the provider hold what it has of them."""
        records = [*demo_world(1, now=NOW).catalogue(), *(each for one in tenants for each in self._records(one))]
        rows = enumerate(records, start=1)
        actor = operator(self.house, account="demo", command="tests")
        done = import_directory(
            self.house,
            self.stage.storage.bulk,
            actor,
            source=ImportSource(name="drift", rows=rows, sha256=lambda: ""),
        )
        assert isinstance(done, Imported), done
        assert done.is_kept, done.faults[:5]
        self.fake.load(thing for one in tenants for thing in one.books.provider)
        self.garble([ref for one in tenants for ref in one.books.unreadable], tenants)
        self.seal(tenants)

    def load_account(self, books: AccountBooks) -> None:
        """Let the provider hold prices, payouts and what is in them."""
        self.fake.load(prices())
        self.fake.load(books.payouts)
        self.fake.load(moved for inside in books.transactions.values() for moved in inside)

    def garble(self, refs: Iterable[tuple[ObjectKind, str]], tenants: Sequence[Tenant]) -> None:
        """Let the provider hold some documents without their currency."""
        whole = {thing.id: thing for one in tenants for thing in demo_books(one.sketch, now=NOW).provider}
        for kind, thing in refs:
            self.fake.load([whole[thing]])
            with self.fake.book.writing():
                document = self.fake.book.get(_TYPES.get(kind, kind.value), thing)
                assert document is not None
                self.fake.book.put({**document, "currency": None})

    def seal(self, tenants: Sequence[Tenant]) -> None:
        """Close the months that some books say are closed, and keep what each held of those tenants."""
        for one in tenants:
            for closed in one.books.closed:
                with written_tenant(self.house, self._scope_of(one)) as written:
                    written.plane.periods.put(_held(closed))
                    assert written.unit is not None
                    period = PeriodId(closed.period)
                    if written.unit.periods.get(period).state is PeriodState.OPEN:
                        assert written.unit.periods.save(_closed(closed))

    def _scope_of(self, one: Tenant) -> TenantScope:
        return TenantScope(
            tenant=one.books.tenant, plane=SHARED_PLANE, staff=StaffId("system"), basis=ScopeBasis.JOB,
            reason=ReasonCode("NONE"), not_after=self.clock.now() + timedelta(hours=1),
        )  # fmt: skip

    def _records(self, one: Tenant) -> Iterator[Record]:
        for record in tenant_records(one.sketch, one.books, count=_MEMBERS):
            yield record


def cast(count: int, kinds: Sequence[str]) -> list[Tenant]:
    """Return tenants of the demo on the shared plane: each kind once, at the first tenant that it can happen to."""
    left, tenants = list(kinds), []
    for index in range(18, 18 + 4_000):
        if not left and len(tenants) >= count:
            break
        sketch = replace(sketched(DEFAULT_SEED, index, now=NOW), tier="shared", plane=SHARED_PLANE)
        clean = demo_books(sketch, now=NOW)
        found = next(((kind, books) for kind in left if (books := _broken(clean, kind)) is not None), None)
        if found is None:
            tenants.append(Tenant(sketch=sketch, books=clean))
            continue
        left.remove(found[0])
        tenants.append(Tenant(sketch=sketch, books=found[1], kind=found[0]))
    assert not left, left
    return tenants


def _broken(clean: DemoBooks, kind: str) -> DemoBooks | None:
    """Return the books broken in a way that storage can hold, if one of some dice gives it."""
    found = (broken(clean, kind, seed=seed) for seed in range(_SEEDS))
    return next((each for each in found if each is not None and can_be_stored(each)), None)


def can_be_stored(books: DemoBooks) -> bool:
    """Return whether no link says that another tenant, which is not there, has the customer too."""
    return not any(link.also for link in books.links)


def _held(closed: ClosedSet) -> PeriodBooks:
    held = FrozenSet(
        period=PeriodId(closed.period),
        objects={f"invoice:{name}": FrozenObject(digest=digest, status="paid") for name, digest in closed.invoices.items()},
        closing={},
        frozen_at=closed.closed_at,
    )
    return PeriodBooks(held=held, objects=(), events=(), rolled=(), ageing={})


def _closed(closed: ClosedSet, files: tuple[SealedFile, ...] = ()) -> Period:
    return Period(
        id=PeriodId(closed.period), state=PeriodState.CLOSED, version=0, prepared_by=StaffId("stf_one"),
        prepared_at=closed.closed_at, closed_by=StaffId("stf_two"), closed_at=closed.closed_at, files=files,
    )  # fmt: skip


@contextmanager
def drift_world(engine: str, path: Path, create: Callable[..., str]) -> Iterator[DriftWorld]:
    """Open an empty house beside an empty provider."""
    url, planes = new_urls(engine, path, create)
    clock = HandClock(NOW)
    fake = FakeStripe(path / "fake.db", api_key=API_KEY, now=lambda: clock.now().timestamp())
    calls = connecting.in_process(fake, api_key=API_KEY, version=VERSION)
    provider = StripeProvider(calls, clock=clock, is_live=True)
    provided = {
        "provider": provider,
        "provider_writer": StripeWriter(calls, provider),
        "provider_events": {PROVIDER: StripeEvents(calls)},
        "inbound_verifiers": {PROVIDER: StripeSignatures(["whsec_drift"])},
    }
    rules = replace(book().reconciliation, heal_least_tenants=1_000)  # every tenant is broken on purpose
    try:
        with opened_stage(url, planes, clock=clock, policy=replace(book(), reconciliation=rules)) as stage:
            yield DriftWorld(
                stage, clock, Provider(now=clock.now()), fake=fake, provided=provided
            )
    finally:
        fake.close()


def account_of(tenants: Iterable[Tenant]) -> AccountBooks:
    """Return the books of the account that these tenants pay into."""
    return account_books((one.books for one in tenants), now=NOW)


def things_of(tenants: Iterable[Tenant]) -> list[BillingObject]:
    """Return everything that the provider holds of some tenants."""
    return [thing for one in tenants for thing in one.books.provider]
