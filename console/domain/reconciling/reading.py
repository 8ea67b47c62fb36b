"""The books of one tenant as detectors read them: sorted once, and without what is too doubtful to compare."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import TypeVar

from console.domain.billing.canonical_form import customer_of, kind_of
from console.domain.billing.money import worded
from console.domain.billing.objects import (
    KIND_OF,
    BillingObject,
    CreditNote,
    Customer,
    Dispute,
    Invoice,
    ObjectKind,
    Payment,
    Refund,
    Subscription,
)
from console.domain.billing.states import PASSING, is_live
from console.domain.moments import day_of
from console.domain.reconciling.books import Side, TenantBooks
from console.domain.reconciling.catalogue import KINDS
from console.domain.reconciling.findings import Candidate, Direction

T = TypeVar("T", Customer, Subscription, Invoice, Payment, Refund, CreditNote, Dispute)
_NAMES = {cls: tuple(each.name for each in fields(cls)) for cls in KIND_OF}
_RESYNC = "billing.resync"
NOTHING = "nothing"
MISSING = "missing"
GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One tenant's books, and the ids of objects of which only their doubtfulness is told.

    Shape: the tuples are the provider's objects without the doubtful ones, in order of id; `claiming` are customers
    that name the tenant and are not linked to it, `claimed` their live subscriptions.
    """

    books: TenantBooks
    doubtful: frozenset[str]
    customers: tuple[Customer, ...]
    subscriptions: tuple[Subscription, ...]
    invoices: tuple[Invoice, ...]
    payments: tuple[Payment, ...]
    refunds: tuple[Refund, ...]
    credit_notes: tuple[CreditNote, ...]
    disputes: tuple[Dispute, ...]
    claiming: tuple[Customer, ...] = ()
    claimed: tuple[Subscription, ...] = ()

    @property
    def live(self) -> tuple[Subscription, ...]:
        """Return the subscriptions that go on at the provider."""
        return tuple(each for each in self.subscriptions if is_live(each))

    def is_whole(self, *kinds: ObjectKind) -> bool:
        """Return whether everything of some kinds could be read and believed, so that sums over it mean something."""
        unread = any(kind in kinds for kind, _ in self.books.unreadable)
        return not unread and not any(
            kind in kinds and name in self.doubtful for kind, name in self.books.provider.objects
        )

    def is_readable(self, kind: ObjectKind) -> bool:
        """Return whether every object of a kind could be read at all."""
        return all(each is not kind for each, _ in self.books.unreadable)

    def doubted(self, cls: type[T]) -> tuple[T, ...]:
        """Return the provider's doubtful objects of a kind, so that sums leave out what they belong to."""
        mine = (_only(cls, each) for (_, name), each in self.books.provider.objects.items() if name in self.doubtful)
        return tuple(each for each in mine if each is not None)

    def settles(self, name: str, status: str) -> bool:
        """Return whether a state is a passing one that was not yet seen by the run before."""
        return status in PASSING and name not in self.books.settling

    def cost(self, subscription: Subscription) -> int:
        """Return what a subscription costs each period without what is metered. Units: minor units of its currency."""
        priced = ((self.books.prices.get(item.price), item.quantity) for item in subscription.items)
        known = ((price, count) for price, count in priced if price is not None and count is not None)
        return sum(price.unit_minor * count for price, count in known if price.currency == subscription.currency)

    def pairs(self, cls: type[T]) -> Iterator[tuple[T, T | None, T | None]]:
        """Yield what differs between mirror and provider, in order of id: the object, ours, theirs; never the doubtful.

        Shape: the object is theirs where there is one.
        """
        kind = KIND_OF[cls]
        sides = self.books.mirror.objects, self.books.provider.objects
        names = {name for side in sides for found, name in side if found is kind}
        for name in sorted(names - self.doubtful):
            ours, theirs = (_only(cls, side.get((kind, name))) for side in sides)
            thing = ours if theirs is None else theirs
            if (
                thing is not None
                and ours is not theirs
                and ours != theirs
                and (kind, name) not in self.books.unreadable
            ):
                yield thing, ours, theirs

    def drift(
        self,
        kind: str,
        ours: BillingObject | None,
        theirs: BillingObject | None,
        *,
        differs: str = "",
        at_risk_minor: int = 0,
        direction: Direction = Direction.NOBODY,
        happened_at: datetime | None = None,
    ) -> Candidate:
        """Return that the two sides of an object differ: in the field that is named, or that only one has it at all."""
        thing = ours if theirs is None else theirs
        if thing is None:
            raise TypeError(kind)
        field = differs or (MISSING if ours is None else GONE)
        is_both = ours is not None and theirs is not None
        names = differing(ours, theirs) if ours is not None and theirs is not None else ()
        return Candidate(
            kind=kind,
            tenant=self.books.tenant,
            objects=(thing.id,),
            differs=field,
            ours=said(ours, field) if is_both else NOTHING if ours is None else _known(ours),
            theirs=said(theirs, field) if is_both else NOTHING if theirs is None else _known(theirs),
            at_risk_minor=at_risk_minor,
            currency=getattr(thing, "currency", None),
            direction=direction,
            params=resync_params(thing) if KINDS[kind].action == _RESYNC else {},
            evidence={name: f"{said(ours, name)} / {said(theirs, name)}" for name in names},
            settles=theirs is not None and self.settles(theirs.id, str(getattr(theirs, "status", ""))),
            happened_at=happened_at,
        )


def linked_only(books: TenantBooks) -> TenantBooks:
    """Return the books without what belongs to customers that are not linked, or are no longer: it is not compared."""
    linked = {link.customer for link in books.links}
    known = {None, *linked}
    theirs = {ref: each for ref, each in books.provider.objects.items() if customer_of(each) in known}
    ours = {ref: each for ref, each in books.mirror.objects.items() if customer_of(each) in linked or ref in theirs}
    if len(theirs) == len(books.provider.objects) and len(ours) == len(books.mirror.objects):
        return books
    return replace(books, provider=Side(theirs), mirror=Side(ours))


def reading_of(books: TenantBooks, doubtful: Iterable[str], *, whole: TenantBooks | None = None) -> Reading:
    """Return the books without what is doubtful; `whole` are those with what belongs to customers not linked."""
    left_out = frozenset(doubtful)
    side, every = books.provider, (books if whole is None else whole).provider
    linked = {link.customer for link in books.links}
    claiming = tuple(each for each in every.customers() if each.id not in linked and each.tenant == books.tenant)
    names = {each.id for each in claiming}
    return Reading(
        books=books,
        doubtful=left_out,
        customers=tuple(each for each in side.customers() if each.id not in left_out),
        subscriptions=tuple(each for each in side.subscriptions() if each.id not in left_out),
        invoices=tuple(each for each in side.invoices() if each.id not in left_out),
        payments=tuple(each for each in side.payments() if each.id not in left_out),
        refunds=tuple(each for each in side.refunds() if each.id not in left_out),
        credit_notes=tuple(each for each in side.credit_notes() if each.id not in left_out),
        disputes=tuple(each for each in side.disputes() if each.id not in left_out),
        claiming=claiming,
        claimed=tuple(each for each in every.subscriptions() if each.customer in names and is_live(each)),
    )


def differing(ours: BillingObject, theirs: BillingObject) -> tuple[str, ...]:
    """Return the names of the fields in which two objects of a kind differ, in the order of the kind."""
    return tuple(name for name in _NAMES[type(theirs)] if getattr(ours, name) != getattr(theirs, name))


def said(thing: BillingObject | None, name: str) -> str:
    """Return a field of an object in words, money as people read it."""
    if thing is None:
        return NOTHING
    value = getattr(thing, name)
    currency = getattr(thing, "currency", None)
    if name.endswith("_minor") and isinstance(value, int):
        return worded(value, currency or "") if currency else str(value)
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, tuple):
        return f"{len(value)}: " + ", ".join(getattr(each, "id", "") or str(each) for each in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return NOTHING if value is None else str(value)


def moment(at: datetime | None) -> str:
    """Return a moment in words."""
    return NOTHING if at is None else f"{day_of(at)}, {at:%H:%M:%S} UTC"


def amount_of(thing: BillingObject) -> int:
    """Return what an object is about. Units: minor units of its currency, never negative."""
    match thing:
        case Invoice() | CreditNote():
            return abs(thing.total_minor)
        case Payment() | Refund() | Dispute():
            return abs(thing.amount_minor)
        case Customer():
            return abs(thing.balance_minor)
        case _:
            return 0


def resync_params(thing: BillingObject) -> Mapping[str, str]:
    """Return what `billing.resync` must know of an object."""
    return {"kind": kind_of(thing).value, "object": thing.id}


def _known(thing: BillingObject) -> str:
    """Return state and amount of an object in words."""
    status, amount = getattr(thing, "status", ""), amount_of(thing)
    currency = getattr(thing, "currency", None)
    parts = [status] if status else []
    parts += [worded(amount, currency)] if currency and amount else []
    return ", ".join(parts) or "known"


def _only(cls: type[T], thing: BillingObject | None) -> T | None:
    return thing if isinstance(thing, cls) else None
