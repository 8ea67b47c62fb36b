"""`tenant.suspend`: stop a tenant from using the product."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.actions.tenant.suspension import apply_status, preview_status
from console.domain.changes import Applied, Preview
from console.domain.ids import ActionKey
from console.domain.reasons import Effect
from console.domain.tenancy import TenantStatus
from console.ports.action_tools import Tools
from console.ports.actions import Action, Input, ParamField, Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`because` is the sentence that the tenant's administrators are told."""

    because: str


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(because=values["because"].strip())


def preview(params: Params, tools: Tools) -> Preview:
    """Return the change of status; raises Fault."""
    return preview_status(
        TenantStatus.SUSPENDED,
        tools=tools,
        sentence="Suspend this tenant",
        because=params.because,
        customer=f"No member can sign in. Administrators read: “{params.because}”",
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Suspend the tenant."""
    return apply_status(TenantStatus.SUSPENDED, tools=tools, because=params.because)


ACTION = Action(
    key=ActionKey("tenant.suspend"),
    version=2,
    title="Suspend the tenant",
    button="Suspend tenant",
    icon="circle-pause",
    effect=Effect.DANGEROUS,
    reach=Reach.TENANT,
    fields=(
        ParamField(
            name="because",
            label="What administrators are told",
            input=Input.LONG_TEXT,
            help="One plain sentence; the tenant's administrators read it when they try to sign in.",
            least=10,
            most=300,
        ),
    ),
    build=build,
    preview=preview,
    apply=apply,
    documentation="Stops every member of a tenant from using the product until it is resumed.",
    customer_sees="That the account is suspended, since when and why.",
    undo=ActionKey("tenant.resume"),
    fits=lambda row: row.status not in {TenantStatus.SUSPENDED, TenantStatus.CLOSED},
    touches_directory=True,
    moves_access=True,
)
