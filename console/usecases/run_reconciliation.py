"""Carry a reconciliation on: step by step, each kept with the place where the next one goes on."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

from console.domain.canonical import digest_hex
from console.domain.errors import OutsideError
from console.domain.ids import StaffId, TenantId
from console.domain.jobs import Job
from console.domain.reconciling.catalogue import KINDS
from console.domain.reconciling.findings import ReconciliationId
from console.domain.reconciling.runs import Reconciliation, RunEvent, RunState, after
from console.ports.store import ControlUnit
from console.usecases.compare_account import account_step
from console.usecases.compare_tenants import compare_step, named_by_findings
from console.usecases.heal_findings import heal_step
from console.usecases.house import House
from console.usecases.job_outcomes import Again, Done, JobRefusedError, forget_failures
from console.usecases.pull_provider import pull_step
from console.usecases.reconciliation_work import OvertakenError, Work, call_duty, kept, moved, tell_of_run
from console.usecases.scopes import directory_row, scope_of_job, tenant_data
from console.usecases.settle_findings import check_step, gone_step, lapsed_step

_MOST_STEPS = 400
_CUSTOMER = "cus_"

Step = Callable[[Work], Reconciliation]


def run_reconciliation(house: House, job: Job) -> Done | Again:
    """Do steps until the slice is over. Raises: JobRefusedError without a run, OutsideError before any progress."""
    ends_at = house.clock.now() + timedelta(seconds=house.book.reconciliation.slice_seconds)
    run = stands(house, job)
    for made in range(_MOST_STEPS):
        if not run.is_open:
            break
        if made and house.clock.now() >= ends_at:
            return Again(at=house.clock.now())
        try:
            run = step(house, job, run)
            if not made:
                forget_failures(house, job)
        except OvertakenError:
            run = stands(house, job)
        except OutsideError as away:
            if away.permanent or not made:
                raise
            wait = house.book.jobs.wait_s(1)
            return Again(at=house.clock.now() + timedelta(seconds=wait))
    if run.is_open:
        return Again(at=house.clock.now())
    if run.state is not RunState.CANCELLED:
        return Done()
    ended = run
    return Done(record=lambda unit: tell_of_run(unit, "reconciliation.cancelled", ended, at=house.clock.now()))


def step(house: House, job: Job, run: Reconciliation) -> Reconciliation:
    """Do the next step of a run and return it as kept. Raises: OvertakenError, OutsideError; then nothing was kept."""
    return _step_of(run)(Work(house=house, job=job, run=run))


def stands(house: House, job: Job) -> Reconciliation:
    """Return the run of a job, which one over a tenant elsewhere may have to be written first.

    Raises: JobRefusedError when there is none, and another one over the same scope is under way.
    """
    wanted = ReconciliationId(str(job.payload.get("run", "")))
    with house.store.read() as unit:
        run = unit.runs.get(wanted)
    if run is not None:
        return run
    if not wanted:
        raise JobRefusedError("The job names no run.")
    with house.store.write() as unit:
        run = new_run(house, wanted, tenant=job.tenant, by=job.actor, request=job)
        if not unit.runs.add(run):
            raise JobRefusedError("Another reconciliation over the same ground is under way.")
    return run


def new_run(
    house: House, run: ReconciliationId, *, tenant: TenantId | None, by: StaffId | None, request: Job | None
) -> Reconciliation:
    """Return a run that waits to begin."""
    return Reconciliation(
        id=run,
        tenant=tenant,
        state=RunState.QUEUED,
        version=1,
        queued_at=house.clock.now(),
        started_by=by,
        request=None if request is None else request.request,
        rules_version=rules_version(),
    )


def rules_version() -> str:
    """Return a short digest of the catalogue of kinds, so that a run tells by which rules it judged."""
    rules = [[kind.key, kind.number, kind.compares, kind.repair.value, kind.heals] for kind in KINDS.values()]
    return digest_hex(rules)[:12]


def fail_reconciliation(house: House, job: Job) -> None:
    """End a run whose job is dead, and tell those on duty; a new one starts from the beginning."""
    with house.store.write() as unit:
        run = unit.runs.get(ReconciliationId(str(job.payload.get("run", ""))))
        to = None if run is None else after(run.state, RunEvent.FAIL)
        if run is None or to is None:
            return
        because = job.last_error or "Its job failed as often as it may."
        failed = replace(run, state=to, because=because, finished_at=house.clock.now())
        if unit.runs.save(failed):
            tell_of_run(unit, "reconciliation.failed", failed, at=house.clock.now(), error="job_dead")
            call_duty(house, unit, failed, f"A reconciliation failed: {because}", at=house.clock.now())


def _begin_step(work: Work) -> Reconciliation:
    """Fix the bounds of a run: window, newest event, the run before, and of one tenant whose objects are pulled."""
    now, run = work.now, work.run
    cursor: dict[str, str] = {}
    with work.house.store.read() as unit:
        total = unit.directory.count() if run.tenant is None else 1
        if run.tenant is not None:
            cursor["customers"] = " ".join(_customers(work, unit, run.tenant))
    with work.house.store.write() as unit:
        before = unit.runs.last_done(run.tenant)
        begun = replace(
            moved(run, RunEvent.BEGIN),
            cursor=cursor,
            previous=None if before is None else before.id,
            window_from=work.house.book.reconciliation.window(now),
            window_until=now,
            newest_event=unit.inbox.newest(),
            tenants_total=total,
            began_at=now,
        )
        tell_of_run(unit, "reconciliation.started", begun, at=now)
        return kept(unit, begun)


def _customers(work: Work, unit: ControlUnit, tenant: TenantId) -> list[str]:
    """Return the customers that a run over one tenant pulls: those linked, and those that its findings name."""
    row = directory_row(unit, tenant)
    with tenant_data(work.house, unit, scope_of_job(work.job, row, now=work.now)) as plane:
        linked = {link.customer for link in plane.customers.links()}
    named = {name for name in named_by_findings(unit, tenant) if name.startswith(_CUSTOMER)}
    return sorted(linked | named)


def _step_of(run: Reconciliation) -> Step:
    if run.state is RunState.COMPARING:
        return account_step if "account" in run.cursor else compare_step
    if run.state is RunState.SETTLING:
        return _SETTLING[run.cursor.get("stage", "check")]
    return _STEPS[run.state]


_STEPS: Mapping[RunState, Step] = MappingProxyType({RunState.QUEUED: _begin_step, RunState.PULLING: pull_step})
_SETTLING: Mapping[str, Step] = MappingProxyType(
    {"check": check_step, "gone": gone_step, "lapsed": lapsed_step, "heal": heal_step}
)
