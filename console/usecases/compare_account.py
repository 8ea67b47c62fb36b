"""The end of the second phase: what belongs to no one tenant, part by part, each looked at twice like the tenants."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from console.domain.billing.objects import ObjectKind
from console.domain.reconciling.books import AccountBooks, ObjectRef
from console.domain.reconciling.detecting import detect_account
from console.domain.reconciling.runs import How, Reconciliation, RunEvent, Staged, counted
from console.ports.store import ControlUnit
from console.usecases.assemble_account import customers_part, events_part, payouts_part
from console.usecases.assemble_books import ProviderSide, provider_side
from console.usecases.closed_periods import exports_part
from console.usecases.look_twice import fetched_again, persisting
from console.usecases.note_findings import Seen, note_seen
from console.usecases.reconciliation_work import Work, kept, moved

_PAYOUTS_AT_ONCE = 20
_MOVEMENTS_AT_ONCE = 500
_STRAYS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """One page of one part: its books, how to read them again from fresh objects, and where the next page begins."""

    side: ProviderSide
    read: Callable[[ProviderSide], AccountBooks]
    next: str | None = None


Part = Callable[[Work, str], _Looked]


def account_step(work: Work) -> Reconciliation:
    """Compare one page of one part and keep what was found. Raises: OutsideError when the provider is silent."""
    run = work.run
    part = run.cursor["account"]
    page = PARTS[part](work, run.cursor.get("after", ""))
    first = detect_account(page.read(page.side))
    second = first
    if first:
        ids = {name for candidate in first for name in candidate.objects}
        wanted: list[ObjectRef] = sorted(
            (ref for ref in {**page.side.objects, **page.side.unreadable} if ref[1] in ids),
            key=lambda ref: (ref[0].value, ref[1]),
        )
        fresh = fetched_again(work.house, page.side, wanted)
        second = tuple(persisting(first, detect_account(page.read(fresh))))
    with work.house.store.write() as unit:
        before = _sighted_before(unit, run)
        seen = [
            Seen(
                candidate=each,
                how=How.SETTLING if each.settles and each.id not in before else How.SEEN,
            )
            for each in second
        ]
        noted = note_seen(unit, run, seen, at=work.now, window=work.window)
        counts = counted(noted.counts, looked_twice=len(first), vanished=len(first) - len(second))
        return kept(unit, _further(replace(noted, counts=counts), part, page.next))


def _further(run: Reconciliation, part: str, next_page: str | None) -> Reconciliation:
    """Return a run at its next page, its next part, or at the next phase."""
    cursor = {name: value for name, value in run.cursor.items() if name not in {"after", "account"}}
    if next_page is not None:
        return replace(run, cursor={**cursor, "account": part, "after": next_page})
    rest = list(PARTS)[list(PARTS).index(part) + 1 :] if run.tenant is None else []
    if rest:
        return replace(run, cursor={**cursor, "account": rest[0]})
    silent = {name: value for name, value in cursor.items() if name == "silent"}
    return replace(moved(run, RunEvent.COMPARED), cursor=silent)


def _customers(work: Work, after: str) -> _Looked:
    limit = work.house.book.reconciliation.page_objects
    with work.house.store.read() as unit:
        page = unit.staging.page(work.run.id, ObjectKind.CUSTOMER, after=after, limit=limit)
    return _Looked(
        side=provider_side(page),
        read=lambda side: customers_part(work, side, now=work.now),
        next=page[-1].id if len(page) == limit else None,
    )


def _payouts(work: Work, after: str) -> _Looked:
    with work.house.store.read() as unit:
        page = unit.staging.page(work.run.id, ObjectKind.PAYOUT, after=after, limit=_PAYOUTS_AT_ONCE)
        moved_in = [each for payout in page for each in _movements(unit, work.run, payout.id)]
    return _Looked(
        side=provider_side([*page, *moved_in]),
        read=lambda side: payouts_part(side, since=work.run.window_from, now=work.now),
        next=page[-1].id if len(page) == _PAYOUTS_AT_ONCE else None,
    )


def _movements(unit: ControlUnit, run: Reconciliation, payout: str) -> list[Staged]:
    found: list[Staged] = []
    while True:
        after = found[-1].id if found else ""
        page = unit.staging.children(
            run.id, ObjectKind.BALANCE_TRANSACTION, payout, after=after, limit=_MOVEMENTS_AT_ONCE
        )
        found += page
        if len(page) < _MOVEMENTS_AT_ONCE:
            return found


def _events(work: Work, _after: str) -> _Looked:
    return _Looked(side=ProviderSide(), read=lambda _side: events_part(work.house, now=work.now))


def _exports(work: Work, _after: str) -> _Looked:
    return _Looked(side=ProviderSide(), read=lambda _side: exports_part(work.house, now=work.now))


def _strays(work: Work, _after: str) -> _Looked:
    with work.house.store.read() as unit:
        page = unit.staging.strays(work.run.id, limit=_STRAYS)
    return _Looked(
        side=provider_side(page), read=lambda side: AccountBooks(now=work.now, unreadable=side.unreadable)
    )  # fmt: skip


# In this order; another part of the account's books is another line.
PARTS: Mapping[str, Part] = MappingProxyType(
    {"customers": _customers, "payouts": _payouts, "events": _events, "exports": _exports, "strays": _strays}
)


def _sighted_before(unit: ControlUnit, run: Reconciliation) -> frozenset[str]:
    if run.previous is None:
        return frozenset()
    return frozenset(seen.finding for seen in unit.sightings.of_tenant(run.previous, None))
