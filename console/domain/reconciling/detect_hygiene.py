"""Row 37, and what makes an object doubtful: another mode, an unknown word, an impossible value, a withdrawn price."""

from collections.abc import Iterator

from console.domain.billing.canonical_form import kind_of
from console.domain.billing.objects import (
    BillingObject,
    CreditNote,
    Dispute,
    Invoice,
    Payment,
    Refund,
    Subscription,
)
from console.domain.billing.states import unknown_word
from console.domain.reconciling.books import ObjectRef, TenantBooks
from console.domain.reconciling.findings import Candidate, Direction
from console.domain.reconciling.reading import NOTHING, Reading, amount_of, said


def doubts(books: TenantBooks) -> Iterator[Candidate]:
    """Yield one finding for each object that must not be compared any further; its first id is the object's."""
    for ref, theirs in sorted(books.provider.objects.items(), key=_by_ref):
        found = _doubt(books, theirs, books.mirror.objects.get(ref))
        if found is not None:
            yield found
    for ref, ours in sorted(books.mirror.objects.items(), key=_by_ref):
        if ref not in books.provider.objects and _is_other_mode(books, ours):
            yield _other_mode(books, ours)
    for (kind, name), why in sorted(books.unreadable.items()):
        yield Candidate(
            kind="unreadable_object",
            tenant=books.tenant,
            objects=(name,),
            differs=kind.value,
            theirs=why,
            evidence={"object": name, "why": why},
        )
    for event in sorted(books.usage_events, key=lambda each: (each.id, each.at, each.quantity)):
        if event.quantity < 0:
            yield Candidate(
                kind="unreadable_object",
                tenant=books.tenant,
                objects=(event.id,),
                differs="quantity",
                theirs=str(event.quantity),
                happened_at=event.at,
            )


def find(reading: Reading) -> Iterator[Candidate]:
    """Yield live subscriptions that use a price which is no longer sold."""
    prices = reading.books.prices
    for subscription in reading.live:
        for item in subscription.items:
            price = prices.get(item.price)
            if price is not None and not price.is_active:
                yield Candidate(
                    kind="deleted_price_in_use",
                    tenant=reading.books.tenant,
                    objects=(subscription.id, price.id),
                    ours="sold no longer",
                    theirs="in use",
                    currency=subscription.currency,
                    evidence={"subscription": subscription.id, "price": price.id, "plan": price.plan or NOTHING},
                )


def _doubt(books: TenantBooks, theirs: BillingObject, ours: BillingObject | None) -> Candidate | None:
    if _is_other_mode(books, theirs):
        return _other_mode(books, theirs)
    word = unknown_word(theirs)
    if word is not None:
        field, said_so = word
        return Candidate(
            kind="unknown_enum",
            tenant=books.tenant,
            objects=(theirs.id,),
            differs=field,
            ours="no such word here" if ours is None or said(ours, field) == said_so else said(ours, field),
            theirs=said_so,
            evidence={"object": theirs.id, "kind": kind_of(theirs).value},
        )
    impossible = _impossible(theirs)
    if impossible is None:
        return None
    return Candidate(
        kind="unreadable_object",
        tenant=books.tenant,
        objects=(theirs.id,),
        differs=impossible[0],
        theirs=str(impossible[1]),
        evidence={"object": theirs.id, "kind": kind_of(theirs).value},
    )


def _is_other_mode(books: TenantBooks, thing: BillingObject) -> bool:
    return thing.is_live is not books.is_live_mode


def _other_mode(books: TenantBooks, thing: BillingObject) -> Candidate:
    return Candidate(
        kind="test_mode_mix",
        tenant=books.tenant,
        objects=(thing.id,),
        differs="mode",
        ours="live" if books.is_live_mode else "test",
        theirs="live" if thing.is_live else "test",
        at_risk_minor=amount_of(thing),
        currency=getattr(thing, "currency", None),
        direction=Direction.WE_LOSE if amount_of(thing) else Direction.NOBODY,
        evidence={"object": thing.id, "kind": kind_of(thing).value},
    )


def _impossible(thing: BillingObject) -> tuple[str, int] | None:
    """Return field and value of what cannot be: a negative quantity or a negative amount of money that moved."""
    match thing:
        case Subscription():
            told = [("quantity", each.quantity or 0) for each in thing.items]
        case Invoice():
            told = [("quantity", each.quantity or 0) for each in thing.lines]
        case Payment():
            told = [(name, getattr(thing, name)) for name in ("amount_minor", "captured_minor", "refunded_minor")]
        case Refund() | Dispute():
            told = [("amount_minor", thing.amount_minor)]
        case CreditNote():
            told = [("total_minor", thing.total_minor)]
        case _:
            told = []
    return next(((name, value) for name, value in told if value < 0), None)


def _by_ref(pair: tuple[ObjectRef, BillingObject]) -> ObjectRef:
    return pair[0]
