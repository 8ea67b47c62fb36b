"""`billing.unlink_customer`: say that a customer of the provider is not this tenant after all."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from console.actions.billing import following, ledger
from console.domain.billing.commands import NameTenant
from console.domain.billing.objects import Customer, ObjectKind
from console.domain.bought import Supposed
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, ExecutionId, TenantId
from console.domain.jobs import JobDraft
from console.domain.moments import day_of
from console.domain.reasons import Effect
from console.ports.action_tools import Tools
from console.ports.actions import Action, Choice, Fault, Input, ParamField, Reach

AT_PROVIDER = {
    "clear": "Take this tenant's name away there",
    "leave": "Leave what is written there",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`customer` is the provider's id; `clears` whether the tenant's name is taken away there."""

    customer: str
    clears: bool


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values; raises Fault."""
    chosen = ledger.chosen(values["at_provider"], AT_PROVIDER, field="at_provider")
    return Params(customer=values["customer"], clears=chosen == "clear")


def choices(field: str, tools: Tools) -> tuple[Choice, ...]:
    """Return the customers that are linked, and what may happen at the provider."""
    if field == "customer":
        links = tools.plane().customers.links()
        return tuple(
            Choice(value=each.customer, label=each.customer, current=f"since {day_of(each.linked_at)}")
            for each in links
        )
    return ledger.options(AT_PROVIDER) if field == "at_provider" else ()


def preview(params: Params, tools: Tools) -> Preview:
    """Return what ends; raises Fault."""
    named = _read(params, tools)
    effects = following.effects_of(tools, Supposed(unlinked=frozenset({params.customer})))
    return Preview(
        sentence=f"Unlink customer {params.customer} from this tenant",
        changes=(
            Change(field=f"Customer {params.customer}", before="this tenant's", after="nobody's"),
            Change(field="Named at the provider", before=named, after=None if params.clears else named),
        ),
        fingerprint={"customer": params.customer, "named": named or "", "links": len(tools.plane().customers.links())},
        warnings=(*_warnings(params, tools), *following.losses(effects)),
        customer="Nothing at once; what is billed to the customer no longer counts as this tenant's.",
        target_type="customer",
        target_id=params.customer,
        access=following.followed(tools, effects, beside=_decides(params, tools)),
    )


def apply(params: Params, tools: Tools) -> Applied:
    """End the link, and note for the job what the provider shall forget; raises Fault."""
    tools.plane().provider_writes.lock()
    _read(params, tools)
    if not tools.plane().customers.unlink(params.customer, at=tools.now):
        raise Fault("customer", "This link ended meanwhile; there is nothing left to do.")
    if params.clears:
        ledger.want(tools, command(params))
    return Applied(
        sentence=f"Customer {params.customer} is no longer linked to this tenant.",
        changes=(Change(field=f"Customer {params.customer}", before="this tenant's", after="nobody's"),),
    )


def command(params: Params) -> NameTenant:
    """Return what the provider is asked for."""
    return NameTenant(customer=params.customer, tenant=None)


def follow_up(params: Params, execution: ExecutionId) -> tuple[JobDraft, ...]:
    """Return the jobs that let the directory follow, and clear the name at the provider."""
    writes = ledger.write_job(command(params), execution) if params.clears else ()
    return (ledger.directory_job(params.customer, execution), *writes)


def exclusive(params: Params) -> str:
    """Return the customer: of two tenants that would be it at once, the second sees the first."""
    return ledger.customer_name(params.customer)


def _read(params: Params, tools: Tools) -> TenantId | None:
    """Return whom the customer names at the provider; raises Fault where it is not ours to unlink or to clear."""
    if all(link.customer != params.customer for link in tools.plane().customers.links()):
        raise Fault("customer", "Choose a customer that is linked to this tenant.")
    if ledger.writes_of(tools):
        raise Fault("customer", "Something is on its way to the provider for this tenant; wait until it is settled.")
    found = tools.provider.fetch(ObjectKind.CUSTOMER, params.customer)
    named = found.thing.tenant if found is not None and isinstance(found.thing, Customer) else None
    if params.clears and (found is None or found.is_deleted or named != tools.plane().scope.tenant):
        raise Fault(
            "at_provider", "The customer does not name this tenant at the provider: leave what is written there."
        )
    return None if named is None else TenantId(named)


def _decides(params: Params, tools: Tools) -> str:
    subscription = tools.plane().subscription()
    if subscription is None or subscription.provider_customer != params.customer:
        return ""
    return "The subscription that decides this tenant's access belongs to this customer."


def _warnings(params: Params, tools: Tools) -> Iterator[str]:
    if ledger.others_linking(tools, params.customer):
        yield "Another tenant claims this customer too: once unlinked here, it is the other's alone."
    yield "Books: what the mirror holds of this customer is kept as evidence and compared no more."
    if not params.clears:
        yield "At the provider the customer keeps the name it bears, and a run will propose that tenant again."


ACTION = Action(
    key=ActionKey("billing.unlink_customer"),
    version=2,
    title="Unlink a customer of the provider",
    button="Unlink customer",
    icon="unplug",
    effect=Effect.DANGEROUS,
    reach=Reach.TENANT,
    fields=(
        ParamField(
            name="customer", label="Customer", input=Input.CHOICE, help="Only linked customers can be unlinked."
        ),
        ParamField(
            name="at_provider",
            label="At the provider",
            input=Input.CHOICE,
            help="The name can be taken away only where it is this tenant's.",
        ),
    ),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    follow_up=follow_up,
    exclusive=exclusive,
    documentation="Ends the link between a customer of the billing provider and this tenant.",
    customer_sees="Nothing at once.",
    moves_access=True,
    place="billing",
)
