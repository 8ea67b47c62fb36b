"""The first phase of a reconciliation: page what the provider keeps into staging, one page a step."""

from dataclasses import dataclass, replace

from console.domain.billing.canonical_form import Snapshot, customer_of, digest_of, document
from console.domain.billing.objects import OF_CUSTOMERS, BalanceTransaction, ObjectKind
from console.domain.canonical import digest_hex
from console.domain.ids import Digest
from console.domain.reconciling.runs import AGELESS, Reconciliation, RunEvent, Staged, counted
from console.ports.billing import ProviderPage, Unreadable
from console.usecases.reconciliation_work import Work, kept, moved


@dataclass(frozen=True, slots=True)
class _Station:
    """One list of the provider that is paged: a kind, of one customer or of all."""

    kind: ObjectKind
    customer: str | None = None


def pull_step(work: Work) -> Reconciliation:
    """Stage one page and keep where the next one goes on. Raises: OutsideError when the provider is silent."""
    run = work.run
    stations = _stations(run)
    place = int(run.cursor.get("station", "0"))
    if place >= len(stations):
        with work.house.store.write() as unit:
            return kept(unit, replace(moved(run, RunEvent.PULLED), inputs_digest=unit.staging.digest(run.id)))
    station = stations[place]
    page = _asked(work, station, after=run.cursor.get("after"))
    staged = [*(staged_as(each) for each in page.items), *(unreadable_as(each) for each in page.unreadable)]
    cursor = dict(run.cursor)
    cursor.pop("after", None)
    cursor |= {"station": str(place + 1)} if page.after is None else {"station": str(place), "after": page.after}
    counts = {**counted(run.counts), f"pulled.{station.kind.value}": _pulled(run, station.kind) + len(staged)}
    with work.house.store.write() as unit:
        unit.staging.put(run.id, staged)
        return kept(unit, replace(run, cursor=cursor, counts=counts))


def staged_as(snapshot: Snapshot) -> Staged:
    """Return a snapshot as it is staged."""
    thing = snapshot.thing
    plain = document(thing)
    return Staged(
        kind=snapshot.kind,
        id=thing.id,
        customer=customer_of(thing),
        digest=digest_of(plain),
        document=plain,
        parent=thing.payout if isinstance(thing, BalanceTransaction) else None,
        is_deleted=snapshot.is_deleted,
    )


def unreadable_as(broken: Unreadable) -> Staged:
    """Return an object that has no canonical form as it is staged."""
    return Staged(
        kind=broken.kind,
        id=broken.id,
        customer=broken.customer,
        digest=Digest(digest_hex(["unreadable", broken.why])),
        document=None,
        why=broken.why,
    )


def _stations(run: Reconciliation) -> list[_Station]:
    """Return what a run pulls, parents before what hangs on them; of one tenant only its own customers."""
    if run.tenant is None:
        return [_Station(kind) for kind in ObjectKind]
    customers = run.cursor.get("customers", "").split()
    own = [_Station(kind, customer) for customer in customers for kind in OF_CUSTOMERS]
    return [_Station(ObjectKind.PRICE), *own]


def _asked(work: Work, station: _Station, *, after: str | None) -> ProviderPage:
    provider = work.house.provider
    if station.kind is ObjectKind.CUSTOMER and station.customer is not None:
        found = provider.fetch(ObjectKind.CUSTOMER, station.customer)
        return ProviderPage(items=() if found is None else (found,), after=None)
    bounds = {} if station.kind in AGELESS else {"since": work.run.window_from, "until": work.run.window_until}
    return provider.page(
        station.kind,
        customer=station.customer,
        after=after,
        limit=work.house.book.reconciliation.page_objects,
        **bounds,
    )


def _pulled(run: Reconciliation, kind: ObjectKind) -> int:
    return run.counts.get(f"pulled.{kind.value}", 0)
