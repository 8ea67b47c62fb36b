"""Give a local account its password and one-time-code secret, from the operator's shell only."""

from dataclasses import dataclass

from console.domain.decisions import Deny, DenyCode
from console.domain.errors import BadValueError, NotFoundError
from console.domain.search_terms import folded
from console.domain.staff import Actor, StaffKind
from console.ports.staff import Credentials
from console.usecases.asking import denied
from console.usecases.house import House
from console.usecases.recording import emit, staff_target


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """What the authenticator app scans, shown once."""

    provisioning_uri: str
    sealed: str


def set_credentials(
    house: House, actor: Actor, *, email: str, password: str, sealed: str | None = None
) -> Enrolled | Deny:
    """Set password and one-time-code secret, a fresh one unless a sealed one is given.

    Raises: NotFoundError, BadValueError.
    """
    if actor.kind is not StaffKind.OPERATOR:
        return denied(DenyCode.ROLE_MISSING, "Only the operator at the machine sets credentials.")
    fault = house.passwords.fault(password, email=email)
    if fault is not None:
        raise BadValueError(fault, field="password")
    hashed = house.passwords.hashed(password)
    sealed = sealed or house.codes.new_sealed()
    with house.store.write() as unit:
        member = unit.staff.by_email(folded(email))
        if member is None:
            raise NotFoundError("Nobody signs in with this address.")
        unit.staff.set_credentials(member.id, Credentials(password_hash=hashed, totp_sealed=sealed, totp_last_step=-1))
        emit(unit, actor, "staff.credentials_set", at=house.clock.now(), targets=staff_target(member))
    return Enrolled(provisioning_uri=house.codes.provisioning_uri(sealed, account=member.email), sealed=sealed)
