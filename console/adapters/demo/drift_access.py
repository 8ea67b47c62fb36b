"""Mutators of rows 25 to 31: what the product grants, overrides, and use that was not counted as it happened."""

from dataclasses import replace
from datetime import timedelta
from random import Random

from console.adapters.demo.books import DemoBooks, stored_of
from console.adapters.demo.broken import Mutator, both, decided_by, live, of
from console.adapters.demo.charges import METERED, SEAT, price_id
from console.domain.billing.objects import Invoice, ObjectKind, Subscription, SubscriptionItem
from console.domain.effective_set import effective_of
from console.domain.entitlements import Access, Condition, ConditionKind, Grant, GrantSource, Inputs, Op
from console.domain.reconciling.books import ClosedSet, StoredRow, UsageEvent
from console.domain.tenancy import TenantStatus

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
_DENIED = Access.DENIED.value


def _is_plain(books: DemoBooks) -> bool:
    """Return whether a tenant simply pays: no contract, no condition, nothing overdue."""
    inputs = books.inputs
    is_paying = books.subscription.status == "active" and books.subscription.amount_minor > 0
    return is_paying and books.status is TenantStatus.ACTIVE and not inputs.conditions and not inputs.contracts


def _row(books: DemoBooks, dice: Random, **changes: object) -> DemoBooks | None:
    """Return the books with one granted limit of the stored set changed."""
    stored = books.stored
    counted = {each.key for each in books.inputs.features if each.is_counted}
    rows = [] if stored is None else [row for row in stored.rows if row.access != _DENIED and row.feature in counted]
    if stored is None or not rows:
        return None
    mine: StoredRow = dice.choice(rows)
    fresh = replace(mine, **changes) if changes else replace(mine, value=mine.value + 5)  # type: ignore[arg-type]
    told = tuple(fresh if row is mine else row for row in stored.rows)
    return replace(books, stored=replace(stored, rows=told))


def _access_without_billing(books: DemoBooks, dice: Random) -> DemoBooks | None:
    return _row(books, dice) if books.inputs.subscription in {"active", "trialing", "canceled"} else None


def _billing_without_access(books: DemoBooks, dice: Random) -> DemoBooks | None:
    return _row(books, dice, access=_DENIED)


def _access_never_billed(books: DemoBooks, dice: Random) -> DemoBooks | None:
    mine = live(books)
    balance = any(getattr(each, "balance_minor", 0) for each in books.provider)
    if mine is None or balance or not _is_plain(books):
        return None
    over = both(books, replace(mine, status="canceled", ended_at=books.now - _HOUR, ends_at_period_end=False))
    # What the product itself says is fresher than what the mirror heard.
    heard = {**over.mirrored_at, (ObjectKind.SUBSCRIPTION, mine.id): books.now - _HOUR}
    return replace(over, mirrored_at=heard)


def _entitlement_stale(books: DemoBooks, dice: Random) -> DemoBooks | None:
    stored = books.stored
    if stored is None or dice.random() < 0.3:
        return replace(books, stored=None)
    if dice.random() < 0.5:
        return replace(books, stored=replace(stored, source_version=0))
    return replace(books, stored=replace(stored, valid_until=books.now - _HOUR))


def _given(books: DemoBooks, source: GrantSource, feature: str, value: int, **changes: object) -> Grant:
    given = Grant(
        source=source,
        id=f"{books.tenant}-{source.value}-x",
        label="Until the contract is signed",
        feature=feature,
        value=value,
        starts_at=books.now - 20 * _DAY,
        until=books.now + 20 * _DAY,
        reference="CTR-1",
        owner="Sanna Lindqvist",
    )
    return replace(given, **changes)  # type: ignore[arg-type]


def _before(books: DemoBooks, inputs: Inputs) -> DemoBooks | None:
    """Return the books with a stored set from before an hour ago; None where something else ended since, too."""
    then = stored_of(books.inputs, now=books.now - 2 * _HOUR)
    if books.stored is None or then.rows != books.stored.rows:
        return None
    return replace(books, inputs=inputs, stored=stored_of(inputs, now=books.now - 2 * _HOUR))


def _more(books: DemoBooks, grant: Grant) -> Inputs:
    return replace(books.inputs, grants=(*books.inputs.grants, grant))


def _override_expired(books: DemoBooks, dice: Random) -> DemoBooks | None:
    if not _is_plain(books):
        return None
    grant = _given(books, GrantSource.OVERRIDE, "projects", 7_777, until=books.now - _HOUR)
    return _before(books, _more(books, grant))


def _trial_overrun(books: DemoBooks, dice: Random) -> DemoBooks | None:
    if not _is_plain(books):
        return None
    return _before(books, _more(books, _given(books, GrantSource.TRIAL, "projects", 50, until=books.now - _HOUR)))


def _grace_overrun(books: DemoBooks, dice: Random) -> DemoBooks | None:
    mine = live(books)
    if mine is None or not _is_plain(books):
        return None
    grace = Condition(
        id=f"{books.tenant}-grace-x",
        kind=ConditionKind.GRACE,
        cause="A payment is overdue",
        starts_at=books.now - 7 * _DAY,
        until=books.now - _HOUR,
    )
    owing = replace(books.inputs, conditions=(grace,), subscription="past_due")
    late = replace(books, subscription=replace(books.subscription, status="past_due"))
    return _before(both(late, replace(mine, status="past_due")), owing)


def _dunning_access_kept(books: DemoBooks, dice: Random) -> DemoBooks | None:
    mine = live(books)
    if mine is None or not _is_plain(books):
        return None
    status = dice.choice(("paused", "unpaid"))
    rests = replace(books, subscription=replace(books.subscription, status=status))
    return replace(both(rests, replace(mine, status=status)), inputs=replace(books.inputs, subscription=status))


def _unpaid_with_access(books: DemoBooks, dice: Random) -> DemoBooks | None:
    mine = live(books)
    billed = [] if mine is None else [each for each in of(Invoice, books) if each.subscription == mine.id]
    if mine is None or not billed or not _is_plain(books):
        return None
    late = replace(books, subscription=replace(books.subscription, status="past_due"))
    given_up = both(late, replace(mine, status="past_due"), _given_up(billed[-1]))
    return decided_by(given_up, replace(books.inputs, subscription="past_due"))


def _given_up(like: Invoice) -> Invoice:
    """Return an invoice that the provider tried four times to collect and never will again."""
    tried = like if like.status == "open" else replace(like, id=f"{like.id}b", number=f"{like.number}b", status="open")
    owed = {"balance_applied_minor": 0, "due_minor": like.total_minor, "paid_minor": 0, "paid_at": None}
    whole = {**owed, "remaining_minor": like.total_minor, "is_paid_out_of_band": False}
    return replace(tried, **whole, attempts=4, next_attempt_at=None)  # type: ignore[arg-type]


def _recovered_but_suspended(books: DemoBooks, dice: Random) -> DemoBooks | None:
    owed = [each for each in of(Invoice, books) if each.status == "open" and (each.due_at or books.now) < books.now]
    if owed or not _is_plain(books):
        return None
    blocked = Condition(
        id="account status",
        kind=ConditionKind.BLOCKED,
        cause="the tenant is suspended",
        starts_at=books.now - 400 * _DAY,
        until=None,
    )
    suspended = replace(books, status=TenantStatus.SUSPENDED)
    return decided_by(suspended, replace(books.inputs, conditions=(blocked,)))


def _overridden(books: DemoBooks, **changes: object) -> DemoBooks | None:
    if not _is_plain(books):
        return None
    grant = replace(_given(books, GrantSource.OVERRIDE, "projects", 7_777), **changes)  # type: ignore[arg-type]
    return decided_by(books, _more(books, grant))


def _override_without_owner(books: DemoBooks, dice: Random) -> DemoBooks | None:
    return _overridden(books, owner="")


def _override_without_reason(books: DemoBooks, dice: Random) -> DemoBooks | None:
    return _overridden(books, label="", reference="")


def _override_without_expiry(books: DemoBooks, dice: Random) -> DemoBooks | None:
    return _overridden(books, until=None)


def _override_now_in_plan(books: DemoBooks, dice: Random) -> DemoBooks | None:
    row = effective_of("projects", books.inputs, books.now)
    is_set = dice.random() < 0.5
    value = row.value if row is not None and is_set else 0
    return _overridden(books, value=value, op=Op.SET if is_set else Op.ADD)


def _calls(books: DemoBooks, *, is_counted: bool) -> list[UsageEvent]:
    """Return the events that this month's count has, or those of the month before."""
    start = next((each.starts_at for each in books.inputs.usage if each.feature == METERED), books.now)
    return [each for each in books.usage_events if (each.at >= start) is is_counted]


def _usage_missing(books: DemoBooks, dice: Random) -> DemoBooks | None:
    counted = _calls(books, is_counted=True)
    if not counted:
        return None
    lost = dice.choice(counted)
    if dice.random() < 0.5 and len(counted) > 1:
        return replace(books, usage_events=tuple(each for each in books.usage_events if each is not lost))
    return replace(books, usage_events=(*books.usage_events, replace(lost, id=f"{lost.id}b")))


def _usage_duplicate(books: DemoBooks, dice: Random) -> DemoBooks | None:
    counted = _calls(books, is_counted=True)
    if not counted:
        return None
    twice = dice.choice(counted)
    usage = tuple(
        replace(each, used=each.used + twice.quantity) if each.feature == METERED else each
        for each in books.inputs.usage
    )
    return replace(books, usage_events=(*books.usage_events, twice), inputs=replace(books.inputs, usage=usage))


def _usage_late(books: DemoBooks, dice: Random) -> DemoBooks | None:
    before = _calls(books, is_counted=False)
    start = books.now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    closed_at = start + 3 * _DAY
    if not before or closed_at + _HOUR > books.now:
        return None
    late = replace(before[-1], id=f"{before[-1].id}b", received_at=closed_at + _HOUR)
    period = ClosedSet(period=f"{late.at:%Y-%m}", closed_at=closed_at, invoices={})
    return replace(books, usage_events=(*books.usage_events, late), closed=(*books.closed, period))


def _limit_mismatch(books: DemoBooks, dice: Random) -> DemoBooks | None:
    mine, seats = live(books), books.subscription.seats + 3
    if mine is None:
        return None
    more = replace(mine, items=(replace(mine.items[0], quantity=seats), *mine.items[1:]))
    return replace(both(books, more), subscription=replace(books.subscription, seats=seats))


def _seat_count_mismatch(books: DemoBooks, dice: Random) -> DemoBooks | None:
    mine: Subscription | None = live(books)
    if mine is None:
        return None
    price = price_id(SEAT, mine.currency, "month")
    seats = SubscriptionItem(id=f"{mine.items[0].id}b", price=price, plan=None, quantity=4)
    return replace(both(books, replace(mine, items=(*mine.items, seats))), active_members=4 + 1 + dice.randrange(9))


MUTATORS: dict[str, Mutator] = {
    "access_without_billing": _access_without_billing,
    "access_never_billed": _access_never_billed,
    "billing_without_access": _billing_without_access,
    "entitlement_stale": _entitlement_stale,
    "override_expired_but_effective": _override_expired,
    "override_without_owner": _override_without_owner,
    "override_without_reason": _override_without_reason,
    "override_without_expiry": _override_without_expiry,
    "override_now_in_plan": _override_now_in_plan,
    "trial_overrun": _trial_overrun,
    "grace_overrun": _grace_overrun,
    "dunning_access_kept": _dunning_access_kept,
    "unpaid_with_access": _unpaid_with_access,
    "recovered_but_suspended": _recovered_but_suspended,
    "usage_missing": _usage_missing,
    "usage_duplicate": _usage_duplicate,
    "usage_late": _usage_late,
    "limit_mismatch": _limit_mismatch,
    "seat_count_mismatch": _seat_count_mismatch,
}
