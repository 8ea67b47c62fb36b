"""Let the mirror follow the provider object by object: page by page, each written before the next is asked for.

A resync is a chain of jobs. Each does a few pages and queues the next one in the transaction that ends it, with the
cursor and the counts in its arguments: a worker that is killed loses nothing, and pages that are done twice change
nothing, because an older answer never overwrites a newer one.
"""

from collections.abc import Iterator, Sequence
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
from console.ports.mirror import Unheard
from console.ports.store import ControlUnit
from console.usecases.house import House
from console.usecases.job_outcomes import Done
from console.usecases.recording import emit_as, tenant_ref
from console.usecases.scopes import directory_row, scope_of_job
from console.usecases.tell_access import follow_access
from console.usecases.written_tenant import WrittenTenant, written_tenant

_PAGE = 100
_ASKED_ONE_BY_ONE = 20
_TENANTS_AT_ONCE = 50
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
        return _unlisted_of_all(step, progress)
    page = step.house.provider.page(progress.kind, since=progress.since, after=progress.after, limit=_PAGE)
    done = replace(progress, pages=progress.pages + 1).counted(Count.UNREADABLE, len(page.unreadable))
    for tenant, some in _by_tenant(step, page.items):
        done = done.counted(Count.UNMAPPED, len(some)) if tenant is None else _written(step, tenant, some, done)
    return done, replace(done, after=page.after) if page.after is not None else _past_lists(done)


def _past_lists(progress: Progress) -> Progress:
    """Return the next list of the whole account, or the first tenant whose mirror is held against all of them."""
    return following(progress, None)


def _unlisted_of_all(step: _Step, progress: Progress) -> tuple[Progress, Progress | None]:
    """Ask for what no list named, of the next tenants; comes only once every list was read to its end."""
    after = None if progress.tenant is None else TenantId(progress.tenant)
    with step.house.store.read() as unit:
        rows = unit.directory.page(after=after, limit=_TENANTS_AT_ONCE)
    for row in rows:
        progress, further = _unlisted(step, row, progress)
        if further is not None or Count.LEFT.value in progress.counts:
            return progress, further
        progress = replace(progress, tenant=row.id, after=None)
    return progress, progress if rows else None


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
        moved = [each.kind for each, is_new in zip(mine, put, strict=True) if is_new]
        _follow(step, row, written, moved)
    counted = progress.counted(Count.UNMAPPED, len(some) - len(mine)).counted(Count.WRITTEN, sum(put))
    return counted.counted(Count.FRESHER, len(put) - sum(put))


def _unlisted(step: _Step, row: DirectoryRow, progress: Progress) -> tuple[Progress, Progress | None]:
    """Ask one by one for what the mirror has, within the bounds, and no list named since the resync began.

    Shape: a list alone never says that something is gone; the provider does, asked for that one object.
    """
    kind, _, thing = (progress.after or "").partition(":")
    with written_tenant(step.house, _scope(step, row)) as written:
        known = written.plane.mirror.unheard(
            before=progress.began_at or step.house.clock.now(),
            since=progress.since,
            after=(kind, thing) if thing else None,
            limit=_ASKED_ONE_BY_ONE + 1,
        )
    some = known[:_ASKED_ONE_BY_ONE]
    done = replace(progress, pages=progress.pages + 1) if some else progress
    for each in some:
        if done.counts.get(Count.DELETED.value, 0) >= step.house.book.reconciliation.heal_most_findings:
            return done.counted(Count.LEFT, len(known)), None  # so much at once is no drift: people look first
        done = _asked(step, row, each, done)
    if len(known) <= _ASKED_ONE_BY_ONE:
        return done, None
    return done, replace(done, after=f"{some[-1].kind.value}:{some[-1].id}")


def _asked(step: _Step, row: DirectoryRow, unheard: Unheard, progress: Progress) -> Progress:
    kind, thing = unheard.kind, unheard.id
    asked_at = step.house.clock.now()
    try:
        told = step.house.provider.fetch(kind, thing)
    except UnreadableObjectError:
        return progress.counted(Count.UNREADABLE)
    is_doubtful = told is None and not _is_known(step.house, unheard)
    with written_tenant(step.house, _scope(step, row)) as written:
        mirror = written.plane.mirror
        if is_doubtful:
            return progress.counted(Count.DOUBTFUL)
        if told is None:
            is_gone = mirror.mark_deleted(kind, thing, at=asked_at)
            _follow(step, row, written, [kind] if is_gone else [])
            return progress.counted(Count.DELETED if is_gone else Count.FRESHER)
        owner = customer_of(told.thing)
        if owner is not None and owner not in mirror.customers():
            return progress.counted(Count.UNMAPPED)
        kept = Count.DELETED if told.is_deleted else Count.WRITTEN
        is_new = mirror.put(told)
        _follow(step, row, written, [kind] if is_new else [])
        return progress.counted(kept if is_new else Count.FRESHER)


def _is_known(house: House, unheard: Unheard) -> bool:
    """Return whether the provider knows the customer of an object, a deleted one too; else nothing it lacks is gone.

    Shape: what names no customer is believed; what hangs on a payment is gone with it and never alone.
    """
    if unheard.kind is ObjectKind.CUSTOMER:
        return False
    if not unheard.customer:
        return True
    try:
        return house.provider.fetch(ObjectKind.CUSTOMER, unheard.customer) is not None
    except UnreadableObjectError:
        return True


def _follow(step: _Step, row: DirectoryRow, written: WrittenTenant, moved: Sequence[ObjectKind]) -> None:
    """Bring access up to date with a subscription that moved, in the same transaction."""
    if ObjectKind.SUBSCRIPTION in moved:
        follow_access(step.house, step.job, row, written, cause=f"resync:{step.job.id}", now=step.house.clock.now())


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
