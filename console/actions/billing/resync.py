"""`billing.resync`: ask the billing provider for one invoice and write the answer into the mirror."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey
from console.domain.reasons import Effect
from console.domain.workspace import Invoice
from console.ports.actions import Action, Choice, Fault, Input, ParamField, Reach, Tools
from console.ports.billing import ProviderInvoice

_SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`invoice` is an invoice number of this tenant."""

    invoice: str


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(invoice=values["invoice"])


def choices(field: str, tools: Tools) -> tuple[Choice, ...]:
    """Return the newest invoices with what the mirror says of each."""
    if field != "invoice":
        return ()
    return tuple(
        Choice(value=i.number, label=i.number, current=f"mirror: {i.status}, provider: {i.provider_status}")
        for i in tools.plane().invoices(limit=_SHOWN)
    )


def preview(params: Params, tools: Tools) -> Preview:
    """Return mirror and provider side by side; raises Fault, or OutsideError when the provider does not answer."""
    mirror, provider = _both(params, tools)
    return Preview(
        sentence=f"Resync invoice {mirror.number}: {mirror.status} → {provider.status}",
        changes=(
            Change(field="Status in the mirror", before=mirror.status, after=provider.status),
            Change(field="Mirrored", before=f"{mirror.mirrored_at:%Y-%m-%d %H:%M} UTC", after="now"),
        ),
        fingerprint={"invoice": mirror.number, "mirror": mirror.status, "provider": provider.status},
        customer="Access follows the invoice: it is recalculated from the mirror at once.",
        target_type="invoice",
        target_id=mirror.number,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Write the provider's answer into the mirror."""
    mirror, provider = _both(params, tools)
    tools.plane().mirror_invoice(mirror.number, status=provider.status, paid_at=provider.paid_at, at=tools.now)
    return Applied(
        sentence=f"The mirror says {provider.status} for {mirror.number} now.",
        changes=(Change(field="Status in the mirror", before=mirror.status, after=provider.status),),
    )


def _both(params: Params, tools: Tools) -> tuple[Invoice, ProviderInvoice]:
    plane = tools.plane()
    mirror = plane.invoice(params.invoice)
    subscription = plane.subscription()
    if mirror is None or subscription is None:
        raise Fault("invoice", "Choose an invoice of this tenant.")
    provider = tools.billing.invoice(customer=subscription.provider_customer, number=mirror.number)
    if provider is None:
        raise Fault("invoice", "The billing provider does not know this invoice; ask finance.")
    return mirror, provider


ACTION = Action(
    key=ActionKey("billing.resync"),
    version=1,
    title="Resync an invoice",
    button="Resync invoice",
    icon="refresh-cw",
    effect=Effect.WRITE,
    reach=Reach.TENANT,
    fields=(
        ParamField(
            name="invoice",
            label="Invoice",
            input=Input.CHOICE,
            help="The provider is asked afresh; the mirror follows it, never the other way round.",
        ),
    ),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    documentation="Asks the billing provider for one invoice and writes the answer into the mirror.",
    customer_sees="Access that follows what they paid.",
    place="billing",
)
