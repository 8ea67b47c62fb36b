"""A run and findings for tests of pages: one of a tenant, and one that belongs to no tenant."""

from dataclasses import dataclass, replace

from console.domain.reconciling.findings import FindingId, ReconciliationId
from console.domain.reconciling.runs import RunState
from tests.reconciling import A_FINDING, A_RUN
from tests.web.cast import Cast
from tests.web.world import TENANTS


@dataclass(frozen=True)
class Stood:
    """What stands on the stage."""

    run: ReconciliationId
    stray: FindingId
    of_tenant: FindingId


def found(cast: Cast, slug: str = "nordwind") -> Stood:
    """Store a run that is over, a finding of a tenant, and one of the provider's account."""
    of_tenant = replace(
        A_FINDING, id=FindingId("fnd_of_a_tenant"), kind="invoice_status_drift", tenant=TENANTS[slug],
        objects=("in_nordwind1",), ours="open", theirs="paid",
    )  # fmt: skip
    stray = replace(A_FINDING, id=FindingId("fnd_of_nobody"), kind="customer_unmapped", objects=("cus_stray",))
    with cast.house.store.write() as unit:
        assert unit.runs.add(replace(A_RUN, state=RunState.DONE, finished_at=cast.clock.now()))
        for each in (of_tenant, stray):
            unit.findings.add(each)
    return Stood(run=A_RUN.id, stray=stray.id, of_tenant=of_tenant.id)
