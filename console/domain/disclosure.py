"""When a customer is shown that staff reached their data, and how they are told: at once, later, or after a hold."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from console.domain.ids import StaffId, TenantId


class Shown(StrEnum):
    """When an access appears in the customer's log."""

    AT_ONCE = "at_once"
    DELAYED = "delayed"
    WITHHELD = "withheld"


class Told(StrEnum):
    """Whether the customer is written to besides: never, in a daily digest, of each access, at once in an emergency."""

    LOG = "log"
    DIGEST = "digest"
    EACH = "each"


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureRule:
    """What one reason code says. Units: days after the access. Source: policies/reasons.toml.

    Shape: WITHHELD waits for its days too, the time in which a legal hold can be set, and then for every hold on the
    tenant and reference; without a hold nothing is withheld.
    """

    shown: Shown = Shown.AT_ONCE
    delay_days: int = 0
    told: Told = Told.LOG

    def due(self, at: datetime) -> datetime:
        """Return when an access of that moment is shown, holds left aside."""
        return at + timedelta(days=self.delay_days)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalHold:
    """An order that accesses under one reference stay unsaid to one tenant until a date, unless it is released before.

    Shape: `until` is exclusive; `reference` is the matter that the accesses name.
    """

    id: str
    tenant: TenantId
    reference: str
    until: datetime
    set_at: datetime
    set_by: StaffId
    released_at: datetime | None = None
    released_by: StaffId | None = None

    def stands(self, now: datetime) -> bool:
        """Return whether it still keeps anything back."""
        return self.released_at is None and now < self.until
