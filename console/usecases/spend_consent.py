"""What a tenant lets staff begin and go on with: one consent is one access, spent in the transaction that begins it."""

from datetime import datetime, timedelta

from console.domain.entries import TargetRef
from console.domain.ids import MemberId
from console.domain.impersonations import Impersonation, Mode
from console.domain.leases import Lease
from console.domain.reasons import Reason
from console.domain.staff import Actor
from console.domain.trust.access_policy import ImpersonationRule
from console.domain.trust.consents import Consent
from console.ports.store import ControlUnit
from console.usecases.recording import emit, tenant_ref

_LISTED = 50


def tenant_allows(unit: ControlUnit, row: Impersonation, mode: Mode) -> bool:
    """Return whether a tenant lets one that runs go on: under consent, only by what was spent on it."""
    rule = unit.access_policies.of(row.tenant).impersonation
    if rule is not ImpersonationRule.CONSENT:
        return rule is ImpersonationRule.ALLOWED
    return any(each.carries(row.id, mode=mode.value) for each in unit.consents.used_by(row.id))


def to_begin(unit: ControlUnit, lease: Lease | None, member: MemberId, *, now: datetime) -> tuple[bool, Consent | None]:
    """Return whether the tenant of a lease lets its holder begin to act for a member, and the consent it would take."""
    if lease is None:
        return False, None
    rule = unit.access_policies.of(lease.tenant).impersonation
    if rule is not ImpersonationRule.CONSENT:
        return rule is ImpersonationRule.ALLOWED, None
    given = _given(unit, lease, member, Mode.READ, now)
    return bool(given), next(iter(given), None)


def may_widen(unit: ControlUnit, row: Impersonation, *, now: datetime) -> bool:
    """Return whether a tenant lets one that runs write: as its policy says, or by a consent."""
    rule = unit.access_policies.of(row.tenant).impersonation
    is_given = rule is ImpersonationRule.CONSENT and bool(_fitting(unit, row, Mode.WRITE, now))
    return is_given or tenant_allows(unit, row, Mode.WRITE)


def spend_consent_in(unit: ControlUnit, actor: Actor, row: Impersonation, mode: Mode, *, now: datetime) -> bool:
    """Spend the consent that an access needs, with its entry; False when none is left.

    Shape: nothing is spent where the tenant does not ask for consent, or what was spent on this access covers the mode.
    """
    rule = unit.access_policies.of(row.tenant).impersonation
    if rule is not ImpersonationRule.CONSENT or tenant_allows(unit, row, mode):
        return True
    fit = _fitting(unit, row, mode, now)
    spent = next((each for each in fit if unit.consents.use(each, by=row.id, at=now)), None)
    if spent is None:
        return False
    emit(
        unit,
        actor,
        "consent.used",
        at=now,
        tenant=tenant_ref(unit, row.tenant, source="consent"),
        reason=row.reason,
        targets=(TargetRef(type="consent", id=spent.id), TargetRef(type="impersonation", id=row.id)),
        correlation=spent.id,
    )
    return True


def _fitting(unit: ControlUnit, row: Impersonation, mode: Mode, now: datetime) -> list[Consent]:
    """Return what carries an access to its very end: nothing lasts longer than was agreed to."""
    given = _given(unit, row, row.member, mode, now)
    return [each for each in given if row.not_after <= now + timedelta(minutes=each.minutes)]


def _given(
    unit: ControlUnit, asker: Lease | Impersonation, member: MemberId, mode: Mode, now: datetime
) -> list[Consent]:
    """Return what was approved and not spent, and would cover an access; what lasts longest comes first."""
    reason = Reason(code=asker.reason.code, reference=asker.reason.reference.strip())
    fit = [
        each
        for each in unit.consents.of_staff(asker.staff, asker.tenant, limit=_LISTED)
        if each.covers(staff=asker.staff, member=member, mode=mode.value, reason=reason, now=now)
    ]
    return sorted(fit, key=lambda each: (-each.minutes, each.mode != mode.value, each.use_by, each.id))
