"""Dunning: how far the provider has come with collecting what is owed, from its own invoices."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from console.domain.billing.objects import Invoice
from console.domain.moments import day_of

_OPEN = "open"


class DunningState(StrEnum):
    """Where collecting stands: nothing was tried in vain, it is tried again, or never again."""

    NONE = "none"
    RETRYING = "retrying"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dunning:
    """How far collecting has come. Shape: `attempts` of the invoice tried most often; `invoices` are those owed."""

    state: DunningState
    attempts: int = 0
    next_attempt_at: datetime | None = None
    invoices: tuple[str, ...] = ()

    def sentence(self) -> str:
        """Return where it stands in words; empty where nothing was tried in vain."""
        tries = f"tried {self.attempts} time{'' if self.attempts == 1 else 's'}"
        match self.state:
            case DunningState.NONE:
                return ""
            case DunningState.RETRYING if self.next_attempt_at is not None:
                return f"{tries}, again on {day_of(self.next_attempt_at)}"
            case _:
                return f"{tries}, never again"


def dunning_of(invoices: Iterable[Invoice]) -> Dunning:
    """Return where collecting these invoices stands: given up once none of those tried is tried again."""
    tried = [each for each in invoices if each.status == _OPEN and each.attempts]
    if not tried:
        return Dunning(state=DunningState.NONE)
    following = min((each.next_attempt_at for each in tried if each.next_attempt_at is not None), default=None)
    return Dunning(
        state=DunningState.GIVEN_UP if following is None else DunningState.RETRYING,
        attempts=max(each.attempts for each in tried),
        next_attempt_at=following,
        invoices=tuple(sorted(each.id for each in tried)),
    )
