"""Let the mirror follow the provider object by object: page by page, each written before the next is asked for.

A resync is a chain of jobs. Each does a few pages and queues the next one in the transaction that ends it, with the
cursor and the counts in its arguments: a worker that is killed loses nothing, and pages that are done twice change
nothing, because an older answer never overwrites a newer one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from console.domain.billing.canonical_form import Snapshot, customer_of
from console.domain.billing.objects import ObjectKind
from console.domain.billing.resyncing import (
    JOB,
    QUEUE,
    Count,
    Progress,
    following,
    key_of,
    progress_of,
    stop_key,
)
from console.domain.entries import SYSTEM_ACTOR, TargetRef
from console.domain.errors import OutsideError, UnreadableObjectError
from console.domain.ids import TenantId
from console.domain.jobs import Job, JobDraft
from console.domain.tenancy import DirectoryRow, TenantScope
from console.ports.billing import ProviderPage
from console.ports.mirror import MirrorBook
from console.ports.store import ControlUnit
from console.usecases.house import House
from console.usecases.job_outcomes import Done
from console.usecases.recording import emit_as, tenant_ref
from console.usecases.scopes import directory_row, scope_of_job
from console.usecases.written_tenant import written_tenant

_PAGE = 100
_ASKED_ONE_BY_ONE = 20
_PAGES_AT_ONCE = 10
_LONGEST = timedelta(seconds=10)  # well within the lease of a job


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """One job of a resync."""

    house: House
    job: Job
    row: DirectoryRow | None


def resync_mirror(house: House, job: Job) -> Done:
    """Do a few pages. Raises: OutsideError when the provider is silent before the first of them."""
    progress = progress_of(job.payload)
    with house.store.read() as unit:
        row = None if job.tenant is None else directory_row(unit, job.tenant)
        is_stopped = unit.jobs.by_key(stop_key(progress.resync)) is not None
    if is_stopped:
        return _told(house, job, "resync.cancelled", progress)
    step = _Step(house=house, job=job, row=row)
    began = house.clock.now()
    reached: Progress | None = progress if progress.began_at is not None else replace(progress, began_at=began)
    for at_hand in range(_PAGES_AT_ONCE):
        if reached is None or house.clock.now() - began > _LONGEST:
            break
        progress = reached
        try:
            progress, reached = _page(step, progress)
        except OutsideError:
            if at_hand == 0:
                raise
            break  # what is done is kept; the next job asks again, and fails by itself
    return _told(house, job, "resync.finished", progress) if reached is None else _goes_on(house, job, reached)


def stop_resync(_house: House, _job: Job) -> Done:
    """Do nothing: that this job was queued is what a resync looks for before its next pages."""
    return Done()


def _page(step: _Step, progress: Progress) -> tuple[Progress, Progress | None]:
    """Write one page; return the progress with its counts, and where it goes on, None at the end."""
    if step.row is not None:
        return _page_of_tenant(step, step.row, progress)
    if progress.kind is None:
        return progress, None
    page = step.house.provider.page(progress.kind, since=progress.since, after=progress.after, limit=_PAGE)
    done = replace(progress, pages=progress.pages + 1).counted(Count.UNREADABLE, len(page.unreadable))
    for tenant, some in _by_tenant(step, page.items):
        done = done.counted(Count.UNMAPPED, len(some)) if tenant is None else _written(step, tenant, some, done)
    return done, replace(done, after=page.after) if page.after is not None else _past_lists(done)


def _past_lists(progress: Progress) -> Progress | None:
    """Return the next list of the whole account; what is listed no more is for the reconciliation to find."""
    further = following(progress, None)
    return None if further.kind is None else further


def _page_of_tenant(step: _Step, row: DirectoryRow, progress: Progress) -> tuple[Progress, Progress | None]:
    with written_tenant(step.house, _scope(step, row)) as written:
        customers = sorted(written.plane.mirror.customers())
    if progress.kind is None:
        return _unlisted(step, row, progress)
    if not customers:
        return progress, None
    at = progress if progress.customer in customers else replace(progress, customer=customers[0], after=None)
    if at.kind is ObjectKind.CUSTOMER:
        page = _customer(step.house, str(at.customer))
    else:
        page = step.house.provider.page(
            progress.kind, customer=at.customer, since=at.since, after=at.after, limit=_PAGE
        )
    done = replace(at, pages=at.pages + 1).counted(Count.UNREADABLE, len(page.unreadable))
    done = _written(step, row, page.items, done, is_listed=True)
    return done, replace(done, after=page.after) if page.after is not None else following(done, customers)


def _customer(house: House, customer: str) -> ProviderPage:
    told = house.provider.fetch(ObjectKind.CUSTOMER, customer)
    return ProviderPage(items=() if told is None else (told,), after=None)


def _written(
    step: _Step, row: DirectoryRow, some: tuple[Snapshot, ...], progress: Progress, *, is_listed: bool = False
) -> Progress:
    """Write snapshots into one tenant's mirror, in one transaction; only those of customers that are the tenant's.

    Shape: `is_listed` says that the provider listed them for such a customer, which they then need not name themselves.
    """
    if not some:
        return progress
    with written_tenant(step.house, _scope(step, row)) as written:
        mirror = written.plane.mirror
        ours = mirror.customers()
        owners = ((each, customer_of(each.thing)) for each in some)
        mine = [each for each, owner in owners if owner in ours or (owner is None and is_listed)]
        put = [mirror.put(each) for each in mine]
    counted = progress.counted(Count.UNMAPPED, len(some) - len(mine)).counted(Count.WRITTEN, sum(put))
    return counted.counted(Count.FRESHER, len(put) - sum(put))


def _unlisted(step: _Step, row: DirectoryRow, progress: Progress) -> tuple[Progress, Progress | None]:
    """Ask one by one for what the mirror has and no list named since the resync began."""
    with written_tenant(step.house, _scope(step, row)) as written:
        known = _not_heard_of(written.plane.mirror, progress)
    some = known[:_ASKED_ONE_BY_ONE]
    done = replace(progress, pages=progress.pages + 1)
    for kind, thing in some:
        done = _asked(step, row, kind, thing, done)
    if len(known) <= _ASKED_ONE_BY_ONE:
        return done, None
    return done, replace(done, after=_place(*some[-1]))


def _not_heard_of(mirror: MirrorBook, progress: Progress) -> list[tuple[ObjectKind, str]]:
    """Return what is still to be asked for, in order."""
    living = mirror.side().objects
    return sorted(
        ref
        for ref, heard_at in mirror.mirrored_at().items()
        if ref in living
        and (progress.began_at is None or heard_at < progress.began_at)
        and (progress.after is None or _place(*ref) > progress.after)
    )


def _asked(step: _Step, row: DirectoryRow, kind: ObjectKind, thing: str, progress: Progress) -> Progress:
    asked_at = step.house.clock.now()
    try:
        told = step.house.provider.fetch(kind, thing)
    except UnreadableObjectError:
        return progress.counted(Count.UNREADABLE)
    with written_tenant(step.house, _scope(step, row)) as written:
        mirror = written.plane.mirror
        if told is None:
            return progress.counted(Count.DELETED if mirror.mark_deleted(kind, thing, at=asked_at) else Count.FRESHER)
        owner = customer_of(told.thing)
        if owner is not None and owner not in mirror.customers():
            return progress.counted(Count.UNMAPPED)
        kept = Count.DELETED if told.is_deleted else Count.WRITTEN
        return progress.counted(kept if mirror.put(told) else Count.FRESHER)


def _place(kind: ObjectKind, thing: str) -> str:
    return f"{kind.value}:{thing}"


def _by_tenant(
    step: _Step, snapshots: tuple[Snapshot, ...]
) -> Iterator[tuple[DirectoryRow | None, tuple[Snapshot, ...]]]:
    """Yield the objects of each tenant that the directory knows their customer by, those of nobody under None."""
    of_customer: dict[str | None, list[Snapshot]] = {}
    for each in snapshots:
        of_customer.setdefault(customer_of(each.thing), []).append(each)
    of_tenant: dict[TenantId | None, list[Snapshot]] = {}
    with step.house.store.read() as unit:
        for customer, some in of_customer.items():
            tenant = None if customer is None else unit.inbox.tenant_of_customer(customer)
            of_tenant.setdefault(tenant, []).extend(some)
        rows = unit.directory.many([each for each in of_tenant if each is not None])
    for tenant, some in of_tenant.items():
        yield None if tenant is None else rows.get(tenant), tuple(some)


def _scope(step: _Step, row: DirectoryRow) -> TenantScope:
    return scope_of_job(step.job, row, now=step.house.clock.now())


def _goes_on(house: House, job: Job, reached: Progress) -> Done:
    """Return what ends this job: an entry with the counts so far, and the next job, in one transaction."""
    further = replace(reached, step=reached.step + 1)
    draft = JobDraft(
        kind=JOB,
        key=key_of(further.resync, further.step),
        payload=further.payload(),
        tenant=job.tenant,
        actor=job.actor,
        reason=job.reason,
        request=job.request,
        queue=QUEUE,
    )

    def record(unit: ControlUnit) -> None:
        now = house.clock.now()
        unit.jobs.add(draft, at=now)
        _emit(unit, job, "resync.advanced", reached, at=now)

    return Done(record=record)


def _told(house: House, job: Job, action: str, progress: Progress) -> Done:
    return Done(record=lambda unit: _emit(unit, job, action, progress, at=house.clock.now()))


def _emit(unit: ControlUnit, job: Job, action: str, progress: Progress, *, at: datetime) -> None:
    emit_as(
        unit,
        SYSTEM_ACTOR,
        action,
        at=at,
        tenant=tenant_ref(unit, job.tenant, source="job"),
        targets=(TargetRef(type="resync", id=progress.resync),),
        facts={"job": job.id, "step": progress.step, "pages": progress.pages, **progress.counts},
    )
