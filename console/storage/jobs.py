"""Jobs and schedules inside a unit of work; every move is fenced by state, version and worker."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import Session

from console.domain.ids import JobId, StaffId, TenantId
from console.domain.jobs import FailedGroup, Job, JobDraft, JobState, QueueState, Schedule
from console.ports.clock import Ids
from console.storage.job_rows import draft_of, shown_job
from console.storage.job_statements import DUE, LAPSED, ONE_FREE, START, ended
from console.storage.job_tables import JobRow, JobScheduleRow
from console.storage.rows import add_unless_taken, changed, done, found

Deferral = Callable[[Connection, JobId, JobDraft, datetime], None]
_QUEUED, _RUNNING, _DEAD = JobState.QUEUED.value, JobState.RUNNING.value, JobState.DEAD.value
# Word for word as the partial indexes say it, so that either database proves that they serve.
_IS_OPEN: ColumnElement[bool] = literal_column("job.state IN ('queued', 'running', 'dead')")
_IS_DEAD: ColumnElement[bool] = literal_column("job.state = 'dead'")
_FREE: dict[str, Any] = {"lease_until": None, "worker": None}


class StoredJobs:
    """The JobBook of one unit; `deferred` hands each new job to an outside queue in the same transaction."""

    def __init__(self, session: Session, *, ids: Ids, deferred: Deferral | None = None) -> None:
        """Work inside the unit's transaction."""
        self._session = session
        self._ids = ids
        self._deferred = deferred

    def add(self, draft: JobDraft, *, at: datetime) -> JobId | None:
        """Queue a job with this unit's commit; None when its key is known already."""
        job = JobId(self._ids.new("job"))
        run_at = draft.run_at or at
        row = {
            "id": job,
            "kind": draft.kind,
            "key": draft.key,
            "queue": draft.queue,
            "payload": dict(draft.payload),
            "state": _QUEUED,
            "tenant": draft.tenant,
            "actor": draft.actor,
            "reason": draft.reason,
            "request": draft.request,
            "created_at": at,
            "run_at": run_at,
            "attempts": 0,
            "most_attempts": draft.most_attempts,
            "version": 1,
        }
        if not add_unless_taken(self._session, JobRow, row):
            return None
        if self._deferred is not None:
            self._deferred(self._session.connection(), job, draft, run_at)
        return job

    def get(self, job: JobId) -> Job | None:
        """Return one job."""
        row = self._session.scalar(select(JobRow).where(JobRow.id == job))
        return None if row is None else shown_job(row)

    def by_key(self, key: str) -> Job | None:
        """Return the job that was queued under a key, whatever became of it."""
        row = self._session.scalar(select(JobRow).where(JobRow.key == key))
        return None if row is None else shown_job(row)

    def claim(self, *, worker: str, now: datetime, until: datetime, limit: int) -> Sequence[Job]:
        """Take due jobs, and running ones whose lease lapsed, oldest first; no two workers get the same."""
        taken: list[str] = []
        for wanted in (LAPSED, DUE):
            rest = limit - len(taken)
            if rest > 0:
                taken += [row.id for row in found(self._session, wanted, now=now, most=rest)]
        return self._started(taken, worker=worker, now=now, until=until)

    def claim_one(self, job: JobId, *, worker: str, now: datetime, until: datetime) -> Job | None:
        """Take one named job if it is due or its lease lapsed (the way of an outside queue)."""
        free = [row.id for row in found(self._session, ONE_FREE, job=job, now=now)]
        taken = self._started(free, worker=worker, now=now, until=until)
        return taken[0] if taken else None

    def extend(self, job: Job, *, until: datetime) -> bool:
        """Lengthen the lease of a running job; False when it is no longer this worker's."""
        mine = update(JobRow).where(*_held(job))
        return changed(self._session, mine.values(lease_until=until)) == 1

    def got_further(self, job: Job) -> bool:
        """Forget the failures of a running job that has kept some progress; False when it is not this worker's."""
        mine = update(JobRow).where(*_held(job))
        return changed(self._session, mine.values(attempts=0, last_error=None)) == 1

    def succeed(self, job: Job, *, at: datetime) -> bool:
        """End a job; False when it is no longer this worker's."""
        return self._end(job, {"state": JobState.SUCCEEDED.value, "finished_at": at, "last_error": None})

    def again(self, job: Job, *, run_at: datetime) -> bool:
        """Let a job that got further go on later, its failures forgotten; False when it is no longer this worker's."""
        return self._end(job, {"state": _QUEUED, "run_at": run_at, "attempts": 0, "last_error": None})

    def fail(self, job: Job, *, error: str, fingerprint: str, run_at: datetime | None, at: datetime) -> bool:
        """Try again at `run_at`, or give up for good when it is None; False when it is no longer this worker's."""
        told = {"last_error": error, "fingerprint": fingerprint, "attempts": job.attempts + 1}
        if run_at is None:
            return self._end(job, {**told, "state": _DEAD, "finished_at": at})
        return self._end(job, {**told, "state": _QUEUED, "run_at": run_at})

    def retry(self, job: Job, *, by: StaffId, at: datetime) -> bool:
        """Queue a dead job again with fresh attempts, by one conditional update; False: was faster."""
        dead = update(JobRow).where(JobRow.id == job.id, JobRow.state == _DEAD, JobRow.version == job.version)
        fresh = {"state": _QUEUED, "run_at": at, "attempts": 0, "finished_at": None}
        moved = changed(self._session, dead.values(**fresh, retried_by=by, retried_at=at, version=job.version + 1)) == 1
        if moved and self._deferred is not None:
            self._deferred(self._session.connection(), job.id, draft_of(job), at)
        return moved

    def discard(self, job: Job, *, by: StaffId, at: datetime) -> bool:
        """Give a queued or dead job up, by one conditional update; False: was faster."""
        open_ = update(JobRow).where(
            JobRow.id == job.id, JobRow.state.in_((_QUEUED, _DEAD)), JobRow.version == job.version
        )
        gone = {"state": JobState.DISCARDED.value, "finished_at": at, "retried_by": by, "retried_at": at}
        return changed(self._session, open_.values(**gone, version=job.version + 1)) == 1

    def queues(self, *, now: datetime) -> Sequence[QueueState]:
        """Return every queue in figures."""

        def many(state: str) -> Any:  # noqa: ANN401  a column of SQL
            return func.sum(case((JobRow.state == state, 1), else_=0))

        due = func.min(case((and_(JobRow.state == _QUEUED, JobRow.run_at <= now), JobRow.run_at)))
        wanted = select(JobRow.queue, many(_QUEUED), many(_RUNNING), many(_DEAD), due)
        known = wanted.where(_IS_OPEN).group_by(JobRow.queue)
        return [
            QueueState(
                queue=queue, queued=int(queued), running=int(running), dead=int(dead),
                lag_s=0 if oldest is None else int((now - oldest).total_seconds()),
            )
            for queue, queued, running, dead, oldest in self._session.execute(known.order_by(JobRow.queue))
        ]  # fmt: skip

    def failed(self, *, limit: int) -> Sequence[FailedGroup]:
        """Return dead jobs by kind and fingerprint, largest first."""
        count = func.count().label("count")
        group = (JobRow.kind, JobRow.fingerprint)
        ended = func.coalesce(JobRow.finished_at, JobRow.created_at)
        wanted = (
            select(*group, func.max(JobRow.last_error), count, func.min(ended), func.max(ended))
            .where(_IS_DEAD)
            .group_by(*group)
            .order_by(count.desc(), *group)
            .limit(limit)
        )
        return [
            FailedGroup(
                kind=kind, fingerprint=fingerprint or "", sample=sample or "", count=many, oldest_at=oldest,
                newest_at=newest,
            )
            for kind, fingerprint, sample, many, oldest, newest in self._session.execute(wanted)
        ]  # fmt: skip

    def page(
        self,
        *,
        state: JobState | None,
        kind: str | None,
        fingerprint: str | None,
        tenant: TenantId | None,
        before: JobId | None,
        limit: int,
    ) -> Sequence[Job]:
        """Return jobs newest first."""
        wanted: Select[JobRow] = select(JobRow)
        for column, value in (
            (JobRow.state, state and state.value),
            (JobRow.kind, kind),
            (JobRow.fingerprint, fingerprint),
            (JobRow.tenant, tenant),
        ):
            if value is not None:
                wanted = wanted.where(column == value)
        if before is not None:
            edge = select(JobRow.created_at).where(JobRow.id == before).scalar_subquery()
            wanted = wanted.where(tuple_(JobRow.created_at, JobRow.id) < tuple_(edge, before))
        newest = wanted.order_by(JobRow.created_at.desc(), JobRow.id.desc()).limit(limit)
        return [shown_job(row) for row in self._session.scalars(newest)]

    def put_schedule(self, schedule: Schedule) -> None:
        """Store a schedule if it is not there, or bring its interval up to date."""
        row = {
            "id": schedule.id,
            "kind": schedule.kind,
            "every_s": schedule.every_s,
            "next_at": schedule.next_at,
            "is_on": schedule.is_on,
        }
        if add_unless_taken(self._session, JobScheduleRow, row):
            return
        other = or_(JobScheduleRow.every_s != schedule.every_s, JobScheduleRow.kind != schedule.kind)
        stale = update(JobScheduleRow).where(JobScheduleRow.id == schedule.id, other)
        changed(self._session, stale.values(every_s=schedule.every_s, kind=schedule.kind))

    def schedules(self) -> Sequence[Schedule]:
        """Return the schedules by id."""
        rows = self._session.scalars(select(JobScheduleRow).order_by(JobScheduleRow.id))
        return [
            Schedule(id=row.id, kind=row.kind, every_s=row.every_s, next_at=row.next_at, is_on=row.is_on)
            for row in rows
        ]

    def fire(self, schedule: Schedule, *, slot: datetime, next_at: datetime, draft: JobDraft) -> bool:
        """Queue the job of one slot and move the schedule on; False when somebody fired that slot before."""
        waiting = update(JobScheduleRow).where(
            JobScheduleRow.id == schedule.id, JobScheduleRow.next_at == slot, JobScheduleRow.is_on
        )
        if changed(self._session, waiting.values(next_at=next_at)) != 1:
            return False
        self.add(draft, at=slot)
        return True

    def _started(self, jobs: Sequence[str], *, worker: str, now: datetime, until: datetime) -> list[Job]:
        """Give locked jobs to a worker; of a lapsed one the attempt counts and its error says why."""
        if not jobs:
            return []
        rows = found(self._session, START, jobs=jobs, now=now, its_worker=worker, its_end=until)
        started = {row.id: shown_job(row) for row in rows}
        return [started[job] for job in jobs]

    def _end(self, job: Job, values: dict[str, Any]) -> bool:
        """Write how a claim ended, if it is still this worker's; an outside queue is told of what goes on later."""
        moved = {f"new_{name}": value for name, value in {**_FREE, **values, "version": job.version + 1}.items()}
        its = {"its_id": job.id, "its_worker": job.worker, "its_version": job.version}
        is_mine = done(self._session, ended(tuple(moved)), **its, **moved) == 1
        if is_mine and self._deferred is not None and values["state"] == _QUEUED:
            self._deferred(self._session.connection(), job.id, draft_of(job), values["run_at"])
        return is_mine


def _held(job: Job) -> tuple[ColumnElement[bool], ...]:
    return (
        JobRow.id == job.id,
        JobRow.state == _RUNNING,
        JobRow.worker == job.worker,
        JobRow.version == job.version,
    )
