"""What the actions on money share: objects of this tenant's mirror, what is on its way, and the job that acts."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from console.domain.billing import money
from console.domain.billing.bounds import Bound
from console.domain.billing.canonical_form import customer_of, digest
from console.domain.billing.commands import Command
from console.domain.billing.objects import (
    KIND_OF,
    BillingObject,
    CreditNote,
    Dispute,
    Invoice,
    Payment,
    Refund,
    Subscription,
)
from console.domain.billing.writes import ProviderWrite, bound_digest
from console.domain.decisions import Fact
from console.domain.errors import ConflictError
from console.domain.ids import ExecutionId
from console.domain.jobs import JobDraft
from console.ports.action_tools import Tools
from console.ports.actions import Choice, Fault, Input, ParamField

T = TypeVar("T", bound=BillingObject)

JOB = "billing.write"
LINK_JOB = "billing.follow_link"
QUEUE = "billing"
MOST_TRIES = 20
_MOST_CHILDREN = 500
ID = r"[A-Za-z]{2,12}_[A-Za-z0-9_]{1,80}"
AMOUNT = ParamField(
    name="amount",
    label="Amount",
    input=Input.TEXT,
    help="As people write it: 49.90 for euros, 5000 for yen.",
    most=20,
    pattern=r"[0-9][0-9,]*(\.[0-9]{1,4})?",
    pattern_example="49.90",
)
CURRENCY = ParamField(
    name="currency",
    label="Currency",
    input=Input.TEXT,
    help="Must be the currency of what is acted on; nothing is ever converted.",
    most=3,
    pattern="[A-Z]{3}",
    pattern_example="EUR",
)


def id_field(name: str, label: str, *, text: str, example: str) -> ParamField:
    """Return a field for an id of the provider."""
    return ParamField(
        name=name, label=label, input=Input.TEXT, help=text, most=100, pattern=ID, pattern_example=example
    )


def options(words: Mapping[str, str]) -> tuple[Choice, ...]:
    """Return the options of a field from its words."""
    return tuple(Choice(value=value, label=label) for value, label in words.items())


def chosen(value: str, words: Mapping[str, str], *, field: str) -> str:
    """Return a chosen value; raises Fault for one that is not offered."""
    if value not in words:
        raise Fault(field, f"Choose one of {', '.join(words)}.")
    return value


def amount_of(typed: str, currency: str) -> int:
    """Return an amount in minor units; raises Fault for what is no amount of the currency, or nothing at all."""
    minor = money.read(typed, currency)
    if not minor:
        digits = money.exponent(currency)
        shape = f"with at most {digits} digits after the point" if digits else "without a point"
        raise Fault("amount", f"Give an amount of {currency} above nothing, {shape}.")
    return minor


def amount_or_none(typed: str, currency: str, *, field: str) -> int:
    """Return an amount in minor units, 0 where nothing was typed; raises Fault for what is no amount."""
    minor = money.read(typed or "0", currency)
    if minor is None:
        raise Fault(field, f"Give an amount of {currency}, or leave it empty.")
    return minor


def one(tools: Tools, cls: type[T], thing: str, *, field: str, label: str) -> T:
    """Return an object of this tenant; raises Fault for any other, and where nobody can say whose it is."""
    found = tools.plane().mirror.get(KIND_OF[cls], thing)
    if found is None or found.is_deleted or not isinstance(found.thing, cls):
        raise Fault(field, f"This tenant has no such {label}; resync it if it is new.")
    check_owner(tools, found.thing, field=field)
    return found.thing


def maybe(tools: Tools, cls: type[T], thing: str | None) -> T | None:
    """Return an object that another one names, or None where the mirror has none."""
    found = None if thing is None else tools.plane().mirror.get(KIND_OF[cls], thing)
    return found.thing if found is not None and not found.is_deleted and isinstance(found.thing, cls) else None


def check_owner(tools: Tools, thing: BillingObject, *, field: str) -> None:
    """Raise Fault where an object's customer is not this tenant's, or two tenants say that it is theirs."""
    customer = customer_of(thing)
    if customer is None or customer not in {link.customer for link in tools.plane().customers.links()}:
        raise Fault(field, "Its customer is not linked to this tenant: link it first, with proof.")
    others = others_linking(tools, customer)
    if others:
        raise Fault(field, "Two tenants claim this customer: no money moves until one of them is unlinked.")


def others_linking(tools: Tools, customer: str) -> int:
    """Return how many other tenants have a live link to a customer."""
    mine = tools.plane().scope.tenant
    return sum(each != mine for each in tools.customer_claims.of([customer]).get(customer, ()))


def refunds_of(tools: Tools, payment: Payment) -> list[Refund]:
    """Return the refunds of a payment."""
    return _children(tools, Refund, payment.id)


def disputes_of(tools: Tools, payment: Payment) -> list[Dispute]:
    """Return the disputes of a payment."""
    return _children(tools, Dispute, payment.id)


def notes_of(tools: Tools, invoice: Invoice) -> list[CreditNote]:
    """Return the credit notes of an invoice."""
    return _children(tools, CreditNote, invoice.id)


def invoices_of(tools: Tools, subscription: Subscription) -> list[Invoice]:
    """Return the invoices of a subscription."""
    return _children(tools, Invoice, subscription.id)


def payments_of(tools: Tools, invoice: Invoice) -> list[Payment]:
    """Return the payments that paid an invoice before any other."""
    return _children(tools, Payment, invoice.id)


def writes_of(tools: Tools) -> Sequence[ProviderWrite]:
    """Return what this tenant's provider was asked for and has not settled: it counts against every bound.

    Shape: asked for before the mirror is read; what is settled in between is then counted twice, and never missed.
    """
    return tools.plane().provider_writes.pending()


def check_currency(wanted: str, thing: Payment | Invoice) -> None:
    """Raise Fault for a currency other than the object's own."""
    if wanted != thing.currency:
        raise Fault("currency", f"This is {thing.currency}; amounts are never converted.")


def check_bound(bound: Bound, amount_minor: int, *, verb: str) -> None:
    """Raise Fault for more than is left, saying what took the rest."""
    if amount_minor > bound.left_minor:
        took = ", ".join(f"{said(minor, bound.currency)} {why}" for why, minor in bound.taken if minor)
        rest = f" of {said(bound.whole_minor, bound.currency)}: {took}" if took else ""
        raise Fault("amount", f"At most {said(bound.left_minor, bound.currency)} can be {verb}{rest}.")


def sizes(amount_minor: int, bound: Bound, *before: str) -> dict[str, Fact]:
    """Return how large an amount is, and what went before it of the same thing: in parts it is as large as at once."""
    earlier = sum(minor for why, minor in bound.taken if why in before)
    return {
        "amount_units": money.in_units(amount_minor, bound.currency),
        "earlier_units": money.in_units(earlier, bound.currency),
    }


def said(minor: int, currency: str) -> str:
    """Return an amount in words."""
    return money.worded(minor, currency)


def marks(bound: Bound | None, *things: BillingObject) -> dict[str, str | int]:
    """Return the fingerprint: every object that the preview was derived from, and what was left of the bound."""
    found: dict[str, str | int] = {f"{KIND_OF[type(each)].value} {each.id}": digest(each) for each in things}
    if bound is not None:
        found["left_minor"] = bound.left_minor
    return found


def want(tools: Tools, command: Command) -> ProviderWrite:
    """Note a command that the job carries out; raises RuntimeError outside an execution, Fault for a second one."""
    if tools.execution is None:
        raise RuntimeError("a command is noted by an execution only")
    try:
        return tools.plane().provider_writes.want(command, execution=tools.execution, at=tools.now)
    except ConflictError:
        raise Fault("", "This execution has asked the provider already.") from None


def write_job(command: Command, execution: ExecutionId) -> tuple[JobDraft, ...]:
    """Return the job that carries a command out, bound to it by digest; an execution has one and no second."""
    payload = {"write": execution, "command": bound_digest(command)}
    return (JobDraft(kind=JOB, key=f"write:{execution}", payload=payload, queue=QUEUE, most_attempts=MOST_TRIES),)


def customer_name(customer: str) -> str:
    """Return the name under which an execution holds a customer of the provider, across all tenants and planes."""
    return f"billing customer {customer}"


def directory_job(customer: str, execution: ExecutionId) -> JobDraft:
    """Return the job that lets the directory follow the link of a customer, so that search and webhooks find it."""
    return JobDraft(kind=LINK_JOB, key=f"link:{execution}", payload={"customer": customer}, queue=QUEUE)


def _children(tools: Tools, cls: type[T], parent: str) -> list[T]:
    found = tools.plane().mirror.children(KIND_OF[cls], parent, limit=_MOST_CHILDREN)
    if len(found) == _MOST_CHILDREN:
        raise Fault("amount", "There are too many corrections of this already; finance has to look at the provider.")
    return [each.thing for each in found if not each.is_deleted and isinstance(each.thing, cls)]
