"""Rows 22 and 23: disputes on both sides, and whether what they do to a tenant was noted: held, reversed, restored."""

from collections.abc import Iterator

from console.domain.billing.money import worded
from console.domain.billing.objects import Dispute, ObjectKind
from console.domain.billing.states import OPEN_DISPUTE
from console.domain.reconciling.books import Hold
from console.domain.reconciling.findings import Candidate, Direction
from console.domain.reconciling.reading import Reading, differing

_LOST = "lost"


def find(reading: Reading) -> Iterator[Candidate]:
    """Yield disputes that the mirror holds otherwise; once it knows them, those that are not noted as they stand."""
    held = {each.dispute: each for each in reading.books.holds}
    unknown: set[str] = set()
    for dispute, ours, theirs in reading.pairs(Dispute):
        unknown.add(dispute.id)
        names = differing(ours, theirs) if ours is not None and theirs is not None else ("",)
        yield reading.drift(
            "dispute_not_in_mirror",
            ours,
            theirs,
            differs="status" if "status" in names else names[0],
            at_risk_minor=dispute.amount_minor,
            direction=Direction.WE_LOSE if ours is None else Direction.NOBODY,
            happened_at=dispute.closed_at or dispute.opened_at,
        )
    for dispute in reading.disputes:
        hold = held.get(dispute.id)
        kind = None if dispute.id in unknown else _unnoted(dispute, hold)
        if kind is not None:
            yield _finding(reading, kind, dispute, hold)
    for hold in reading.books.holds:
        if None not in (hold.plan_at_purchase, hold.plan_used) and hold.plan_at_purchase != hold.plan_used:
            yield Candidate(
                kind="dispute_effect_used_current_product_state",
                tenant=reading.books.tenant,
                objects=(hold.dispute,),
                ours=f"judged by {hold.plan_used}",
                theirs=f"bought {hold.plan_at_purchase}",
                at_risk_minor=hold.amount_minor,
                currency=hold.currency,
                direction=Direction.CUSTOMER_LOSES,
                evidence={"payment": hold.payment},
                happened_at=hold.opened_at,
            )


def _unnoted(dispute: Dispute, hold: Hold | None) -> str | None:
    """Return which state of a dispute its note does not tell."""
    reversals, outcome = (0, None) if hold is None else (hold.reversals, hold.outcome)
    if dispute.status in OPEN_DISPUTE:
        return "dispute_open" if hold is None or reversals or outcome is not None else None
    if dispute.status == _LOST:
        return "dispute_lost" if outcome != _LOST or reversals != 1 else None
    # Won, or closed without effect: nothing may stay held or taken.
    is_noted = hold is None and dispute.status != "won"
    return None if is_noted or (outcome == "won" and not reversals) else "dispute_won"


def _finding(reading: Reading, kind: str, dispute: Dispute, hold: Hold | None) -> Candidate:
    noted = "not noted" if hold is None else f"noted as {hold.outcome or 'open'}, reversed {hold.reversals} times"
    return Candidate(
        kind=kind,
        tenant=reading.books.tenant,
        objects=(dispute.id,),
        ours=noted,
        theirs=f"{dispute.status}, {worded(dispute.amount_minor, dispute.currency)}",
        at_risk_minor=dispute.amount_minor,
        currency=dispute.currency,
        direction=Direction.CUSTOMER_LOSES if kind == "dispute_won" else Direction.WE_LOSE,
        params={"dispute": dispute.id},
        evidence={ObjectKind.PAYMENT.value: dispute.payment},
        happened_at=dispute.closed_at or dispute.opened_at,
    )
