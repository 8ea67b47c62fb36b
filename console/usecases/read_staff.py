"""Who may do what: the staff with their roles, and the policy in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from console.domain.decisions import Deny
from console.domain.entries import Exposure
from console.domain.ids import StaffId
from console.domain.staff import Actor, StaffMember
from console.policy.book import PolicyBook
from console.usecases.asking import ask, query, refusal_of
from console.usecases.house import House
from console.usecases.recording import emit, refuse

_PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffPage:
    """One page of the staff; `older` is the id to ask for what follows."""

    members: Sequence[StaffMember]
    older: StaffId | None


def read_staff(house: House, actor: Actor, *, after: StaffId | None) -> StaffPage | Deny:
    """Return a page of staff members with their roles and last sign-in."""
    now = house.clock.now()
    refusal = refusal_of(ask(house, query(actor, "staff.read", now=now)))
    if isinstance(refusal, Deny):
        refuse(house, actor, "route.refused", refusal)
        return refusal
    with house.store.write() as unit:
        found = unit.staff.page(after=after, limit=_PAGE + 1)
        emit(unit, actor, "staff.listed", at=now, exposure=Exposure(records=min(len(found), _PAGE), fields=("staff",)))
    return StaffPage(members=found[:_PAGE], older=found[_PAGE - 1].id if len(found) > _PAGE else None)


def read_policy(house: House, actor: Actor) -> PolicyBook | Deny:
    """Return the policy that is in force."""
    now = house.clock.now()
    refusal = refusal_of(ask(house, query(actor, "policy.read", now=now)))
    if isinstance(refusal, Deny):
        refuse(house, actor, "route.refused", refusal)
        return refusal
    with house.store.write() as unit:
        emit(unit, actor, "policy.read", at=now)
    return house.book
