"""The entry of a recalculation that jobs did: with its effect where one database holds both, else by a job of its own.

A plane elsewhere commits for itself. So it keeps with the effect what is to be said of it, and before it commits a job
is queued that looks there and says it as it ends: a process that dies anywhere between loses no entry and writes none
twice, and no entry tells of what was rolled back.
"""

from datetime import datetime

from console.domain.effective_store import Recalculation
from console.domain.entries import SYSTEM_ACTOR
from console.domain.entry_parts import TargetRef
from console.domain.ids import ExecutionId, RequestId
from console.domain.jobs import Job, JobDraft
from console.domain.recalculations import Recalculated
from console.domain.tenancy import DirectoryRow
from console.ports.store import ControlUnit
from console.usecases.house import House
from console.usecases.job_outcomes import Done, JobRefusedError
from console.usecases.recalculate_access import recalculate_access
from console.usecases.recording import emit_as, row_ref
from console.usecases.scopes import directory_row, scope_of_job
from console.usecases.written_tenant import WrittenTenant, written_tenant

TELL_JOB = "entitlement.tell"
_NEVER_HAPPENED = "abandoned"


def follow_access(
    house: House, job: Job, row: DirectoryRow, written: WrittenTenant, *, cause: str, now: datetime
) -> Recalculation:
    """Bring access up to date in the open transaction, and see to it that its entry is written.

    Raises: ConflictError when whoever tells gave this effect up meanwhile; then nothing of it is stored.
    """
    done = recalculate_access(house, written.plane, cause=cause, now=now)
    if not done.is_written:
        return done
    said = Recalculated.of(done)
    if written.unit is not None:
        record_recalculated(written.unit, row, said, cause=cause, correlation=job.request, at=now)
        return done
    effect = ExecutionId(house.ids.new("acc"))
    written.plane.mark_applied(effect, outcome=said.text(), at=now)  # first: whoever tells waits for this transaction
    with house.store.write() as unit:
        tell_later(unit, effect, cause=cause, correlation=job.request, row=row, at=now)
    return done


def tell_later(
    unit: ControlUnit,
    effect: ExecutionId,
    *,
    cause: str,
    correlation: RequestId | None,
    row: DirectoryRow,
    at: datetime,
) -> None:
    """Queue the job that asks a plane elsewhere whether a recalculation took place, and says it."""
    payload = {"effect": effect, "cause": cause, "request": correlation}
    unit.jobs.add(JobDraft(kind=TELL_JOB, key=f"tell:{effect}", payload=payload, tenant=row.id), at=at)


def tell_access(house: House, job: Job) -> Done:
    """Say what a plane keeps of a recalculation; where it keeps nothing, that one never happened and never will.

    Raises: JobRefusedError for a job that names no effect, OutsideError while the plane is silent.
    """
    effect, cause, request = (job.payload.get(name) for name in ("effect", "cause", "request"))
    if job.tenant is None or not isinstance(effect, str) or not isinstance(cause, str):
        raise JobRefusedError("The job names no recalculation.")
    with house.store.read() as unit:
        row = directory_row(unit, job.tenant)
    now = house.clock.now()
    with written_tenant(house, scope_of_job(job, row, now=now)) as written:
        written.plane.take_turn()
        kept = written.plane.applied(ExecutionId(effect))
        if kept is None:
            written.plane.mark_applied(ExecutionId(effect), outcome=_NEVER_HAPPENED, at=now)
    if kept is None or kept == _NEVER_HAPPENED:
        return Done()
    said, correlation = Recalculated.read(kept), None if request is None else RequestId(str(request))
    return Done(
        record=lambda unit: record_recalculated(unit, row, said, cause=cause, correlation=correlation, at=now)
    )  # fmt: skip


def record_recalculated(
    unit: ControlUnit,
    row: DirectoryRow,
    said: Recalculated,
    *,
    cause: str,
    correlation: RequestId | None,
    at: datetime,
) -> None:
    """Write what is said of a recalculation that stored something: how many features were gained and lost, and why."""
    emit_as(
        unit,
        SYSTEM_ACTOR,
        "access.recalculated",
        at=at,
        tenant=row_ref(row, source="job"),
        targets=(TargetRef(type="effective_set", id=row.id, name=f"version {said.version}"),),
        correlation=correlation,
        changes=said.changes,
        facts={"cause": cause, "stood": said.stood, "gained": said.gained, "lost": said.lost},
    )
