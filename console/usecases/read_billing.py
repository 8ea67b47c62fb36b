"""The billing of an opened tenant: what the mirror holds, whose customer it is, what the provider was asked for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from console.domain.billing.canonical_form import Snapshot
from console.domain.billing.objects import CreditNote, Dispute, Invoice, ObjectKind, Payment, Refund, Subscription
from console.domain.billing.writes import ProviderWrite
from console.domain.decisions import Deny
from console.domain.ids import TenantId
from console.domain.reconciling.books import Hold, Link
from console.domain.reconciling.findings import Finding
from console.domain.staff import Actor
from console.ports.mirror import MirrorBook
from console.ports.planes import TenantPlane
from console.ports.reconciliation import FindingFilter
from console.ports.store import ControlUnit
from console.usecases.house import House
from console.usecases.opened_tenant import Opened, read_opened

_INVOICES, _OTHERS, _WRITES, _FINDINGS = 25, 15, 15, 5
_SHOWN, _HAPPENINGS = 8, 15  # what a page of 60 KB bears


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing that happened to the tenant's money. Units: minor units, positive towards us."""

    at: datetime
    kind: ObjectKind
    id: str
    what: str
    minor: int
    currency: str
    status: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """One page of all objects of a kind, newest first; `older` is after which the next begins."""

    shown: Sequence[Snapshot]
    older: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class From:
    """After which invoice and which payment the pages of both begin; None at the newest."""

    invoice: str | None = None
    payment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingPage:
    """Billing as the mirror knows it.

    Shape: every list is bounded, newest first; `newest` are the invoices by which collecting is judged; `numbers` are
    those under which people know the invoices that payments name; `heard_at` is the latest answer.
    """

    opened: Opened
    links: Sequence[Link]
    subscriptions: Sequence[Snapshot]
    newest: Sequence[Snapshot]
    invoices: Turned
    payments: Turned
    numbers: Mapping[str, str]
    happenings: Sequence[Happening]
    writes: Sequence[ProviderWrite]
    holds: Sequence[Hold]
    findings: Sequence[Finding]
    heard_at: datetime | None


_NEWEST = From()


def read_billing(house: House, actor: Actor, *, tenant: TenantId, begin: From = _NEWEST) -> BillingPage | Deny:
    """Return the billing page of an opened tenant, its lists from some invoice and payment on, in few statements."""

    def read(unit: ControlUnit, opened: Opened, plane: TenantPlane) -> BillingPage:
        mirror = plane.mirror
        subscriptions = mirror.page(ObjectKind.SUBSCRIPTION, before=None, limit=_OTHERS)
        invoices = mirror.page(ObjectKind.INVOICE, before=None, limit=_INVOICES)
        payments = mirror.page(ObjectKind.PAYMENT, before=None, limit=_OTHERS)
        shown = _turned(mirror, ObjectKind.INVOICE, invoices, begin.invoice)
        paid = _turned(mirror, ObjectKind.PAYMENT, payments, begin.payment)
        others = [
            each
            for kind in (ObjectKind.REFUND, ObjectKind.CREDIT_NOTE, ObjectKind.DISPUTE)
            for each in mirror.page(kind, before=None, limit=_OTHERS)
        ]
        told = [*subscriptions, *invoices, *payments, *others]
        numbers = mirror.numbers(frozenset(_named([*payments, *paid.shown, *others])))
        happened = [line for each in told if not each.is_deleted for line in happenings(each, numbers)]
        return BillingPage(
            opened=opened,
            links=plane.customers.links(),
            subscriptions=subscriptions,
            newest=invoices,
            invoices=shown,
            payments=paid,
            numbers=numbers,
            happenings=sorted(happened, key=lambda line: (line.at, line.id), reverse=True)[:_HAPPENINGS],
            writes=plane.provider_writes.recent(limit=_WRITES),
            holds=plane.holds(),
            findings=unit.findings.page(FindingFilter(tenant=tenant), after=None, limit=_FINDINGS),
            heard_at=max((each.fetched_at for each in told), default=None),
        )

    return read_opened(house, actor, tenant, page="billing", read=read, records=_records)


def _turned(mirror: MirrorBook, kind: ObjectKind, newest: Sequence[Snapshot], before: str | None) -> Turned:
    further = newest if before is None else mirror.page(kind, before=before, limit=_SHOWN + 1)
    return Turned(shown=further[:_SHOWN], older=further[_SHOWN - 1].thing.id if len(further) > _SHOWN else None)


def _named(told: Sequence[Snapshot]) -> Iterator[str]:
    """Yield the invoices that payments and credit notes name."""
    for each in told:
        if isinstance(each.thing, Payment):
            yield from (part.invoice for part in each.thing.allocations)
        elif isinstance(each.thing, CreditNote):
            yield each.thing.invoice


def _records(page: BillingPage) -> int:
    shown = {each.thing.id for each in (*page.subscriptions, *page.invoices.shown, *page.payments.shown)}
    others = {(each.kind, each.id) for each in page.happenings if each.id not in shown}
    lists = (
        page.links, page.subscriptions, page.invoices.shown, page.payments.shown, others, page.writes, page.holds,
        page.findings,
    )  # fmt: skip
    return sum(len(each) for each in lists)


def paid_for(payment: Payment, numbers: Mapping[str, str]) -> str:
    """Return what a payment pays, by the number under which people know it."""
    return ", ".join(numbers.get(each.invoice, each.invoice) for each in payment.allocations) or "no invoice"


def happenings(snapshot: Snapshot, numbers: Mapping[str, str]) -> Iterator[Happening]:
    """Yield what an object tells of what happened, each with its reason as far as the provider gives one.

    Shape: `numbers` are those of invoices by their id, under which people know them; another is named by its id.
    """
    thing = snapshot.thing
    if isinstance(thing, Subscription):
        yield from _of_subscription(thing)
    elif isinstance(thing, Invoice):
        name = thing.number or thing.id
        why = "for the subscription" if thing.subscription else "asked for by hand"
        yield _line(thing, thing.issued_at, f"Invoice {name}", thing.total_minor, thing.status, why)
    elif isinstance(thing, Payment) and thing.paid_at is not None:
        why = f"pays {paid_for(thing, numbers)}"
        yield _line(thing, thing.paid_at, "Payment", thing.captured_minor, thing.status, why)
    elif isinstance(thing, Refund):
        why = (thing.reason or "no reason given").replace("_", " ")
        yield _line(thing, thing.created_at, "Refund", -thing.amount_minor, thing.status, why)
    elif isinstance(thing, CreditNote):
        why = f"corrects {numbers.get(thing.invoice, thing.invoice)}"
        yield _line(thing, thing.issued_at, f"Credit note {thing.number or ''}", -thing.total_minor, thing.status, why)
    elif isinstance(thing, Dispute):
        yield _line(
            thing, thing.opened_at, "Dispute opened", -thing.amount_minor, thing.status, f"over {thing.payment}"
        )
        if thing.closed_at is not None:
            yield _line(thing, thing.closed_at, f"Dispute {thing.status}", 0, thing.status, f"over {thing.payment}")


def _of_subscription(thing: Subscription) -> Iterator[Happening]:
    plans = ", ".join(each.plan or each.price for each in thing.items)
    yield _line(thing, thing.started_at, f"Subscription to {plans} began", 0, thing.status, "")
    if thing.ended_at is not None:
        yield _line(thing, thing.ended_at, f"Subscription to {plans} ended", 0, thing.status, "")


def _line(
    thing: Subscription | Invoice | Payment | Refund | CreditNote | Dispute,
    at: datetime,
    what: str,
    minor: int,
    status: str,
    why: str,
) -> Happening:
    kind = _KINDS[type(thing)]
    return Happening(
        at=at, kind=kind, id=thing.id, what=what.strip(), minor=minor, currency=thing.currency, status=status, why=why
    )


_KINDS = {
    Subscription: ObjectKind.SUBSCRIPTION,
    Invoice: ObjectKind.INVOICE,
    Payment: ObjectKind.PAYMENT,
    Refund: ObjectKind.REFUND,
    CreditNote: ObjectKind.CREDIT_NOTE,
    Dispute: ObjectKind.DISPUTE,
}
