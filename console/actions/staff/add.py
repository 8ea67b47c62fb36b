"""`staff.add`: let a new colleague in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.actions.staff.accounts import LOCAL_ISSUER, parsed_roles, roles_text
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, PersonKey, StaffId
from console.domain.reasons import Effect
from console.domain.staff import Role, StaffKind, StaffMember, is_vendor
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault, Input, ParamField, Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`person` is `issuer|subject`; empty for an account that signs in with a local password."""

    name: str
    email: str
    person: str
    roles: frozenset[Role]
    vendor: str | None = None


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values; raises Fault."""
    return Params(
        name=" ".join(values["name"].split()),
        email=values["email"].strip().casefold(),
        person=(values.get("person") or "").strip(),
        roles=parsed_roles(values["roles"]),
        vendor=_vendor((values.get("vendor") or "").strip()),
    )


def _vendor(name: str) -> str | None:
    if name and not is_vendor(name):
        raise Fault("vendor", "Use up to 40 of a-z, 0-9 and -.")
    return name or None


def preview(params: Params, tools: Tools) -> Preview:
    """Return the account as it would be; raises Fault when it exists."""
    staff = tools.books().staff
    if staff.by_email(params.email) is not None:
        raise Fault("email", "Somebody signs in with this address already.")
    if params.person and staff.by_person(PersonKey(params.person)) is not None:
        raise Fault("person", "This person has an account already: one account per natural person.")
    return Preview(
        sentence=f"Add {params.name} as {roles_text(params.roles)}",
        changes=(
            Change(field="Name", before=None, after=params.name),
            Change(field="Address", before=None, after=params.email),
            Change(field="Signs in as", before=None, after=params.person or "a local account"),
            Change(field="Roles", before=None, after=roles_text(params.roles)),
            *([Change(field="Vendor", before=None, after=params.vendor)] if params.vendor else []),
        ),
        fingerprint={},
        facts={"grants_administrator": Role.ADMINISTRATOR in params.roles},
        target_type="staff",
        target_id=params.email,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Add the account."""
    identity = StaffId(tools.ids.new("stf"))
    tools.books().staff.add(
        StaffMember(
            id=identity,
            person=PersonKey(params.person or f"{LOCAL_ISSUER}|{identity}"),
            name=params.name,
            email=params.email,
            roles=params.roles,
            kind=StaffKind.PERSON,
            is_active=True,
            created_at=tools.now,
            vendor=params.vendor,
        )
    )
    return Applied(
        sentence=f"{params.name} can sign in now.",
        changes=(Change(field="Roles", before=None, after=roles_text(params.roles)),),
    )


ACTION = Action(
    key=ActionKey("staff.add"),
    version=2,
    title="Add a staff member",
    button="Add staff member",
    icon="user-plus",
    effect=Effect.DANGEROUS,
    reach=Reach.CONTROL,
    fields=(
        ParamField(name="name", label="Name", input=Input.TEXT, least=2, most=120),
        ParamField(
            name="email",
            label="Address",
            input=Input.TEXT,
            most=254,
            pattern=r"[^@\s]{1,64}@[^@\s]{1,189}",
            pattern_example="robin@company.example",
        ),
        ParamField(
            name="person",
            label="Identity",
            input=Input.TEXT,
            help="issuer|subject at the identity provider; empty for a local account.",
            most=300,
            is_required=False,
        ),
        ParamField(
            name="vendor",
            label="Vendor",
            input=Input.TEXT,
            help="The other company that pays them, if any: all of its people can be frozen at once.",
            most=40,
            pattern=r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?",
            pattern_example="northwind",
            is_required=False,
        ),
        ParamField(name="roles", label="Roles", input=Input.ROLES, help="As few as the work needs."),
    ),
    build=build,
    preview=preview,
    apply=apply,
    documentation="Adds an account for a colleague, with as few roles as the work needs.",
    customer_sees="Nothing.",
    place="staff",
)
