"""What an overview says is wrong with a tenant, in sentences, before anybody has to look for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from console.domain.moments import minute_of
from console.domain.tenancy import TenantStatus
from console.domain.webhooks import Delivery, DeliveryState, Endpoint, EndpointState
from console.domain.workspace import Account, Invoice, Subscription

_STALE_AFTER = timedelta(hours=24)
_OPEN = frozenset({"open", "past_due"})
_FAILING_SHARE = 3
_FAILED = frozenset({DeliveryState.EXHAUSTED, DeliveryState.RETRY_SCHEDULED})


class Weight(StrEnum):
    """How much a symptom matters."""

    STOP = "stop"
    WARN = "warn"
    OK = "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """One finding of the overview and the action that mends it, if there is one."""

    weight: Weight
    title: str
    sentence: str
    action: str | None = None
    params: tuple[tuple[str, str], ...] = ()


def symptoms(
    account: Account,
    subscription: Subscription | None,
    invoices: Sequence[Invoice],
    deliveries: Sequence[Delivery],
    *,
    now: datetime,
    endpoints: Sequence[Endpoint] = (),
) -> tuple[Symptom, ...]:
    """Return what is wrong, the worst first; one reassuring line when nothing is."""
    found: list[Symptom] = []
    if account.status is TenantStatus.SUSPENDED:
        because = account.suspended_because or "no reason was given"
        found.append(
            Symptom(
                weight=Weight.STOP,
                title="Suspended",
                sentence=f"No member can sign in: {because}",
                action="tenant.resume",
            )
        )
    found += [_unseen_payment(invoice) for invoice in invoices if _is_unseen_payment(invoice)]
    overdue = [i for i in invoices if i.status in _OPEN and i.provider_status in _OPEN and i.due_at < now]
    if overdue:
        numbers = ", ".join(invoice.number for invoice in overdue[:3])
        found.append(
            Symptom(
                weight=Weight.WARN, title="Overdue", sentence=f"{len(overdue)} unpaid past their due day: {numbers}."
            )
        )
    if subscription is not None and now - subscription.mirrored_at > _STALE_AFTER:
        since = minute_of(subscription.mirrored_at)
        found.append(
            Symptom(
                weight=Weight.WARN,
                title="Mirror stale",
                sentence=f"The billing mirror has heard nothing since {since}.",
            )
        )
    found += _webhooks(deliveries, endpoints)
    return tuple(found) or (Symptom(weight=Weight.OK, title="Healthy", sentence="Billing, access and webhooks agree."),)


def _webhooks(deliveries: Sequence[Delivery], endpoints: Sequence[Endpoint]) -> list[Symptom]:
    disabled = [endpoint.url for endpoint in endpoints if endpoint.state is EndpointState.DISABLED]
    found = []
    if disabled:
        sentence = f"Nothing is sent to {', '.join(disabled)}."
        found.append(Symptom(weight=Weight.WARN, title="Webhooks disabled", sentence=sentence))
    failed = [delivery for delivery in deliveries if delivery.state in _FAILED]
    if deliveries and len(failed) * _FAILING_SHARE >= len(deliveries):
        found.append(
            Symptom(
                weight=Weight.WARN,
                title="Webhooks failing",
                sentence=f"{len(failed)} of the last {len(deliveries)} deliveries failed.",
            )
        )
    return found


def _is_unseen_payment(invoice: Invoice) -> bool:
    return invoice.provider_status == "paid" and invoice.status in _OPEN


def _unseen_payment(invoice: Invoice) -> Symptom:
    status = invoice.status.replace("_", " ")
    since = minute_of(invoice.mirrored_at)
    return Symptom(
        weight=Weight.STOP,
        title="Paid, but locked out",
        sentence=(
            f"{invoice.number} is paid at the provider; our mirror still says {status} since {since}, "
            "so access is denied."
        ),
        action="billing.resync",
        params=(("invoice", invoice.number),),
    )
