"""Bind a request to the finding that it repairs: to its digest as somebody saw it, and to what it is about."""

from collections.abc import Mapping
from dataclasses import replace

from console.domain.changes import Preview
from console.domain.ids import ActionKey, RequestId, StaffId, TenantId
from console.domain.reconciling.catalogue import KINDS
from console.domain.reconciling.findings import Finding, FindingEvent, FindingId, FindingState, after, digest_of
from console.domain.requests import FINAL, Request
from console.ports.actions import Fault
from console.ports.store import ControlUnit

_FINDING, _DIGEST = "repairs", "repairs_digest"


def bound_to(
    unit: ControlUnit,
    preview: Preview,
    finding: FindingId | None,
    *,
    action: ActionKey,
    tenant: TenantId | None,
    plain: Mapping[str, object],
) -> Preview:
    """Return a preview whose fingerprint holds the finding with what it says now; None leaves it as it is.

    Raises: Fault for a finding that is not there or over, of another tenant, whose repair is another action, or which
    is about something else than the parameters say.
    """
    if finding is None:
        return preview
    found = unit.findings.get(finding)
    if found is None or (tenant is not None and found.tenant != tenant):
        raise Fault("finding", "There is no such finding here.")
    kind = KINDS.get(found.kind)
    if found.state is FindingState.RESOLVED or kind is None or kind.action != action:
        raise Fault("finding", "This finding is not repaired by this action now; look at it again.")
    other = [name for name, value in found.params.items() if name in plain and str(plain[name]) != value]
    if other:
        raise Fault(other[0], "The finding is about another one; open the action from its page again.")
    return replace(preview, fingerprint={**preview.fingerprint, _FINDING: found.id, _DIGEST: digest_of(found)})


def bound_again(unit: ControlUnit, preview: Preview, request: Request) -> Preview:
    """Return a preview bound to the same finding as the request was, as that stands now. Raises: Fault as bound_to."""
    return bound_to(
        unit,
        preview,
        finding_of(request),
        action=request.action,
        tenant=request.tenant,
        plain=request.params,
    )


def finding_of(request: Request) -> FindingId | None:
    """Return the finding that a request repairs."""
    finding = request.preview.fingerprint.get(_FINDING)
    return None if finding is None else FindingId(str(finding))


def note_repair(unit: ControlUnit, request: RequestId, finding: FindingId | None, *, by: StaffId) -> None:
    """Let a finding be in progress while the request for its repair waits. Raises: Fault when it moved meanwhile."""
    found = None if finding is None else unit.findings.get(finding)
    if found is None:
        return
    state = after(found.state, FindingEvent.TAKE) or found.state
    if not unit.findings.save(replace(found, state=state, owner=by, repair=request)):
        raise Fault("finding", "The finding moved meanwhile; look at it again.")


def without_repair(unit: ControlUnit, finding: Finding) -> Finding:
    """Return a finding as it stands once the request for its repair is over without having run: open again."""
    request = None if finding.repair is None else unit.requests.get(finding.repair)
    if finding.repair is None or (request is not None and request.state not in FINAL):
        return finding
    state = after(finding.state, FindingEvent.LEAVE) or finding.state
    return replace(finding, state=state, owner=None, repair=None)
