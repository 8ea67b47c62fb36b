"""Let a tenant's administrator, or its own program, read and set the tenant's access policy."""

from dataclasses import dataclass, replace

from console.domain.changes import Change
from console.domain.entries import ActorRef
from console.domain.staff import Origin
from console.domain.tenancy import DirectoryRow
from console.domain.trust.access_policy import AccessPolicy, ImpersonationRule, Notify
from console.domain.trust.letters import LetterKind
from console.domain.trust.links import LinkKind
from console.ports.store import ControlUnit
from console.usecases.customer_door import (
    Caller,
    Guest,
    NotAllowed,
    NotByProgram,
    NotKnown,
    TooOften,
    caller_in,
    guest_of,
    not_by_program,
    refuse_customer_in,
)
from console.usecases.house import House
from console.usecases.impersonations_ending import end_against_wish_in
from console.usecases.queue_letters import queue_letter
from console.usecases.recording import emit_as, row_ref

# A customer says more or less often; to be told nothing is what only the law can ask for.
_CHANGED = "the rules were changed meanwhile"
OFFERED = (Notify.EACH, Notify.DIGEST)
_LOOSER = NotByProgram(
    code="administrators_only", sentence="A program makes the rules stricter; an administrator loosens them by a link."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySheet:
    """The tenant's rules as they stand; `is_changed` after this very call changed them."""

    tenant: DirectoryRow
    policy: AccessPolicy
    is_changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Overtaken:
    """Somebody changed the rules since this link was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The rules that somebody wants."""

    impersonation: ImpersonationRule
    notify: Notify


def show_policy(house: House, *, link: str, origin: Origin) -> PolicySheet | Overtaken | NotKnown | TooOften:
    """Return the rules behind a link; looking changes nothing. Raises: OutsideError."""
    guest = guest_of(house, link, LinkKind.POLICY, origin)
    if not isinstance(guest, Guest):
        return guest
    with house.store.write() as unit:
        policy = unit.access_policies.of(guest.row.id)
        if str(policy.version) != guest.link.subject:
            refuse_customer_in(house, unit, guest.ref, guest.row, because=_CHANGED, origin=origin)
            return Overtaken()
        _record_reading(house, unit, guest.ref, guest.row, origin)
    return PolicySheet(tenant=guest.row, policy=policy)


def set_policy_by_link(
    house: House, *, link: str, wanted: Wanted, origin: Origin
) -> PolicySheet | Overtaken | NotKnown | TooOften:
    """Write what an administrator wants; the link is then used up. Raises: OutsideError."""
    guest = guest_of(house, link, LinkKind.POLICY, origin)
    if not isinstance(guest, Guest):
        return guest
    with house.store.write() as unit:
        policy = unit.access_policies.of(guest.row.id)
        if str(policy.version) != guest.link.subject:
            refuse_customer_in(house, unit, guest.ref, guest.row, because=_CHANGED, origin=origin)
            return Overtaken()
        return _changed(house, unit, guest.ref, guest.row, before=policy, wanted=wanted, origin=origin)


def read_policy_by_token(house: House, *, token: str, origin: Origin) -> PolicySheet | NotKnown | TooOften | NotAllowed:
    """Return the rules to a tenant's own program."""
    with house.store.write() as unit:
        caller = caller_in(house, unit, token, origin)
        if not isinstance(caller, Caller):
            return caller
        if not caller.token.may_decide:
            refuse_customer_in(house, unit, caller.ref, caller.row, because="this token may not decide", origin=origin)
            return NotAllowed()
        _record_reading(house, unit, caller.ref, caller.row, origin)
        return PolicySheet(tenant=caller.row, policy=unit.access_policies.of(caller.row.id))


def set_policy_by_token(
    house: House, *, token: str, wanted: Wanted, origin: Origin
) -> PolicySheet | Overtaken | NotKnown | TooOften | NotAllowed | NotByProgram:
    """Write what a tenant's own program wants, unless it permits more or says less."""
    with house.store.write() as unit:
        caller = caller_in(house, unit, token, origin)
        if not isinstance(caller, Caller):
            return caller
        if not caller.token.may_decide:
            refuse_customer_in(house, unit, caller.ref, caller.row, because="this token may not decide", origin=origin)
            return NotAllowed()
        policy = unit.access_policies.of(caller.row.id)
        if policy.loosens(replace(policy, impersonation=wanted.impersonation, notify=wanted.notify)):
            return not_by_program(house, unit, caller, _LOOSER, origin=origin)
        return _changed(house, unit, caller.ref, caller.row, before=policy, wanted=wanted, origin=origin)


def _changed(
    house: House,
    unit: ControlUnit,
    who: ActorRef,
    row: DirectoryRow,
    *,
    before: AccessPolicy,
    wanted: Wanted,
    origin: Origin,
) -> PolicySheet | Overtaken:
    now = house.clock.now()
    after = replace(before, impersonation=wanted.impersonation, notify=wanted.notify)
    if after == before:
        return PolicySheet(tenant=row, policy=before)
    if not unit.access_policies.put(row.id, after, by=f"customer {who.id}", at=now):
        refuse_customer_in(house, unit, who, row, because=_CHANGED, origin=origin)
        return Overtaken()
    pairs = (
        ("Impersonation", before.impersonation.value, after.impersonation.value),
        ("Letters", before.notify.value, after.notify.value),
    )
    emit_as(
        unit,
        who,
        "access_policy.changed",
        at=now,
        origin=origin,
        tenant=row_ref(row, source="link"),
        changes=tuple(Change(field=field, before=old, after=new) for field, old, new in pairs if old != new),
        facts={"version": before.version + 1},
    )
    end_against_wish_in(unit, row.id, now=now)
    queue_letter(house, unit, row.id, LetterKind.POLICY_CHANGED, about=str(before.version + 1), at=now)
    return PolicySheet(tenant=row, policy=replace(after, version=before.version + 1), is_changed=True)


def _record_reading(house: House, unit: ControlUnit, who: ActorRef, row: DirectoryRow, origin: Origin) -> None:
    emit_as(
        unit,
        who,
        "access_policy.read",
        at=house.clock.now(),
        origin=origin,
        tenant=row_ref(row, source="link"),
    )
