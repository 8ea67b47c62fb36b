"""The request machine: a frozen proposal, its votes, two clocks and a single execution."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from console.domain.canonical import digest_hex, normal
from console.domain.changes import Preview
from console.domain.decisions import GroupNeed
from console.domain.ids import ActionKey, Digest, ExecutionId, LeaseId, PersonKey, RequestId, RuleId, StaffId, TenantId
from console.domain.reasons import Reason
from console.domain.staff import Role, StepUpMethod


class State(StrEnum):
    """Where a request stands."""

    DRAFT = "draft"
    PENDING = "pending"
    APPROVED = "approved"
    COUNTING_DOWN = "counting_down"
    EXECUTING = "executing"
    EXECUTED = "executed"
    FAILED = "failed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED_PENDING = "expired_pending"
    EXPIRED_APPROVED = "expired_approved"
    STALE = "stale"
    REVOKED = "revoked"


class Event(StrEnum):
    """What can happen to a request."""

    SUBMIT = "submit"
    REVISE = "revise"
    VOTE = "vote"
    QUORUM = "quorum"
    REJECT = "reject"
    CANCEL = "cancel"
    EXPIRE = "expire"
    VOID_VOTES = "void_votes"
    DRIFT = "drift"
    REVOKE = "revoke"
    START = "start"
    FINISH = "finish"
    FAIL = "fail"


TRANSITIONS: Mapping[tuple[State, Event], State] = {
    (State.DRAFT, Event.SUBMIT): State.PENDING,
    (State.DRAFT, Event.REVISE): State.DRAFT,
    (State.DRAFT, Event.CANCEL): State.CANCELLED,
    (State.PENDING, Event.REVISE): State.PENDING,
    (State.PENDING, Event.VOTE): State.PENDING,
    (State.PENDING, Event.QUORUM): State.APPROVED,
    (State.PENDING, Event.REJECT): State.REJECTED,
    (State.PENDING, Event.CANCEL): State.CANCELLED,
    (State.PENDING, Event.EXPIRE): State.EXPIRED_PENDING,
    (State.PENDING, Event.DRIFT): State.STALE,
    (State.APPROVED, Event.VOID_VOTES): State.PENDING,
    (State.APPROVED, Event.CANCEL): State.CANCELLED,
    (State.APPROVED, Event.EXPIRE): State.EXPIRED_APPROVED,
    (State.APPROVED, Event.DRIFT): State.STALE,
    (State.APPROVED, Event.REVOKE): State.REVOKED,
    (State.APPROVED, Event.START): State.EXECUTING,
    (State.COUNTING_DOWN, Event.CANCEL): State.CANCELLED,
    (State.COUNTING_DOWN, Event.REVOKE): State.REVOKED,
    (State.COUNTING_DOWN, Event.EXPIRE): State.EXPIRED_APPROVED,
    (State.COUNTING_DOWN, Event.START): State.EXECUTING,
    (State.EXECUTING, Event.FINISH): State.EXECUTED,
    (State.EXECUTING, Event.FAIL): State.FAILED,
    (State.STALE, Event.REVISE): State.PENDING,
    (State.STALE, Event.CANCEL): State.CANCELLED,
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RUNNABLE = frozenset(state for state, event in TRANSITIONS if event is Event.START)
FINAL = frozenset(State) - {state for state, _ in TRANSITIONS}


def after(state: State, event: Event) -> State | None:
    """Return the state that an event leads to, or None where the event is not legal."""
    return TRANSITIONS.get((state, event))


def legal_events(state: State) -> frozenset[Event]:
    """Return the events that a state accepts."""
    return frozenset(event for known, event in TRANSITIONS if known is state)


class Verdict(StrEnum):
    """What a vote says."""

    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """An approval or rejection of one digest by one natural person."""

    request: RequestId
    revision: int
    staff: StaffId
    person: PersonKey
    name: str
    verdict: Verdict
    digest: Digest
    roles: frozenset[Role]
    stepped_up_by: StepUpMethod | None
    comment: str
    cast_at: datetime
    voided_because: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A frozen proposal to run an action.

    Shape: `digest` binds what `bound_digest` names; `version` counts transitions and fences races; `drift` is the
    preview as execution found it, when the world had moved since the request was filed. A request that counts down
    skipped its approval: until `approve_by` it can be stopped, then it fires.
    """

    id: RequestId
    revision: int
    version: int
    state: State
    action: ActionKey
    action_version: int
    tenant: TenantId | None
    params: Mapping[str, object]
    preview: Preview
    reason: Reason
    digest: Digest
    rules: tuple[RuleId, ...]
    needs: tuple[GroupNeed, ...]
    policy_version: str
    requester: StaffId
    requester_person: PersonKey
    requester_name: str
    drafted_by: PersonKey
    lease: LeaseId | None
    filed_at: datetime
    approve_by: datetime
    execute_minutes: int
    execute_by: datetime | None
    execution: ExecutionId | None = None
    executor: StaffId | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    outcome: str | None = None
    ended_because: str | None = None
    drift: Preview | None = None

    def state_at(self, now: datetime) -> State:
        """Return the state as both clocks stand now; a clock that jumped back, or none at all, ends it too."""
        if self.state is State.PENDING and (now >= self.approve_by or now < self.filed_at):
            return State.EXPIRED_PENDING
        if self.state in RUNNABLE and (self.execute_by is None or now >= self.execute_by or now < self.filed_at):
            return State.EXPIRED_APPROVED
        return self.state

    @property
    def requesters(self) -> frozenset[PersonKey]:
        """Return every natural person who counts as asking: who drafted and who submitted."""
        return frozenset({self.requester_person, self.drafted_by})

    def recomputed_digest(self) -> Digest:
        """Return the digest of what is stored now; it differs from `digest` after any tampering."""
        return bound_digest(
            action=self.action,
            action_version=self.action_version,
            tenant=self.tenant,
            params=self.params,
            preview=self.preview,
            reason=self.reason,
            requester=self.requester_person,
            not_after=self.approve_by,
        )


def bound_digest(
    *,
    action: ActionKey,
    action_version: int,
    tenant: TenantId | None,
    params: Mapping[str, object],
    preview: Preview,
    reason: Reason,
    requester: PersonKey,
    not_after: datetime,
) -> Digest:
    """Return SHA-256 over the canonical form of everything that an approver agrees to.

    Source: architecture.md §4 (approvals).
    """
    bound = {
        "action": action,
        "action_version": action_version,
        "tenant": tenant,
        "target": {"type": preview.target_type, "id": preview.target_id},
        "params": dict(params),
        "changes": [{"field": c.field, "before": c.before, "after": c.after} for c in preview.changes],
        "fingerprint": dict(preview.fingerprint),
        "said": [preview.sentence, preview.customer, *preview.warnings],
        "reason": {"code": reason.code, "reference": reason.reference, "note": reason.note},
        "requester": requester,
        "not_after_us": micros(not_after),
    }
    if preview.access is not None:  # what was filed before previews said it keeps its digest
        rows = [{"field": c.field, "before": c.before, "after": c.after} for c in preview.access.changes]
        bound["access"] = {"said": preview.access.sentence, "changes": rows}
    return Digest(digest_hex(normal(bound)))


def micros(moment: datetime) -> int:
    """Return whole microseconds since 1970, exactly."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def missing_needs(needs: Iterable[GroupNeed], voters: Mapping[PersonKey, frozenset[Role]]) -> tuple[GroupNeed, ...]:
    """Return what is still missing; one person counts once, and all groups must be met by different people.

    Shape: `voters` maps each person whose approval counts to the roles they hold now.
    """
    seats = [need for need in needs for _ in range(need.count)]
    taken = _seat(seats, voters)
    open_seats = [seat for index, seat in enumerate(seats) if index not in taken]
    names = dict.fromkeys(seat.name for seat in open_seats)
    by_name = {seat.name: seat for seat in open_seats}
    return tuple(
        GroupNeed(name=name, roles=by_name[name].roles, count=sum(seat.name == name for seat in open_seats))
        for name in names
    )


def _seat(seats: list[GroupNeed], voters: Mapping[PersonKey, frozenset[Role]]) -> dict[int, PersonKey]:
    """Match people to seats (augmenting paths), so that a two-role person never blocks a narrower one."""
    taken: dict[int, PersonKey] = {}

    def place(person: PersonKey, tried: set[int]) -> bool:
        for index, seat in enumerate(seats):
            if index in tried or not seat.roles & voters[person]:
                continue
            tried.add(index)
            if index not in taken or place(taken[index], tried):
                taken[index] = person
                return True
        return False

    for person in sorted(voters):
        place(person, set())
    return taken
