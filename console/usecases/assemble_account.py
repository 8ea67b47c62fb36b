"""Read what belongs to no one tenant, part by part: customers without one, payouts, events, strays."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from console.domain.billing.objects import BalanceTransaction, Customer, Invoice, Payout
from console.domain.ids import TenantId
from console.domain.reconciling.books import AccountBooks, InboxState
from console.domain.search_terms import SearchTerms
from console.domain.tenancy import SearchKind
from console.ports.store import ControlUnit
from console.ports.trail import EntryFilter
from console.usecases.assemble_books import ProviderSide, provider_side
from console.usecases.find_gaps import LOOKS_BACK, STILL_COMING, listed_pages, missing_of
from console.usecases.house import House
from console.usecases.process_inbound import NO_HANDLER
from console.usecases.reconciliation_work import Work
from console.usecases.scopes import scope_of_job, tenant_data

_SIMILAR = 3
_DAY = timedelta(days=1)
_USUAL_DAYS = 7
_MOST_COUNTED = 500
_BILLED = frozenset({"open", "paid", "uncollectible"})
# What a payout moved may have happened some weeks before it: the first ones of a window are not compared.
_BEFORE_PAYOUT = timedelta(days=40)


def customers_part(work: Work, side: ProviderSide, *, now: datetime) -> AccountBooks:
    """Return the books of a page of customers: those that no tenant is linked to, and whom they resemble."""
    found = [each for each in side.objects.values() if isinstance(each, Customer)]
    claims = work.house.customer_claims.of([each.id for each in found])
    unmapped = tuple(sorted((each for each in found if not claims.get(each.id)), key=lambda each: each.id))
    similar = {each.id: _similar(work, each) for each in unmapped}
    alike = sorted({tenant for pairs in similar.values() for tenant, _why in pairs})
    with work.house.store.read() as unit:
        owing = {each.id: _billed(work, unit, each) for each in unmapped}
    return AccountBooks(
        now=now,
        unmapped=unmapped,
        similar=similar,
        owing=owing,
        linked={tenant: _linked(work, tenant) for tenant in alike},
    )


def payouts_part(side: ProviderSide, *, since: datetime | None, now: datetime) -> AccountBooks:
    """Return the books of some payouts with the movements that are in them."""
    edge = None if since is None else since + _BEFORE_PAYOUT
    payouts = tuple(
        each
        for each in sorted((t for t in side.objects.values() if isinstance(t, Payout)), key=lambda each: each.id)
        if edge is None or each.created_at >= edge
    )
    moved = [each for each in side.objects.values() if isinstance(each, BalanceTransaction)]
    by_payout = {
        payout.id: tuple(sorted((each for each in moved if each.payout == payout.id), key=lambda each: each.id))
        for payout in payouts
    }
    return AccountBooks(now=now, payouts=payouts, transactions=by_payout)


def events_part(house: House, *, now: datetime) -> AccountBooks:
    """Return the books of the inbox: what the provider made and never delivered, and how the inbox stands."""
    missing: list[str] = []
    for provider, events in sorted(house.provider_events.items()):
        verifier = house.inbound_verifiers.get(provider)
        if verifier is None:
            continue
        for page in listed_pages(events, since=now - LOOKS_BACK):
            due = [event for event in page if event.made_at <= now - STILL_COMING]
            with house.store.read() as unit:
                missing += [said.event_id for said, _payload in missing_of(unit, provider, due, verifier)]
    with house.store.read() as unit:
        return AccountBooks(now=now, missing_events=tuple(sorted(missing)), inbox=_inbox(unit, now=now))


def _inbox(unit: ControlUnit, *, now: datetime) -> InboxState:
    bad = _refused(unit, since=now - _DAY, until=now)
    usual = _refused(unit, since=now - _DAY * (1 + _USUAL_DAYS), until=now - _DAY) // _USUAL_DAYS
    return InboxState(
        oldest_received_at=unit.inbox.oldest_waiting(),
        failed=unit.inbox.failed_since(now - _DAY),
        bad_signatures=bad,
        usual_bad_signatures=usual,
        unknown_types=unit.inbox.ignored_since(now - _DAY, because=NO_HANDLER),
    )


def _refused(unit: ControlUnit, *, since: datetime, until: datetime) -> int:
    """Return how many webhooks were not believed, counting no further than some hundreds."""
    wanted = EntryFilter(action="inbound.refused", since=since, until=until)
    return len(unit.reader.page(wanted, before=None, limit=_MOST_COUNTED))


def _similar(work: Work, customer: Customer) -> tuple[tuple[TenantId, str], ...]:
    """Return tenants that a customer resembles, with why; a proposal for people, never a link."""
    asked: Mapping[str, tuple[str | None, SearchKind]] = {
        "metadata": (customer.tenant, SearchKind.ID),
        "email": (customer.email, SearchKind.MEMBER_EMAIL),
        "name": (customer.name, SearchKind.NAME),
    }
    found: dict[TenantId, str] = {}
    for why, (text, kind) in asked.items():
        if text:
            hits = work.house.fleet.search(SearchTerms(text=text, kinds=(kind,)), limit=_SIMILAR)
            for hit in hits:
                if kind is not SearchKind.NAME or hit.tenant.name.casefold() == text.casefold():
                    found.setdefault(hit.tenant.id, why)
    return tuple(sorted(found.items()))


def _billed(work: Work, unit: ControlUnit, customer: Customer) -> int:
    """Return what was billed to a customer within the window, in the customer's currency."""
    side = provider_side(unit.staging.of_customers(work.run.id, [customer.id]))
    invoices = [each for each in side.objects.values() if isinstance(each, Invoice)]
    return sum(
        each.total_minor for each in invoices if each.currency == customer.currency and each.status in _BILLED
    )  # fmt: skip


def _linked(work: Work, tenant: TenantId) -> tuple[str, ...]:
    """Return the customers that a tenant has already."""
    with work.house.store.read() as unit:
        row = unit.directory.get(tenant)
        if row is None:
            return ()
        with tenant_data(work.house, unit, scope_of_job(work.job, row, now=work.now)) as plane:
            return tuple(link.customer for link in plane.customers.links())
