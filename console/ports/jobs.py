"""The jobs of the house: queued inside a unit of work, claimed by lease."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from console.domain.ids import JobId, StaffId, TenantId
from console.domain.jobs import FailedGroup, Job, JobDraft, JobState, QueueState, Schedule


class JobBook(Protocol):
    """Jobs and schedules inside one unit."""

    def add(self, draft: JobDraft, *, at: datetime) -> JobId | None:
        """Queue a job with this unit's commit; None when its key is known already."""
        ...

    def get(self, job: JobId) -> Job | None:
        """Return one job."""
        ...

    def by_key(self, key: str) -> Job | None:
        """Return the job that was queued under a key, whatever became of it."""
        ...

    def claim(self, *, worker: str, now: datetime, until: datetime, limit: int) -> Sequence[Job]:
        """Take due jobs, and running ones whose lease lapsed, oldest first; no two workers get the same.

        Shape: a lapsed job counts an attempt and comes back with `last_error` saying that its worker vanished.
        """
        ...

    def claim_one(self, job: JobId, *, worker: str, now: datetime, until: datetime) -> Job | None:
        """Take one named job if it is due or its lease lapsed (the way of an outside queue)."""
        ...

    def extend(self, job: Job, *, until: datetime) -> bool:
        """Lengthen the lease of a running job; False when it is no longer this worker's."""
        ...

    def got_further(self, job: Job) -> bool:
        """Forget the failures of a running job that has kept some progress; False when it is not this worker's.

        Shape: what kills its worker every time before it gets any further is given up all the same.
        """
        ...

    def succeed(self, job: Job, *, at: datetime) -> bool:
        """End a job; False when it is no longer this worker's."""
        ...

    def again(self, job: Job, *, run_at: datetime) -> bool:
        """Let a job that got further go on later, its failures forgotten; False when it is no longer this worker's."""
        ...

    def fail(self, job: Job, *, error: str, fingerprint: str, run_at: datetime | None, at: datetime) -> bool:
        """Try again at `run_at`, or give up for good when it is None; False when it is no longer this worker's."""
        ...

    def retry(self, job: Job, *, by: StaffId, at: datetime) -> bool:
        """Queue a dead job again with fresh attempts, by one conditional update; False: was faster."""
        ...

    def discard(self, job: Job, *, by: StaffId, at: datetime) -> bool:
        """Give a queued or dead job up, by one conditional update; False: was faster."""
        ...

    def queues(self, *, now: datetime) -> Sequence[QueueState]:
        """Return every queue in figures."""
        ...

    def failed(self, *, limit: int) -> Sequence[FailedGroup]:
        """Return dead jobs by kind and fingerprint, largest first."""
        ...

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
        ...

    def put_schedule(self, schedule: Schedule) -> None:
        """Store a schedule if it is not there, or bring its interval up to date."""
        ...

    def schedules(self) -> Sequence[Schedule]:
        """Return the schedules by id."""
        ...

    def fire(self, schedule: Schedule, *, slot: datetime, next_at: datetime, draft: JobDraft) -> bool:
        """Queue the job of one slot and move the schedule on; False when somebody fired that slot before."""
        ...
