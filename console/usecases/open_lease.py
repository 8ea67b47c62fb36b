"""Open a tenant with a reason, for a while; and close it again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from console.domain.decisions import Decision, Deny, DenyCode, NeedsStepUp
from console.domain.entries import TargetRef
from console.domain.ids import LeaseId, ReasonCode, TenantId
from console.domain.leases import Lease, LeaseEnd
from console.domain.reasons import Reason, ReasonRule, ReferenceVerdict
from console.domain.staff import Actor
from console.domain.tenancy import DirectoryRow
from console.ports.leases import TenantBudget
from console.ports.store import ControlUnit
from console.usecases.asking import ask, ask_many, denied, query, refusal_of
from console.usecases.house import House
from console.usecases.leases_ending import end_lease_in
from console.usecases.recording import authorised, emit, refuse, row_ref
from console.usecases.scopes import directory_row, expire_lease
from console.usecases.search_directory import look_up

_LONGEST_ID = 64
_INCOMPLETE = {
    DenyCode.REFERENCE_MISSING: "A reference is missing.",
    DenyCode.REFERENCE_MALFORMED: "The reference does not look right.",
    DenyCode.NOTE_MISSING: "A note is missing.",
    DenyCode.NOTE_TOO_LONG: "The note is too long.",
    DenyCode.BAD_PARAMETER: "The note cannot be kept as it is.",
}
_VERDICTS = {
    ReferenceVerdict.UNKNOWN: (DenyCode.REFERENCE_UNKNOWN, "There is no such {label}.", "Check the number."),
    ReferenceVerdict.FOREIGN: (
        DenyCode.REFERENCE_FOREIGN,
        "This {label} belongs to another tenant.",
        "Check tenant and number.",
    ),
    ReferenceVerdict.CLOSED: (DenyCode.REFERENCE_CLOSED, "This {label} is closed.", "Reopen it, or give an open one."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseOffer:
    """What the form for opening a tenant shows."""

    tenant: DirectoryRow
    reasons: Sequence[ReasonRule]
    budget: TenantBudget
    tenants_per_hour: int
    tenants_per_day: int
    open_leases: Sequence[tuple[Lease, DirectoryRow | None]]
    leases_per_person: int
    current: Lease | None


def offer_lease(house: House, actor: Actor, *, tenant: TenantId, is_wanted: bool = True) -> LeaseOffer | Deny:
    """Return the reasons with which the actor may open a tenant; raises NotFoundError.

    Shape: what is shown of the directory, or a refusal, is recorded only when the person wanted the form; a page that
    merely offers it asks unwanted.
    """
    now = house.clock.now()
    with house.store.read() as unit:
        row = directory_row(unit, tenant)
        budget = unit.leases.budget(actor.staff, now)
        leases = [lease for lease in unit.leases.open_of(actor.staff) if lease.ended_because(now) is None]
        rows = unit.directory.many([lease.tenant for lease in leases])
    rules = [rule for rule in house.book.reasons.values() if rule.lease_minutes > 0]
    asked = [
        query(
            actor,
            "lease.open",
            now=now,
            tenant=tenant,
            reason=rule.code,
            facts=_facts(TenantBudget(last_hour=0, last_day=0, extra=0), open_leases=0, minutes=1, is_new=False),
        )
        for rule in rules
    ]
    answers = ask_many(house, asked)
    offered = [rule for rule, answer in zip(rules, answers, strict=True) if not isinstance(answer, Deny)]
    if not offered:
        first = next((answer for answer in answers if isinstance(answer, Deny)), None)
        refusal = first or denied(DenyCode.ROLE_MISSING, "None of your roles opens tenants.")
        if is_wanted:
            refuse(house, actor, "lease.refused", refusal, tenant=row_ref(row, source="directory"))
        return refusal
    slow = look_up(house, actor, row) if is_wanted else None
    if slow is not None:
        return slow
    current = next((lease for lease in leases if lease.tenant == tenant), None)
    return LeaseOffer(
        tenant=row,
        reasons=offered,
        budget=budget,
        tenants_per_hour=house.book.limits.tenants_per_hour,
        tenants_per_day=house.book.limits.tenants_per_day,
        leases_per_person=house.book.limits.leases_open_per_person,
        current=current,
        open_leases=[(lease, rows.get(lease.tenant)) for lease in leases],
    )


def open_lease(
    house: House, actor: Actor, *, tenant: TenantId, reason: Reason, minutes: int | None
) -> Lease | Deny | NeedsStepUp:
    """Open a tenant; `minutes` None takes the longest that the reason code allows. Raises NotFoundError."""
    with house.store.read() as unit:
        row = directory_row(unit, tenant)
    refusal: Deny | NeedsStepUp
    fault = _joined(*_reason_faults(house, reason, tenant), *_minutes_faults(house, reason, minutes))
    if fault is None:
        with house.store.write() as unit:
            unit.freezes.hold()
            unit.leases.lock_budget(actor.staff)
            answer = _gone(unit, actor) or _open_in(house, unit, actor, row, reason=reason, minutes=minutes)
        if isinstance(answer, Lease):
            return answer
        refusal = answer
    else:
        refusal = fault
    action = (
        "budget.exceeded" if isinstance(refusal, Deny) and refusal.code is DenyCode.BUDGET_SPENT else "lease.refused"
    )
    refuse(house, actor, action, refusal, tenant=row_ref(row, source="directory"), reason=reason)
    return refusal


def end_lease(house: House, actor: Actor, *, lease: LeaseId) -> Deny | None:
    """Close one of the actor's own tenants."""
    now = house.clock.now()
    with house.store.write() as unit:
        found = unit.leases.get(lease)
        if found is not None and found.staff == actor.staff:
            end_lease_in(unit, actor, found, by=LeaseEnd.HAND, now=now)
            return None
    refusal = denied(DenyCode.NOT_YOURS, "You have no such lease.", "Only who opened a tenant closes it.")
    refuse(house, actor, "lease.refused", refusal, targets=(TargetRef(type="lease", id=lease[:_LONGEST_ID]),))
    return refusal


def check_reason(house: House, reason: Reason, tenant: TenantId | None) -> Deny | None:
    """Return all that is wrong with a reason: its form, and what the ticket system says of a well-formed reference."""
    return _joined(*_reason_faults(house, reason, tenant))


def _joined(*faults: Deny) -> Deny | None:
    return replace(faults[0], also=faults[1:]) if faults else None


def _reason_faults(house: House, reason: Reason, tenant: TenantId | None) -> list[Deny]:
    rule = house.book.reasons.get(reason.code)
    if rule is None:
        return [denied(DenyCode.REASON_UNKNOWN, "There is no such reason code.", "Choose one from the list.", "code")]
    faults = [
        denied(DenyCode(code), _INCOMPLETE[DenyCode(code)], remedy, field)
        for field, code, remedy in rule.faults(reason)
    ]
    if tenant is None or any(fault.field == "reference" for fault in faults):
        return faults
    verdict = house.tickets.verdict(kind=rule.reference_kind, reference=reason.reference.strip(), tenant=tenant)
    if verdict in _VERDICTS:
        deny, sentence, remedy = _VERDICTS[verdict]
        faults.insert(0, denied(deny, sentence.format(label=rule.reference_label), remedy, "reference"))
    return faults


def _minutes_faults(house: House, reason: Reason, minutes: int | None) -> list[Deny]:
    rule = house.book.reasons.get(reason.code)
    if rule is None or 1 <= (rule.lease_minutes if minutes is None else minutes) <= rule.lease_minutes:
        return []
    remedy = f"{rule.label} allows 1 to {rule.lease_minutes} minutes."
    return [denied(DenyCode.MINUTES_ABOVE_LIMIT, "That is not a permitted duration.", remedy, "minutes")]


def _gone(unit: ControlUnit, actor: Actor) -> Deny | None:
    """Return a refusal where whoever opens a tenant was deactivated or signed out in the same moment.

    Shape: their row is locked before; whoever ends their account or session from here on finds the lease, and ends it.
    """
    member = unit.staff.get(actor.staff)
    if member is not None and not member.is_active:
        return denied(DenyCode.STAFF_INACTIVE, "Your account is no longer active.", "Ask an administrator.")
    if actor.session is None or unit.sessions.hold(actor.session):
        return None
    remedy = "Send it again; where you are signed out, sign in first."
    return denied(DenyCode.SIGN_IN_REFUSED, "Your session ended, or went on under another key.", remedy)


def _open_in(
    house: House, unit: ControlUnit, actor: Actor, row: DirectoryRow, *, reason: Reason, minutes: int | None
) -> Lease | Deny | NeedsStepUp:
    now = house.clock.now()
    rule = house.book.reasons[ReasonCode(reason.code)]
    wanted = rule.lease_minutes if minutes is None else minutes
    live = _live_leases(unit, actor, now)
    same = next((lease for lease in live if lease.tenant == row.id), None)
    open_leases = len(live) - (1 if same else 0)
    is_new = not unit.leases.has_opened(actor.staff, row.id, now - timedelta(hours=24))
    budget = unit.leases.budget(actor.staff, now)
    decision: Decision = ask(
        house,
        query(
            actor,
            "lease.open",
            now=now,
            tenant=row.id,
            reason=reason.code,
            facts=_facts(budget, open_leases=open_leases, minutes=wanted, is_new=is_new),
        ),
        unit,
    )
    refusal = refusal_of(decision)
    if refusal is not None:
        return refusal
    if same is not None:
        end_lease_in(unit, actor, same, by=LeaseEnd.REPLACED, now=now)
    lease = Lease(
        id=LeaseId(house.ids.new("lea")),
        staff=actor.staff,
        session=actor.session,
        tenant=row.id,
        reason=reason,
        opened_at=now,
        last_used_at=now,
        not_after=now + timedelta(minutes=wanted),
        idle_minutes=house.book.limits.lease_idle_minutes,
    )
    unit.leases.add(lease)
    emit(
        unit,
        actor,
        "lease.open",
        at=now,
        tenant=row_ref(row, source="directory"),
        reason=reason,
        authorisation=authorised(house, decision),
        facts={"lease": lease.id, "minutes": wanted, "is_new_tenant": is_new},
    )
    return lease


def _live_leases(unit: ControlUnit, actor: Actor, now: datetime) -> list[Lease]:
    live = []
    for lease in unit.leases.open_of(actor.staff):
        because = lease.ended_because(now)
        if because is None:
            live.append(lease)
        else:
            expire_lease(unit, actor, lease, because=because, now=now)
    return live


def _facts(budget: TenantBudget, *, open_leases: int, minutes: int, is_new: bool) -> dict[str, bool | int | str]:
    return {
        "minutes": minutes,
        "open_leases": open_leases,
        "tenants_last_hour": budget.last_hour,
        "tenants_last_day": budget.last_day,
        "extra_tenants": budget.extra,
        "is_new_tenant": is_new,
    }
