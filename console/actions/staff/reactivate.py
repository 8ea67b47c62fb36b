"""`staff.reactivate`: switch a deactivated account on again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.actions.staff.accounts import colleague, colleague_choices
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, StaffId
from console.domain.reasons import Effect
from console.domain.staff import Role, StaffMember
from console.ports.action_tools import Tools
from console.ports.actions import Action, Choice, Fault, Input, ParamField, Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`colleague` is the account that is meant."""

    colleague: StaffId


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(colleague=StaffId(values["colleague"]))


def choices(field: str, tools: Tools) -> tuple[Choice, ...]:
    """Return the accounts that this can be done to."""
    return colleague_choices(tools, active=False) if field == "colleague" else ()


def preview(params: Params, tools: Tools) -> Preview:
    """Return the account before and after; raises Fault."""
    member = _inactive(params, tools)
    return Preview(
        sentence=f"Reactivate {member.name}",
        changes=(Change(field="Account", before="deactivated", after="active"),),
        fingerprint={"active": 0},
        facts={"grants_administrator": Role.ADMINISTRATOR in member.roles},
        target_type="staff",
        target_id=member.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Switch the account on; nothing that ended comes back."""
    member = _inactive(params, tools)
    tools.books().staff.set_active(member.id, is_active=True, at=tools.now)
    return Applied(
        sentence=f"{member.name} can sign in again.",
        changes=(Change(field="Account", before="deactivated", after="active"),),
    )


def _inactive(params: Params, tools: Tools) -> StaffMember:
    member = colleague(params.colleague, tools)
    if member.is_active:
        raise Fault("colleague", "This account is active already.")
    return member


ACTION = Action(
    key=ActionKey("staff.reactivate"),
    version=1,
    title="Reactivate a staff member",
    button="Reactivate",
    icon="user-check",
    effect=Effect.DANGEROUS,
    reach=Reach.CONTROL,
    fields=(ParamField(name="colleague", label="Colleague", input=Input.CHOICE),),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    documentation="Switches a deactivated account on again; sessions and leases that ended stay ended.",
    customer_sees="Nothing.",
    undo=ActionKey("staff.deactivate"),
    place="staff",
)
