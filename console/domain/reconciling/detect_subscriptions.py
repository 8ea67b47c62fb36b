"""Rows 5 to 11: subscriptions on both sides, and how many of them one customer has."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from console.domain.billing.objects import Subscription, SubscriptionItem
from console.domain.billing.states import is_live
from console.domain.reconciling.findings import Candidate, Direction
from console.domain.reconciling.reading import NOTHING, Reading, differing, moment, resync_params

_STATE = ("status", "ended_at", "customer")
_PERIOD = ("started_at", "period_from", "period_until", "trial_until", "anchored_at")


def find(reading: Reading) -> Iterator[Candidate]:
    """Yield at most one difference of each subscription, unknown prices, and customers who pay for several plans."""
    unknown = {each.objects[0]: each for each in _unknown_prices(reading)}
    yield from unknown.values()
    yield from _several(reading)
    for thing, ours, theirs in reading.pairs(Subscription):
        if ours is None or theirs is None:
            if _counts(thing, reading.books.window_from):
                yield _one_sided(reading, ours, theirs)
            continue
        found = _drift(reading, ours, theirs, is_price_known=thing.id not in unknown)
        if found is not None:
            yield found


def has_plan(subscription: Subscription) -> bool:
    """Return whether a subscription is for a plan, and not only for something beside it."""
    return any(item.plan is not None for item in subscription.items)


def _counts(thing: Subscription, since: datetime) -> bool:
    """Return whether a subscription of one side is of this time; what ended before the window is history."""
    return thing.ended_at is None or thing.ended_at >= since


def _one_sided(reading: Reading, ours: Subscription | None, theirs: Subscription | None) -> Candidate:
    live = theirs if theirs is not None and is_live(theirs) else None
    ghost = ours if ours is not None and is_live(ours) else None
    return reading.drift(
        "sub_missing_remote" if theirs is None else "sub_missing_local",
        ours,
        theirs,
        at_risk_minor=sum(reading.cost(each) for each in (live, ghost) if each is not None),
        direction=Direction.CUSTOMER_LOSES if live else Direction.WE_LOSE if ghost else Direction.NOBODY,
    )


def _drift(reading: Reading, ours: Subscription, theirs: Subscription, *, is_price_known: bool) -> Candidate | None:
    """Return the most telling difference: 1 state · 2 plan, price, quantity · 3 cancellation · 4 period."""
    names = differing(ours, theirs)
    state = [name for name in _STATE if name in names]
    period = [name for name in _PERIOD if name in names and not _is_new(ours, name)]
    if state:
        return _of_state(reading, ours, theirs, state[0])
    if "items" in names and is_price_known:
        return _of_items(reading, ours, theirs)
    if "ends_at_period_end" in names:
        return reading.drift(
            "cancel_flag_drift", ours, theirs, differs="ends_at_period_end", at_risk_minor=reading.cost(theirs)
        )
    if period:
        return reading.drift("sub_period_drift", ours, theirs, differs=period[0])
    return None


def _is_new(ours: Subscription, name: str) -> bool:
    """Return whether a field is one that the mirror was not told of yet when it last heard of the subscription."""
    return name == "anchored_at" and ours.anchored_at is None


def _of_state(reading: Reading, ours: Subscription, theirs: Subscription, name: str) -> Candidate:
    was, is_now = is_live(ours), is_live(theirs)
    loser = Direction.NOBODY
    if ours.status != theirs.status:
        loser = Direction.WE_LOSE if was and (not is_now or ours.status == "active") else Direction.CUSTOMER_LOSES
    return reading.drift(
        "sub_status_drift", ours, theirs, differs=name, at_risk_minor=reading.cost(theirs), direction=loser
    )


def _of_items(reading: Reading, ours: Subscription, theirs: Subscription) -> Candidate:
    gap = reading.cost(theirs) - reading.cost(ours)
    kind, before, after = next(
        (
            (kind, before, after)
            for kind, before, after in (
                ("sub_plan_drift", _plans(ours.items), _plans(theirs.items)),
                ("sub_price_drift", _prices(ours.items), _prices(theirs.items)),
                ("sub_quantity_drift", _quantities(ours.items), _quantities(theirs.items)),
            )
            if before != after
        ),
        ("sub_plan_drift", "other items", "other items"),
    )
    return Candidate(
        kind=kind,
        tenant=reading.books.tenant,
        objects=(theirs.id,),
        differs="items",
        ours=before,
        theirs=after,
        at_risk_minor=abs(gap),
        currency=theirs.currency,
        direction=Direction.CUSTOMER_LOSES if gap > 0 else Direction.WE_LOSE if gap < 0 else Direction.NOBODY,
        params=resync_params(theirs),
        evidence=dict.fromkeys(differing(ours, theirs), "differs"),
    )


def _plans(items: Sequence[SubscriptionItem]) -> str:
    return ", ".join(sorted(item.plan for item in items if item.plan is not None)) or NOTHING


def _prices(items: Sequence[SubscriptionItem]) -> str:
    return ", ".join(sorted(item.price for item in items)) or NOTHING


def _quantities(items: Sequence[SubscriptionItem]) -> str:
    return ", ".join(f"{item.price}: {item.quantity}" for item in sorted(items, key=lambda each: (each.price, each.id)))


def _unknown_prices(reading: Reading) -> Iterator[Candidate]:
    for subscription in reading.live:
        for item in subscription.items:
            if item.price not in reading.books.prices:
                yield Candidate(
                    kind="sub_price_unknown",
                    tenant=reading.books.tenant,
                    objects=(subscription.id, item.price),
                    ours="not in the price list",
                    theirs=item.price,
                    currency=subscription.currency,
                    evidence={"subscription": subscription.id, "item": item.id, "plan": item.plan or NOTHING},
                )
                break


def _several(reading: Reading) -> Iterator[Candidate]:
    """Yield customers with more than one live plan: the eldest subscription stays, by proposal."""
    by_customer: dict[str, list[Subscription]] = {}
    for each in reading.live:
        if has_plan(each):
            by_customer.setdefault(each.customer, []).append(each)
    for customer, mine in sorted(by_customer.items()):
        if len(mine) < 2:
            continue
        kept, *others = sorted(mine, key=lambda each: (each.started_at, each.id))
        same = [each for each in others if each.currency == kept.currency]
        yield Candidate(
            kind="sub_multiple_active",
            tenant=reading.books.tenant,
            objects=tuple(each.id for each in mine),
            ours=f"keep {kept.id}",
            theirs=f"{len(mine)} live subscriptions",
            at_risk_minor=sum(reading.cost(each) for each in same),
            currency=kept.currency,
            direction=Direction.CUSTOMER_LOSES,
            params={"keep": kept.id, "cancel": others[-1].id},
            evidence={each.id: f"{_plans(each.items)} since {moment(each.started_at)}" for each in mine}
            | {"customer": customer},
        )
