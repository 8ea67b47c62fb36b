"""The demo's tenants in real storage and in the invented provider, and how each break of their books gets there."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from console.adapters.demo.books import DemoBooks, demo_books
from console.adapters.demo.charges import prices
from console.adapters.demo.drift import OF_TENANTS, broken
from console.adapters.demo.drift_account import account_books
from console.adapters.demo.generator import DEFAULT_SEED, demo_world, tenant_records
from console.adapters.demo.sketches import Sketch, sketched
from console.adapters.fake_stripe.app import FakeStripe
from console.adapters.inbound_stripe import PROVIDER, StripeSignatures
from console.adapters.stripe import connecting
from console.adapters.stripe.calls import Calls
from console.adapters.stripe.events import StripeEvents
from console.adapters.stripe.lists import VERSION
from console.adapters.stripe.provider import StripeProvider
from console.adapters.stripe.writer import StripeWriter
from console.domain.accounting.period_books import PeriodBooks
from console.domain.billing.objects import Customer, ObjectKind
from console.domain.ids import SHARED_PLANE, Digest, InboundId, ReasonCode, StaffId
from console.domain.inbound import InboundEvent, InboundState
from console.domain.periods import FrozenObject, FrozenSet, Period, PeriodId, PeriodState, SealedFile
from console.domain.reconciling.books import AccountBooks, ClosedSet
from console.domain.tenancy import ScopeBasis, TenantScope
from console.usecases.house import House
from console.usecases.import_directory import Imported, ImportSource, import_directory
from console.usecases.operator import operator
from console.usecases.receive_inbound import receive_inbound
from console.usecases.written_tenant import written_tenant
from tests.databases import HandClock, empty_url
from tests.integration.inbound_world import ORIGIN
from tests.integration.reconciling_world import Provider, World
from tests.integration.stage import behind, book, opened_stage
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
    calls: Calls = field(kw_only=True)
    provided: Mapping[str, object] = field(kw_only=True)
    customers: set[str] = field(default_factory=set, kw_only=True)

    @property
    def house(self) -> House:
        """Return the house with the invented provider in all its roles."""
        return behind(self.stage, **self.provided)

    def take_in(self, tenants: Sequence[Tenant]) -> None:
        """Import tenants, and let the provider hold what it has of them."""
        own = (tenant_records(one.sketch, one.books, count=_MEMBERS) for one in tenants)
        records = [*demo_world(1, now=NOW).catalogue(), *itertools.chain.from_iterable(own)]
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
        self.customers |= {each.id for one in tenants for each in one.books.provider if isinstance(each, Customer)}
        self.garble([ref for one in tenants for ref in one.books.unreadable], tenants)
        self.seal(tenants)

    def load_account(self, books: AccountBooks) -> None:
        """Let the provider hold prices, payouts and what is in them, and no other ones."""
        self.fake.load(prices())
        for kind, things in (
            (ObjectKind.PAYOUT, books.payouts),
            (ObjectKind.BALANCE_TRANSACTION, [moved for inside in books.transactions.values() for moved in inside]),
            (ObjectKind.CUSTOMER, books.unmapped),
        ):
            kept = {thing.id for thing in things} | (self.customers if kind is ObjectKind.CUSTOMER else set())
            rows = self.fake.book.rows("SELECT id FROM object WHERE type = ?", (kind.value,))
            for (name,) in rows:
                if name not in kept:
                    self.fake.delete(kind, name)
            self.fake.load(things)

    def deliver(self, state: InboundState, *, minutes_ago: int, because: str | None = None) -> None:
        """Let an event come that nothing understands, and leave it in a state."""
        at = self.clock.now() - timedelta(minutes=minutes_ago)
        event = InboundEvent(
            id=InboundId(self.house.ids.new("inb")), provider=PROVIDER, account="acct_demo", is_live=True,
            event_id=self.house.ids.new("evt"), event_type="invoice.teleported", object_id=None, customer=None,
            made_at=at, received_at=at, payload=b"{}", state=InboundState.RECEIVED, is_fetched=False,
        )  # fmt: skip
        with self.stage.storage.store.write() as unit:
            unit.inbox.add(event)
            if state is not InboundState.RECEIVED:
                unit.inbox.settle(event, state, at=at, because=because, tenant=None)

    def strangers(self, count: int) -> None:
        """Let somebody guess at the signature of webhooks."""
        for _ in range(count):
            receive_inbound(
                self.house, provider=PROVIDER, headers={"stripe-signature": "t=1,v1=guessed"}, body=b"{}", origin=ORIGIN
            )

    def lose_an_event(self) -> None:
        """Let the provider make an event that it never delivers."""
        now = self.clock.moment
        self.clock.moment = now - timedelta(hours=2)
        name = min(self.customers)
        self.calls.post(f"/v1/customers/{name}", {"metadata": {"seen": "yes"}}, key="lost")
        self.clock.moment = now

    def lose_a_file(self) -> None:
        """Close a month whose sealed file lies nowhere."""
        file = SealedFile(name="invoices.csv", rows=1, totals={"EUR": 1}, sha256=Digest("0" * 64), size=1)
        months = (self.clock.now() - timedelta(days=days) for days in range(100, 400, 30))
        with self.stage.storage.store.write() as unit:
            at = next(at for at in months if unit.periods.get(PeriodId(f"{at:%Y-%m}")).state is PeriodState.OPEN)
            closed = ClosedSet(period=f"{at:%Y-%m}", closed_at=at + timedelta(days=40), invoices={})
            assert unit.periods.save(_closed(closed, (file,)))

    def garble(self, refs: Iterable[tuple[ObjectKind, str]], tenants: Sequence[Tenant]) -> None:
        """Let the provider hold some documents without their currency."""
        odd = [one for one in tenants if one.books.unreadable]
        whole = {thing.id: thing for one in odd for thing in demo_books(one.sketch, now=NOW).provider}
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


def cast(count: int, kinds: Sequence[str], *, first: int = 18) -> list[Tenant]:
    """Return tenants of the demo on the shared plane: each kind once, at the first tenant that it can happen to."""
    left, tenants = list(kinds), list[Tenant]()
    for index in range(first, first + 4_000):
        if not left and len(tenants) >= count:
            break
        sketch = replace(sketched(DEFAULT_SEED, index, now=NOW), tier="shared", plane=SHARED_PLANE)
        clean = demo_books(sketch, now=NOW)
        found = next(((kind, books) for kind in left if (books := _broken(clean, kind, first)) is not None), None)
        if found is None:
            tenants.append(Tenant(sketch=sketch, books=clean))
            continue
        left.remove(found[0])
        tenants.append(Tenant(sketch=sketch, books=found[1], kind=found[0]))
    assert not left, left
    return tenants


def crowd(count: int, each: int, *, first: int = 18) -> Iterator[Tenant]:
    """Yield so many clean tenants of the demo, and among them so many that are broken in each way."""
    left = sorted(OF_TENANTS) * each
    for index in itertools.count(first):
        if not left and not count:
            return
        sketch = replace(sketched(DEFAULT_SEED, index, now=NOW), tier="shared", plane=SHARED_PLANE)
        clean = demo_books(sketch, now=NOW)
        tries = ((kind, _broken(clean, kind, first)) for kind in dict.fromkeys(left))
        kind, books = next(((kind, books) for kind, books in tries if books is not None), (None, None))
        if kind is not None and books is not None:
            left.remove(kind)
            yield Tenant(sketch=sketch, books=books, kind=kind)
        elif count:
            count -= 1
            yield Tenant(sketch=sketch, books=clean)


def _broken(clean: DemoBooks, kind: str, first: int = 0) -> DemoBooks | None:
    """Return the books broken in a way that storage can hold, if one of some dice gives it."""
    found = (broken(clean, kind, seed=seed) for seed in range(first, first + _SEEDS))
    return next((each for each in found if each is not None and can_be_stored(each)), None)


def can_be_stored(books: DemoBooks) -> bool:
    """Return whether no link says that another tenant, which is not there, has the customer too."""
    return not any(link.also for link in books.links)


def _held(closed: ClosedSet) -> PeriodBooks:
    held = FrozenSet(
        period=PeriodId(closed.period),
        objects={
            f"invoice:{name}": FrozenObject(digest=digest, status="paid") for name, digest in closed.invoices.items()
        },
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
def drift_world(
    engine: str, path: Path, create: Callable[..., str], *, file: Path | None = None
) -> Iterator[DriftWorld]:
    """Open an empty house beside an empty provider, whose books lie in `file`."""
    url = empty_url(engine, path / "control.db", create)
    clock = HandClock(NOW)
    fake = FakeStripe(file or path / "fake.db", api_key=API_KEY, now=lambda: clock.now().timestamp())
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
        with opened_stage(url, {}, clock=clock, policy=replace(book(), reconciliation=rules)) as stage:
            yield DriftWorld(stage, clock, Provider(now=clock.now()), fake=fake, calls=calls, provided=provided)
    finally:
        fake.close()


def account_of(tenants: Iterable[Tenant]) -> AccountBooks:
    """Return the books of the account that these tenants pay into."""
    return account_books((one.books for one in tenants), now=NOW)
