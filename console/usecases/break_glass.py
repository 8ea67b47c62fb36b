"""Break glass: skip prior approval for a listed action, tell whoever was skipped, count down, and owe a review."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from console.domain.break_glass import GlassUse, is_intent
from console.domain.decisions import Allow, Decision, Deny, DenyCode, NeedsApproval, NeedsStepUp
from console.domain.ids import ActionKey, PersonKey, TenantId
from console.domain.jobs import JobDraft
from console.domain.leases import Lease
from console.domain.reasons import BREAK_GLASS, Reason, ReferenceVerdict
from console.domain.requests import Request
from console.domain.reviews import ReviewKind, ReviewState
from console.domain.staff import Actor, Role, StaffMember
from console.domain.tenancy import DirectoryRow
from console.ports.store import ControlUnit
from console.usecases.asking import ask, denied, query, refusal_of
from console.usecases.house import House
from console.usecases.notices import tell
from console.usecases.open_review import judged_request, open_review
from console.usecases.outcomes import CountingDown
from console.usecases.recording import authorised, emit, moved_target, row_ref

FIRE_JOB = "break_glass.fire"
_TELLS = frozenset({Role.SECURITY_AUDITOR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Glass:
    """What was typed to break it: the tenant's slug, and whether it is only a rehearsal."""

    typed: str
    is_drill: bool


NO_GLASS = Glass(typed="", is_drill=False)


def vouched(house: House, reason: Reason, tenant: TenantId) -> bool:
    """Return whether the ticket system itself says that an incident is open and names this tenant."""
    rule = house.book.reasons.get(reason.code)
    if reason.code != BREAK_GLASS or rule is None:
        return False
    verdict = house.tickets.verdict(kind=rule.reference_kind, reference=reason.reference.strip(), tenant=tenant)
    return verdict is ReferenceVerdict.OPEN


def may_break_glass(
    house: House,
    unit: ControlUnit,
    actor: Actor,
    decision: Allow | NeedsApproval,
    *,
    key: ActionKey,
    row: DirectoryRow,
    lease: Lease,
    reason: Reason,
    breaking: tuple[Glass, bool],
    now: datetime,
) -> Allow | NeedsApproval | Deny | NeedsStepUp:
    """Return the action's own answer when glass may be broken for it, else the refusal."""
    if (lease.reason.code, lease.reason.reference) != (reason.code, reason.reference):
        remedy = "Open the tenant again with the reason Break-glass and this very incident."
        return denied(DenyCode.REASON_NOT_ACCEPTED, "The lease was not opened for this.", remedy, "code")
    glass, is_open = breaking
    unit.throttles.lock("break_glass", actor.person)  # else two forms of one moment would owe nothing to each other
    facts: dict[str, bool | int | str] = {
        "is_listed": house.book.actions[key].break_glass_allowed,
        "owes_review": unit.reviews.owed_by(actor.person) is not None,
        "reference_is_open": is_open,
        "intent_typed": is_intent(glass.typed, row.slug),
        "somebody_is_told": bool(_skipped(unit, actor.person, decision)),
        "is_drill": glass.is_drill,
    }
    asked = query(actor, "break_glass.use", now=now, tenant=row.id, leased=lease.tenant, facts=facts)
    return refusal_of(ask(house, asked, unit)) or decision


def break_glass(
    house: House,
    unit: ControlUnit,
    actor: Actor,
    request: Request,
    decision: Allow | NeedsApproval,
    *,
    row: DirectoryRow,
    glass: Glass,
    now: datetime,
) -> CountingDown:
    """Store the request that counts down, its use, its review and its job, and tell everybody, in one transaction."""
    skipped = _skipped(unit, actor.person, decision)
    limits = house.book.limits
    unit.requests.add(request)
    unit.glass.add(
        GlassUse(
            request=request.id,
            tenant=row.id,
            staff=actor.staff,
            name=actor.name,
            is_drill=glass.is_drill,
            reference=request.reason.reference,
            told=len(skipped),
            at=now,
            tainted_until=now + timedelta(days=limits.break_glass_taint_days),
        )
    )
    if not glass.is_drill:
        title = request.preview.sentence or house.registry[request.action].title
        judged = judged_request(unit, request, title=title)
        open_review(house, unit, ReviewKind.BREAK_GLASS, judged, now=now)
    drill = "DRILL, nothing happens: " if glass.is_drill else ""
    title = house.registry[request.action].title
    sentence = f"{drill}{actor.name} broke glass ({request.reason.reference}): {title}"
    for member in skipped:
        tell(house, unit, member.id, kind="break_glass", sentence=sentence, path=f"/requests/{request.id}", at=now)
    fire = JobDraft(
        kind=FIRE_JOB,
        key=f"{FIRE_JOB}:{request.id}",
        tenant=row.id,
        actor=actor.staff,
        reason=request.reason.code,
        payload={"request": request.id},
        run_at=request.approve_by,
    )
    unit.jobs.add(fire, at=now)
    answer: Decision = decision
    emit(
        unit,
        actor,
        "break_glass.begun",
        at=now,
        governed=request.action,
        tenant=row_ref(row, source="lease"),
        reason=request.reason,
        authorisation=authorised(house, answer, request),
        targets=moved_target(request),
        changes=request.preview.changes,
        correlation=request.id,
        facts={"is_drill": glass.is_drill, "told": len(skipped)},
    )
    return CountingDown(request=request, told=len(skipped), is_drill=glass.is_drill)


def never_runs(unit: ControlUnit, request: Request) -> Deny | None:
    """Return why a request is neither run nor revised, whoever asks and whatever became of it: it is only a drill."""
    use = unit.glass.of(request.id) if request.reason.code == BREAK_GLASS else None
    if use is None or not use.is_drill:
        return None
    return denied(DenyCode.WRONG_STATE, "It is a drill, which changes nothing.", "It ends by itself.")


def withdraw_review(unit: ControlUnit, request: Request, *, because: str, at: datetime) -> None:
    """Take the review of a use away that ended without having done anything; of other requests there is none."""
    review = None if request.reason.code != BREAK_GLASS else unit.reviews.of(ReviewKind.BREAK_GLASS, request.id)
    if review is not None:
        unit.reviews.move(review, ReviewState.WITHDRAWN, by=None, because=because, at=at)


def _skipped(unit: ControlUnit, person: PersonKey, decision: Allow | NeedsApproval) -> list[StaffMember]:
    """Return everybody whose vote is skipped, and security; never the person who breaks glass."""
    needs = decision.needs if isinstance(decision, NeedsApproval) else ()
    roles = _TELLS.union(*(need.roles for need in needs))
    return [member for member in unit.staff.eligible(roles) if member.person != person]
