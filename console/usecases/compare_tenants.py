"""The second phase of a reconciliation: tenant by tenant in the order of the directory, some between two commits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from console.domain.billing.objects import Price
from console.domain.canonical import digest_hex
from console.domain.errors import OutsideError
from console.domain.ids import Digest, TenantId
from console.domain.reconciling.books import TenantBooks
from console.domain.reconciling.detecting import detect_tenant
from console.domain.reconciling.findings import Candidate, FindingId, digest_of
from console.domain.reconciling.runs import How, Reconciliation, counted
from console.domain.tenancy import DirectoryRow
from console.ports.planes import TenantPlane
from console.ports.reconciliation import FindingFilter
from console.ports.store import ControlUnit
from console.usecases.assemble_books import ProviderSide, Shelf, assembled, prices_of, provider_side
from console.usecases.closed_periods import closed_periods
from console.usecases.look_twice import listed_again, looked_again, named_objects, taken_as, told_of_lately
from console.usecases.note_findings import Seen, note_seen
from console.usecases.reconciliation_work import Work, kept
from console.usecases.scopes import directory_row, scope_of_job, tenant_data

_FINDINGS_OF_TENANT = 200


class PlaneSilentError(OutsideError):
    """A tenant's plane does not answer; the others go on."""

    code = "plane_silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What came of one tenant: what persisted, a digest of what was read, and how much looking twice removed."""

    tenant: DirectoryRow
    seen: tuple[Seen, ...]
    inputs: str
    looked_twice: int
    vanished: int


def compare_step(work: Work) -> Reconciliation:
    """Compare the next tenants and keep what was found with where the next step goes on.

    Raises: OutsideError when the provider is silent before even one tenant was compared.
    """
    run = work.run
    rules = work.house.book.reconciliation
    with work.house.store.read() as unit:
        rows = _next(unit, run, limit=rules.batch_tenants)
        prices = prices_of(unit, run, limit=rules.page_objects) if rows else {}
    if not rows:
        return _to_the_account(work)
    done: list[Compared] = []
    silent = set(run.cursor.get("silent", "").split())
    skipped = 0
    last = None
    for row in rows:
        if row.plane not in silent:
            try:
                done.append(compared(work, row, prices))
            except PlaneSilentError:
                silent.add(row.plane)
            except OutsideError:
                if last is None:
                    raise
                break
        if row.plane in silent:
            skipped += 1
        last = row.id
    with work.house.store.write() as unit:
        noted = note_seen(unit, run, [seen for each in done for seen in each.seen], at=work.now, window=work.window)
        counts = counted(
            noted.counts,
            tenants=len(done) + skipped,
            tenants_silent=skipped,
            tenants_differing=sum(bool(each.seen) for each in done),
            looked_twice=sum(each.looked_twice for each in done),
            vanished=sum(each.vanished for each in done),
        )
        cursor = {**run.cursor, "tenant": str(last), **({"silent": " ".join(sorted(silent))} if silent else {})}
        digest = run.inputs_digest
        for each in done:
            digest = Digest(digest_hex([digest, each.tenant.id, each.inputs]))
        return kept(unit, replace(noted, counts=counts, cursor=cursor, inputs_digest=digest))


def compared(work: Work, row: DirectoryRow, prices: Mapping[str, Price]) -> Compared:
    """Compare one tenant, twice where anything differs. Raises: PlaneSilentError, OutsideError for the provider."""
    books, shelf = _read(work, row, prices)
    first = detect_tenant(books)
    if not first:
        return Compared(tenant=row, seen=(), inputs=_inputs(books, shelf), looked_twice=0, vanished=0)
    wanted = named_objects(first, shelf.provider.objects, shelf.provider.unreadable, books.mirror.objects)
    customers = [link.customer for link in shelf.links]
    again, shelf_again = books, shelf

    def look() -> Sequence[Candidate]:
        nonlocal again, shelf_again
        provider = listed_again(work.house, work.run, customers, wanted)
        again, shelf_again = _read(work, row, prices, provider=provider)
        return detect_tenant(again)

    second = looked_again(first, look)
    seen = [_taken(work, each, again, shelf_again) for each in second]
    return Compared(
        tenant=row,
        seen=tuple(_with_the_late(work, seen, shelf)),
        inputs=_inputs(books, shelf),
        looked_twice=len(first),
        vanished=len(first) - len(second),
    )


def _with_the_late(work: Work, seen: Sequence[Seen], shelf: Shelf) -> Sequence[Seen]:
    """Return what was seen; what is new, and was told of so lately that its webhook may be on the way, is in flight.

    Shape: new is also what the run before saw in other words.
    """
    before = {sighting.digest for sighting in shelf.before}
    new = {each.candidate.id for each in seen if each.how is How.SEEN and digest_of(each.candidate) not in before}
    if not new:
        return seen
    late = told_of_lately(work.house, since=work.now - work.window)
    return [
        replace(each, how=How.IN_FLIGHT)
        if each.candidate.id in new and not late.isdisjoint(each.candidate.objects)
        else each
        for each in seen
    ]


def named_by_findings(unit: ControlUnit, tenant: TenantId) -> set[str]:
    """Return the objects that unresolved findings of a tenant name."""
    standing = unit.findings.page(FindingFilter(tenant=tenant), after=None, limit=_FINDINGS_OF_TENANT)
    return {name for finding in standing for name in finding.objects}


def _next(unit: ControlUnit, run: Reconciliation, *, limit: int) -> Sequence[DirectoryRow]:
    last = run.cursor.get("tenant")
    if run.tenant is not None:
        return () if last else (directory_row(unit, run.tenant),)
    return unit.directory.page(after=None if last is None else TenantId(last), limit=limit)


def _read(
    work: Work, row: DirectoryRow, prices: Mapping[str, Price], *, provider: ProviderSide | None = None
) -> tuple[TenantBooks, Shelf]:
    """Read a tenant's books; with `provider` instead of what was staged. Raises: PlaneSilentError."""
    scope = scope_of_job(work.job, row, now=work.now)
    try:
        with work.house.store.read() as unit, tenant_data(work.house, unit, scope) as plane:
            shelf = _shelf(work, unit, plane, row.id, prices, provider)
            return assembled(work.run, row.id, plane, shelf, now=work.now), shelf
    except OutsideError as away:
        if work.house.planes.shares_control(row.plane) or work.run.tenant is not None:
            raise
        raise PlaneSilentError(str(away), permanent=False) from away


def _shelf(
    work: Work,
    unit: ControlUnit,
    plane: TenantPlane,
    tenant: TenantId,
    prices: Mapping[str, Price],
    provider: ProviderSide | None,
) -> Shelf:
    run = work.run
    links = plane.customers.links()
    claims = work.house.customer_claims.of([link.customer for link in links])
    also = {customer: tuple(each for each in who if each != tenant) for customer, who in claims.items()}
    own = [link.customer for link in links]
    return Shelf(
        provider=provider or provider_side(unit.staging.of_customers(run.id, own)),
        prices=prices,
        links=tuple(replace(link, also=also.get(link.customer, ())) for link in links),
        pending=unit.inbox.waiting_of(own),
        closed_at=closed_periods(unit),
        before=() if run.previous is None else tuple(unit.sightings.of_tenant(run.previous, tenant)),
    )


def _taken(work: Work, candidate: Candidate, books: TenantBooks, shelf: Shelf) -> Seen:
    before: frozenset[FindingId] = frozenset(seen.finding for seen in shelf.before)
    return taken_as(candidate, books, before=before, window=work.window)


def _inputs(books: TenantBooks, shelf: Shelf) -> str:
    """Return a digest of what was compared: same digest, same inputs."""
    mirrored = sorted([kind.value, thing] for kind, thing in books.mirror.objects)
    links = [[link.customer, list(link.also)] for link in books.links]
    return digest_hex([list(shelf.provider.digests), mirrored, links, books.entitlement_version])


def _to_the_account(work: Work) -> Reconciliation:
    """Go on with what belongs to no tenant; a run over one tenant has of that only the customers that it pulled."""
    silent = {name: value for name, value in work.run.cursor.items() if name == "silent"}
    with work.house.store.write() as unit:
        return kept(unit, replace(work.run, cursor={**silent, "account": "customers"}))
