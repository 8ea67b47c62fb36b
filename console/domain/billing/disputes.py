"""How a dispute stands, in the few words on which we act."""

from collections.abc import Mapping
from enum import StrEnum

from console.domain.billing.objects import Dispute


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
