"""A staff member's own sessions and notices: look at them, revoke a session, mark notices read."""

from collections.abc import Sequence
from dataclasses import dataclass

from console.domain.decisions import Deny, DenyCode
from console.domain.entries import TargetRef
from console.domain.ids import SessionKey
from console.domain.leases import LeaseEnd
from console.domain.staff import Actor, StaffSession
from console.ports.outbox import Notice
from console.usecases.asking import ask, denied, query, refusal_of
from console.usecases.house import House
from console.usecases.leases_ending import end_leases_of_session
from console.usecases.recording import emit, refuse

_SHOWN_NOTICES = 50
_LONGEST_KEY = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a person sees of their own account."""

    sessions: Sequence[StaffSession]
    notices: Sequence[Notice]


def read_account(house: House, actor: Actor) -> Account:
    """Return the actor's own live sessions and unread notices."""
    now = house.clock.now()
    with house.store.write() as unit:
        emit(unit, actor, "account.read", at=now)
        return Account(
            sessions=unit.sessions.live_of(actor.staff, now),
            notices=unit.outbox.unread(actor.staff, limit=_SHOWN_NOTICES),
        )


def revoke_session(house: House, actor: Actor, *, key: SessionKey) -> Deny | None:
    """End one of the actor's own sessions; it is dead on its next request."""
    refusal = refusal_of(ask(house, query(actor, "session.revoke", now=house.clock.now())))
    if isinstance(refusal, Deny):
        refuse(house, actor, "route.refused", refusal)
        return refusal
    now = house.clock.now()
    with house.store.write() as unit:
        session = unit.sessions.get(key)
        if session is not None and session.staff == actor.staff and unit.sessions.revoke(key, now):
            end_leases_of_session(unit, actor, key, by=LeaseEnd.REVOKED, now=now)
            emit(unit, actor, "session.revoked", at=now, facts={"session": key})
            return None
    refusal = denied(DenyCode.NOT_YOURS, "You have no such live session.", "It may have ended by itself.")
    refuse(house, actor, "route.refused", refusal, targets=(TargetRef(type="session", id=key[:_LONGEST_KEY]),))
    return refusal


def mark_notices_read(house: House, actor: Actor) -> int:
    """Mark the actor's notices read; return how many."""
    with house.store.write() as unit:
        return unit.outbox.mark_read(actor.staff, house.clock.now())
