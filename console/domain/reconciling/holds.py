"""What a dispute does on our side: held while it is open, reversed once when it is lost, restored when it is won."""

from dataclasses import replace

from console.domain.billing.disputes import Standing, standing_of
from console.domain.billing.objects import Dispute
from console.domain.reconciling.books import Hold


def noted(dispute: Dispute, before: Hold | None, *, plan: str | None) -> Hold | None:
    """Return the hold that a dispute asks for, or None where it is noted already or its status is unknown.

    Shape: `plan` is the one that the disputed payment bought, whatever the tenant has today; one that was noted stays.
    """
    standing = standing_of(dispute)
    if standing is None:
        return None
    bought = plan if before is None else before.plan_at_purchase
    after = Hold(
        dispute=dispute.id,
        payment=dispute.payment,
        amount_minor=dispute.amount_minor,
        currency=dispute.currency,
        opened_at=dispute.opened_at,
        outcome=None if standing is Standing.OPEN else standing.value,
        reversals=1 if standing is Standing.LOST else 0,
        plan_at_purchase=bought,
        plan_used=bought,
    )
    if before is not None and before.outcome is not None and standing is Standing.OPEN:
        return None  # an old answer never opens what is over
    return None if before is not None and replace(before, plan_used=bought) == after else after


def worded(hold: Hold | None) -> str | None:
    """Return a hold in words."""
    if hold is None:
        return None
    words = {None: "held, nothing taken back", "lost": "reversed once", "won": "restored"}
    return words[hold.outcome]
