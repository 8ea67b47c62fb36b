"""Give a local account its password and one-time-code secret, from the operator's shell only."""

from dataclasses import dataclass

from console.actions.staff.accounts import is_local
from console.domain.decisions import Deny, NeedsStepUp
from console.domain.errors import BadValueError, NotFoundError
from console.domain.search_terms import folded
from console.domain.staff import Actor
from console.ports.staff import Credentials
from console.usecases.asking import ask, query, refusal_of
from console.usecases.house import House
from console.usecases.leases_ending import end_sessions_of
from console.usecases.recording import authorised, emit, refuse, staff_target


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """What the authenticator app scans, shown once."""

    provisioning_uri: str
    sealed: str


def lacks_password(house: House, *, email: str, person: str) -> bool:
    """Return whether an account signs in by a password and has none, or would have none once it is made.

    Shape: `person` is who a new account would belong to, empty for a local one.
    """
    if not house.local_passwords:
        return False
    with house.store.read() as unit:
        member = unit.staff.by_email(folded(email))
        if member is None:
            return not person
        return is_local(member) and unit.staff.credentials(member.id) is None


def set_credentials(
    house: House, actor: Actor, *, email: str, password: str, sealed: str | None = None
) -> Enrolled | Deny | NeedsStepUp:
    """Set password and one-time-code secret, a fresh one unless a sealed one is given; old sessions end.

    Raises: NotFoundError, BadValueError.
    """
    decision = ask(house, query(actor, "staff.set_credentials", now=house.clock.now()))
    refusal = refusal_of(decision)
    if refusal is not None:
        refuse(house, actor, "staff.credentials_refused", refusal)
        return refusal
    fault = house.passwords.fault(password, email=email)
    if fault is not None:
        raise BadValueError(fault, field="password")
    hashed = house.passwords.hashed(password)
    sealed = sealed or house.codes.new_sealed()
    now = house.clock.now()
    with house.store.write() as unit:
        member = unit.staff.by_email(folded(email))
        if member is None:
            raise NotFoundError("Nobody signs in with this address.")
        unit.staff.set_credentials(member.id, Credentials(password_hash=hashed, totp_sealed=sealed, totp_last_step=-1))
        emit(
            unit,
            actor,
            "staff.credentials_set",
            at=now,
            authorisation=authorised(house, decision),
            targets=staff_target(member),
        )
        end_sessions_of(unit, actor, member.id, now=now)  # somebody else may know what opened them
    return Enrolled(provisioning_uri=house.codes.provisioning_uri(sealed, account=member.email), sealed=sealed)
