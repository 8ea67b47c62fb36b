"""Rows 25 to 27 and 29: whether the product grants what is paid for, no more, no less, and as of now."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from console.domain.billing.dunning import DunningState, dunning_of
from console.domain.billing.objects import ObjectKind, Subscription
from console.domain.billing.particulars import item_of_plan
from console.domain.effective_changes import WORDS
from console.domain.entitlements import Access, Condition, ConditionKind, Entitlement, FeatureKind, Grant, GrantSource
from console.domain.reconciling.books import StoredRow, StoredSet, TenantBooks
from console.domain.reconciling.detect_subscriptions import has_plan
from console.domain.reconciling.findings import Candidate, Direction
from console.domain.reconciling.reading import NOTHING, Reading, moment
from console.domain.tenancy import TenantStatus

SET = "effective set"
_OWING = frozenset({"past_due", "unpaid", "paused"})
_PAYING = frozenset({"active", "past_due"})
# What a plane says of a suspension for which nobody stated a reason.
_UNSTATED = "the tenant is suspended"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One feature that the product reads other than it ought to. `gain` > 0 is too much."""

    feature: str
    stored: str
    computed: str
    gain: int


def find(reading: Reading) -> Iterator[Candidate]:
    """Yield how what the product reads differs from what it ought to, then what billing says against both."""
    yield from _stored(reading)
    yield from _unbilled(reading)
    yield from _recovered(reading)


def grants_plan(books: TenantBooks) -> bool:
    """Return whether the product grants something that only a paid plan gives."""
    stored = {} if books.stored is None else {row.feature: row for row in books.stored.rows}
    return (
        books.plan is not None
        and books.plan.is_paid
        and any(
            row.feature.key in stored and stored[row.feature.key].access != Access.DENIED.value
            for row in _of_plan(books)
        )
    )


def _of_plan(books: TenantBooks) -> tuple[Entitlement, ...]:
    """Return the rows that the plan itself decides now."""
    return tuple(
        row
        for row in books.computed
        if row.access is not Access.DENIED and any(grant.source is GrantSource.PLAN for grant in row.winners)
    )


def _stored(reading: Reading) -> Iterator[Candidate]:
    """Yield the causes of too much access, each once, and too little as one: 1 too little · 2 too much · 3 stale.

    Shape: what ought to be is computed from the mirror; where that is behind, resyncing it recalculates.
    """
    books = reading.books
    if books.stored is None:
        yield _stale(books, "missing", NOTHING, f"version {books.entitlement_version}")
        return
    if _is_mirror_behind(reading):
        return
    rows = _differing(books, books.stored)
    less = [row for row in rows if row.gain < 0]
    # 1
    if less:
        yield _of_rows(books, "billing_without_access", (SET,), rows, Direction.CUSTOMER_LOSES)
    # 2
    causes: dict[tuple[str, tuple[str, ...]], list[_Row]] = {}
    for row in rows:
        if row.gain > 0:
            causes.setdefault(_cause(books, books.stored, row.feature), []).append(row)
    for (kind, objects), mine in sorted(causes.items()):
        if kind != "access_without_billing" or not less:
            yield _of_rows(books, kind, objects, mine, Direction.WE_LOSE)
    # 3
    if not rows:
        yield from _outdated(books, books.stored)


def _is_mirror_behind(reading: Reading) -> bool:
    """Return whether the mirror has another state or plan of a subscription than the provider, or knows it alone."""
    pairs = reading.pairs(Subscription)
    return any(ours is None or theirs is None or _decides(ours) != _decides(theirs) for _, ours, theirs in pairs)


def _decides(subscription: Subscription) -> tuple[str, str | None]:
    item = item_of_plan(subscription)
    return subscription.status, None if item is None else item.plan


def _outdated(books: TenantBooks, stored: StoredSet) -> Iterator[Candidate]:
    if stored.source_version < books.entitlement_version:
        told = f"version {stored.source_version}", f"version {books.entitlement_version}"
        yield _stale(books, "version", *told)
    elif stored.valid_until is not None and stored.valid_until <= books.now:
        yield _stale(books, "date", f"valid until {moment(stored.valid_until)}", f"now {moment(books.now)}")


def _differing(books: TenantBooks, stored: StoredSet) -> tuple[_Row, ...]:
    told = {row.feature: row for row in stored.rows}
    found = []
    for row in books.computed:
        mine = told.pop(row.feature.key, None)
        had, has = _reach(mine), (row.value + 1 if row.access is not Access.DENIED else 0)
        if row.feature.kind is FeatureKind.SWITCH:
            had, has = min(had, 1), min(has, 1)
        if had != has:
            words = row.feature.worded(row.value) if has else WORDS[Access.DENIED]
            before = NOTHING if mine is None else row.feature.worded(mine.value) if had else WORDS[Access.DENIED]
            found.append(_Row(feature=row.feature.key, stored=before, computed=words, gain=had - has))
    for name, mine in sorted(told.items()):
        if _reach(mine):
            found.append(_Row(feature=name, stored=str(mine.value), computed=NOTHING, gain=_reach(mine)))
    return tuple(found)


def _reach(row: StoredRow | None) -> int:
    """Return how far a row lets a tenant go; use against limits is not the row's business."""
    return 0 if row is None or row.access == Access.DENIED.value else row.value + 1


def _cause(books: TenantBooks, stored: StoredSet, feature: str) -> tuple[str, tuple[str, ...]]:
    """Return why a feature is granted too far, with what names the finding: something ended since, or is not paid."""
    ended = [each for each in books.inputs.grants if each.feature == feature and _ended(each, stored, books.now)]
    for source, kind in (
        (GrantSource.OVERRIDE, "override_expired_but_effective"),
        (GrantSource.TRIAL, "trial_overrun"),
    ):
        mine = sorted(each.id for each in ended if each.source is source)
        if mine:
            return kind, (mine[-1],) if source is GrantSource.OVERRIDE else (SET,)
    if any(_lapsed(each, stored, books.now) for each in books.inputs.conditions):
        return "grace_overrun", (SET,)
    if books.inputs.subscription in _OWING:
        return "dunning_access_kept", (SET,)
    return "access_without_billing", (SET,)


def _ended(grant: Grant, stored: StoredSet, now: datetime) -> bool:
    return grant.end is not None and stored.computed_at < grant.end <= now


def _lapsed(condition: Condition, stored: StoredSet, now: datetime) -> bool:
    is_grace = condition.kind is ConditionKind.GRACE
    return is_grace and condition.until is not None and stored.computed_at < condition.until <= now


def _of_rows(
    books: TenantBooks, kind: str, objects: tuple[str, ...], rows: list[_Row] | tuple[_Row, ...], loser: Direction
) -> Candidate:
    paid = books.plan is not None and books.plan.is_paid
    return Candidate(
        kind=kind,
        tenant=books.tenant,
        objects=objects,
        ours="; ".join(f"{row.feature}: {row.stored}" for row in rows),
        theirs="; ".join(f"{row.feature}: {row.computed}" for row in rows),
        at_risk_minor=books.plan.amount_minor if books.plan is not None and paid else 0,
        currency=books.plan.currency if books.plan is not None and paid else None,
        direction=loser,
        evidence=_evidence(books),
    )


def _stale(books: TenantBooks, differs: str, ours: str, theirs: str) -> Candidate:
    return Candidate(
        kind="entitlement_stale",
        tenant=books.tenant,
        objects=(SET,),
        differs=differs,
        ours=ours,
        theirs=theirs,
        evidence=_evidence(books),
    )


def _evidence(books: TenantBooks) -> Mapping[str, str]:
    stored = books.stored
    return {
        "subscription": books.inputs.subscription or NOTHING,
        "entitlement version": str(books.entitlement_version),
        "stored": NOTHING if stored is None else f"version {stored.version}, computed {moment(stored.computed_at)}",
    }


def _unbilled(reading: Reading) -> Iterator[Candidate]:
    """Yield a paid plan that is granted although nothing live pays for it, or although collecting was given up.

    Shape: an unpaid subscription covers nothing by itself; one that stays past due does, until somebody sets an end.
    """
    books, plan = reading.books, reading.books.plan
    is_asked = plan is not None and plan.is_paid and plan.status in _PAYING and bool(reading.customers)
    if plan is None or not is_asked or not reading.is_whole(ObjectKind.SUBSCRIPTION, ObjectKind.CUSTOMER):
        return
    if any(each.is_live(books.now) for each in books.inputs.contracts) or not _of_plan(books):
        return
    live = [each for each in reading.live if has_plan(each)]
    mirrored = {each.id: each for each in books.mirror.subscriptions()}
    is_drifting = any(mirrored.get(each.id) != each for each in reading.subscriptions) or len(mirrored) > len(
        reading.subscriptions
    )
    if is_drifting:
        return
    is_granted_in_grace = any(row.access is Access.GRANTED_IN_GRACE for row in books.computed)
    dunning = dunning_of(each for each in reading.invoices if each.subscription in {one.id for one in live})
    is_given_up = dunning.state is DunningState.GIVEN_UP and reading.is_whole(ObjectKind.INVOICE)
    if not live:
        kind, theirs = "access_never_billed", "no live subscription"
    elif is_given_up and all(each.status == "past_due" for each in live) and not is_granted_in_grace:
        kind, theirs = "unpaid_with_access", f"past due, {dunning.sentence()}"
    else:
        return
    yield Candidate(
        kind=kind,
        tenant=books.tenant,
        objects=(f"plan:{plan.key}",),
        ours=f"{plan.key} granted",
        theirs=theirs,
        at_risk_minor=plan.amount_minor,
        currency=plan.currency,
        direction=Direction.WE_LOSE,
        evidence={**_evidence(books), "plan": plan.key, **({"dunning": dunning.sentence()} if is_given_up else {})},
    )


def _recovered(reading: Reading) -> Iterator[Candidate]:
    """Yield a suspension that nobody gave a reason for, while everything due is paid."""
    books = reading.books
    causes = [each.cause for each in books.inputs.conditions if each.kind is ConditionKind.BLOCKED]
    if books.status is not TenantStatus.SUSPENDED or any(cause != _UNSTATED for cause in causes):
        return
    is_paying = bool(reading.live) and all(each.status == "active" for each in reading.live)
    owed = [
        each
        for each in reading.invoices
        if each.status == "open" and each.due_at is not None and each.due_at < books.now
    ]
    is_believed = reading.is_whole(ObjectKind.SUBSCRIPTION, ObjectKind.INVOICE)
    mirrored = {each.id: each.status for each in books.mirror.subscriptions()}
    is_same = all(mirrored.get(each.id) == each.status for each in reading.live)
    if is_paying and is_same and not owed and is_believed and books.plan is not None and books.plan.is_paid:
        yield Candidate(
            kind="recovered_but_suspended",
            tenant=books.tenant,
            objects=("account status",),
            ours="suspended",
            theirs="active, nothing due",
            at_risk_minor=books.plan.amount_minor,
            currency=books.plan.currency,
            direction=Direction.CUSTOMER_LOSES,
            evidence=_evidence(books),
        )
