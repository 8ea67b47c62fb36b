"""What a tenant has bought: the product's own mirror, and over it what ours knows where it is fresher."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from console.domain.billing.canonical_form import Snapshot
from console.domain.billing.objects import Invoice as ToldInvoice
from console.domain.billing.objects import Subscription as ToldSubscription
from console.domain.billing.particulars import decisive, item_of_plan
from console.domain.workspace import Invoice


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """The one subscription that decides access; `plan_key` is ours, `status` the provider's word."""

    plan_key: str
    status: str
    provider_customer: str
    seats: int
    amount_minor: int
    currency: str
    started_at: datetime
    renews_at: datetime
    mirrored_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Supposed:
    """What a change would make links and mirror say: for a preview of the access that follows it.

    Shape: `told` stands over what is mirrored of the same subscriptions; `gone` are ids that the provider has no more.
    """

    told: tuple[Snapshot, ...] = ()
    gone: frozenset[str] = frozenset()
    linked: frozenset[str] = frozenset()
    unlinked: frozenset[str] = frozenset()

    def customers(self, known: frozenset[str]) -> frozenset[str]:
        """Return the customers that would be the tenant's."""
        return (known | self.linked) - self.unlinked

    def subscriptions(self, known: Iterable[Snapshot], customers: frozenset[str]) -> list[Snapshot]:
        """Return the subscriptions of these customers as the mirror would have them."""
        stands = {each.thing.id: each for each in known}
        stands |= {each.thing.id: each for each in self.told if isinstance(each.thing, ToldSubscription)}
        return [
            each
            for each in stands.values()
            if isinstance(each.thing, ToldSubscription)
            and each.thing.customer in customers
            and each.thing.id not in self.gone
            and not each.is_deleted
        ]


AS_IT_IS = Supposed()


def bought_of(own: Bought | None, told: Iterable[Snapshot]) -> Bought | None:
    """Return the product's subscription as the provider told it since, of several told the decisive one.

    Shape: without one of the product's own, what was told stands alone once its plan is known to us; what it costs is
    then not known, and 0.
    """
    by_id = {each.thing.id: each for each in told if isinstance(each.thing, ToldSubscription)}
    chosen = decisive(each.thing for each in by_id.values() if isinstance(each.thing, ToldSubscription))
    if chosen is None:
        return own
    heard_at = by_id[chosen.id].fetched_at
    item = item_of_plan(chosen)
    if own is None:
        return None if item is None or item.plan is None else _alone(chosen, item.plan, item.quantity, heard_at)
    if heard_at < own.mirrored_at:
        return own
    return replace(
        own,
        plan_key=own.plan_key if item is None or item.plan is None else item.plan,
        status=chosen.status,
        provider_customer=chosen.customer,
        seats=own.seats if item is None or item.quantity is None else item.quantity,
        started_at=chosen.started_at,
        renews_at=chosen.period_until,
        mirrored_at=heard_at,
    )


def _alone(told: ToldSubscription, plan: str, quantity: int | None, heard_at: datetime) -> Bought:
    return Bought(
        plan_key=plan,
        status=told.status,
        provider_customer=told.customer,
        seats=quantity or 0,
        amount_minor=0,
        currency=told.currency,
        started_at=told.started_at,
        renews_at=told.period_until,
        mirrored_at=heard_at,
    )


def invoice_of(own: Invoice | None, told: Snapshot | None) -> Invoice | None:
    """Return an invoice as the provider told it since the product mirrored it; one that only we mirror stands alone."""
    if told is None or told.is_deleted or not isinstance(told.thing, ToldInvoice) or told.thing.number is None:
        return own
    if own is not None and own.mirrored_at >= told.fetched_at:
        return own
    said = told.thing
    if own is None:
        return Invoice(
            number=told.thing.number,
            status=said.status,
            provider_status=said.status,
            amount_minor=said.total_minor,
            currency=said.currency,
            issued_at=said.issued_at,
            due_at=said.due_at or said.issued_at,
            paid_at=said.paid_at,
            mirrored_at=told.fetched_at,
        )
    return replace(
        own,
        status=said.status,
        provider_status=said.status,
        amount_minor=said.total_minor,
        currency=said.currency,
        paid_at=said.paid_at,
        mirrored_at=told.fetched_at,
    )
