"""`lease.top_up`: let a colleague open more tenants for a while."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, StaffId
from console.domain.reasons import Effect
from console.domain.staff import StaffKind, StaffMember
from console.ports.action_tools import Tools
from console.ports.actions import Action, Choice, Fault, Input, ParamField, Reach

_MOST_TENANTS = 20
_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`extra` tenants for one colleague, for `top_up_minutes` of policies/limits.toml."""

    colleague: StaffId
    extra: int


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(colleague=StaffId(values["colleague"]), extra=values["extra"])


def choices(field: str, tools: Tools) -> tuple[Choice, ...]:
    """Return the colleagues who can be helped."""
    if field != "colleague":
        return ()
    page = tools.books().staff.page(after=None, limit=_SHOWN)
    return tuple(
        Choice(value=member.id, label=member.name, current=", ".join(sorted(role.label for role in member.roles)))
        for member in page
        if member.is_active and member.kind is StaffKind.PERSON and member.id != tools.requester
    )


def preview(params: Params, tools: Tools) -> Preview:
    """Return the budget before and after; raises Fault."""
    colleague = _colleague(params, tools)
    budget = tools.books().leases.budget(colleague.id, tools.now)
    return Preview(
        sentence=f"Let {colleague.name} open {params.extra} more tenants for {tools.top_up_minutes} minutes",
        changes=(
            Change(field="Extra tenants", before=str(budget.extra), after=str(budget.extra + params.extra)),
            Change(field="For", before=None, after=f"{tools.top_up_minutes} minutes"),
        ),
        fingerprint={"minutes": tools.top_up_minutes},
        facts={"extra": budget.extra + params.extra, "target_is_self": colleague.id == tools.requester},
        target_type="staff",
        target_id=colleague.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Add the tenants to the colleague's budget; raises Fault where others have filled it up meanwhile."""
    colleague = _colleague(params, tools)
    tools.books().leases.lock_budget(colleague.id)
    extra = tools.books().leases.budget(colleague.id, tools.now).extra
    if extra + params.extra > tools.top_up_most_tenants:
        raise Fault("extra", f"{colleague.name} has {extra} extra tenants, of {tools.top_up_most_tenants} at a time.")
    until = tools.now + timedelta(minutes=tools.top_up_minutes)
    tools.books().leases.top_up(colleague.id, extra=params.extra, until=until, by=tools.requester, at=tools.now)
    return Applied(
        sentence=f"{colleague.name} can open {params.extra} more tenants until {until:%H:%M} UTC.",
        changes=(Change(field="Extra tenants", before=None, after=str(params.extra)),),
    )


def _colleague(params: Params, tools: Tools) -> StaffMember:
    member = tools.books().staff.get(params.colleague)
    if member is None or not member.is_active or member.kind is not StaffKind.PERSON:
        raise Fault("colleague", "Choose an active colleague.")
    return member


ACTION = Action(
    key=ActionKey("lease.top_up"),
    version=2,
    title="Top up a colleague's tenant budget",
    button="Top up budget",
    icon="gauge",
    effect=Effect.DANGEROUS,
    reach=Reach.CONTROL,
    fields=(
        ParamField(name="colleague", label="Colleague", input=Input.CHOICE, help="Never yourself: a peer decides."),
        ParamField(
            name="extra", label="Extra tenants", input=Input.INTEGER, unit="tenants", least=1, most=_MOST_TENANTS
        ),
    ),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    documentation="Lets a colleague who reached the distinct-tenant budget open some more tenants for a while.",
    customer_sees="Nothing.",
    place="control",
)
