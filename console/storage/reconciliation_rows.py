"""Rows of reconciliation as the domain knows them, and back."""

from collections.abc import Mapping
from typing import Any

from console.domain.billing.objects import ObjectKind
from console.domain.ids import Digest, ExecutionId, RequestId, StaffId, TenantId
from console.domain.reconciling.findings import Direction, Finding, FindingId, FindingState, ReconciliationId
from console.domain.reconciling.runs import How, KindTotal, Reconciliation, RunState, Sighting, Staged


def shown_run(row: Any) -> Reconciliation:  # noqa: ANN401  a row of any making
    """Return a run."""
    return Reconciliation(
        id=ReconciliationId(row.id),
        tenant=None if row.tenant is None else TenantId(row.tenant),
        state=RunState(row.state),
        version=row.version,
        queued_at=row.queued_at,
        started_by=None if row.started_by is None else StaffId(row.started_by),
        request=None if row.request is None else RequestId(row.request),
        rules_version=row.rules_version,
        previous=None if row.previous is None else ReconciliationId(row.previous),
        window_from=row.window_from,
        window_until=row.window_until,
        newest_event=row.newest_event,
        tenants_total=row.tenants_total,
        counts=row.counts,
        found={kind: KindTotal(count=each["count"], at_risk=each["at_risk"]) for kind, each in row.found.items()},
        cursor=row.cursor,
        inputs_digest=None if row.inputs_digest is None else Digest(row.inputs_digest),
        findings_digest=None if row.findings_digest is None else Digest(row.findings_digest),
        began_at=row.began_at,
        finished_at=row.finished_at,
        because=row.because,
    )


def progress_of(run: Reconciliation) -> dict[str, Any]:
    """Return the columns of a run that change while it is open."""
    return {
        "state": run.state.value,
        "previous": run.previous,
        "window_from": run.window_from,
        "window_until": run.window_until,
        "newest_event": run.newest_event,
        "tenants_total": run.tenants_total,
        "counts": dict(run.counts),
        "found": {kind: {"count": each.count, "at_risk": dict(each.at_risk)} for kind, each in run.found.items()},
        "cursor": dict(run.cursor),
        "inputs_digest": run.inputs_digest,
        "findings_digest": run.findings_digest,
        "began_at": run.began_at,
        "finished_at": run.finished_at,
        "because": run.because,
    }


def run_values(run: Reconciliation) -> dict[str, Any]:
    """Return all columns of a new run."""
    return {
        **progress_of(run),
        "id": run.id,
        "scope": run.scope,
        "tenant": run.tenant,
        "version": run.version,
        "queued_at": run.queued_at,
        "started_by": run.started_by,
        "request": run.request,
        "rules_version": run.rules_version,
    }


def shown_staged(row: Any) -> Staged:  # noqa: ANN401  a row of any making
    """Return an object as it was pulled."""
    return Staged(
        kind=ObjectKind(row.kind),
        id=row.id,
        customer=row.customer,
        digest=Digest(row.digest),
        document=row.document,
        parent=row.parent,
        is_deleted=row.is_deleted,
        why=row.why,
    )


def staged_values(run: ReconciliationId, staged: Staged) -> dict[str, Any]:
    """Return the columns of an object that was pulled."""
    return {
        "run": run,
        "kind": staged.kind.value,
        "id": staged.id,
        "customer": staged.customer,
        "parent": staged.parent,
        "digest": staged.digest,
        "document": None if staged.document is None else dict(staged.document),
        "is_deleted": staged.is_deleted,
        "why": staged.why,
    }


def shown_sighting(row: Any) -> Sighting:  # noqa: ANN401  a row of any making
    """Return a sighting."""
    return Sighting(
        finding=FindingId(row.finding),
        kind=row.kind,
        tenant=None if row.tenant is None else TenantId(row.tenant),
        objects=tuple(row.objects),
        digest=Digest(row.digest),
        how=How(row.how),
    )


def sighting_values(run: ReconciliationId, seen: Sighting) -> dict[str, Any]:
    """Return the columns of a sighting."""
    return {
        "run": run,
        "finding": seen.finding,
        "kind": seen.kind,
        "tenant": seen.tenant,
        "objects": list(seen.objects),
        "digest": seen.digest,
        "how": seen.how.value,
    }


def shown_finding(row: Any) -> Finding:  # noqa: ANN401  a row of any making
    """Return a finding."""
    return Finding(
        id=FindingId(row.id),
        kind=row.kind,
        tenant=None if row.tenant is None else TenantId(row.tenant),
        objects=tuple(row.objects),
        differs=row.differs,
        ours=row.ours,
        theirs=row.theirs,
        at_risk_minor=row.at_risk_minor,
        currency=row.currency,
        direction=Direction(row.direction),
        params=row.params,
        evidence=row.evidence,
        state=FindingState(row.state),
        version=row.version,
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
        first_run=ReconciliationId(row.first_run),
        last_run=ReconciliationId(row.last_run),
        times_reopened=row.times_reopened,
        owner=None if row.owner is None else StaffId(row.owner),
        waived_until=row.waived_until,
        waived_by=None if row.waived_by is None else ExecutionId(row.waived_by),
        explanation=row.explanation,
        resolved_at=row.resolved_at,
        resolved_by=row.resolved_by,
        repair=None if row.repair is None else RequestId(row.repair),
    )


def finding_values(finding: Finding) -> dict[str, Any]:
    """Return all columns of a finding."""
    values = {name: getattr(finding, name) for name in finding.__dataclass_fields__}
    plain: Mapping[str, Any] = {
        "objects": list(finding.objects),
        "direction": finding.direction.value,
        "params": dict(finding.params),
        "evidence": dict(finding.evidence),
        "state": finding.state.value,
    }
    return {**values, **plain}
