"""Make the list of a large bulk replay slice by slice: nobody else who writes waits longer than for one slice."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from console.actions.webhook.planning import delivered_beside
from console.domain.ids import RunId
from console.domain.jobs import Job
from console.domain.replay_plans import grown
from console.domain.replays import FROZEN_AT_ONCE, Excluded, Run, RunItem, RunState
from console.ports.store import ControlUnit
from console.ports.webhooks import WebhookBook
from console.usecases.house import House
from console.usecases.job_outcomes import Again, Done, JobRefusedError
from console.usecases.record_replay import record_replay
from console.usecases.scopes import directory_row, scope_of_job, tenant_data
from console.usecases.written_tenant import written_tenant

TOO_MANY_MATCH = "too_many_match"
NOTHING_TO_SEND = "nothing_to_send"
JOB_DEAD = "job_dead"
_ENTRIES = {RunState.PLANNED: "replay.planned", RunState.CANCELLED: "replay.not_planned"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """What one look makes of a run. Shape: `items` are what its list gains."""

    run: Run
    more: Run
    items: Sequence[RunItem] = ()


def plan_replay(house: House, job: Job) -> Done | Again:
    """Look at one slice; at the end freeze the list under its digest. Raises: JobRefusedError without a tenant.

    1 look, while others write · 2 write what was seen, unless the run moved meanwhile · 3 say how it ended
    """
    now = house.clock.now()
    if job.tenant is None:
        raise JobRefusedError("The job names no tenant.")
    name = RunId(str(job.payload.get("run")))
    with house.store.read() as unit:
        scope = scope_of_job(job, directory_row(unit, job.tenant), now=now)
        with tenant_data(house, unit, scope) as plane:  # 1
            run = plane.webhooks.run(name)
            step = _looked_at(plane.webhooks, run, now=now) if run is not None else None
    if run is None or run.counting is None:  # a short list was frozen at once, or none was
        return Done()
    if step is None:
        return _told(job, run, now=now)
    with written_tenant(house, scope) as tenant:  # 2
        if not tenant.plane.webhooks.grow_run(step.run, step.more, step.items):
            return Done()
    if step.more.state is RunState.COUNTING:
        return Again(at=now)
    return _told(job, replace(step.more, version=run.version + 1), now=now)  # 3


def rest_plan(house: House, job: Job) -> None:
    """Say on a plan that its job is dead; retrying the job goes on with it. Raises: OutsideError."""
    now = house.clock.now()
    if job.tenant is None:
        return
    with house.store.read() as unit:
        row = unit.directory.get(job.tenant)
    if row is None:
        return
    with written_tenant(house, scope_of_job(job, row, now=now)) as tenant:
        run = tenant.plane.webhooks.run(RunId(str(job.payload.get("run"))))
        if run is not None and run.state is RunState.COUNTING:
            tenant.plane.webhooks.grow_run(run, replace(run, because=JOB_DEAD), ())


def _looked_at(book: WebhookBook, run: Run, *, now: datetime) -> _Step | None:
    """Return what the next slice makes of a run; None when it is not being counted (any more)."""
    counting = run.counting
    if run.state is not RunState.COUNTING or counting is None:
        return None
    if counting.is_over:
        return _Step(run=run, more=_frozen(book, run, now=now))
    page = book.candidates(run.selector, after=counting.after, limit=FROZEN_AT_ONCE)
    if counting.looked_at + len(page) > run.selector.most:
        ended = replace(run, state=RunState.CANCELLED, because=TOO_MANY_MATCH, finished_at=now)
        return _Step(run=run, more=ended)
    endpoints = {each.id: each for each in book.endpoints(with_deleted=True)}
    more, items = grown(run, page, endpoints, is_last=len(page) < FROZEN_AT_ONCE, now=now)
    return _Step(run=run, more=replace(more, because=None), items=items)


def _frozen(book: WebhookBook, run: Run, *, now: datetime) -> Run:
    """Return a run whose list is whole, with the digest over what is stored; one with nothing on it is over."""
    delivered = delivered_beside(book, run.selector)
    excluded = {**run.excluded, Excluded.ALREADY_DELIVERED.value: delivered} if delivered else run.excluded
    whole = replace(run, excluded=excluded, digest=book.frozen_digest(run.id), because=None)
    if not run.planned:
        return replace(whole, state=RunState.CANCELLED, because=NOTHING_TO_SEND, finished_at=now)
    return replace(whole, state=RunState.PLANNED)


def _told(job: Job, run: Run, *, now: datetime) -> Done:
    """Return the end of the job; how the plan ended is an entry, unless staff ended it or it runs already."""
    is_own = run.state is RunState.PLANNED or run.because in {TOO_MANY_MATCH, NOTHING_TO_SEND}
    if not is_own:
        return Done()

    def record(unit: ControlUnit) -> None:
        record_replay(unit, _ENTRIES[run.state], run, job, proof=None, at=now)

    return Done(record=record)
