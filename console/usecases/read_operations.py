"""The house's own work as engineers see it: queues, jobs, schedules, and the inbox of providers' webhooks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console.domain.decisions import Decision, Deny
from console.domain.entries import Exposure, TargetRef
from console.domain.errors import NotFoundError
from console.domain.ids import InboundId, JobId, StaffId, TenantId
from console.domain.inbound import InboundEvent, InboundState
from console.domain.jobs import FailedGroup, Job, JobState, QueueState, Schedule
from console.domain.redaction import masked_payload, redacted
from console.domain.requests import Request
from console.domain.staff import Actor
from console.domain.tenancy import DirectoryRow
from console.ports.store import ControlUnit
from console.usecases.asking import ask, query
from console.usecases.house import House
from console.usecases.read_requests import are_open_to
from console.usecases.recording import authorised, emit, refuse

_PAGE = 50
_GROUPS = 50
_REFUSED = {"job.read": "job.read_refused", "inbound.read": "inbound.read_refused"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationsPage:
    """Queues, what failed, what comes again and again, and the inbox in figures for whoever may see it."""

    queues: Sequence[QueueState]
    failed: Sequence[FailedGroup]
    schedules: Sequence[Schedule]
    inbound: Mapping[InboundState, int]
    sees_inbox: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs a list shows; None means all."""

    state: JobState | None = None
    kind: str | None = None
    fingerprint: str | None = None
    tenant: TenantId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsPage:
    """One keyset page of jobs, with the tenants' names from the directory."""

    jobs: Sequence[Job]
    tenants: Mapping[TenantId, DirectoryRow]
    older: JobId | None
    sees_inbox: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """One job; `arguments` are redacted at every depth before they come here, `names` are those of staff members."""

    job: Job
    arguments: Any
    tenant: DirectoryRow | None
    request: Request | None
    names: Mapping[StaffId, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxPage:
    """One keyset page of events from providers."""

    events: Sequence[InboundEvent]
    tenants: Mapping[TenantId, DirectoryRow]
    counts: Mapping[InboundState, int]
    older: InboundId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """One event from a provider; the payload is masked before it comes here."""

    event: InboundEvent
    tenant: DirectoryRow | None
    payload: str


def read_operations(house: House, actor: Actor) -> OperationsPage | Deny:
    """Return the state of queues, failures, schedules and the inbox."""
    decision = _asked(house, actor, "job.read", page="queues")
    if isinstance(decision, Deny):
        return decision
    sees_inbox = _sees_inbox(house, actor)
    with house.store.write() as unit:
        page = OperationsPage(
            queues=unit.jobs.queues(now=house.clock.now()),
            failed=unit.jobs.failed(limit=_GROUPS),
            schedules=unit.jobs.schedules(),
            inbound=unit.inbox.counts() if sees_inbox else {},
            sees_inbox=sees_inbox,
        )
        records = len(page.queues) + len(page.failed) + len(page.schedules)
        _record(house, unit, actor, decision, verb="job.read", page="queues", records=records)
        return page


def read_jobs(house: House, actor: Actor, *, which: JobFilter, before: JobId | None) -> JobsPage | Deny:
    """Return one page of jobs, newest first."""
    decision = _asked(house, actor, "job.read", page="jobs")
    if isinstance(decision, Deny):
        return decision
    with house.store.write() as unit:
        found = unit.jobs.page(
            state=which.state,
            kind=which.kind,
            fingerprint=which.fingerprint,
            tenant=which.tenant,
            before=before,
            limit=_PAGE + 1,
        )
        shown = found[:_PAGE]
        _record(house, unit, actor, decision, verb="job.read", page="jobs", records=len(shown))
        return JobsPage(
            jobs=shown,
            tenants=unit.directory.many(sorted({job.tenant for job in found if job.tenant is not None})),
            older=found[_PAGE - 1].id if len(found) > _PAGE else None,
            sees_inbox=_sees_inbox(house, actor),
        )


def read_job(house: House, actor: Actor, *, job: JobId) -> JobPage | Deny:
    """Return one job with its arguments redacted. Raises: NotFoundError."""
    decision = _asked(house, actor, "job.read", page="job")
    if isinstance(decision, Deny):
        return decision
    with house.store.write() as unit:
        found = unit.jobs.get(job)
        if found is None:
            raise NotFoundError("There is no such job.")
        about = (TargetRef(type="job", id=job, name=found.kind),)
        _record(house, unit, actor, decision, verb="job.read", page="job", records=1, about=about)
        request = None if found.request is None else unit.requests.get(found.request)
        is_open = request is not None and all(are_open_to(house, actor, [request]))
        people = [staff for staff in (found.actor, found.retried_by) if staff is not None]
        members = [unit.staff.get(staff) for staff in people]
        return JobPage(
            job=found,
            arguments=redacted(found.payload),
            tenant=None if found.tenant is None else unit.directory.get(found.tenant),
            request=request if is_open else None,
            names={member.id: member.name for member in members if member is not None},
        )


def read_inbox_events(
    house: House, actor: Actor, *, state: InboundState | None, event_type: str | None, before: InboundId | None
) -> InboxPage | Deny:
    """Return one page of events from providers, newest first."""
    decision = _asked(house, actor, "inbound.read", page="inbox")
    if isinstance(decision, Deny):
        return decision
    with house.store.write() as unit:
        found = unit.inbox.page(state=state, event_type=event_type, before=before, limit=_PAGE + 1)
        shown = found[:_PAGE]
        _record(house, unit, actor, decision, verb="inbound.read", page="inbox", records=len(shown))
        return InboxPage(
            events=shown,
            tenants=unit.directory.many(sorted({event.tenant for event in found if event.tenant is not None})),
            counts=unit.inbox.counts(),
            older=found[_PAGE - 1].id if len(found) > _PAGE else None,
        )


def read_inbound(house: House, actor: Actor, *, event: InboundId) -> EventPage | Deny:
    """Return one event with its payload masked. Raises: NotFoundError."""
    decision = _asked(house, actor, "inbound.read", page="event")
    if isinstance(decision, Deny):
        return decision
    with house.store.write() as unit:
        found = unit.inbox.get(event)
        if found is None:
            raise NotFoundError("There is no such event.")
        about = (TargetRef(type="inbound_event", id=event, name=found.event_type),)
        _record(house, unit, actor, decision, verb="inbound.read", page="event", records=1, about=about)
        return EventPage(
            event=found,
            tenant=None if found.tenant is None else unit.directory.get(found.tenant),
            payload=masked_payload(found.payload),
        )


def _sees_inbox(house: House, actor: Actor) -> bool:
    return not isinstance(ask(house, query(actor, "inbound.read", now=house.clock.now())), Deny)


def _asked(house: House, actor: Actor, verb: str, *, page: str) -> Decision:
    decision = ask(house, query(actor, verb, now=house.clock.now()))
    if isinstance(decision, Deny):
        refuse(house, actor, _REFUSED[verb], decision, targets=(TargetRef(type="page", id=page, name=page),))
    return decision


def _record(
    house: House,
    unit: ControlUnit,
    actor: Actor,
    decision: Decision,
    *,
    verb: str,
    page: str,
    records: int,
    about: tuple[TargetRef, ...] = (),
) -> None:
    emit(
        unit,
        actor,
        verb,
        at=house.clock.now(),
        authorisation=authorised(house, decision),
        targets=(TargetRef(type="page", id=page, name=page), *about),
        exposure=Exposure(records=records, fields=("redacted",)),
    )
