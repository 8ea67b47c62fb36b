"""Whose votes count right now: eligibility is read live, at the vote and again at the execution."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from console.domain.decisions import Deny, DenyCode, GroupNeed
from console.domain.ids import PersonKey, StaffId
from console.domain.requests import Request, Verdict, Vote, missing_needs
from console.domain.staff import Role, StaffKind, StaffMember
from console.policy.explain import group_in_words
from console.ports.store import ControlUnit
from console.usecases.asking import denied


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The votes that count, whose no longer do, and what is still missing."""

    counted: tuple[Vote, ...]
    void: frozenset[StaffId]
    missing: tuple[GroupNeed, ...]


def tally(
    unit: ControlUnit, request: Request, votes: Sequence[Vote], needs: Iterable[GroupNeed] | None = None
) -> Tally:
    """Return how the votes on the newest revision stand, with roles as they are held now."""
    wanted = tuple(request.needs if needs is None else needs)
    live = [v for v in votes if v.revision == request.revision and v.voided_because is None]
    counted: list[Vote] = []
    void: set[StaffId] = set()
    roles: dict[PersonKey, frozenset[Role]] = {}
    for vote in live:
        if vote.verdict is not Verdict.APPROVE:
            continue
        held = seats_held(unit, request, unit.staff.get(vote.staff), wanted)
        if held and vote.digest == request.digest and vote.person not in request.requesters:
            counted.append(vote)
            roles[vote.person] = held
        else:
            void.add(vote.staff)
    return Tally(counted=tuple(counted), void=frozenset(void), missing=missing_needs(wanted, roles))


def seats_held(
    unit: ControlUnit, request: Request, member: StaffMember | None, needs: Iterable[GroupNeed]
) -> frozenset[Role]:
    """Return the roles by which a person may vote: held now, held when the request was filed, and asked for."""
    if member is None or not member.is_active or member.kind is not StaffKind.PERSON:
        return frozenset()
    asked = frozenset[Role]().union(*(need.roles for need in needs))
    held = member.roles & asked
    return frozenset(role for role in held if _held_since(unit, member, role, request))


def _held_since(unit: ControlUnit, member: StaffMember, role: Role, request: Request) -> bool:
    since = unit.staff.granted_since(member.id, (role,))
    return since is not None and since <= request.filed_at


def can_be_met(unit: ControlUnit, request: Request) -> bool:
    """Return whether enough eligible people exist, the requester not among them."""
    return not _empty_seats(unit, request)


def too_few(unit: ControlUnit, request: Request) -> Deny | None:
    """Return why a request would only wait for its end: those who could agree are too few, whoever asks left out."""
    empty = _empty_seats(unit, request)
    if not empty:
        return None
    seats = ", ".join(group_in_words(need) for need in empty)
    return denied(
        DenyCode.QUORUM_IMPOSSIBLE,
        f"Too few people could approve this besides who asks: it lacks {seats}.",
        "An administrator gives the role to somebody; then ask again.",
    )


def _empty_seats(unit: ControlUnit, request: Request) -> tuple[GroupNeed, ...]:
    if not request.needs:
        return ()
    people = {member.person: roles for member, roles in _electorate(unit, request, request.needs)}
    return missing_needs(request.needs, people)


def eligible_names(unit: ControlUnit, request: Request, need: GroupNeed) -> tuple[str, ...]:
    """Return the names of those who could take a seat of one group, the requester not among them."""
    return tuple(sorted(member.name for member, _roles in _electorate(unit, request, (need,))))


def _electorate(
    unit: ControlUnit, request: Request, needs: Sequence[GroupNeed]
) -> list[tuple[StaffMember, frozenset[Role]]]:
    """Return who could vote, each with the roles that count: whoever got a role after the filing cannot."""
    asked = frozenset[Role]().union(*(need.roles for need in needs))
    able = [
        (member, seats_held(unit, request, member, needs))
        for member in unit.staff.eligible(asked)
        if member.person not in request.requesters
    ]
    return [(member, roles) for member, roles in able if roles]
