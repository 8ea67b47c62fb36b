"""Ask the billing provider for what was approved: once, whatever crashes between the asking and the answer."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from console.domain.billing.canonical_form import Snapshot, customer_of
from console.domain.billing.commands import Command, IssueCreditNote, NameTenant
from console.domain.billing.objects import BillingObject, ObjectKind
from console.domain.billing.writes import (
    MalformedCommandError,
    ProviderWrite,
    WriteEvent,
    WriteState,
    bound_digest,
    touched_by,
)
from console.domain.errors import OutsideError, UnreadableObjectError
from console.domain.ids import ExecutionId
from console.domain.jobs import Job
from console.domain.requests import Request
from console.domain.tenancy import DirectoryRow
from console.ports.planes import TenantPlane
from console.ports.store import ControlUnit
from console.usecases.house import House
from console.usecases.job_outcomes import Done, JobRefusedError
from console.usecases.parameters import built, raw_of
from console.usecases.record_write import ENTRY_OF, UNSETTLED, record_write
from console.usecases.scopes import directory_row, scope_of_job, tenant_data
from console.usecases.tell_access import follow_access
from console.usecases.written_tenant import WrittenTenant, written_tenant

_NOT_APPROVED = "The stored command is not what was approved."
_UNKNOWN = "The provider does not say whether it was done."
_MOST_PAYMENTS = 50

# One step on the tenant's data: the command as it stands then, and the entry that tells of it, or None.
Step = Callable[[WrittenTenant], tuple[ProviderWrite, str | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """One claim of one job: what was approved, and whose it is."""

    house: House
    job: Job
    request: Request
    row: DirectoryRow
    execution: ExecutionId
    digest: str


@dataclass(frozen=True, slots=True)
class _Refused:
    """The provider said no, and nothing happened."""

    sentence: str


def carry_out_write(house: House, job: Job) -> Done:
    """Carry one command out.

    1 what was approved · 2 our own row says that it is sent, with its entry, before anything leaves the house ·
    3 the provider, under the one key; a second time only after asking whether it was done · 4 mirror, row and entry
    Raises: JobRefusedError for what was not approved, OutsideError while nobody knows whether it was done.
    """
    # 1
    task = _task(house, job)
    # 2
    before: list[WriteState] = []

    def send(tenant: WrittenTenant) -> tuple[ProviderWrite, str | None]:
        plane = tenant.plane
        write = _stored(task, plane)
        before.append(write.state)
        if write.is_pending:
            write = _moved(plane.provider_writes.move(write, WriteEvent.SEND, at=house.clock.now()))
        return write, ENTRY_OF[write.state]

    write = _step(task, send)
    if not write.is_pending:
        return Done()
    # 3
    answer = _asked(house, write, is_repeat=before[0] is WriteState.SENT)
    # 4
    if isinstance(answer, _Refused):
        _step(task, _refusing(task, write, answer.sentence))
    else:
        _settle(task, write, answer)
    return Done()


def give_write_up(house: House, job: Job) -> None:
    """Say what became of a command whose job is dead: refused where nothing left the house, else as the provider says.

    Shape: a command of which nobody knows stays as it is, and counts against every bound.
    Raises: JobRefusedError for what was not approved, OutsideError when the plane does not answer.
    """
    task = _task(house, job)
    with house.store.read() as unit:
        error = (unit.jobs.get(job.id) or job).last_error or "its job was given up"

    def look(tenant: WrittenTenant) -> tuple[ProviderWrite, str | None]:
        plane = tenant.plane
        write = _stored(task, plane)
        if write.state is not WriteState.WANTED:
            return write, None
        refused = plane.provider_writes.move(write, WriteEvent.REFUSE, at=house.clock.now(), error=error)
        return _moved(refused), ENTRY_OF[WriteState.REFUSED]

    write = _step(task, look)
    if write.state is not WriteState.SENT:
        return
    try:
        found = _done_before(house, write)
        if found is not None:
            _settle(task, write, found)
            return
    except OutsideError as away:
        error = str(away)
    _step(task, lambda _tenant: (replace(write, error=error), UNSETTLED))


def _task(house: House, job: Job) -> _Task:
    """Return what a job is about, from the request that people approved. Raises: JobRefusedError."""
    execution, digest = job.payload.get("write"), job.payload.get("command")
    if job.tenant is None or job.request is None or not isinstance(execution, str) or not isinstance(digest, str):
        raise JobRefusedError("The job names no command of a request.")
    with house.store.read() as unit:
        request = unit.requests.get(job.request)
        row = directory_row(unit, job.tenant)
        if request is None or request.execution != execution or not _is_untouched(unit, request):
            raise JobRefusedError(_NOT_APPROVED)
    action = house.registry[request.action]
    if action.version == request.action_version:
        params, _plain, faults = built(action, raw_of(request.params))
        drafts = () if faults else action.follow_up(params, ExecutionId(execution))
        if all(dict(draft.payload) != dict(job.payload) for draft in drafts):
            raise JobRefusedError(_NOT_APPROVED)
    return _Task(house=house, job=job, request=request, row=row, execution=ExecutionId(execution), digest=digest)


def _is_untouched(unit: ControlUnit, request: Request) -> bool:
    """Return whether the request is still what was filed and what everybody who counts has voted for."""
    votes = [v for v in unit.requests.votes(request.id) if v.revision == request.revision and v.voided_because is None]
    return all(digest == request.digest for digest in (request.recomputed_digest(), *(vote.digest for vote in votes)))


def _step(task: _Task, step: Step) -> ProviderWrite:
    """Do one step with nobody else at the tenant's commands, its entry in the same transaction where that can be.

    Shape: on a plane elsewhere the entry follows; a process that stops in between writes it when the job runs again.
    """
    house, now = task.house, task.house.clock.now()
    with written_tenant(house, scope_of_job(task.job, task.row, now=now)) as tenant:
        tenant.plane.take_turn()  # before the lock, as the executor does for what moves access
        tenant.plane.provider_writes.lock()
        write, entry = step(tenant)
        if tenant.unit is not None and entry is not None:
            record_write(house, tenant.unit, entry, write, task.request, at=now)
    if tenant.unit is None and entry is not None:
        with house.store.write() as unit:
            record_write(house, unit, entry, write, task.request, at=now)
    return write


def _stored(task: _Task, plane: TenantPlane) -> ProviderWrite:
    """Return the command as noted. Raises: JobRefusedError for any that is not the approved one."""
    try:
        write = plane.provider_writes.get(task.execution)
    except MalformedCommandError as broken:
        raise JobRefusedError(_NOT_APPROVED) from broken
    if write is None or bound_digest(write.command) != task.digest or not _is_own(write.command, task.row):
        raise JobRefusedError(_NOT_APPROVED)
    return write


def _is_own(command: Command, row: DirectoryRow) -> bool:
    return not isinstance(command, NameTenant) or command.tenant in {None, row.id}


def _moved(write: ProviderWrite | None) -> ProviderWrite:
    if write is None:
        message = "Somebody else is at this command."
        raise OutsideError(message, permanent=False)
    return write


def _asked(house: House, write: ProviderWrite, *, is_repeat: bool) -> Snapshot | _Refused:
    """Return what came of it. Raises: OutsideError while nobody knows.

    A provider that fails may have done it all the same, so whoever comes a second time asks first, and asks again
    before believing a refusal.
    """
    if is_repeat:
        found = _done_before(house, write)
        if found is not None:
            return found
    try:
        return house.provider_writer.carry_out(write.command, key=write.idempotency_key)
    except OutsideError as away:
        if not away.permanent:
            raise
        found = _done_before(house, write) if is_repeat else None
        return _Refused(str(away)) if found is None else found


def _done_before(house: House, write: ProviderWrite) -> Snapshot | None:
    """Return what came of an earlier try, None where nothing did. Raises: OutsideError, never a permanent one."""
    try:
        return house.provider_writer.carried_out(write.command, key=write.idempotency_key)
    except OutsideError as away:
        raise OutsideError(f"{_UNKNOWN} {away}", permanent=False) from away


def _settle(task: _Task, write: ProviderWrite, snapshot: Snapshot) -> None:
    """Mirror what came of it and end the command, unless somebody else has done so."""
    beside = list(_beside(task, write.command, snapshot.thing))

    def settle(tenant: WrittenTenant) -> tuple[ProviderWrite, str | None]:
        house, plane, now = task.house, tenant.plane, task.house.clock.now()
        for told in (snapshot, *beside):
            plane.mirror.put(told)
        follow_access(house, task.job, task.row, tenant, cause=f"billing.write:{task.execution}", now=now)
        done = plane.provider_writes.move(write, WriteEvent.SUCCEED, at=now, result=(snapshot.kind, snapshot.thing.id))
        return _moved(done), ENTRY_OF[WriteState.DONE]

    _step(task, settle)


def _refusing(task: _Task, write: ProviderWrite, sentence: str) -> Step:
    def refuse(tenant: WrittenTenant) -> tuple[ProviderWrite, str | None]:
        refused = tenant.plane.provider_writes.move(write, WriteEvent.REFUSE, at=task.house.clock.now(), error=sentence)
        return _moved(refused), ENTRY_OF[WriteState.REFUSED]

    return refuse


def _beside(task: _Task, command: Command, made: BillingObject) -> Iterator[Snapshot]:
    """Yield the objects that look different now, so that no bound is held against what they looked like before.

    Shape: one that cannot be put into canonical form is left to the run that finds it. Raises: OutsideError.
    """
    refs = list(touched_by(command))
    if isinstance(command, IssueCreditNote):
        refs += [(ObjectKind.CUSTOMER, customer) for customer in (customer_of(made),) if customer is not None]
        refs += [(ObjectKind.PAYMENT, payment) for payment in _payments_of(task, command.invoice)]
    for kind, thing in refs:
        try:
            found = task.house.provider.fetch(kind, thing)
        except OutsideError as away:
            raise OutsideError(f"It was done; {thing} cannot be read yet. {away}", permanent=False) from away
        except UnreadableObjectError:
            continue
        if found is not None:
            yield found


def _payments_of(task: _Task, invoice: str) -> list[str]:
    house, now = task.house, task.house.clock.now()
    with (
        house.store.read() as unit,
        tenant_data(house, unit, scope_of_job(task.job, task.row, now=now)) as plane,
    ):
        return [each.thing.id for each in plane.mirror.children(ObjectKind.PAYMENT, invoice, limit=_MOST_PAYMENTS)]
