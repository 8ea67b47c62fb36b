"""The complete and clean books of a demo tenant: what provider, mirror, product and use say, all of one mind.

Only Acme's mirror is behind its provider, because that is the first journey.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random

from console.adapters.demo.cash import Cash, cash_of
from console.adapters.demo.charges import (
    METERED,
    calls_before,
    currency_of,
    ident,
    interval_of,
    issued_at,
    price_id,
    prices,
)
from console.adapters.demo.histories import mirror_stopped_at, subscription
from console.adapters.demo.price_list import PRICES
from console.adapters.demo.rights import inputs_of
from console.adapters.demo.sketches import Sketch
from console.domain.billing.canonical_form import kind_of
from console.domain.billing.objects import (
    BalanceTransaction,
    BillingObject,
    Customer,
    Dispute,
    Invoice,
    Payment,
    Payout,
    Subscription,
    SubscriptionItem,
)
from console.domain.billing.tie_outs import months_before
from console.domain.effective_set import effective
from console.domain.effective_store import stored_set
from console.domain.entitlements import GrantSource, Inputs, Usage
from console.domain.ids import TenantId
from console.domain.imports import InvoiceRecord, SubscriptionRecord, tenant_id_of
from console.domain.reconciling.books import (
    ClosedSet,
    Hold,
    Link,
    ObjectRef,
    Plan,
    StoredSet,
    TenantBooks,
    UsageEvent,
    side_of,
)
from console.domain.tenancy import TenantStatus

_DAY = timedelta(days=1)
_WINDOW = 400 * _DAY
_FIRST = 1
PRICES_BY_ID = {each.id: each for each in prices()}


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoBooks:
    """One tenant on all sides. `transactions` belong to the provider's account; `mirrored_at` knows every object.

    Shape: `invoices` are the product's own, newest first.

    Shape: `closed` and `unreadable` are empty, and `entitlement_version` the first, until something is broken (drift).
    """

    tenant: TenantId
    now: datetime
    status: TenantStatus
    subscription: SubscriptionRecord
    provider: tuple[BillingObject, ...]
    mirror: tuple[BillingObject, ...]
    mirrored_at: Mapping[ObjectRef, datetime]
    links: tuple[Link, ...]
    holds: tuple[Hold, ...]
    usage_events: tuple[UsageEvent, ...]
    inputs: Inputs
    stored: StoredSet | None
    transactions: tuple[BalanceTransaction, ...]
    invoices: tuple[InvoiceRecord, ...] = ()
    closed: tuple[ClosedSet, ...] = ()
    unreadable: Mapping[ObjectRef, str] = field(default_factory=dict)
    active_members: int = 0

    def compared(self) -> TenantBooks:
        """Return the books as reconciliation reads them."""
        record = self.subscription
        return TenantBooks(
            tenant=self.tenant,
            now=self.now,
            window_from=self.now - _WINDOW,
            provider=side_of(self.provider),
            mirror=side_of(self.mirror),
            mirrored_at=self.mirrored_at,
            prices=PRICES_BY_ID,
            links=self.links,
            plan=Plan(
                key=record.plan,
                status=record.status,
                is_paid=PRICES[record.plan] > 0,
                seats=record.seats,
                customer=record.provider_customer,
                amount_minor=record.amount_minor,
                currency=record.currency,
            ),
            status=self.status,
            entitlement_version=_FIRST,
            inputs=self.inputs,
            computed=effective(self.inputs, self.now),
            stored=self.stored,
            active_members=self.active_members,
            closed=self.closed,
            unreadable=self.unreadable,
            overrides=tuple(each for each in self.inputs.grants if each.source is GrantSource.OVERRIDE),
            usage=self.inputs.usage,
            usage_events=self.usage_events,
            holds=self.holds,
        )


def demo_books(sketch: Sketch, *, now: datetime) -> DemoBooks:
    """Return the books of a tenant: the same for the same sketch and moment."""
    record = subscription(sketch, now=now)
    name = ident("sub", sketch)
    cash = cash_of(sketch, name, now=now)
    provider = (_customer(sketch, cash), _subscription(sketch, name, record, cash, now=now), *cash.things)
    inputs = inputs_of(sketch, record, now=now)
    stopped = mirror_stopped_at(now) if sketch.index == 0 else None
    mirror = provider if stopped is None else tuple(_as_of_acme(provider, stopped))
    return DemoBooks(
        tenant=tenant_id_of(sketch.external_id),
        now=now,
        status=TenantStatus(sketch.status),
        subscription=record,
        provider=provider,
        mirror=mirror,
        mirrored_at={(kind_of(each), each.id): stopped or record.mirrored_at for each in mirror},
        links=(Link(customer=sketch.customer, linked_at=sketch.created_at),),
        holds=tuple(_hold(sketch, each) for each in cash.things if isinstance(each, Dispute)),
        usage_events=tuple(_events(sketch, inputs.usage, now=now)),
        inputs=inputs,
        stored=stored_of(inputs, now=now),
        transactions=cash.transactions,
        invoices=cash.records,
    )


def stored_of(inputs: Inputs, *, now: datetime) -> StoredSet:
    """Return the effective set that the product reads, as recalculating at a moment would store it."""
    return stored_set(inputs, version=_FIRST, source_version=_FIRST, now=now)


class PayoutLedger:
    """Adds up what each weekly payout of the whole world holds; memory grows with weeks and not with tenants."""

    def __init__(self) -> None:
        self._net: dict[str, tuple[str, int]] = {}

    def add(self, transactions: Iterable[BalanceTransaction]) -> None:
        """Count the transactions of one more tenant."""
        for each in transactions:
            if each.payout is not None:
                _, before = self._net.get(each.payout, (each.currency, 0))
                self._net[each.payout] = each.currency, before + each.net_minor

    def payouts(self, *, now: datetime) -> Iterator[Payout]:
        """Yield the payouts, oldest first: on their way for two days."""
        for name, (currency, net) in sorted(self._net.items(), key=lambda each: (each[0][-8:], each[0])):
            made = datetime.strptime(name[-8:], "%Y%m%d").replace(tzinfo=UTC)
            yield Payout(
                id=name,
                status="paid" if made + 2 * _DAY <= now else "in_transit",
                currency=currency,
                amount_minor=net,
                is_automatic=True,
                created_at=made,
                arrives_at=made + 2 * _DAY,
                is_live=True,
            )


def _customer(sketch: Sketch, cash: Cash) -> Customer:
    return Customer(
        id=sketch.customer,
        name=sketch.company.name,
        email=f"billing@{sketch.domain}",
        tenant=tenant_id_of(sketch.external_id),
        currency=currency_of(sketch),
        balance_minor=cash.balance_minor,
        created_at=sketch.created_at,
        is_live=True,
    )


def _subscription(sketch: Sketch, name: str, record: SubscriptionRecord, cash: Cash, *, now: datetime) -> Subscription:
    interval = interval_of(sketch)
    months = 12 if interval == "year" else 1
    price = price_id(sketch.plan, record.currency, interval)
    paid = [each.paid_at for each in cash.things if isinstance(each, Invoice) and each.paid_at is not None]
    is_over = record.status == "canceled"
    items = [SubscriptionItem(id=ident("si", sketch), price=price, plan=sketch.plan, quantity=record.seats)]
    if PRICES[sketch.plan]:
        metered = price_id(METERED, record.currency, "month")
        items.append(SubscriptionItem(id=ident("si", sketch, METERED), price=metered, plan=None, quantity=None))
    return Subscription(
        id=name,
        customer=sketch.customer,
        status="active" if sketch.index == 0 else record.status,
        currency=record.currency,
        items=tuple(items),
        started_at=record.started_at,
        period_from=max(record.started_at, months_before(record.renews_at, months)),
        period_until=record.renews_at,
        trial_until=record.renews_at if record.status == "trialing" else None,
        ends_at_period_end=not is_over and sketch.index > 0 and sketch.seed % 37 == 5,
        ended_at=max([*paid, record.started_at, now - (sketch.seed % 20) * _DAY]) if is_over else None,
        is_live=True,
        anchored_at=record.renews_at if record.status == "trialing" else months_before(record.renews_at, months),
    )


def _as_of_acme(provider: Iterable[BillingObject], stopped: datetime) -> Iterator[BillingObject]:
    """Yield what Acme's mirror holds: it has not heard that the invoice of the story was paid."""
    for thing in provider:
        match thing:
            case Payment() if thing.paid_at is not None and thing.paid_at > stopped:
                continue
            case Subscription():
                yield replace(thing, status="past_due")
            case Invoice() if thing.paid_at is not None and thing.paid_at > stopped:
                yield replace(thing, status="open", paid_minor=0, remaining_minor=thing.due_minor, paid_at=None)
            case _:
                yield thing


def _hold(sketch: Sketch, dispute: Dispute) -> Hold:
    is_lost = dispute.status == "lost"
    return Hold(
        dispute=dispute.id,
        payment=dispute.payment,
        amount_minor=dispute.amount_minor,
        currency=dispute.currency,
        opened_at=dispute.opened_at,
        outcome=dispute.status,
        reversals=1 if is_lost else 0,
        plan_at_purchase=sketch.plan,
        plan_used=sketch.plan if is_lost else None,
    )


def _events(sketch: Sketch, usage: tuple[Usage, ...], *, now: datetime) -> Iterator[UsageEvent]:
    """Yield raw events of calls that add up to the count of this month, and to what the last invoice names."""
    dice = sketch.draw("usage")
    newest = next(((back, issued) for back, issued in issued_at(sketch, now=now)), (-1, now))
    before = months_before(newest[1], 1)
    if newest[0] == 0 and before >= sketch.created_at:
        last = newest[1].replace(hour=0) - timedelta(seconds=1)
        yield from _split(sketch, dice, calls_before(sketch, newest[1]), before, last)
    for count in usage:
        if count.feature == METERED:
            yield from _split(sketch, dice, count.used, count.starts_at, max(count.starts_at, count.as_of))


def _split(sketch: Sketch, dice: Random, total: int, start: datetime, end: datetime) -> Iterator[UsageEvent]:
    """Yield events that add up to a total, spread over a span."""
    parts = min(total, 4)
    for number in range(parts):
        at = start + (end - start) * dice.random()
        at = at.replace(microsecond=0) if at.replace(microsecond=0) >= start else at
        yield UsageEvent(
            id=ident("use", sketch, start.isoformat(), number),
            feature=METERED,
            quantity=total // parts + (1 if number < total % parts else 0),
            at=at,
            received_at=min(at + timedelta(seconds=3), max(end, at)),
        )
