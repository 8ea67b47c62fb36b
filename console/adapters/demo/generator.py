"""The demo world as streams of import records: the same for the same seed and moment, in constant memory."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from console.adapters.demo import histories
from console.adapters.demo.book_records import book_records
from console.adapters.demo.books import DemoBooks, demo_books
from console.adapters.demo.drift import Plot, world_books
from console.adapters.demo.jobs import jobs
from console.adapters.demo.people import members
from console.adapters.demo.price_list import CATALOGUE
from console.adapters.demo.receiver import RECEIVER_URL
from console.adapters.demo.sketches import DEDICATED_PLANE, REGIONAL_PLANE, Sketch, sketched, weight
from console.adapters.demo.standings import contracts
from console.adapters.demo.webhooks import WebhookRecord, webhooks
from console.domain.billing.objects import Invoice
from console.domain.import_entitlements import CatalogueRecord, OverrideRecord, SubscriptionAddOnRecord
from console.domain.imports import (
    DeliveryRecord,
    InvoiceRecord,
    MemberRecord,
    NoteRecord,
    Record,
    SubscriptionRecord,
    TenantRecord,
)
from console.domain.product_jobs import ProductJobRecord

DEFAULT_TENANTS = 2_000
DEFAULT_SEED = 20_260_117
MEMBERS_PER_TENANT = 10
PLANES = (REGIONAL_PLANE, DEDICATED_PLANE)
_ACME_MEMBERS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoWorld:
    """Tenants and everything of them; every stream begins anew each time it is asked for.

    Shape: `records` is in loading order, a tenant's rows together, the catalogue first; the total of members is exact;
    `receiver` is where Acme's endpoints answer; `staff` are the ids of colleagues by name, who may own overrides.
    """

    tenant_count: int
    member_count: int
    seed: int
    now: datetime
    receiver: str = RECEIVER_URL
    staff: Mapping[str, str] = field(default_factory=dict)

    def records(
        self, *, seen: Callable[[DemoBooks], None] = lambda _books: None, plot: Plot | None = None
    ) -> Iterator[Record]:
        """Yield every record in an order in which nothing refers to what is still to come.

        Shape: `seen` is shown each tenant's books, of which only our own side becomes records; `plot` breaks some.
        """
        yield from self.catalogue()
        plot = plot or Plot()
        for sketch, count in self._peopled():
            books = plot.books(sketch, demo_books(sketch, now=self.now))
            seen(books)
            for record in tenant_records(sketch, books, count=count, receiver=self.receiver):
                yield self._owned(record) if isinstance(record, OverrideRecord) else record

    def _owned(self, override: OverrideRecord) -> OverrideRecord:
        """Return an override with the id of its owner in place of the name; who has left is known by name only."""
        return replace(override, owner=self.staff.get(override.owner, override.owner))

    def catalogue(self) -> tuple[CatalogueRecord, ...]:
        """Return plans, features, entitlements and add-ons."""
        return CATALOGUE

    def tenants(self) -> Iterator[TenantRecord]:
        """Yield the tenants; the first is Acme Robotics, then come the traps."""
        return map(_tenant, self._sketches())

    def members(self) -> Iterator[MemberRecord]:
        """Yield the members of all tenants."""
        return (each for sketch, count in self._peopled() for each in members(sketch, count, now=self.now))

    def subscriptions(self) -> Iterator[SubscriptionRecord]:
        """Yield one subscription per tenant."""
        return (histories.subscription(sketch, now=self.now) for sketch in self._sketches())

    def subscription_add_ons(self) -> Iterator[SubscriptionAddOnRecord]:
        """Yield the add-ons that were bought."""
        return (each for sketch in self._sketches() for each in histories.add_ons(sketch))

    def invoices(self) -> Iterator[InvoiceRecord]:
        """Yield the invoices as the mirror has them."""
        return (each for sketch in self._sketches() for each in histories.invoices(sketch, now=self.now))

    def webhooks(self) -> Iterator[WebhookRecord]:
        """Yield webhook endpoints, each followed by its newest deliveries and their earlier attempts."""
        return (each for sketch in self._sketches() for each in webhooks(sketch, now=self.now, receiver=self.receiver))

    def deliveries(self) -> Iterator[DeliveryRecord]:
        """Yield the newest webhook deliveries."""
        return (each for each in self.webhooks() if isinstance(each, DeliveryRecord))

    def product_jobs(self) -> Iterator[ProductJobRecord]:
        """Yield the newest jobs of the product itself."""
        return (each for sketch in self._sketches() for each in jobs(sketch, now=self.now))

    def overrides(self) -> Iterator[OverrideRecord]:
        """Yield overrides that staff made before the world begins."""
        return (each for sketch in self._sketches() for each in histories.overrides(sketch, now=self.now))

    def notes(self) -> Iterator[NoteRecord]:
        """Yield notes that staff wrote before the world begins."""
        return (each for sketch in self._sketches() for each in histories.notes(sketch, now=self.now))

    def books(self) -> Iterator[DemoBooks]:
        """Yield what provider, mirror and product say of each tenant, a handful of them not of one mind."""
        return world_books(self._sketches(), now=self.now)

    def provider_invoices(self) -> Iterator[Invoice]:
        """Yield the invoices as the invented billing provider holds them."""
        return (each for books in self.books() for each in books.provider if isinstance(each, Invoice))

    def _sketches(self) -> Iterator[Sketch]:
        return (sketched(self.seed, index, now=self.now) for index in range(self.tenant_count))

    def _peopled(self) -> Iterator[tuple[Sketch, int]]:
        """Yield each tenant with its number of members: one each while they last, the rest by weight."""
        acme = min(_ACME_MEMBERS, self.member_count)
        others = self.tenant_count - 1
        each = 1 if self.member_count - acme >= others else 0
        rest = self.member_count - acme - each * others if others else 0
        total = sum(weight(self.seed, index) for index in range(1, self.tenant_count))
        before = 0
        for sketch in self._sketches():
            if sketch.index == 0:
                yield sketch, acme if others else self.member_count
                continue
            upto = before + weight(self.seed, sketch.index)
            yield sketch, each + rest * upto // total - rest * before // total
            before = upto


def demo_world(
    tenants: int = DEFAULT_TENANTS,
    members: int | None = None,
    *,
    seed: int = DEFAULT_SEED,
    now: datetime,
    receiver: str = RECEIVER_URL,
    staff: Mapping[str, str] | None = None,
) -> DemoWorld:
    """Return a world of tenants and members. Raises: ValueError for fewer than one tenant, or a naive moment."""
    count = tenants * MEMBERS_PER_TENANT if members is None else members
    if tenants < 1 or count < 0 or now.utcoffset() != timedelta():
        raise ValueError("a world needs at least one tenant, no fewer than no members, and a moment in UTC")
    return DemoWorld(tenant_count=tenants, member_count=count, seed=seed, now=now, receiver=receiver, staff=staff or {})


def tenant_records(sketch: Sketch, books: DemoBooks, *, count: int, receiver: str = RECEIVER_URL) -> Iterator[Record]:
    """Yield everything of one tenant with so many members; what reconciliation compares comes from its books."""
    yield replace(_tenant(sketch), status=books.status.value)
    yield books.subscription
    yield from histories.add_ons(sketch)
    yield from members(sketch, count, now=books.now)
    yield from books.invoices
    yield from webhooks(sketch, now=books.now, receiver=receiver)
    yield from jobs(sketch, now=books.now)
    yield from histories.notes(sketch, now=books.now)
    yield from contracts(sketch, now=books.now)
    yield from book_records(sketch.external_id, books)


def _tenant(sketch: Sketch) -> TenantRecord:
    return TenantRecord(
        external_id=sketch.external_id,
        slug=sketch.company.slug,
        name=sketch.company.name,
        region=sketch.region,
        plan=sketch.plan,
        status=sketch.status,
        tier=sketch.tier,
        plane=sketch.plane,
        domains=(sketch.domain,),
        provider_customer=sketch.customer,
        country=sketch.tongue.country,
        created_at=sketch.created_at,
    )
