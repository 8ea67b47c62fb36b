"""Turn a session token into the actor of this request; roles come from the store every time."""

from dataclasses import dataclass
from datetime import datetime

from console.domain.ids import SessionKey
from console.domain.staff import Actor, Origin, StaffKind, StaffMember, StaffSession
from console.usecases.house import House
from console.usecases.leases_ending import DEACTIVATED, expire_session_in
from console.usecases.sign_in import session_key

_TOUCH_SECONDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """A live session and the actor it speaks for."""

    actor: Actor
    session: StaffSession


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOver:
    """Why a session no longer counts: unknown, revoked, absolute, idle, deactivated."""

    because: str


def resume_session(house: House, *, token: str, origin: Origin, is_activity: bool) -> Resumed | SessionOver:
    """Return the actor behind a token; polling passes `is_activity=False` and does not move the idle clock."""
    now = house.clock.now()
    key = session_key(token)
    with house.store.read() as unit:
        session = unit.sessions.get(key)
        member = None if session is None else unit.staff.get(session.staff)
    if session is None or member is None:
        return SessionOver(because="unknown")
    actor = actor_of(member, session, origin)
    because = session.ended_because(now, idle_minutes=house.book.limits.session_idle_minutes)
    if because is None and not (member.is_active and member.kind is StaffKind.PERSON and member.roles):
        because = DEACTIVATED
    if because is not None:
        _end(house, actor, session, because=because, now=now)
        return SessionOver(because=because)
    if is_activity and (now - session.last_seen_at).total_seconds() >= _TOUCH_SECONDS:
        with house.store.write() as unit:
            unit.sessions.touch(key, now)
    return Resumed(actor=actor, session=session)


def still_there(house: House, actor: Actor) -> Actor | None:
    """Return who somebody is now, for an answer that lasts; None once session or account is over. Nothing is written.

    Shape: the next request of the same cookie writes the end that is found here.
    """
    now = house.clock.now()
    with house.store.read() as unit:
        session = None if actor.session is None else unit.sessions.get(actor.session)
        member = None if session is None else unit.staff.get(session.staff)
    if session is None or member is None or not (member.is_active and member.roles):
        return None
    is_over = session.ended_because(now, idle_minutes=house.book.limits.session_idle_minutes) is not None
    return None if is_over else actor_of(member, session, actor.origin)


def actor_of(member: StaffMember, session: StaffSession, origin: Origin) -> Actor:
    """Return the actor that a live session speaks for."""
    return Actor(
        staff=member.id,
        person=member.person,
        name=member.name,
        email=member.email,
        roles=member.roles,
        kind=member.kind,
        session=session.key,
        signed_in_by=session.signed_in_by,
        stepped_up_at=session.stepped_up_at,
        stepped_up_by=session.stepped_up_by,
        confirm_after=member.confirm_after,
        origin=origin,
    )


def save_session_values(house: House, key: SessionKey, values: dict[str, object]) -> None:
    """Store the small values of a session: the CSRF secret and messages for the next page."""
    with house.store.write() as unit:
        unit.sessions.save_values(key, values)


def _end(house: House, actor: Actor, session: StaffSession, *, because: str, now: datetime) -> None:
    """Write the forced end once, however often the dead cookie comes back."""
    if session.revoked_at is not None:
        return
    with house.store.write() as unit:
        expire_session_in(unit, actor, session, because=because, now=now)
