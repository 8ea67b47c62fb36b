"""Tell the right people, through the outbox, in the transaction of the change."""

from datetime import datetime

from console.domain.ids import NoticeId, StaffId
from console.domain.moments import minute_of
from console.domain.requests import Request
from console.domain.staff import Role, StaffMember
from console.policy.explain import group_in_words
from console.ports.outbox import Notice
from console.ports.store import ControlUnit
from console.usecases.house import House

_GUARDS = (Role.ADMINISTRATOR, Role.SECURITY_AUDITOR)


def tell(house: House, unit: ControlUnit, to: StaffId, *, kind: str, sentence: str, path: str, at: datetime) -> None:
    """Queue one notice."""
    unit.outbox.add(Notice(id=NoticeId(house.ids.new("ntc")), to=to, kind=kind, sentence=sentence, path=path, at=at))


def tell_approvers(house: House, unit: ControlUnit, request: Request, *, at: datetime) -> None:
    """Tell everybody who could vote that a request waits, for how many of whom and how long; no tenant data leaves."""
    roles = frozenset[Role]().union(*(need.roles for need in request.needs))
    seats = " and ".join(group_in_words(need) for need in request.needs)
    again = "" if request.revision == 1 else f" again (revision {request.revision})"
    sentence = (
        f"{request.requester_name} asks{again}: {_title(house, request)}. "
        f"It needs {seats}, until {minute_of(request.approve_by)}."
    )
    for member in unit.staff.eligible(roles):
        if member.person not in request.requesters:
            tell(house, unit, member.id, kind="approval_wanted", sentence=sentence, path=_path(request), at=at)


def tell_requester(
    house: House, unit: ControlUnit, request: Request, *, sentence: str, kind: str, at: datetime
) -> None:
    """Tell the person who asked how their request goes on; the action comes first: they may have asked for several."""
    told = f"{_title(house, request)}: {sentence}"
    tell(house, unit, request.requester, kind=kind, sentence=told, path=_path(request), at=at)


def tell_of_tampering(house: House, unit: ControlUnit, request: Request, *, at: datetime) -> None:
    """Tell those who guard the house that a stored request is not what was filed and approved."""
    title = _title(house, request)
    sentence = f"What is stored of a request is not what was approved: {title}, asked by {request.requester_name}."
    for member in unit.staff.eligible(_GUARDS):
        tell(house, unit, member.id, kind="tampering", sentence=sentence, path=_path(request), at=at)


def tell_of_emergency_sign_in(house: House, unit: ControlUnit, member: StaffMember, *, at: datetime) -> int:
    """Tell those who guard the house that somebody came in past the identity provider, and return how many are told.

    The one who came in is told too: it may be somebody else with their password.
    """
    where = {each.id: "/staff" for each in unit.staff.eligible(_GUARDS)} | {member.id: "/account"}
    sentence = f"{member.name} signed in with an emergency password, past the identity provider"
    for staff, path in sorted(where.items()):
        tell(house, unit, staff, kind="emergency_sign_in", sentence=sentence, path=path, at=at)
    return len(where)


def _title(house: House, request: Request) -> str:
    """Return what the action is called; one that this version does not have any more, by its key."""
    action = house.registry.get(request.action)
    return request.action if action is None else action.title


def _path(request: Request) -> str:
    return f"/requests/{request.id}"
