"""Sign staff in, by the identity provider or by a local password, and out again."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from console.domain.addresses import network_of
from console.domain.decisions import Deny, DenyCode, Fact
from console.domain.entries import Authorisation, TargetRef
from console.domain.ids import PersonKey, SessionKey
from console.domain.leases import LeaseEnd
from console.domain.search_terms import folded
from console.domain.staff import Actor, Origin, SignInMethod, StaffKind, StaffMember, StaffSession, StepUpMethod
from console.ports.identity import Claims
from console.ports.staff import Credentials
from console.ports.store import ControlUnit
from console.usecases.asking import denied
from console.usecases.follow_identity import followed
from console.usecases.house import House
from console.usecases.leases_ending import end_leases_of_session
from console.usecases.notices import tell_of_emergency_sign_in
from console.usecases.recording import emit
from console.usecases.strangers import tell_of_stranger

_NO_ADDRESS = denied(
    DenyCode.SIGN_IN_REFUSED, "Somebody else signs in with your e-mail address.", "Ask an administrator to look."
)
_WRONG = "E-mail, password or code is wrong."
_PURPOSE, _MARK_DIGITS = "typed as an address ", 16
_ADDRESS = "sign_in_address"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A new session; `token` goes into the cookie and is stored nowhere."""

    token: str
    session: StaffSession
    member: StaffMember


def session_key(token: str) -> SessionKey:
    """Return the key under which a token's session is stored."""
    return SessionKey(sha256(token.encode()).hexdigest())


def sign_in_with_password(house: House, *, email: str, password: str, code: str, origin: Origin) -> SignedIn | Deny:
    """Sign somebody in by password and one-time code, where settings allow local passwords."""
    now = house.clock.now()
    account = folded(email)[:254]
    mark = _mark(house, account)
    if not house.local_passwords:
        return _refused(house, account, origin, denied(DenyCode.SIGN_IN_REFUSED, "Local passwords are switched off."))
    with house.store.write() as unit:
        unit.throttles.lock("sign_in", mark)
        unit.throttles.lock(_ADDRESS, network_of(origin.ip))
        is_throttled = _is_throttled(house, unit, mark, origin, now)
        if not is_throttled:  # both before the slow hash, so that a burst cannot overshoot
            unit.throttles.hit("sign_in", mark, at=now)
            unit.throttles.hit(_ADDRESS, network_of(origin.ip), at=now)
        member = unit.staff.by_email(account)
        credentials = None if member is None else unit.staff.credentials(member.id)
    if is_throttled:
        minutes = house.book.limits.sign_in_window_minutes
        slow = denied(DenyCode.THROTTLED, "Too many attempts.", f"Wait {minutes} minutes, or ask an administrator.")
        return _refused(house, account, origin, slow)
    is_right = house.passwords.matches(password, None if credentials is None else credentials.password_hash)
    step = None
    if credentials is not None and credentials.totp_sealed is not None:
        step = house.codes.step_of(credentials.totp_sealed, code, now=now)
    if member is None or not is_right or step is None:
        return _refused(house, account, origin, denied(DenyCode.SIGN_IN_REFUSED, _WRONG), is_counted=True)
    with house.store.write() as unit:
        refusal = _why_not(house, member, now)
        # The slow hash leaves time for new credentials, which end every session but one that begins after them.
        if refusal is None and unit.staff.accept_totp_step(member.id, step) and _are_those(unit, member, credentials):
            begun = _begin(
                house,
                unit,
                member,
                origin,
                by=SignInMethod.PASSWORD,
                stepped_up=now,
                method=StepUpMethod.TOTP,
                idp_sid=None,
            )
            if isinstance(begun, SignedIn):
                unit.throttles.lock(_ADDRESS, network_of(origin.ip))  # before any count, as whoever tries next
                unit.throttles.take_back(_ADDRESS, network_of(origin.ip), at=now)
                unit.throttles.clear("sign_in", mark)
                return begun
            refusal = begun
    return _refused(house, account, origin, refusal or denied(DenyCode.SIGN_IN_REFUSED, _WRONG), is_counted=True)


def _are_those(unit: ControlUnit, member: StaffMember, checked: Credentials | None) -> bool:
    """Return whether the credentials that were checked are still the account's; its row is ours by now."""
    now = unit.staff.credentials(member.id)
    return checked is not None and now is not None and replace(now, totp_last_step=checked.totp_last_step) == checked


def sign_in_with_identity(house: House, *, claims: Claims, origin: Origin) -> SignedIn | Deny:
    """Sign in the natural person whom the identity provider vouches for; roles follow its groups."""
    now = house.clock.now()
    person = PersonKey(f"{claims.issuer}|{claims.subject}")
    roles = frozenset(house.book.group_roles[group] for group in claims.groups if group in house.book.group_roles)
    refusal: Deny | None = None
    if not roles:
        remedy = "Ask for a group that policies/identity.toml maps to a role."
        refusal = denied(DenyCode.ROLE_MISSING, "None of your groups gives you a role here.", remedy)
    else:
        with house.store.write() as unit:
            member = followed(house, unit, claims, person=person, roles=roles, now=now)
            refusal = _NO_ADDRESS if member is None else _why_not(house, member, now)
            if member is not None and refusal is None:
                strong = claims.acr in house.book.acr_strong and claims.authenticated_at is not None
                begun = _begin(
                    house,
                    unit,
                    member,
                    origin,
                    by=SignInMethod.OIDC,
                    stepped_up=claims.authenticated_at if strong else None,
                    method=StepUpMethod.IDENTITY_PROVIDER if strong else None,
                    idp_sid=claims.sid,
                )
                if isinstance(begun, SignedIn):
                    return begun
                refusal = begun
    return _refused(house, person, origin, refusal or _NO_ADDRESS)


def refuse_identity(house: House, *, why: str, origin: Origin) -> Deny:
    """Record that an answer of the identity provider was not accepted."""
    return _refused(
        house, "identity provider", origin, denied(DenyCode.SIGN_IN_REFUSED, why, "Start signing in again.")
    )


def sign_out(house: House, actor: Actor) -> None:
    """End the actor's session and every lease that it opened."""
    if actor.session is None:
        return
    now = house.clock.now()
    with house.store.write() as unit:
        if unit.sessions.revoke(actor.session, now):
            end_leases_of_session(unit, actor, actor.session, by=LeaseEnd.SIGN_OUT, now=now)
            emit(unit, actor, "staff.sign_out", at=now)


def _why_not(house: House, member: StaffMember, now: datetime) -> Deny | None:
    if not member.is_active or member.kind is not StaffKind.PERSON or not member.roles:
        return denied(DenyCode.SIGN_IN_REFUSED, _WRONG)
    last = member.last_seen_at or member.created_at
    if now - last > timedelta(days=house.book.limits.staff_unused_days):
        return denied(DenyCode.SIGN_IN_REFUSED, _WRONG)
    return None


def _begin(
    house: House,
    unit: ControlUnit,
    member: StaffMember,
    origin: Origin,
    *,
    by: SignInMethod,
    stepped_up: datetime | None,
    method: StepUpMethod | None,
    idp_sid: str | None,
) -> SignedIn | Deny:
    """Begin a session, unless the account was deactivated in the same moment."""
    now = house.clock.now()
    unit.staff.seen(member.id, now)  # from here on its row is ours: whoever deactivates it waits, and ends this as well
    current = unit.staff.get(member.id)
    if current is None or not current.is_active:
        return denied(DenyCode.SIGN_IN_REFUSED, _WRONG)
    token = house.ids.token()
    session = StaffSession(
        key=session_key(token),
        staff=member.id,
        signed_in_by=by,
        created_at=now,
        last_seen_at=now,
        not_after=now + timedelta(minutes=house.book.limits.session_absolute_minutes),
        stepped_up_at=stepped_up,
        stepped_up_by=method,
        revoked_at=None,
        ip=origin.ip,
        agent=origin.agent[:300],
        values={},
        idp_sid=idp_sid,
    )
    unit.sessions.add(session)
    actor = Actor(
        staff=member.id,
        person=member.person,
        name=member.name,
        email=member.email,
        roles=member.roles,
        kind=member.kind,
        session=session.key,
        signed_in_by=by,
        stepped_up_at=stepped_up,
        stepped_up_by=method,
        origin=origin,
    )
    facts: dict[str, Fact] = {"method": by.value}
    if by is SignInMethod.PASSWORD and house.emergency_passwords:
        facts |= {"is_emergency": True, "told": tell_of_emergency_sign_in(house, unit, member, at=now)}
    emit(unit, actor, "staff.sign_in", at=now, facts=facts)
    return SignedIn(token=token, session=session, member=member)


def _is_throttled(house: House, unit: ControlUnit, mark: str, origin: Origin, now: datetime) -> bool:
    limits = house.book.limits
    since = now - timedelta(minutes=limits.sign_in_window_minutes)
    if unit.throttles.count("sign_in", mark, since=since) >= limits.sign_in_tries:
        return True
    return unit.throttles.count(_ADDRESS, network_of(origin.ip), since=since) >= limits.sign_in_address_tries


def _refused(house: House, account: str, origin: Origin, refusal: Deny, *, is_counted: bool = False) -> Deny:
    """Record a refusal; `is_counted` says that its address has been counted already."""
    now = house.clock.now()
    with house.store.write() as unit:
        if not is_counted and refusal.code is not DenyCode.THROTTLED:
            unit.throttles.hit(_ADDRESS, network_of(origin.ip), at=now)
        tell_of_stranger(
            house,
            unit,
            "staff.sign_in_refused",
            at=now,
            origin=origin,
            authorisation=Authorisation(
                decision="deny", deny_code=refusal.code.value, policy_version=house.book.version
            ),
            targets=(TargetRef(type="staff", id=_named(house, unit, account)),),
        )
    return refusal


def _named(house: House, unit: ControlUnit, account: str) -> str:
    """Return the address of a colleague; of anything else, which may be a password in the wrong field, a keyed mark."""
    if unit.staff.by_email(account) is not None:
        return account
    return f"nobody-{_mark(house, account)[:_MARK_DIGITS]}"


def _mark(house: House, account: str) -> str:
    """Return by what tries for an account are counted; what was typed is kept nowhere."""
    return house.fingerprints.of(_PURPOSE + account)
