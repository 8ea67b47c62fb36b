"""What a dispute does on our side: held while it is open, reversed once when it is lost, restored when it is won."""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum

from console.domain.billing.objects import Dispute
from console.domain.reconciling.books import Hold


class Standing(StrEnum):
    """How a dispute stands, as far as we act on it."""

    OPEN = "open"
    LOST = "lost"
    WON = "won"


_STANDINGS: Mapping[str, Standing] = {
    "needs_response": Standing.OPEN,
    "under_review": Standing.OPEN,
    "warning_needs_response": Standing.OPEN,
    "warning_under_review": Standing.OPEN,
    "lost": Standing.LOST,
    "won": Standing.WON,
    "warning_closed": Standing.WON,
    "prevented": Standing.WON,
}


def standing_of(dispute: Dispute) -> Standing | None:
    """Return how a dispute stands; None for a word that nobody here knows, which is never guessed."""
    return _STANDINGS.get(dispute.status)


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
