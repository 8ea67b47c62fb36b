"""What the tests of billing share: canonical objects to vary, a provider of paper and a mirror of paper."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta

from console.domain.billing.canonical_form import Snapshot, customer_of
from console.domain.billing.objects import (
    BillingObject,
    CreditNote,
    Customer,
    Dispute,
    Invoice,
    InvoiceLine,
    ObjectKind,
    Payment,
    Refund,
    Subscription,
    SubscriptionItem,
)
from console.domain.billing.particulars import particulars
from console.domain.errors import OutsideError
from console.domain.reconciling.books import ObjectRef, Side, side_of
from console.ports.billing import ProviderPage

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
CUSTOMER = "cus_acme1"

A_CUSTOMER = Customer(
    id=CUSTOMER, name="Acme", email=None, tenant=None, currency="EUR", balance_minor=0, created_at=NOON - 90 * DAY,
    is_live=True,
)  # fmt: skip
A_SUBSCRIPTION = Subscription(
    id="sub_1", customer=CUSTOMER, status="active", currency="EUR",
    items=(SubscriptionItem(id="si_1", price="price_pro", plan="pro", quantity=4),), started_at=NOON - 90 * DAY,
    period_from=NOON - 21 * DAY, period_until=NOON + 9 * DAY, trial_until=None, ends_at_period_end=False, ended_at=None,
    is_live=True,
)  # fmt: skip
A_LINE = InvoiceLine(
    id="il_1", text="Pro", amount_minor=9_900, price="price_pro", feature=None, quantity=1, unit_minor=9_900,
    period_from=NOON - 30 * DAY, period_until=NOON, is_proration=False, tax_minor=0, tax_basis_points=None,
    jurisdiction=None,
)  # fmt: skip
AN_INVOICE = Invoice(
    id="in_1", number="INV-acme-1", customer=CUSTOMER, subscription="sub_1", status="open", currency="EUR",
    lines=(A_LINE,), discount_minor=0, tax_minor=0, total_minor=9_900, balance_applied_minor=0, due_minor=9_900,
    paid_minor=0, remaining_minor=9_900, issued_at=NOON - 30 * DAY, due_at=NOON - 16 * DAY, paid_at=None,
    is_paid_out_of_band=False, is_live=True,
)  # fmt: skip
A_PAYMENT = Payment(
    id="pi_1", customer=CUSTOMER, status="succeeded", currency="EUR", amount_minor=9_900, captured_minor=9_900,
    refunded_minor=0, allocations=(), paid_at=NOON - 29 * DAY, created_at=NOON - 29 * DAY, is_live=True,
)  # fmt: skip
A_REFUND = Refund(
    id="re_1", payment="pi_1", customer=CUSTOMER, status="succeeded", currency="EUR", amount_minor=900, reason=None,
    created_at=NOON - 9 * DAY, is_live=True,
)  # fmt: skip
A_CREDIT_NOTE = CreditNote(
    id="cn_1", number="CN-1", customer=CUSTOMER, invoice="in_1", status="issued", currency="EUR", total_minor=900,
    pre_payment_minor=0, post_payment_minor=900, refunded_minor=900, credited_minor=0, out_of_band_minor=0, reason=None,
    issued_at=NOON - 9 * DAY, is_live=True,
)  # fmt: skip
A_DISPUTE = Dispute(
    id="dp_1", payment="pi_1", customer=CUSTOMER, status="needs_response", currency="EUR", amount_minor=9_900,
    opened_at=NOON - 5 * DAY, closed_at=None, is_live=True,
)  # fmt: skip
PAID = replace(AN_INVOICE, status="paid", paid_minor=9_900, remaining_minor=0, paid_at=NOON - 29 * DAY)
ONE_OF_EACH: tuple[BillingObject, ...] = (
    A_CUSTOMER, A_SUBSCRIPTION, AN_INVOICE, A_PAYMENT, A_REFUND, A_CREDIT_NOTE, A_DISPUTE,
)  # fmt: skip


def told(thing: BillingObject, *, at: datetime = NOON, is_deleted: bool = False) -> Snapshot:
    """Return an object as the provider told it at a moment."""
    raw = {"id": thing.id, "said": "by the provider"}
    return Snapshot(thing=thing, raw=raw, api_version="2026-01-01", fetched_at=at, is_deleted=is_deleted)


def with_owner(thing: BillingObject, customer: str) -> BillingObject:
    """Return an object of another customer; a customer becomes that one."""
    if isinstance(thing, Customer):
        return replace(thing, id=customer)
    values = {each.name: getattr(thing, each.name) for each in fields(thing)}
    return type(thing)(**{**values, "customer": customer})


@dataclass
class PaperProvider:
    """Knows a few snapshots; silent while `is_silent`, or after `answers` more questions."""

    known: list[Snapshot] = field(default_factory=list)
    now: datetime = NOON
    is_silent: bool = False
    is_silent_for_good: bool = False
    answers: int | None = None
    asked: list[tuple[str, ...]] = field(default_factory=list)
    name: str = "paper"

    def knows(self, *things: BillingObject) -> None:
        """Put objects in the place of those with the same kind and id."""
        for thing in things:
            new = told(thing, at=self.now)
            self.known = [k for k in self.known if (k.kind, k.thing.id) != (new.kind, thing.id)]
            self.known.append(new)

    def fetch(self, kind: ObjectKind, thing: str) -> Snapshot | None:
        self._answer("fetch", kind.value, thing)
        found = [each for each in self.known if each.kind is kind and each.thing.id == thing]
        return next((replace(each, fetched_at=self.now) for each in found), None)

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
        self._answer("page", kind.value, customer or "", after or "")
        some = [
            each for each in self.known
            if each.kind is kind
            and (customer is None or customer_of(each.thing) == customer)
            and (since is None or particulars(each.thing).at >= since)
            and (until is None or particulars(each.thing).at < until)
        ]  # fmt: skip
        ordered = sorted(some, key=lambda each: (particulars(each.thing).at, each.thing.id), reverse=True)
        ids = [each.thing.id for each in ordered]
        start = 0 if after is None else ids.index(after) + 1
        items = tuple(replace(each, fetched_at=self.now) for each in ordered[start : start + limit])
        rest = len(ordered) > start + limit
        return ProviderPage(items=items, after=items[-1].thing.id if rest and items else None)

    def invoice_of_number(self, *, customer: str, number: str) -> Snapshot | None:
        self._answer("invoice_of_number", customer, number)
        for each in self.known:
            if isinstance(each.thing, Invoice) and (each.thing.customer, each.thing.number) == (customer, number):
                return replace(each, fetched_at=self.now)
        return None

    def _answer(self, *question: str) -> None:
        if self.is_silent or self.is_silent_for_good or self.answers == 0:
            message = "The provider does not answer."
            raise OutsideError(message, permanent=self.is_silent_for_good)
        self.answers = None if self.answers is None else self.answers - 1
        self.asked.append(question)


@dataclass
class PaperMirror:
    """A MirrorBook in a dictionary, with the rules of the port and nothing else."""

    kept: dict[ObjectRef, Snapshot] = field(default_factory=dict)
    linked: frozenset[str] = frozenset({CUSTOMER})

    def page(self, kind: ObjectKind, *, before: str | None, limit: int) -> Sequence[Snapshot]:
        of_kind = [each for ref, each in self.kept.items() if ref[0] is kind]
        ordered = sorted(of_kind, key=lambda each: (particulars(each.thing).at, each.thing.id), reverse=True)
        ids = [each.thing.id for each in ordered]
        if before is not None and before not in ids:
            return ()
        start = 0 if before is None else ids.index(before) + 1
        return ordered[start : start + limit]

    def get(self, kind: ObjectKind, thing: str) -> Snapshot | None:
        return self.kept.get((kind, thing))

    def children(self, kind: ObjectKind, parent: str, *, limit: int) -> Sequence[Snapshot]:
        hanging = [each for ref, each in sorted(self.kept.items()) if ref[0] is kind]
        return [each for each in hanging if particulars(each.thing).parent == parent][:limit]

    def invoice_of_number(self, number: str) -> Snapshot | None:
        bearing = [each for each in self.kept.values() if getattr(each.thing, "number", None) == number]
        invoices = [each for each in bearing if each.kind is ObjectKind.INVOICE]
        return max(invoices, key=lambda each: each.fetched_at, default=None)

    def side(self) -> Side:
        return side_of(tuple(each.thing for each in self.kept.values() if not each.is_deleted))

    def mirrored_at(self) -> Mapping[ObjectRef, datetime]:
        return {ref: each.fetched_at for ref, each in self.kept.items()}

    def customers(self) -> frozenset[str]:
        return self.linked

    def put(self, snapshot: Snapshot) -> bool:
        ref = (snapshot.kind, snapshot.thing.id)
        if ref in self.kept and self.kept[ref].fetched_at > snapshot.fetched_at:
            return False
        self.kept[ref] = snapshot
        return True

    def mark_deleted(self, kind: ObjectKind, thing: str, *, at: datetime) -> bool:
        before = self.kept.get((kind, thing))
        if before is None or before.fetched_at > at:
            return False
        self.kept[kind, thing] = replace(before, is_deleted=True, fetched_at=at)
        return True


def mirror_of(things: Iterable[BillingObject], *, at: datetime = NOON - DAY) -> PaperMirror:
    """Return a mirror that heard of objects at a moment."""
    book = PaperMirror()
    for thing in things:
        book.put(told(thing, at=at))
    return book
