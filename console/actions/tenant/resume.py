"""`tenant.resume`: let a suspended tenant use the product again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.actions.tenant.suspension import apply_status, preview_status
from console.domain.changes import Applied, Preview
from console.domain.ids import ActionKey
from console.domain.reasons import Effect
from console.domain.tenancy import TenantStatus
from console.ports.action_tools import Tools
from console.ports.actions import Action, Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """Resuming needs no parameters."""


def build(_values: Mapping[str, Any]) -> Params:
    """Return the empty parameters."""
    return Params()


def preview(_params: Params, tools: Tools) -> Preview:
    """Return the change of status; raises Fault."""
    return preview_status(
        TenantStatus.ACTIVE,
        tools=tools,
        sentence="Resume this tenant",
        customer="Members can sign in again at once.",
    )


def apply(_params: Params, tools: Tools) -> Applied:
    """Resume the tenant."""
    return apply_status(TenantStatus.ACTIVE, tools=tools, because=None)


ACTION = Action(
    key=ActionKey("tenant.resume"),
    version=2,
    title="Resume the tenant",
    button="Resume tenant",
    icon="circle-play",
    effect=Effect.DANGEROUS,
    reach=Reach.TENANT,
    fields=(),
    build=build,
    preview=preview,
    apply=apply,
    documentation="Lets the members of a suspended tenant use the product again.",
    customer_sees="That the account works again, and since when.",
    undo=ActionKey("tenant.suspend"),
    fits=lambda row: row.status is TenantStatus.SUSPENDED,
    touches_directory=True,
    moves_access=True,
)
