"""Row 35: whether what is in a payout adds up to it, and whether it arrives."""

from collections.abc import Iterator
from datetime import timedelta

from console.domain.billing.money import worded
from console.domain.billing.objects import Payout
from console.domain.billing.states import CURRENCIES, unknown_word
from console.domain.billing.tie_outs import payout_gap, transaction_gap
from console.domain.reconciling.books import AccountBooks
from console.domain.reconciling.findings import Candidate, Direction
from console.domain.reconciling.reading import moment

_LATE_AFTER = timedelta(days=2)
_ON_ITS_WAY = frozenset({"pending", "in_transit"})
_SENT = _ON_ITS_WAY | {"paid"}


def find(books: AccountBooks) -> Iterator[Candidate]:
    """Yield what is wrong with payouts: at most one thing for each, and that it is overdue."""
    for payout in sorted(books.payouts, key=lambda each: each.id):
        word = unknown_word(payout)
        if word is not None:
            yield _finding(payout, "unknown_enum", "", word[1], differs=word[0])
            continue
        wrong = _wrong(books, payout)
        if wrong is not None:
            yield wrong
        if payout.status in _ON_ITS_WAY and payout.arrives_at + _LATE_AFTER < books.now:
            told = f"due {moment(payout.arrives_at)}", payout.status
            yield _finding(payout, "payout_overdue", *told, risk=abs(payout.amount_minor), loser=Direction.WE_LOSE)
    for (kind, name), why in sorted(books.unreadable.items()):
        yield Candidate(kind="unreadable_object", tenant=None, objects=(name,), differs=kind.value, theirs=why)


def _wrong(books: AccountBooks, payout: Payout) -> Candidate | None:
    inside = books.transactions.get(payout.id, ())
    told = worded(payout.amount_minor, payout.currency)
    amount = abs(payout.amount_minor)
    others = sorted({each.currency for each in inside} - {payout.currency})
    if others:
        known = ", ".join(each if each in CURRENCIES else f"unknown {each}" for each in others)
        return _finding(payout, "currency_mismatch", f"payout in {payout.currency}", f"holds {known}", risk=amount)
    if not payout.is_automatic and not any(each.source != payout.id for each in inside):
        return _finding(payout, "payout_unattributable", "contents unknown", told, risk=amount)
    broken = next((each for each in inside if transaction_gap(each)), None)
    gap = payout_gap(payout, inside) if broken is None else transaction_gap(broken)
    if not gap or payout.status not in _SENT:
        return None
    ours = f"contents {worded(payout.amount_minor - gap, payout.currency)}"
    differs = "contents" if broken is None else broken.id
    return _finding(payout, "payout_mismatch", ours, told, differs=differs, risk=abs(gap), loser=Direction.WE_LOSE)


def _finding(
    payout: Payout,
    kind: str,
    ours: str,
    theirs: str,
    *,
    differs: str = "",
    risk: int = 0,
    loser: Direction = Direction.NOBODY,
) -> Candidate:
    return Candidate(
        kind=kind,
        tenant=None,
        objects=(payout.id,),
        differs=differs,
        ours=ours,
        theirs=theirs,
        at_risk_minor=risk,
        currency=payout.currency,
        direction=loser,
        evidence={"payout": payout.id, "status": payout.status},
        happened_at=payout.created_at,
    )
