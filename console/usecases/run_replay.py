"""Work off a bulk replay: hand the frozen list to the sender slice by slice, and prove at the end that it adds up."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from console.domain.addressing import ENDPOINT_PAUSED
from console.domain.ids import RunId
from console.domain.jobs import Job
from console.domain.replays import Excluded, Run, RunState
from console.ports.store import ControlUnit
from console.ports.webhooks import WebhookBook
from console.usecases.house import House
from console.usecases.job_outcomes import Again, Done, JobRefusedError, Record
from console.usecases.record_replay import Proof, record_replay
from console.usecases.release_items import release_slice
from console.usecases.scopes import directory_row, scope_of_job
from console.usecases.settle_batch import FAILURES_IN_ROW, SLOW_DOWN
from console.usecases.written_tenant import written_tenant

JOB_DEAD = "job_dead"
_STARTED = "replay.started"
_LOOK_AGAIN_S = 5
_SKIP_AT_ONCE = 2_000
_OWN_PAUSES = frozenset({SLOW_DOWN, FAILURES_IN_ROW, ENDPOINT_PAUSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """One slice of one run, inside one transaction of its tenant."""

    house: House
    book: WebhookBook
    job: Job
    now: datetime

    def later(self, run: Run) -> Again:
        """Return that the run goes on after a slice."""
        slice_s = self.house.book.sending.run_slice_seconds
        return Again(at=self.now + timedelta(seconds=slice_s), record=self.entry(_STARTED, run))

    def entry(self, action: str, run: Run, proof: Proof | None = None) -> Record:
        """Return what writes an entry about the run once this step is the job's outcome.

        Shape: that it began is told before anything else, where a process died after the run was moved and before that.
        """

        def record(unit: ControlUnit) -> None:
            if run.request is not None:
                record_replay(unit, _STARTED, run, self.job, proof=None, at=self.now)
            if action != _STARTED or run.request is None:
                record_replay(unit, action, run, self.job, proof=proof, at=self.now)

        return record


def run_replay(house: House, job: Job) -> Done | Again:
    """Do one slice. Raises: JobRefusedError when there is nothing to run."""
    now = house.clock.now()
    if job.tenant is None:
        raise JobRefusedError("The job names no tenant.")
    with house.store.read() as unit:
        scope = scope_of_job(job, directory_row(unit, job.tenant), now=now)
    with written_tenant(house, scope) as tenant:
        book = tenant.plane.webhooks
        run = book.run(RunId(str(job.payload.get("run"))))
        if run is None or run.state is RunState.PLANNED:
            raise JobRefusedError("There is no such bulk replay that was set going.")
        step = _Step(house=house, book=book, job=job, now=now)
        if run.state is RunState.RUNNING:
            return _go_on(step, run)
        if run.state is RunState.PAUSED:
            is_own = run.because in _OWN_PAUSES
            record = step.entry("replay.paused", run) if is_own else None
            return Again(at=now + timedelta(seconds=_LOOK_AGAIN_S), record=record)
        if run.state is RunState.CANCELLED:
            return _cancelled(step, run)
        # finished: the process died between the end of the run and the end of its job
        return Done(record=step.entry("replay.finished", run, proof_of(book, run)))


def rest_replay(house: House, job: Job) -> None:
    """Pause a run whose job is dead, so that people see it; a job that is retried goes on once the run is resumed.

    Raises: OutsideError when the plane does not answer.
    """
    now = house.clock.now()
    if job.tenant is None:
        return
    with house.store.read() as unit:
        row = unit.directory.get(job.tenant)
    if row is None:
        return
    with written_tenant(house, scope_of_job(job, row, now=now)) as tenant:
        book = tenant.plane.webhooks
        run = book.run(RunId(str(job.payload.get("run"))))
        if run is not None and run.state is RunState.RUNNING:
            book.move_run(run, RunState.PAUSED, at=now, because=JOB_DEAD)
            book.recall_items(run.id)


def _go_on(step: _Step, run: Run) -> Done | Again:
    if run.request is None and step.job.request is not None:  # the first slice
        step.book.move_run(run, RunState.RUNNING, at=step.now, request=step.job.request)
        return Again(at=step.now, record=step.entry(_STARTED, run))
    release_slice(step.house, step.book, run, step.job, now=step.now)
    stands = step.book.run(run.id) or run
    if stands.left > 0 or stands.state is not RunState.RUNNING:
        return step.later(stands)
    proof = proof_of(step.book, stands)
    step.book.move_run(stands, RunState.FINISHED, at=step.now, finished_at=step.now, because=proof.fault)
    return Done(record=step.entry("replay.finished", stands, proof))


def _cancelled(step: _Step, run: Run) -> Done | Again:
    step.book.recall_items(run.id)
    step.book.skip_waiting(run.id, reason=Excluded.CANCELLED.value, limit=_SKIP_AT_ONCE)
    stands = step.book.run(run.id) or run
    if stands.left > 0:  # what is being sent this very moment is settled first
        return step.later(stands)
    return Done(record=step.entry("replay.cancelled", stands, proof_of(step.book, stands)))


def proof_of(book: WebhookBook, run: Run) -> Proof:
    """Count the list from its rows and digest it afresh; both must agree with what was approved and counted."""
    counted = [(state.value, reason, many) for (state, reason), many in book.tally(run.id).items()]
    return Proof(run=run, digest=book.frozen_digest(run.id), counted=tuple(sorted(counted, key=str)))
