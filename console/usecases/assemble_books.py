"""Read everything that is compared for one tenant: what was staged, what the mirror holds, what the product reads."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from console.domain.accounting.period_books import closed_set
from console.domain.billing.canonical_form import MalformedObjectError, restored
from console.domain.billing.objects import BillingObject, ObjectKind, Price
from console.domain.effective_set import effective
from console.domain.entitlements import GrantSource, Inputs
from console.domain.ids import MemberId, TenantId
from console.domain.periods import PeriodId, following
from console.domain.reconciling.books import ClosedSet, Link, ObjectRef, Plan, Side, TenantBooks
from console.domain.reconciling.runs import Reconciliation, Sighting, Staged
from console.domain.workspace import Subscription
from console.ports.planes import TenantPlane
from console.ports.store import ControlUnit

_MEMBERS_AT_ONCE = 500
_MOST_USAGE_EVENTS = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSide:
    """What the provider keeps of a tenant, as staged or as fetched again."""

    objects: Mapping[ObjectRef, BillingObject] = field(default_factory=dict)
    unreadable: Mapping[ObjectRef, str] = field(default_factory=dict)
    digests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """What comes from the control store for one tenant, beside its own plane."""

    provider: ProviderSide
    prices: Mapping[str, Price]
    links: tuple[Link, ...]
    pending: frozenset[str]
    before: tuple[Sighting, ...]
    closed_at: Mapping[PeriodId, datetime] = field(default_factory=dict)


def provider_side(staged: Iterable[Staged]) -> ProviderSide:
    """Return staged objects as a side; what is deleted or cannot be read is no object of it."""
    objects: dict[ObjectRef, BillingObject] = {}
    unreadable: dict[ObjectRef, str] = {}
    digests = []
    for each in staged:
        digests.append(each.digest)
        if each.document is None:
            unreadable[each.kind, each.id] = each.why or "it cannot be read"
        elif not each.is_deleted:
            try:
                objects[each.kind, each.id] = restored(each.kind, each.document)
            except MalformedObjectError as broken:
                unreadable[each.kind, each.id] = str(broken)
    return ProviderSide(objects=objects, unreadable=unreadable, digests=tuple(digests))


def prices_of(unit: ControlUnit, run: Reconciliation, *, limit: int) -> dict[str, Price]:
    """Return the provider's whole catalogue of prices as it was staged."""
    prices: dict[str, Price] = {}
    after = ""
    while True:
        page = unit.staging.page(run.id, ObjectKind.PRICE, after=after, limit=limit)
        side = provider_side(page)
        prices |= {each.id: each for each in side.objects.values() if isinstance(each, Price)}
        if len(page) < limit:
            return prices
        after = page[-1].id


def assembled(run: Reconciliation, tenant: TenantId, plane: TenantPlane, shelf: Shelf, *, now: datetime) -> TenantBooks:
    """Return the books of one tenant at this moment."""
    account = plane.account()
    inputs = plane.inputs()
    since = run.window_from or now
    return TenantBooks(
        tenant=tenant,
        now=now,
        window_from=since,
        provider=Side(dict(shelf.provider.objects)),
        mirror=plane.mirror.side(),
        mirrored_at=plane.mirror.mirrored_at(),
        prices=shelf.prices,
        links=shelf.links,
        plan=_plan(plane.subscription()),
        status=account.status,
        entitlement_version=account.entitlement_version,
        inputs=inputs,
        computed=effective(inputs, now),
        stored=plane.effective_set(),
        overrides=tuple(each for each in inputs.grants if each.source is GrantSource.OVERRIDE),
        usage=inputs.usage,
        usage_events=tuple(plane.usage_events(since=_counted_from(inputs, since), limit=_MOST_USAGE_EVENTS)),
        active_members=_active_members(plane),
        holds=plane.holds(),
        closed=_closed(plane, shelf),
        pending=shelf.pending,
        settling=frozenset(thing for seen in shelf.before for thing in seen.objects),
        unreadable=shelf.provider.unreadable,
    )


def _closed(plane: TenantPlane, shelf: Shelf) -> tuple[ClosedSet, ...]:
    """Return what closed periods hold of the tenant, in one statement; none where no period is closed."""
    if not shelf.closed_at:
        return ()
    sets = plane.periods.earlier(following(max(shelf.closed_at)))
    return tuple(
        closed_set(held, closed_at=shelf.closed_at[held.period]) for held in sets if held.period in shelf.closed_at
    )


def _plan(subscription: Subscription | None) -> Plan | None:
    if subscription is None:
        return None
    return Plan(
        key=subscription.plan_key,
        status=subscription.status,
        is_paid=subscription.amount_minor > 0,
        seats=subscription.seats,
        customer=subscription.provider_customer,
        amount_minor=subscription.amount_minor,
        currency=subscription.currency,
    )


def _counted_from(inputs: Inputs, since: datetime) -> datetime:
    """Return the start of the oldest period that is counted, so that its events can be added up."""
    return max(since, min((each.starts_at for each in inputs.usage), default=since))


def _active_members(plane: TenantPlane) -> int:
    active, after = 0, None
    while True:
        page = plane.members(after=after, limit=_MEMBERS_AT_ONCE)
        active += sum(member.is_active for member in page)
        if len(page) < _MEMBERS_AT_ONCE:
            return active
        after = MemberId(page[-1].id)
