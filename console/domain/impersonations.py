"""Impersonations: the right to act for one member inside the product, which dies with everything that it rests on."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from console.domain.ids import ImpersonationId, LeaseId, MemberId, RequestId, SessionKey, StaffId, TenantId
from console.domain.reasons import Reason, ReferenceVerdict
from console.domain.staff import Role

_OPEN_TICKETS = frozenset({ReferenceVerdict.OPEN, ReferenceVerdict.UNCHECKED})
_TEAMS = (
    (frozenset({Role.SUPPORT_AGENT, Role.SUPPORT_LEAD}), "support"),
    (frozenset({Role.FINANCE, Role.FINANCE_LEAD}), "finance"),
    (frozenset({Role.ENGINEER, Role.ON_CALL}), "engineering"),
)


class Mode(StrEnum):
    """How much may be done in the member's name; `write` is a further request that somebody else approves."""

    READ = "read"
    WRITE = "write"

    @property
    def scope(self) -> str:
        """Return the scope that a token of this mode bears."""
        return "read" if self is Mode.READ else "read write"


class ImpersonationEnd(StrEnum):
    """Why an impersonation is over; the words are stable, the product gets them too."""

    HAND = "hand"
    TIME = "time"
    IDLE = "idle"
    LEASE_END = "lease_end"
    ROLE_LOST = "role_lost"
    DEACTIVATED = "deactivated"
    SIGN_OUT = "sign_out"
    TICKET_CLOSED = "ticket_closed"
    OPTED_OUT = "opted_out"
    MEMBER_RESET = "member_reset"
    FROZEN = "frozen"

    @property
    def sentence(self) -> str:
        """Return the ending as a sentence for whoever acted."""
        return _SENTENCES[self]


_SENTENCES = {
    ImpersonationEnd.HAND: "It was ended by hand.",
    ImpersonationEnd.TIME: "Its time ran out.",
    ImpersonationEnd.IDLE: "Nothing was done with it for too long.",
    ImpersonationEnd.LEASE_END: "The lease on the tenant ended.",
    ImpersonationEnd.ROLE_LOST: "The role that permitted it was taken away.",
    ImpersonationEnd.DEACTIVATED: "The staff account was switched off.",
    ImpersonationEnd.SIGN_OUT: "The console session that began it is over.",
    ImpersonationEnd.TICKET_CLOSED: "The ticket that it rested on is no longer open.",
    ImpersonationEnd.OPTED_OUT: "The tenant no longer lets staff act for its members.",
    ImpersonationEnd.MEMBER_RESET: "The member reset their password or is gone.",
    ImpersonationEnd.FROZEN: "Elevated access is frozen.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Impersonation:
    """One row: who acts for whom, why, and until when. Units: `idle_minutes` since `last_used_at`.

    Shape: `session` and `lease` are those it began in; `request` started it, `widened_by` let it write; `not_after` is
    exclusive.
    """

    id: ImpersonationId
    staff: StaffId
    session: SessionKey
    lease: LeaseId
    tenant: TenantId
    member: MemberId
    mode: Mode
    reason: Reason
    request: RequestId | None
    widened_by: RequestId | None
    started_at: datetime
    last_used_at: datetime
    not_after: datetime
    idle_minutes: int
    ended_at: datetime | None = None
    ended_by: ImpersonationEnd | None = None

    @property
    def idle_until(self) -> datetime:
        """Return when it ends if nobody does anything more with it."""
        return self.last_used_at + timedelta(minutes=self.idle_minutes)

    @property
    def until(self) -> datetime:
        """Return when it ends as its own clocks stand."""
        return min(self.not_after, self.idle_until)

    def clock_end(self, now: datetime) -> ImpersonationEnd | None:
        """Return what its own clocks say; a clock that jumped back ends it too."""
        if self.ended_by is not None:
            return self.ended_by
        if now >= self.not_after or now < self.started_at:
            return ImpersonationEnd.TIME
        return ImpersonationEnd.IDLE if now >= self.idle_until else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All that an impersonation rests on, as it is at this very moment."""

    is_staff_active: bool
    is_role_held: bool
    is_session_live: bool
    is_lease_open: bool
    ticket: ReferenceVerdict
    tenant_allows: bool
    is_member_reset: bool
    is_frozen: bool


def ended_because(row: Impersonation, standing: Standing, now: datetime) -> ImpersonationEnd | None:
    """Return why an impersonation is over, or None while it lives: asked again at every exchange and introspection.

    Shape: what was written once stays; of several causes the one that says most about the person comes first.
    """
    own = row.clock_end(now)
    if own is not None:
        return own
    causes = (
        (not standing.is_staff_active, ImpersonationEnd.DEACTIVATED),
        (standing.is_frozen, ImpersonationEnd.FROZEN),
        (not standing.is_role_held, ImpersonationEnd.ROLE_LOST),
        (not standing.tenant_allows, ImpersonationEnd.OPTED_OUT),
        (standing.is_member_reset, ImpersonationEnd.MEMBER_RESET),
        (standing.ticket not in _OPEN_TICKETS, ImpersonationEnd.TICKET_CLOSED),
        (not standing.is_session_live, ImpersonationEnd.SIGN_OUT),
        (not standing.is_lease_open, ImpersonationEnd.LEASE_END),
    )
    return next((end for is_so, end in causes if is_so), None)


def shown_name(name: str, roles: frozenset[Role]) -> str:
    """Return how a customer reads of a staff member: first name, initial, team, as in `Dana K., support`."""
    first, *rest = name.split() or ["Staff"]
    short = f"{first} {rest[-1][0].upper()}." if rest else first
    team = next((team for members, team in _TEAMS if members & roles), "staff")
    return f"{short}, {team}"
