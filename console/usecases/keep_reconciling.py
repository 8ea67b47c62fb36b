"""What of reconciliation nobody asks for: the nightly run over the fleet, waivers that lapse, old staging."""

from datetime import UTC, timedelta

from console.domain.ids import TenantId
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
KEEP_EVERY_S = NIGHTLY_EVERY_S = 3_600
_PURGED_AT_ONCE = 5_000


def start_nightly(house: House, job: Job) -> Done:
    """Queue a run over the whole fleet in the hour of the night that policy names; asked every hour.

    Shape: nothing is queued where policy has it off, no provider is connected, or a run goes on still.
    """
    rules, now = house.book.reconciliation, house.clock.now()
    is_time = rules.is_nightly and now.astimezone(UTC).hour == rules.nightly_hour_utc
    if not is_time or house.provider.name == NO_PROVIDER:
        return Done()
    run = ReconciliationId(f"rcn_{job.id.removeprefix('job_')}")
    with house.store.write() as unit:
        if unit.runs.open_of(FLEET) is None and unit.runs.add(new_run(house, run, tenant=None, by=None, request=None)):
            unit.jobs.add(JobDraft(kind=RECONCILE_JOB, key=f"reconciliation:{run}", payload={"run": run}), at=now)
    return Done()


def compare_tenant(house: House, tenant: TenantId) -> None:
    """Queue a run over one tenant that nobody asked for; as the nightly one, it acts within the machinery's bounds."""
    run = ReconciliationId(house.ids.new("rcn"))
    draft = JobDraft(kind=RECONCILE_JOB, key=f"reconciliation:{run}", payload={"run": run}, tenant=tenant)
    with house.store.write() as unit:
        unit.jobs.add(draft, at=house.clock.now())


def keep_reconciling(house: House, _job: Job) -> Done | Again:
    """Open findings again whose waiver ran out, and take away what old runs pulled, some at a time."""
    lapse_waivers(house)
    before = house.clock.now() - timedelta(days=house.book.reconciliation.staging_days)
    with house.store.write() as unit:
        gone = unit.staging.purge(before=before, limit=_PURGED_AT_ONCE)
    return Again(at=house.clock.now()) if gone == _PURGED_AT_ONCE else Done()
