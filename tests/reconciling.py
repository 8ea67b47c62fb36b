"""What the tests of reconciliation share: a finding and a run to vary."""

from datetime import timedelta

from console.domain.ids import StaffId
from console.domain.reconciling.findings import Candidate, Direction, Finding, FindingState, ReconciliationId
from console.domain.reconciling.runs import Reconciliation, RunState
from tests.databases import NOON

A_CANDIDATE = Candidate(
    kind="payment_unapplied", tenant=None, objects=("pi_1",), ours="nothing", theirs="99.00 EUR",
    at_risk_minor=9_900, currency="EUR", direction=Direction.CUSTOMER_LOSES,
)  # fmt: skip
A_FINDING = Finding(
    id=A_CANDIDATE.id, kind=A_CANDIDATE.kind, tenant=None, objects=A_CANDIDATE.objects, differs="",
    ours=A_CANDIDATE.ours, theirs=A_CANDIDATE.theirs, at_risk_minor=9_900, currency="EUR",
    direction=Direction.CUSTOMER_LOSES, params={}, evidence={}, state=FindingState.OPEN, version=1,
    first_seen_at=NOON - timedelta(days=3), last_seen_at=NOON, first_run=ReconciliationId("rcn_1"),
    last_run=ReconciliationId("rcn_1"),
)  # fmt: skip
A_RUN = Reconciliation(
    id=ReconciliationId("rcn_9"), tenant=None, state=RunState.PULLING, version=1, queued_at=NOON,
    started_by=StaffId("stf_finance"), request=None, rules_version="r1", began_at=NOON, window_from=NOON,
    window_until=NOON, tenants_total=2,
)  # fmt: skip
