"""Rows of jobs and of the inbox as the domain knows them."""

from console.domain.ids import InboundId, JobId, ReasonCode, RequestId, StaffId, TenantId
from console.domain.inbound import InboundEvent, InboundState
from console.domain.jobs import Job, JobDraft, JobState
from console.storage.job_tables import InboundEventRow, JobRow


def draft_of(job: Job) -> JobDraft:
    """Return what a job was queued from, for an outside queue that is told of it again."""
    return JobDraft(
        kind=job.kind,
        key=job.key,
        payload=job.payload,
        tenant=job.tenant,
        actor=job.actor,
        reason=job.reason,
        request=job.request,
        queue=job.queue,
        most_attempts=job.most_attempts,
    )


def shown_job(row: JobRow) -> Job:
    """Return a job."""
    return Job(
        id=JobId(row.id),
        kind=row.kind,
        key=row.key,
        queue=row.queue,
        payload=row.payload,
        state=JobState(row.state),
        tenant=None if row.tenant is None else TenantId(row.tenant),
        actor=None if row.actor is None else StaffId(row.actor),
        reason=None if row.reason is None else ReasonCode(row.reason),
        request=None if row.request is None else RequestId(row.request),
        created_at=row.created_at,
        run_at=row.run_at,
        attempts=row.attempts,
        most_attempts=row.most_attempts,
        version=row.version,
        lease_until=row.lease_until,
        worker=row.worker,
        last_error=row.last_error,
        fingerprint=row.fingerprint,
        finished_at=row.finished_at,
        retried_by=None if row.retried_by is None else StaffId(row.retried_by),
        retried_at=row.retried_at,
    )


def shown_event(row: InboundEventRow) -> InboundEvent:
    """Return an event of a provider."""
    return InboundEvent(
        id=InboundId(row.id),
        provider=row.provider,
        account=row.account,
        is_live=row.is_live,
        event_id=row.event_id,
        event_type=row.event_type,
        object_id=row.object_id,
        customer=row.customer,
        made_at=row.made_at,
        received_at=row.received_at,
        payload=bytes(row.payload),
        state=InboundState(row.state),
        is_fetched=row.is_fetched,
        tenant=None if row.tenant is None else TenantId(row.tenant),
        because=row.because,
        attempts=row.attempts,
        settled_at=row.settled_at,
        version=row.version,
    )
