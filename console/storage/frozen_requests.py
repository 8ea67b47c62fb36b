"""How a request is split into its moving head and its frozen revision, and put together again."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from console.domain.changes import AccessEffect, Change, Preview
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
from console.storage.request_tables import RequestRevisionRow, RequestRow
from console.storage.rows import table_of

# Everything that a digest binds comes from the frozen revision; where a request stands, from its head.
_HEAD = ("id", "version", "state", "execute_by", "execution", "executor", "started_at", "finished_at", "outcome")
_FROZEN = (
    "revision", "action", "action_version", "tenant", "params", "preview", "reason_code", "reason_reference",
    "reason_note", "digest", "rules", "needs", "policy_version", "requester", "requester_person", "requester_name",
    "drafted_by", "lease", "filed_at", "approve_by", "execute_minutes",
)  # fmt: skip
REQUEST_COLUMNS = (
    *(table_of(RequestRow).c[name] for name in (*_HEAD, "ended_because", "drift")),
    *(table_of(RequestRevisionRow).c[name] for name in _FROZEN),
)


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


def whole_request(row: Any) -> Request:  # noqa: ANN401  a row of REQUEST_COLUMNS
    """Return the request; nothing in it can be changed, since the same row gives the same one."""
    return Request(
        id=RequestId(row.id),
        revision=row.revision,
        version=row.version,
        state=State(row.state),
        action=ActionKey(row.action),
        action_version=row.action_version,
        tenant=None if row.tenant is None else TenantId(row.tenant),
        params=MappingProxyType(row.params),
        preview=_preview(row.preview),
        reason=Reason(code=ReasonCode(row.reason_code), reference=row.reason_reference, note=row.reason_note),
        digest=Digest(row.digest),
        rules=tuple(RuleId(rule) for rule in row.rules),
        needs=tuple(_need(need) for need in row.needs),
        policy_version=row.policy_version,
        requester=StaffId(row.requester),
        requester_person=PersonKey(row.requester_person),
        requester_name=row.requester_name,
        drafted_by=PersonKey(row.drafted_by),
        lease=None if row.lease is None else LeaseId(row.lease),
        filed_at=row.filed_at,
        approve_by=row.approve_by,
        execute_minutes=row.execute_minutes,
        execute_by=row.execute_by,
        execution=None if row.execution is None else ExecutionId(row.execution),
        executor=None if row.executor is None else StaffId(row.executor),
        started_at=row.started_at,
        finished_at=row.finished_at,
        outcome=row.outcome,
        ended_because=row.ended_because,
        drift=None if row.drift is None else _preview(row.drift),
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


def whole_vote(row: Any) -> Vote:  # noqa: ANN401  a row of votes
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
    access = preview.access
    return {
        "sentence": preview.sentence,
        "changes": _stored_changes(preview.changes),
        "fingerprint": dict(preview.fingerprint),
        "facts": dict(preview.facts),
        "warnings": list(preview.warnings),
        "customer": preview.customer,
        "target_type": preview.target_type,
        "target_id": preview.target_id,
        **({} if access is None else {"access": [access.sentence, _stored_changes(access.changes)]}),
    }


def _preview(stored: Mapping[str, Any]) -> Preview:
    return Preview(
        sentence=stored["sentence"],
        changes=_changes(stored["changes"]),
        fingerprint=MappingProxyType(stored["fingerprint"]),
        facts=MappingProxyType(stored["facts"]),
        warnings=tuple(stored["warnings"]),
        customer=stored["customer"],
        target_type=stored["target_type"],
        target_id=stored["target_id"],
        access=_access(stored.get("access")),
    )


def _access(stored: list[Any] | None) -> AccessEffect | None:
    """Return the effect on access; what was frozen before previews said it has none."""
    return None if stored is None else AccessEffect(sentence=stored[0], changes=_changes(stored[1]))


def _stored_changes(changes: Iterable[Change]) -> list[list[str | None]]:
    return [[change.field, change.before, change.after] for change in changes]


def _changes(stored: Iterable[Any]) -> tuple[Change, ...]:
    return tuple(Change(field=name, before=old, after=new) for name, old, new in stored)


def _stored_need(need: GroupNeed) -> dict[str, Any]:
    return {"name": need.name, "roles": sorted(role.value for role in need.roles), "count": need.count}


def _need(stored: Mapping[str, Any]) -> GroupNeed:
    roles = frozenset(Role(role) for role in stored["roles"])
    return GroupNeed(name=stored["name"], roles=roles, count=stored["count"])
