"""What an account takes over from the identity provider each time its person signs in."""

from dataclasses import replace
from datetime import datetime

from console.domain.entries import ActorKind, ActorRef
from console.domain.ids import PersonKey, StaffId
from console.domain.search_terms import folded
from console.domain.staff import Role, StaffKind, StaffMember
from console.ports.identity import Claims
from console.ports.store import ControlUnit
from console.usecases.house import House
from console.usecases.impersonations_ending import end_without_role_in
from console.usecases.recording import emit_as, staff_target


def followed(
    house: House, unit: ControlUnit, claims: Claims, *, person: PersonKey, roles: frozenset[Role], now: datetime
) -> StaffMember | None:
    """Return a person's account, made or brought up to date with what the identity provider says.

    Shape: None for a newcomer whose address is somebody else's: an address never links people.
    """
    address = folded(claims.email) or person  # not every provider tells one, and it must stay distinct
    holder = unit.staff.by_email(address)
    is_free = holder is None or holder.person == person
    system = ActorRef(id=None, kind=ActorKind.SYSTEM, name="Identity provider")
    member = unit.staff.by_person(person)
    if member is None and not is_free:
        return None
    if member is None:
        member = StaffMember(
            id=StaffId(house.ids.new("stf")),
            person=person,
            name=claims.name,
            email=address,
            roles=roles,
            kind=StaffKind.PERSON,
            is_active=True,
            created_at=now,
            vendor=vendor_of(house, claims),
        )
        unit.staff.add(member)
        emit_as(
            unit,
            system,
            "staff.created",
            at=now,
            targets=staff_target(member),
            facts={"roles": ",".join(sorted(roles))},
        )
        return member
    if member.roles != roles:
        unit.staff.set_roles(member.id, roles, at=now)
        end_without_role_in(house, unit, replace(member, roles=roles), now=now)
        emit_as(
            unit,
            system,
            "staff.roles_changed",
            at=now,
            targets=staff_target(member),
            facts={"before": ",".join(sorted(member.roles)), "after": ",".join(sorted(roles))},
        )
    vendor = vendor_of(house, claims)
    if member.vendor != vendor:
        unit.staff.set_vendor(member.id, vendor)
        emit_as(
            unit,
            system,
            "staff.vendor_changed",
            at=now,
            targets=staff_target(member),
            facts={"before": member.vendor or "", "after": vendor or ""},
        )
    address = address if is_free else member.email
    if (member.name, member.email) != (claims.name, address):
        unit.staff.set_profile(member.id, name=claims.name, email=address)
    return unit.staff.get(member.id) or member


def vendor_of(house: House, claims: Claims) -> str | None:
    """Return which other company pays a person, by their groups; the first in order where several do."""
    known = {house.book.group_vendors[group] for group in claims.groups if group in house.book.group_vendors}
    return min(known, default=None)
