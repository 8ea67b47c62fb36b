"""What the actions on staff accounts share."""

from console.domain.ids import StaffId
from console.domain.staff import Role, StaffKind, StaffMember
from console.ports.action_tools import Tools
from console.ports.actions import Choice, Fault

LOCAL_ISSUER = "local"
_SHOWN = 500


def is_local(member: StaffMember) -> bool:
    """Return whether somebody signs in by a password of this house only, for want of an identity provider's subject."""
    return member.person.partition("|")[0] == LOCAL_ISSUER


def colleague_choices(tools: Tools, *, active: bool) -> tuple[Choice, ...]:
    """Return the accounts that are switched on (or off), by name."""
    page = tools.books().staff.page(after=None, limit=_SHOWN)
    return tuple(
        Choice(value=member.id, label=f"{member.name} <{member.email}>", current=roles_text(member.roles))
        for member in page
        if member.is_active is active and member.kind is not StaffKind.OPERATOR
    )


def colleague(staff: StaffId, tools: Tools) -> StaffMember:
    """Return one account; raises Fault when there is none."""
    member = tools.books().staff.get(staff)
    if member is None or member.kind is StaffKind.OPERATOR:
        raise Fault("colleague", "Choose one of the staff members in the list.")
    return member


def parsed_roles(names: tuple[str, ...]) -> frozenset[Role]:
    """Return the roles behind their names; raises Fault for an unknown or missing one."""
    known = {role.value: role for role in Role}
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise Fault("roles", f"Choose at least one of: {', '.join(sorted(known))}.")
    return frozenset(known[name] for name in names)


def roles_text(roles: frozenset[Role]) -> str:
    """Return roles in words, in a stable order."""
    return ", ".join(role.label for role in sorted(roles)) or "no role"
