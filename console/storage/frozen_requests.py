"""How a request is split into its moving head and its frozen revision, and put together again."""

from collections.abc import Mapping
from typing import Any

from console.domain.changes import Change, Preview
from console.domain.decisions import GroupNeed
from console.domain.ids import (
    ActionKey,
    Digest,
    ExecutionId,
    LeaseId,
    PersonKey,
    ReasonCode,
    RequestId,
    RuleId,
    StaffId,
    TenantId,
)
from console.domain.reasons import Reason
from console.domain.requests import Request, State, Verdict, Vote
from console.domain.staff import Role, StepUpMethod
from console.storage.request_tables import RequestRevisionRow, RequestRow, RequestVoteRow


def head_values(request: Request) -> dict[str, Any]:
    """Return the columns of the head."""
    return {
        "id": request.id,
        "revision": request.revision,
        "version": request.version,
        "state": request.state,
        "tenant": request.tenant,
        "requester": request.requester,
        "requester_person": request.requester_person,
        "drafted_by": request.drafted_by,
        "filed_at": request.filed_at,
        "approve_by": request.approve_by,
        "execute_by": request.execute_by,
        "execution": request.execution,
        "executor": request.executor,
        "started_at": request.started_at,
        "finished_at": request.finished_at,
        "outcome": request.outcome,
        "ended_because": request.ended_because,
        "drift": stored_drift(request.drift),
    }


def revision_values(request: Request) -> dict[str, Any]:
    """Return the columns of the frozen revision."""
    return {
        "request": request.id,
        "revision": request.revision,
        "action": request.action,
        "action_version": request.action_version,
        "tenant": request.tenant,
        "params": dict(request.params),
        "preview": _stored_preview(request.preview),
        "reason_code": request.reason.code,
        "reason_reference": request.reason.reference,
        "reason_note": request.reason.note,
        "digest": request.digest,
        "rules": list(request.rules),
        "needs": [_stored_need(need) for need in request.needs],
        "policy_version": request.policy_version,
        "requester": request.requester,
        "requester_person": request.requester_person,
        "requester_name": request.requester_name,
        "drafted_by": request.drafted_by,
        "lease": request.lease,
        "filed_at": request.filed_at,
        "approve_by": request.approve_by,
        "execute_minutes": request.execute_minutes,
    }


def seat_values(request: Request) -> list[dict[str, Any]]:
    """Return one row for each role that can fill a group."""
    return [
        {"request": request.id, "revision": request.revision, "role": role.value, "need": need.name}
        for need in request.needs
        for role in sorted(need.roles)
    ]


def whole_request(head: RequestRow, frozen: RequestRevisionRow) -> Request:
    """Return the request; everything that a digest binds comes from the frozen revision."""
    return Request(
        id=RequestId(head.id),
        revision=frozen.revision,
        version=head.version,
        state=State(head.state),
        action=ActionKey(frozen.action),
        action_version=frozen.action_version,
        tenant=None if frozen.tenant is None else TenantId(frozen.tenant),
        params=frozen.params,
        preview=_preview(frozen.preview),
        reason=Reason(code=ReasonCode(frozen.reason_code), reference=frozen.reason_reference, note=frozen.reason_note),
        digest=Digest(frozen.digest),
        rules=tuple(RuleId(rule) for rule in frozen.rules),
        needs=tuple(_need(need) for need in frozen.needs),
        policy_version=frozen.policy_version,
        requester=StaffId(frozen.requester),
        requester_person=PersonKey(frozen.requester_person),
        requester_name=frozen.requester_name,
        drafted_by=PersonKey(frozen.drafted_by),
        lease=None if frozen.lease is None else LeaseId(frozen.lease),
        filed_at=frozen.filed_at,
        approve_by=frozen.approve_by,
        execute_minutes=frozen.execute_minutes,
        execute_by=head.execute_by,
        execution=None if head.execution is None else ExecutionId(head.execution),
        executor=None if head.executor is None else StaffId(head.executor),
        started_at=head.started_at,
        finished_at=head.finished_at,
        outcome=head.outcome,
        ended_because=head.ended_because,
        drift=None if head.drift is None else _preview(head.drift),
    )


def vote_values(vote: Vote) -> dict[str, Any]:
    """Return the columns of a vote."""
    return {
        "request": vote.request,
        "revision": vote.revision,
        "person": vote.person,
        "staff": vote.staff,
        "name": vote.name,
        "verdict": vote.verdict,
        "digest": vote.digest,
        "roles": sorted(role.value for role in vote.roles),
        "stepped_up_by": vote.stepped_up_by,
        "comment": vote.comment,
        "cast_at": vote.cast_at,
        "voided_because": vote.voided_because,
    }


def whole_vote(row: RequestVoteRow) -> Vote:
    """Return a vote."""
    return Vote(
        request=RequestId(row.request),
        revision=row.revision,
        staff=StaffId(row.staff),
        person=PersonKey(row.person),
        name=row.name,
        verdict=Verdict(row.verdict),
        digest=Digest(row.digest),
        roles=frozenset(Role(role) for role in row.roles),
        stepped_up_by=None if row.stepped_up_by is None else StepUpMethod(row.stepped_up_by),
        comment=row.comment,
        cast_at=row.cast_at,
        voided_because=row.voided_because,
    )


def stored_drift(drift: Preview | None) -> dict[str, Any] | None:
    """Return the column of what execution found instead of what was frozen."""
    return None if drift is None else _stored_preview(drift)


def _stored_preview(preview: Preview) -> dict[str, Any]:
    return {
        "sentence": preview.sentence,
        "changes": [[change.field, change.before, change.after] for change in preview.changes],
        "fingerprint": dict(preview.fingerprint),
        "facts": dict(preview.facts),
        "warnings": list(preview.warnings),
        "customer": preview.customer,
        "target_type": preview.target_type,
        "target_id": preview.target_id,
    }


def _preview(stored: Mapping[str, Any]) -> Preview:
    return Preview(
        sentence=stored["sentence"],
        changes=tuple(Change(field=name, before=old, after=new) for name, old, new in stored["changes"]),
        fingerprint=stored["fingerprint"],
        facts=stored["facts"],
        warnings=tuple(stored["warnings"]),
        customer=stored["customer"],
        target_type=stored["target_type"],
        target_id=stored["target_id"],
    )


def _stored_need(need: GroupNeed) -> dict[str, Any]:
    return {"name": need.name, "roles": sorted(role.value for role in need.roles), "count": need.count}


def _need(stored: Mapping[str, Any]) -> GroupNeed:
    roles = frozenset(Role(role) for role in stored["roles"])
    return GroupNeed(name=stored["name"], roles=roles, count=stored["count"])
