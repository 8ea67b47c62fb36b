"""Prepare an accounting period: freeze what it holds tenant by tenant, then write and seal its files."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from console.domain.accounting.ledger_files import FILES
from console.domain.accounting.period_books import PeriodBooks, period_books
from console.domain.entries import SYSTEM_ACTOR, TargetRef
from console.domain.ids import Digest, TenantId
from console.domain.jobs import Job
from console.domain.periods import (
    TRANSITIONS,
    FrozenSet,
    Period,
    PeriodEvent,
    PeriodState,
    SealedFile,
    after,
    before,
    chained,
    period_id,
)
from console.domain.tenancy import DirectoryRow
from console.ports.periods import LedgerDraft
from console.ports.store import ControlUnit
from console.usecases.book_account import account_books
from console.usecases.house import House
from console.usecases.job_outcomes import Again, Done, JobRefusedError
from console.usecases.recording import emit_as
from console.usecases.scopes import scope_of_job, tenant_data
from console.usecases.written_tenant import written_tenant

PREPARE_JOB = "period.prepare"
_SLICE = 100
_SOON = timedelta(milliseconds=50)
_ACCOUNT = "(account)"


def prepare_period(house: House, job: Job) -> Done | Again:
    """Freeze the next slice of tenants, or write the files when all are frozen. Raises: OutsideError.

    Shape: the cursor is stored after every slice, so that a killed worker goes on where it was; a slice that is
    frozen twice is frozen alike, because its set takes the place of the first.
    """
    with house.store.read() as unit:
        period = unit.periods.get(period_id(str(job.payload.get("period", ""))))
        if period.state is not PeriodState.PREPARING:
            return Done()  # a worker that vanished had done it, or somebody reopened it
        rows = unit.directory.page(after=period.cursor, limit=_SLICE)
        is_first = not unit.periods.known(before=period.id, limit=1)
    if not rows:
        return _sealed(house, job, period)
    chain, frozen = period.digest, 0
    for row in rows:
        held = _freeze(house, job, period, row, is_first=is_first)
        if held is not None:
            chain, frozen = chained(chain, row.id, held.digest), frozen + 1
    moved = replace(period, cursor=rows[-1].id, digest=chain, tenants=period.tenants + frozen)
    with house.store.write() as unit:
        if not unit.periods.save(moved):
            raise JobRefusedError("Somebody else moved the period.")
    return Again(at=house.clock.now() + _SOON)


def give_period_up(house: House, job: Job) -> None:
    """Open a period again whose preparation failed for good; nothing of it was sealed."""
    with house.store.write() as unit:
        period = unit.periods.get(period_id(str(job.payload.get("period", ""))))
        state = after(period.state, PeriodEvent.GIVE_UP)
        if state is not None and unit.periods.save(replace(period, state=state, cursor=None, digest=None)):
            _record(house, unit, period, "period.gave_up")


def _freeze(house: House, job: Job, period: Period, row: DirectoryRow, *, is_first: bool) -> FrozenSet | None:
    """Store what the period holds of one tenant; None for one with nothing and no debts."""
    now = house.clock.now()
    with written_tenant(house, scope_of_job(job, row, now=now)) as written:
        plane = written.plane
        earlier = plane.periods.earlier(period.id)
        things = tuple(plane.mirror.side().objects.values())
        books = period_books(period.id, things, earlier=earlier, is_first=is_first, now=now)
        is_empty = not books.held.objects and not books.held.closing and not books.events
        if is_empty and plane.periods.held(period.id) is None:
            return None
        plane.periods.put(books)
        return books.held


def _sealed(house: House, job: Job, period: Period) -> Done:
    """Write every file from what was frozen, seal them, and move the period on.

    1 tenant by tenant, and the chain of digests once more · 2 what belongs to no tenant · 3 sealed, then told
    """
    chain: Digest | None = None
    with house.ledgers.writing(period.id) as draft:
        # 1
        for row in _tenants(house, period):
            books = _frozen(house, job, period, row)
            if books is not None:
                chain = chained(chain, row.id, books.held.digest)
                _write(draft, row.slug, books)
            job = _kept(house, job)
        if chain != period.digest:
            raise JobRefusedError("What was frozen is not what is written. Tell security; prepare the period again.")
        # 2
        for books in account_books(house, period, earlier=_month_before(house, period)):
            _write(draft, _ACCOUNT, books)
        # 3
        files = draft.seal(digest=period.digest or Digest(""), agreements=period.agreements)
    state = TRANSITIONS[PeriodState.PREPARING, PeriodEvent.FROZEN]
    done = replace(period, state=state, prepared_at=house.clock.now(), files=files, cursor=None)
    with house.store.write() as unit:
        if not unit.periods.save(done):
            raise JobRefusedError("Somebody else moved the period.")
        _record(house, unit, done, "period.prepared")
    return Done()


def _tenants(house: House, period: Period) -> Iterator[DirectoryRow]:
    """Yield the tenants that were frozen, slice by slice; who came later belongs to the next period."""
    after_tenant: TenantId | None = None
    last = period.cursor
    while True:
        with house.store.read() as unit:
            rows = unit.directory.page(after=after_tenant, limit=_SLICE)
        for row in rows:
            if last is None or row.id > last:
                return
            yield row
        if not rows:
            return
        after_tenant = rows[-1].id


def _frozen(house: House, job: Job, period: Period, row: DirectoryRow) -> PeriodBooks | None:
    scope = scope_of_job(job, row, now=house.clock.now())
    with house.store.read() as unit, tenant_data(house, unit, scope) as plane:
        return plane.periods.books(period.id)


def _month_before(house: House, period: Period) -> Period | None:
    """Return the month before as it was sealed; None for the first month of all."""
    with house.store.read() as unit:
        return unit.periods.get(before(period.id)) if unit.periods.known(before=period.id, limit=1) else None


def _write(draft: LedgerDraft, tenant: str, books: PeriodBooks) -> None:
    for file in FILES.values():
        for row in file.rows(tenant, books):
            draft.row(file.name, row)
    for event in books.events:
        draft.event(tenant, event)


def _kept(house: House, job: Job) -> Job:
    """Return the job with a lease that is not about to end; raises JobRefusedError when another worker has it."""
    now, lasts = house.clock.now(), timedelta(seconds=house.book.jobs.lease_seconds)
    if job.lease_until is not None and job.lease_until - now > lasts / 2:
        return job
    with house.store.write() as unit:
        if not unit.jobs.extend(job, until=now + lasts):
            raise JobRefusedError("Another worker took the preparation over.")
    return replace(job, lease_until=now + lasts)


def _record(house: House, unit: ControlUnit, period: Period, action: str) -> None:
    emit_as(
        unit,
        SYSTEM_ACTOR,
        action,
        at=house.clock.now(),
        targets=(TargetRef(type="period", id=period.id), *_file_refs(period.files)),
        facts={"tenants": period.tenants, "digest": period.digest or ""},
    )


def _file_refs(files: Sequence[SealedFile]) -> tuple[TargetRef, ...]:
    return tuple(TargetRef(type="sealed_file", id=each.sha256, name=each.name) for each in files)
