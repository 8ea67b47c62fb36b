"""What of reconciliation comes again and again: the nightly run over the fleet, waivers that lapse, old staging."""

from datetime import timedelta

from console.domain.jobs import Job, JobDraft
from console.domain.reconciling.findings import ReconciliationId
from console.domain.reconciling.runs import FLEET
from console.ports.billing import NO_PROVIDER
from console.usecases.house import House
from console.usecases.job_outcomes import Again, Done
from console.usecases.reconciliation_work import RECONCILE_JOB
from console.usecases.run_reconciliation import new_run
from console.usecases.settle_findings import lapse_waivers

NIGHTLY_JOB = "reconciliation.nightly"
KEEP_JOB = "reconciliation.keep"
KEEP_EVERY_S = 3_600
_PURGED_AT_ONCE = 5_000


def start_nightly(house: House, job: Job) -> Done:
    """Queue a run over the whole fleet, unless policy has it off, no provider is connected, or one goes on still."""
    if not house.book.reconciliation.is_nightly or house.provider.name == NO_PROVIDER:
        return Done()
    run = ReconciliationId(f"rcn_{job.id.removeprefix('job_')}")
    now = house.clock.now()
    with house.store.write() as unit:
        if unit.runs.open_of(FLEET) is None and unit.runs.add(new_run(house, run, tenant=None, by=None, request=None)):
            unit.jobs.add(JobDraft(kind=RECONCILE_JOB, key=f"reconciliation:{run}", payload={"run": run}), at=now)
    return Done()


def keep_reconciling(house: House, _job: Job) -> Done | Again:
    """Open findings again whose waiver ran out, and take away what old runs pulled, some at a time."""
    lapse_waivers(house)
    before = house.clock.now() - timedelta(days=house.book.reconciliation.staging_days)
    with house.store.write() as unit:
        gone = unit.staging.purge(before=before, limit=_PURGED_AT_ONCE)
    return Again(at=house.clock.now()) if gone == _PURGED_AT_ONCE else Done()
