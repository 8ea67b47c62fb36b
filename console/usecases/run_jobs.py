"""The runner of jobs: claims by lease, asks again whether the job may still run, and writes how it ended."""

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from console.domain.decisions import Deny, Query
from console.domain.entries import SYSTEM_ACTOR
from console.domain.entry_parts import TargetRef
from console.domain.errors import ConsoleError, OutsideError
from console.domain.fingerprints import fingerprint_of
from console.domain.ids import JobId, RequestId
from console.domain.jobs import STALLED, Job
from console.domain.redaction import redacted_text
from console.domain.requests import Request, State
from console.domain.staff import Actor, StaffMember
from console.ports.store import ControlUnit
from console.ports.trail import EntryFilter
from console.usecases.asking import ask, query
from console.usecases.freezing import FrozenError, pausable, refusal_by, refuse_frozen
from console.usecases.house import House
from console.usecases.job_kinds import KINDS
from console.usecases.job_outcomes import Again, Done, JobKind, JobRefusedError
from console.usecases.recording import authorised, emit_as, tenant_ref

_LOG = logging.getLogger(__name__)
_LONGEST_ERROR = 300
_REST_S = 30


def run_due_jobs(house: House, *, worker: str, limit: int = 4, overdue_by: timedelta = timedelta()) -> int:
    """Run jobs whose time has come, also those whose worker vanished, and return how many.

    Shape: with `overdue_by` only what has waited that long is taken: the sweep beside an outside queue.
    """
    now = house.clock.now() - overdue_by
    until = house.clock.now() + timedelta(seconds=house.book.jobs.lease_seconds)
    with house.store.write() as unit:
        claimed = unit.jobs.claim(worker=worker, now=now, until=until, limit=limit)
        for job in claimed:
            _note_stalled(unit, job, at=house.clock.now())
    for job in claimed:
        _run(house, job)
    return len(claimed)


def run_one_job(house: House, job_id: JobId, *, worker: str) -> bool:
    """Run one named job if it is due and free; return whether it was."""
    now = house.clock.now()
    until = now + timedelta(seconds=house.book.jobs.lease_seconds)
    with house.store.write() as unit:
        job = unit.jobs.claim_one(job_id, worker=worker, now=now, until=until)
        if job is not None:
            _note_stalled(unit, job, at=now)
    if job is None:
        return False
    _run(house, job)
    return True


def _run(house: House, job: Job) -> None:
    try:
        kind = _kind_of(job)
        request = _check_authority(house, kind, job)
        outcome = kind.handler(pausable(house, job, request), job)
    except FrozenError as frozen:
        _rest(house, job, frozen)
    except JobRefusedError as refused:
        _fail(house, job, str(refused), is_final=True, entry="job.refused")
    except OutsideError as away:
        _fail(house, job, str(away), is_final=away.permanent, entry="job.failed")
    except Exception as bug:  # noqa: BLE001  whatever a handler raises, the job must not stay claimed in silence
        _fail(house, job, f"{type(bug).__name__}: {bug}", is_final=False, entry="job.failed")
    else:
        _end(house, job, outcome)


def _kind_of(job: Job) -> JobKind:
    """Return what runs a job. Raises: JobRefusedError for one that must not run any more."""
    kind = KINDS.get(job.kind)
    if kind is None:
        raise JobRefusedError("Nothing here knows this kind of job.")
    if job.attempts >= job.most_attempts:  # its workers vanished each time
        raise JobRefusedError(job.last_error or "It failed as often as it may.")
    return kind


def _check_authority(house: House, kind: JobKind, job: Job) -> Request | None:
    """Ask again what was asked when the job was queued, and return its request. Raises: JobRefusedError, FrozenError.

    0 is it frozen · 1 the tenant · 2 the person · 3 the request · 4 policy, as it stands today
    """
    now = house.clock.now()
    with house.store.read() as unit:
        request = None if job.request is None else unit.requests.get(job.request)
        # 0
        refuse_frozen(house, unit, job, request)
        # 1
        if kind.is_tenant_bound and (job.tenant is None or unit.directory.get(job.tenant) is None):
            raise JobRefusedError("Its tenant is not known.")
        # 2
        member = None if job.actor is None else unit.staff.get(job.actor)
        if job.actor is not None and (member is None or not member.is_active):
            raise JobRefusedError("The person who asked is no longer active.")
        # 3
        if job.request is None:
            return None
        if request is None or member is None or (request.tenant, request.requester) != (job.tenant, job.actor):
            raise JobRefusedError("Its request does not fit.")
        if request.state is not State.EXECUTED:
            raise JobRefusedError(f"Its request is {request.state.value}.")
        # 4
        decision = ask(house, _asked_again(house, member, request, now=now), unit)
    if isinstance(decision, Deny):
        raise JobRefusedError(f"Policy no longer permits it: {decision.code.value}.")
    return request


def _asked_again(house: House, member: StaffMember, request: Request, *, now: datetime) -> Query:
    asker = Actor(
        staff=member.id,
        person=member.person,
        name=member.name,
        email=member.email,
        roles=member.roles,
        kind=member.kind,
        stepped_up_at=now,
    )
    budget = house.registry[request.action].budget
    spent = {} if budget is None else {f"{budget}_last_hour": 0}  # it was counted when the action ran
    return query(
        asker,
        request.action,
        now=now,
        tenant=request.tenant,
        leased=request.tenant,
        reason=request.reason.code,
        facts={**request.preview.facts, **spent},
    )


def _rest(house: House, job: Job, frozen: FrozenError) -> None:
    """Let a job wait until the freeze is lifted, without having failed; its first rest gets an entry."""
    now = house.clock.now()
    with house.store.write() as unit:
        is_ours = unit.jobs.again(job, run_at=now + timedelta(seconds=_REST_S))
        told = EntryFilter(action="job.paused", correlation=RequestId(job.id))
        if not is_ours or unit.reader.page(told, before=None, limit=1):
            return
        emit_as(
            unit,
            SYSTEM_ACTOR,
            "job.paused",
            at=now,
            tenant=tenant_ref(unit, job.tenant, source="job"),
            targets=(TargetRef(type="job", id=job.id, name=job.kind),),
            authorisation=authorised(house, refusal_by(frozen)),
            correlation=job.id,
            facts={"freeze": frozen.freeze.id},
        )


def _end(house: House, job: Job, outcome: Done | Again) -> None:
    """Write how a round ended; nothing is recorded for a job that another worker has taken over."""
    with house.store.write() as unit:
        if isinstance(outcome, Done):
            is_ours = unit.jobs.succeed(job, at=house.clock.now())
        else:
            is_ours = unit.jobs.again(job, run_at=outcome.at)
        if is_ours and outcome.record is not None:
            outcome.record(unit)


def _fail(house: House, job: Job, sentence: str, *, is_final: bool, entry: str) -> None:
    now = house.clock.now()
    error = redacted_text(sentence)[:_LONGEST_ERROR] or "no reason given"
    failures = job.attempts + 1
    is_dead = is_final or failures >= job.most_attempts
    run_at = None if is_dead else now + timedelta(seconds=house.book.jobs.wait_s(failures))
    with house.store.write() as unit:
        fingerprint = fingerprint_of(job.kind, error)
        is_ours = unit.jobs.fail(job, error=error, fingerprint=fingerprint, run_at=run_at, at=now)
        if is_ours and is_dead:
            _emit(unit, entry, job, at=now, error=error)
    kind = KINDS.get(job.kind)
    if is_ours and is_dead and kind is not None:
        lasts = timedelta(seconds=house.book.jobs.lease_seconds)
        try:
            kind.gave_up(house, replace(job, lease_until=now + lasts))  # what killed it may have outlasted its lease
        except ConsoleError as silent:  # the job and its entry say it already
            _LOG.warning("job %s is dead and could not tell: %s", job.id, silent)


def _note_stalled(unit: ControlUnit, job: Job, *, at: datetime) -> None:
    if job.last_error == STALLED:
        _emit(unit, "job.stalled", job, at=at, error=None)


def _emit(unit: ControlUnit, action: str, job: Job, *, at: datetime, error: str | None) -> None:
    emit_as(
        unit,
        SYSTEM_ACTOR,
        action,
        at=at,
        tenant=tenant_ref(unit, job.tenant, source="job"),
        targets=(TargetRef(type="job", id=job.id, name=job.kind),),
        correlation=job.request,
        error=error,
        facts={"attempts": job.attempts},
    )
