"""`billing.link_customer`: say that a customer of the provider is this tenant, by a proof and never by likeness."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from console.actions.billing import following, ledger
from console.domain.access_changes import AT_ONCE
from console.domain.billing.commands import NameTenant
from console.domain.billing.objects import Customer, Invoice, ObjectKind
from console.domain.bought import Supposed
from console.domain.changes import AccessEffect, Applied, Change, Preview
from console.domain.ids import ActionKey, ExecutionId
from console.domain.jobs import JobDraft
from console.domain.masking import masked_email
from console.domain.reasons import Effect
from console.ports.action_tools import Tools
from console.ports.actions import Action, Choice, Fault, Input, ParamField, Reach

PROOFS = {
    "metadata": "The customer names this tenant at the provider",
    "product": "The product's own subscription names the customer",
    "invoice": "An invoice of the customer bears a number of this tenant",
    "document": "A document names the customer; the note says which",
}
_LOOKED_AT = 100
_RESYNCED = "once its subscriptions are resynced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`customer` is the provider's id, `proof` one of PROOFS."""

    customer: str
    proof: str


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values; raises Fault."""
    return Params(customer=values["customer"], proof=ledger.chosen(values["proof"], PROOFS, field="proof"))


def choices(field: str, _tools: Tools) -> tuple[Choice, ...]:
    """Return what counts as a proof; that an address or a name is alike is none."""
    return ledger.options(PROOFS) if field == "proof" else ()


def preview(params: Params, tools: Tools) -> Preview:
    """Return the customer and why it is this tenant's; raises Fault."""
    customer = _read(params, tools)
    access, lost = _access(params, tools)
    return Preview(
        sentence=f"Link customer {customer.id} to this tenant",
        changes=(
            Change(field=f"Customer {customer.id}", before="nobody's", after="this tenant's"),
            Change(field="Because", before=None, after=PROOFS[params.proof]),
            Change(field="Named at the provider", before=customer.tenant, after=tools.plane().scope.tenant),
        ),
        fingerprint={**ledger.marks(None, customer), "links": len(tools.plane().customers.links())},
        facts={"is_documented_only": params.proof == "document"},
        warnings=(*_warnings(customer, tools), *lost),
        customer="Nothing; what is billed to the customer counts as this tenant's from now on.",
        target_type="customer",
        target_id=customer.id,
        access=access,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Link, and note for the job that the provider's customer shall name the tenant; raises Fault."""
    tools.plane().provider_writes.lock()
    customer = _read(params, tools)
    because = f"{PROOFS[params.proof]} ({tools.reason.reference})"
    if not tools.plane().customers.link(customer.id, by=tools.requester, because=because, at=tools.now):
        raise Fault("customer", "This customer is linked to this tenant already.")
    ledger.want(tools, NameTenant(customer=customer.id, tenant=tools.plane().scope.tenant))
    return Applied(
        sentence=f"Customer {customer.id} is linked to this tenant.",
        changes=(Change(field=f"Customer {customer.id}", before="nobody's", after="this tenant's"),),
    )


def follow_up(params: Params, execution: ExecutionId) -> tuple[JobDraft, ...]:
    """Return the jobs that let the directory follow and name the tenant at the provider."""
    named = NameTenant(customer=params.customer, tenant="")  # the digest leaves out whose it is
    return (ledger.directory_job(params.customer, execution), *ledger.write_job(named, execution))


def exclusive(params: Params) -> str:
    """Return the customer: of two tenants that would be it at once, the second sees the first."""
    return ledger.customer_name(params.customer)


def _read(params: Params, tools: Tools) -> Customer:
    """Return the customer as the provider knows it now; raises Fault for one of somebody else's, or without proof."""
    found = tools.provider.fetch(ObjectKind.CUSTOMER, params.customer)
    if found is None or found.is_deleted or not isinstance(found.thing, Customer):
        raise Fault("customer", "The provider has no such customer.")
    tenant, others = tools.plane().scope.tenant, ledger.others_linking(tools, params.customer)
    if others or found.thing.tenant not in {None, tenant}:
        raise Fault(
            "customer", "It is linked to another tenant, or names one: a mapping conflict. Unlink it there first."
        )
    if any(link.customer == params.customer for link in tools.plane().customers.links()):
        raise Fault("customer", "This customer is linked to this tenant already.")
    if not _is_proven(params, found.thing, tools):
        raise Fault("proof", "That does not hold for this customer; an address or a name that is alike proves nothing.")
    return found.thing


def _is_proven(params: Params, customer: Customer, tools: Tools) -> bool:
    match params.proof:
        case "metadata":
            return customer.tenant == tools.plane().scope.tenant
        case "product":
            # What the mirror says of a customer that was linked once is no word of the product's own.
            mirrored = tools.plane().mirror.children(ObjectKind.SUBSCRIPTION, customer.id, limit=1)
            subscription = tools.plane().subscription()
            return not mirrored and subscription is not None and subscription.provider_customer == customer.id
        case "invoice":
            return any(tools.plane().invoice(number) is not None for number in _numbers(customer, tools))
        case _:
            return customer.id in tools.reason.note


def _numbers(customer: Customer, tools: Tools) -> Iterator[str]:
    page = tools.provider.page(ObjectKind.INVOICE, customer=customer.id, limit=_LOOKED_AT)
    for each in page.items:
        if isinstance(each.thing, Invoice) and each.thing.number is not None:
            yield each.thing.number


def _access(params: Params, tools: Tools) -> tuple[AccessEffect, tuple[str, ...]]:
    """Return what the link itself changes; where the mirror has yet to hear of its subscriptions, what they will."""
    linked = frozenset({params.customer})
    effects, when = following.effects_of(tools, Supposed(linked=linked)), AT_ONCE
    told, is_all = following.at_provider(tools, [params.customer])
    if not effects.rows:
        effects, when = following.effects_of(tools, Supposed(linked=linked, told=told)), _RESYNCED
    beside = "" if is_all else "Not all of its subscriptions at the provider were looked at."
    return following.followed(tools, effects, when=when, beside=beside), following.losses(effects, when=when)


def _warnings(customer: Customer, tools: Tools) -> Iterator[str]:
    address = "no address" if customer.email is None else masked_email(customer.email)
    yield f"At the provider it is called {customer.name} ({address}); this tenant is {tools.plane().account().name}."
    known = [link.customer for link in tools.plane().customers.links()]
    if known:
        yield f"This tenant is {', '.join(known)} already: look whether one of them is a duplicate."
    yield "Books: its invoices and payments count as this tenant's, new ones once resynced."


ACTION = Action(
    key=ActionKey("billing.link_customer"),
    version=2,
    title="Link a customer of the provider",
    button="Link customer",
    icon="user-check",
    effect=Effect.DANGEROUS,
    reach=Reach.TENANT,
    fields=(
        ledger.id_field("customer", "Customer", text="The provider's id of the customer.", example="cus_9s6XKz"),
        ParamField(
            name="proof",
            label="Proof",
            input=Input.CHOICE,
            help="Never an address or a name alone. For a document give the customer's id in the note.",
        ),
    ),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    follow_up=follow_up,
    exclusive=exclusive,
    documentation="Says that a customer of the billing provider is this tenant, and names the tenant there.",
    customer_sees="Nothing.",
    moves_access=True,
    place="billing",
)
