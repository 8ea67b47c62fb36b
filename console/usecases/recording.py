"""How use cases write entries: who, where, what for, and by which answer of policy."""

from datetime import datetime
from typing import Any

from console.domain.decisions import Allow, Decision, Deny, NeedsApproval, NeedsStepUp
from console.domain.entries import ActorRef, Authorisation, EntryDraft, RequestRef, TargetRef, TenantRef, VoteRef
from console.domain.errors import ConsoleError
from console.domain.ids import EntryUid, TenantId
from console.domain.reasons import Reason
from console.domain.requests import Request, Vote
from console.domain.staff import Actor, Origin, StaffMember
from console.domain.tenancy import DirectoryRow
from console.ports.store import ControlUnit
from console.usecases.house import House


class RefusedInsideError(ConsoleError):
    """Rolls a unit back because of a refusal that was found inside it; never leaves the use case."""

    code = "refused_inside"

    def __init__(self, deny: Deny) -> None:
        """Carry the refusal out of the unit."""
        super().__init__(deny.code.value)
        self.deny = deny


def emit(unit: ControlUnit, actor: Actor, action: str, *, at: datetime, **marks: Any) -> EntryUid:  # noqa: ANN401
    """Write one entry of a staff member into the open unit; `marks` are fields of EntryDraft."""
    draft = EntryDraft(action=action, actor=ActorRef.of(actor, at=at), request=RequestRef.of(actor.origin), **marks)
    return unit.trail.emit(draft, at=at)


def emit_as(
    unit: ControlUnit,
    who: ActorRef,
    action: str,
    *,
    at: datetime,
    origin: Origin | None = None,
    **marks: Any,  # noqa: ANN401  fields of EntryDraft
) -> EntryUid:
    """Write one entry of the system or a stranger into the open unit."""
    request = None if origin is None else RequestRef.of(origin)
    return unit.trail.emit(EntryDraft(action=action, actor=who, request=request, **marks), at=at)


def authorised(
    house: House, decision: Decision, request: Request | None = None, votes: tuple[Vote, ...] = ()
) -> Authorisation:
    """Return the part of an entry that says what policy answered."""
    names = {Allow: "allow", NeedsApproval: "needs_approval", NeedsStepUp: "needs_step_up", Deny: "deny"}
    return Authorisation(
        decision=names[type(decision)],
        rules=tuple(decision.rules),
        deny_code=decision.code.value if isinstance(decision, Deny) else None,
        policy_version=house.book.version,
        request=None if request is None else request.id,
        votes=tuple(VoteRef.of(vote) for vote in votes),
        digest=None if request is None else request.digest,
    )


def refuse(house: House, actor: Actor, action: str, refusal: Decision, **marks: Any) -> None:  # noqa: ANN401
    """Write a refusal in a transaction of its own, since the one it belongs to changes nothing."""
    if isinstance(reason := marks.get("reason"), Reason):
        marks["reason"] = reason.bounded()  # it may be what is refused; an entry too large is none
    with house.store.write() as unit:
        emit(unit, actor, action, at=house.clock.now(), authorisation=authorised(house, refusal), **marks)


def refuse_on(house: House, actor: Actor, action: str, refusal: Decision, request: Request) -> None:
    """Write a refusal that is about one request, in a transaction of its own."""
    with house.store.write() as unit:
        emit(
            unit,
            actor,
            action,
            at=house.clock.now(),
            governed=request.action,
            tenant=tenant_ref(unit, request.tenant, source="request"),
            reason=request.reason,
            authorisation=authorised(house, refusal),
            targets=request_target(request),
            correlation=request.id,
        )


def tenant_ref(unit: ControlUnit, tenant: TenantId | None, *, source: str) -> TenantRef | None:
    """Return how a tenant is named in entries, or None."""
    row = None if tenant is None else unit.directory.get(tenant)
    if row is None:
        return None
    return TenantRef.of(row, source=source)


def row_ref(row: DirectoryRow | None, *, source: str) -> TenantRef | None:
    """Return how a directory row is named in entries, or None."""
    return None if row is None else TenantRef.of(row, source=source)


def staff_target(member: StaffMember) -> tuple[TargetRef, ...]:
    """Return a staff member as the target of an entry."""
    return (TargetRef(type="staff", id=member.id, name=member.name),)


def request_target(request: Request, *, moves: bool = False) -> tuple[TargetRef, ...]:
    """Return a request as it stood before, and what it is about; whatever moves it makes its version one more."""
    return _request_target(request, before=request.version, after=request.version + 1 if moves else None)


def moved_target(moved: Request) -> tuple[TargetRef, ...]:
    """Return a request as it stands after its move, and what it is about; one that was filed came from nothing."""
    return _request_target(moved, before=moved.version - 1 or None, after=moved.version)


def _request_target(request: Request, *, before: int | None, after: int | None) -> tuple[TargetRef, ...]:
    about = TargetRef(type=request.preview.target_type, id=request.preview.target_id)
    return (TargetRef(type="request", id=request.id, version_before=before, version_after=after), about)
