"""Row 36: whether what was closed still is what was closed, in the books and on disk."""

from collections.abc import Iterator

from console.domain.billing.objects import Invoice, ObjectKind
from console.domain.billing.sealing import is_as_closed, sealed
from console.domain.reconciling.books import AccountBooks
from console.domain.reconciling.findings import Candidate, Direction
from console.domain.reconciling.reading import NOTHING, Reading, said

_SHOWN = 12


def find(reading: Reading) -> Iterator[Candidate]:
    """Yield invoices of closed periods that the mirror holds otherwise now; where the provider differs too, see 14."""
    books = reading.books
    for closed in sorted(books.closed, key=lambda each: each.period):
        for name, digest in sorted(closed.invoices.items()):
            ours = books.mirror.get(ObjectKind.INVOICE, name)
            theirs = books.provider.get(ObjectKind.INVOICE, name)
            if name in reading.doubtful or not isinstance(ours, Invoice) or is_as_closed(ours, digest):
                continue
            if isinstance(theirs, Invoice) and sealed(theirs) != sealed(ours):
                continue
            yield Candidate(
                kind="closed_period_changed",
                tenant=books.tenant,
                objects=(name,),
                differs=closed.period,
                ours=f"{ours.number or name}, now {said(ours, 'total_minor')}",
                theirs=f"closed as {digest[:_SHOWN]}",
                at_risk_minor=abs(ours.total_minor),
                currency=ours.currency,
                params={"invoice": name, "currency": ours.currency},
                evidence={"period": closed.period, "closed": digest},
                happened_at=closed.closed_at,
            )


def find_exports(books: AccountBooks) -> Iterator[Candidate]:
    """Yield sealed files that are gone, or that are not what was sealed."""
    for each in sorted(books.exports, key=lambda one: (one.period, one.file)):
        if each.found == each.sealed and each.totals_found in (None, each.totals_sealed):
            continue
        moved = {
            currency: abs((each.totals_found or {}).get(currency, 0) - total)
            for currency, total in each.totals_sealed.items()
        }
        worst = max(moved.items(), key=lambda pair: pair[1], default=(None, 0))
        yield Candidate(
            kind="export_mismatch",
            tenant=None,
            objects=(each.period, each.file),
            differs="file" if each.found != each.sealed else "totals",
            ours=NOTHING if each.found is None else each.found,
            theirs=each.sealed,
            at_risk_minor=worst[1],
            currency=worst[0] if worst[1] else None,
            direction=Direction.NOBODY,
            evidence={f"total {currency}": str(total) for currency, total in sorted(each.totals_sealed.items())},
        )
