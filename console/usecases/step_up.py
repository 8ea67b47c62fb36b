"""Step up: show a second factor again, so that dangerous actions and votes become possible for a while."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.domain.decisions import Deny, DenyCode
from console.domain.errors import NotFoundError
from console.domain.ids import SessionKey
from console.domain.staff import Actor, StepUpMethod
from console.ports.identity import Claims
from console.ports.store import ControlUnit
from console.usecases.asking import denied
from console.usecases.house import House
from console.usecases.recording import authorised, emit, refuse
from console.usecases.sign_in import session_key


@dataclass(frozen=True, slots=True, kw_only=True)
class SteppedUp:
    """The session goes on under a new token; the old one is dead."""

    token: str
    until: datetime


def step_up_with_code(house: House, actor: Actor, *, code: str) -> SteppedUp | Deny:
    """Accept a one-time code once, by its time step."""

    def check(unit: ControlUnit, now: datetime) -> bool:
        credentials = unit.staff.credentials(actor.staff)
        if credentials is None or credentials.totp_sealed is None:
            return False
        step = house.codes.step_of(credentials.totp_sealed, code, now=now)
        return step is not None and unit.staff.accept_totp_step(actor.staff, step)

    return _step_up(house, actor, by=StepUpMethod.TOTP, check=check, wrong="The code is wrong or was used before.")


def step_up_with_password(house: House, actor: Actor, *, password: str) -> SteppedUp | Deny:
    """Accept the local password again."""
    with house.store.read() as unit:
        credentials = unit.staff.credentials(actor.staff)
    stored = None if credentials is None else credentials.password_hash
    is_right = house.local_passwords and house.passwords.matches(password, stored)
    return _step_up(
        house, actor, by=StepUpMethod.PASSWORD, check=lambda _unit, _now: is_right, wrong="The password is wrong."
    )


def step_up_with_identity(house: House, actor: Actor, *, claims: Claims, fault: str | None) -> SteppedUp | Deny:
    """Accept a fresh and strong sign-in at the identity provider; `fault` says why it is not good enough."""
    is_same = f"{claims.issuer}|{claims.subject}" == actor.person
    wrong = fault or "The identity provider answered for another person."
    return _step_up(
        house,
        actor,
        by=StepUpMethod.IDENTITY_PROVIDER,
        check=lambda _unit, _now: is_same and fault is None,
        wrong=wrong,
    )


def _step_up(
    house: House, actor: Actor, *, by: StepUpMethod, check: Callable[[ControlUnit, datetime], bool], wrong: str
) -> SteppedUp | Deny:
    if actor.session is None:
        return denied(DenyCode.SIGN_IN_REFUSED, "Only a signed-in session can step up.")
    try:
        return _step_up_in(house, actor, actor.session, by=by, check=check, wrong=wrong)
    except NotFoundError:  # another tab was faster, or it was ended: nothing of this is kept, the code neither
        remedy = "Send it again; where you are signed out, sign in first."
        refusal = denied(DenyCode.SIGN_IN_REFUSED, "Your session ended, or went on under another key.", remedy)
    refuse(house, actor, "step_up.refused", refusal, facts={"method": by.value})
    return refusal


def _step_up_in(
    house: House,
    actor: Actor,
    session: SessionKey,
    *,
    by: StepUpMethod,
    check: Callable[[ControlUnit, datetime], bool],
    wrong: str,
) -> SteppedUp | Deny:
    """Check and go on under a new key. Raises: NotFoundError for a session that is not live (any more)."""
    now = house.clock.now()
    limits = house.book.limits
    since = now - timedelta(minutes=limits.sign_in_window_minutes)
    with house.store.write() as unit:
        unit.throttles.lock("step_up", actor.staff)
        if unit.throttles.count("step_up", actor.staff, since=since) >= limits.step_up_tries:
            remedy = f"Wait {limits.sign_in_window_minutes} minutes."
            refusal = denied(DenyCode.THROTTLED, "Too many wrong codes.", remedy)
        elif check(unit, now):
            token = house.ids.token()
            unit.throttles.clear("step_up", actor.staff)
            unit.sessions.step_up(session, by=by, at=now)
            unit.sessions.rotate(session, session_key(token))
            emit(unit, actor, "step_up.passed", at=now, facts={"method": by.value})
            return SteppedUp(token=token, until=now + timedelta(minutes=limits.step_up_fresh_minutes))
        else:
            unit.throttles.hit("step_up", actor.staff, at=now)
            refusal = denied(DenyCode.SIGN_IN_REFUSED, wrong, "Try again with a fresh code.")
        emit(
            unit, actor, "step_up.refused", at=now, authorisation=authorised(house, refusal), facts={"method": by.value}
        )
    return refusal
