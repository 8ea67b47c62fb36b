"""What happened to a tenant lately, from the dated rows that its overview has read anyway."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from console.domain.billing.money import worded
from console.domain.webhooks import Endpoint, EndpointState
from console.domain.workspace import Account, Invoice, Subscription

_OWED = frozenset({"open", "past_due", "uncollectible"})


class Thing(StrEnum):
    """What a change happened to."""

    ACCOUNT = "account"
    SUBSCRIPTION = "subscription"
    INVOICE = "invoice"
    ENDPOINT = "endpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantChange:
    """One thing that happened to a tenant and was no staff member's doing. Shape: `text` may be empty."""

    at: datetime
    thing: Thing
    title: str
    text: str = ""
    is_trouble: bool = False


def latest_changes(
    account: Account,
    subscription: Subscription | None,
    invoices: Sequence[Invoice],
    endpoints: Sequence[Endpoint],
    *,
    now: datetime,
    most: int,
) -> tuple[TenantChange, ...]:
    """Return what happened until now, newest first."""
    found = [TenantChange(at=account.created_at, thing=Thing.ACCOUNT, title="Became a customer")]
    if subscription is not None:
        found.append(_began(subscription))
    found += [change for invoice in invoices for change in _of_invoice(invoice)]
    found += [change for endpoint in endpoints for change in _of_endpoint(endpoint)]
    past = (change for change in found if change.at <= now)
    return tuple(sorted(past, key=lambda change: (change.at, change.title), reverse=True)[:most])


def _began(subscription: Subscription) -> TenantChange:
    price = worded(subscription.amount_minor, subscription.currency)
    text = f"{subscription.seats} seats for {price}"
    title = f"Subscription to {subscription.plan_name} began"
    return TenantChange(at=subscription.started_at, thing=Thing.SUBSCRIPTION, title=title, text=text)


def _of_invoice(invoice: Invoice) -> Iterator[TenantChange]:
    name, text = f"Invoice {invoice.number}", worded(invoice.amount_minor, invoice.currency)
    yield TenantChange(at=invoice.issued_at, thing=Thing.INVOICE, title=f"{name} issued", text=text)
    if invoice.paid_at is not None:
        yield TenantChange(at=invoice.paid_at, thing=Thing.INVOICE, title=f"{name} paid", text=text)
    elif invoice.status in _OWED and invoice.provider_status in _OWED:
        fell_due = f"{name} fell due unpaid"
        yield TenantChange(at=invoice.due_at, thing=Thing.INVOICE, title=fell_due, text=text, is_trouble=True)


def _of_endpoint(endpoint: Endpoint) -> Iterator[TenantChange]:
    where = endpoint.url
    yield TenantChange(at=endpoint.created_at, thing=Thing.ENDPOINT, title="Webhook endpoint added", text=where)
    if endpoint.failing_since is not None:
        began = "Webhook endpoint began to fail"
        yield TenantChange(at=endpoint.failing_since, thing=Thing.ENDPOINT, title=began, text=where, is_trouble=True)
    if endpoint.state is EndpointState.DISABLED and endpoint.disabled_at is not None:
        ended = "Webhook endpoint disabled"
        because = f"{where}: {endpoint.because}" if endpoint.because else where
        yield TenantChange(at=endpoint.disabled_at, thing=Thing.ENDPOINT, title=ended, text=because, is_trouble=True)
