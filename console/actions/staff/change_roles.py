"""`staff.change_roles`: give a colleague other roles."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.actions.staff.accounts import LOCAL_ISSUER, colleague, colleague_choices, parsed_roles, roles_text
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, StaffId
from console.domain.reasons import Effect
from console.domain.staff import Role, StaffMember
from console.ports.action_tools import Tools
from console.ports.actions import Action, Choice, Fault, Input, ParamField, Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`roles` replaces what the colleague holds now."""

    colleague: StaffId
    roles: frozenset[Role]


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values; raises Fault."""
    return Params(colleague=StaffId(values["colleague"]), roles=parsed_roles(values["roles"]))


def choices(field: str, tools: Tools) -> tuple[Choice, ...]:
    """Return the active colleagues with their roles."""
    return colleague_choices(tools, active=True) if field == "colleague" else ()


def preview(params: Params, tools: Tools) -> Preview:
    """Return the roles before and after; raises Fault."""
    member = _local(params, tools)
    gained = params.roles - member.roles
    return Preview(
        sentence=f"{member.name}: {roles_text(member.roles)} → {roles_text(params.roles)}",
        changes=(Change(field="Roles", before=roles_text(member.roles), after=roles_text(params.roles)),),
        fingerprint={"roles": ",".join(sorted(member.roles))},
        facts={
            "target_is_self": member.id == tools.requester,
            "grants_administrator": Role.ADMINISTRATOR in gained,
        },
        warnings=("Votes that rest on a role that goes are void at once.",) if member.roles - params.roles else (),
        target_type="staff",
        target_id=member.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Replace the roles; they hold from the colleague's next request on."""
    member = _local(params, tools)
    tools.books().staff.set_roles(member.id, params.roles, at=tools.now)
    tools.books().end_without_role(member.id, at=tools.now)
    return Applied(
        sentence=f"{member.name} is {roles_text(params.roles)} now.",
        changes=(Change(field="Roles", before=roles_text(member.roles), after=roles_text(params.roles)),),
    )


def _local(params: Params, tools: Tools) -> StaffMember:
    member = colleague(params.colleague, tools)
    if not member.person.startswith(f"{LOCAL_ISSUER}|"):
        raise Fault("colleague", "This person's roles come from the identity provider: change their groups there.")
    if member.roles == params.roles:
        raise Fault("roles", "The colleague holds exactly these roles already.")
    return member


ACTION = Action(
    key=ActionKey("staff.change_roles"),
    version=1,
    title="Change somebody's roles",
    button="Change roles",
    icon="user-cog",
    effect=Effect.DANGEROUS,
    reach=Reach.CONTROL,
    fields=(
        ParamField(name="colleague", label="Colleague", input=Input.CHOICE),
        ParamField(name="roles", label="Roles", input=Input.ROLES, help="Replaces what they hold now."),
    ),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    documentation="Replaces the roles of a local account; roles from the identity provider are changed there.",
    customer_sees="Nothing.",
    place="staff",
)
