"""`customer_webhook.set`: where a tenant's letters about accesses go by webhook, besides its administrators' mail."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, TenantId
from console.domain.reasons import Effect
from console.domain.webhooks import KeyAlgorithm
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault, Input, Landing, ParamField, Reach
from console.ports.customer_letters import CustomerWebhook


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`url` is empty to send no letters by webhook any more."""

    url: str


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(url=values["url"])


def preview(params: Params, tools: Tools) -> Preview:
    """Return the address before and after; raises Fault."""
    tenant, before = _checked(params, tools)
    return Preview(
        sentence="Change where letters about accesses go by webhook",
        changes=(Change(field="Address", before=before, after=params.url or None),),
        fingerprint={"tenant": tenant, "before": before or ""},
        warnings=("Whoever reads there learns who of us looked at this tenant, and why.",),
        customer="From then on its letters go there too.",
        target_type="customer_webhook",
        target_id=tenant,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Store the address with a fresh key, whose secret is shown once."""
    tenant, before = _checked(params, tools)
    letters = tools.books().letters
    changes = (Change(field="Address", before=before, after=params.url or None),)
    if not params.url:
        letters.forget_webhook(tenant)
        return Applied(sentence="No letters go by webhook any more.", changes=changes)
    made = tools.webhook_keys.make(KeyAlgorithm.V1)
    letters.set_webhook(
        CustomerWebhook(
            tenant=tenant, url=params.url, secret_sealed=made.sealed, set_at=tools.now, set_by=tools.requester
        )
    )
    return Applied(
        sentence=f"Letters go to {params.url} too. The signing secret is shown now and never again.",
        changes=changes,
        shown={"Signing secret": made.secret},
    )


def _checked(params: Params, tools: Tools) -> tuple[TenantId, str | None]:
    if tools.directory_row is None:
        raise Fault("url", "Open a tenant first.")
    tenant = tools.directory_row.id
    there = tools.books().letters.webhook(tenant)
    before = None if there is None else there.url
    if not params.url and before is None:
        raise Fault("url", "No letters go by webhook; give an address.")
    if params.url:
        parts = urlsplit(params.url)
        if parts.username is not None or parts.password is not None or parts.fragment:
            raise Fault("url", "Leave name, password and what follows # out of the address: it is shown and recorded.")
        fault = tools.outbound.fault_of(params.url)
        if fault is not None:
            raise Fault("url", fault)
    return tenant, before


ACTION = Action(
    key=ActionKey("customer_webhook.set"),
    version=1,
    title="Set the webhook for access letters",
    button="Set webhook",
    icon="webhook",
    effect=Effect.DANGEROUS,
    reach=Reach.TENANT,
    fields=(
        ParamField(
            name="url",
            label="Address",
            input=Input.TEXT,
            help="A public https address of the customer; empty to send none.",
            most=2_000,
            is_required=False,
        ),
    ),
    build=build,
    preview=preview,
    apply=apply,
    documentation="Sends a tenant's letters about accesses to an address of its own too, signed with a fresh key.",
    customer_sees="The new address, who set it and why.",
    place="customer",
    lands=Landing.BOOKS_ALONE,
)
