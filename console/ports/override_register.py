"""The register of overrides in the control store: dates, owners and money over all tenants, and no value of any."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from console.domain.ids import PlaneId, TenantId
from console.domain.override_register import Registered


class Which(StrEnum):
    """Which part of the register is looked at."""

    ENDS_SOON = "ends_soon"
    NO_OWNER = "no_owner"
    REDUNDANT = "redundant"
    ORPHANED = "orphaned"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """How many overrides each part holds, counted to a bound, how many end within a day, when the oldest was looked at.

    Shape: `looked_at` is when the oldest line was looked at and `newest_at` when the newest was, both None where
    nothing is registered.
    """

    counts: Mapping[Which, int]
    ends_tomorrow: int
    looked_at: datetime | None
    newest_at: datetime | None


Mark = tuple[TenantId, str]  # tenant and override: where a page ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Overridden:
    """Tenants with an override on the planes that answered, and the planes that are `silent`."""

    tenants: Sequence[TenantId]
    silent: frozenset[PlaneId]


class OverrideRegister(Protocol):
    """The register inside one unit."""

    def of(self, tenant: TenantId) -> Sequence[Registered]:
        """Return what is registered of one tenant."""
        ...

    def replace(self, tenant: TenantId, rows: Sequence[Registered]) -> None:
        """Put these in place of all that was registered of a tenant."""
        ...

    def tenants(self, *, after: TenantId | None, limit: int) -> Sequence[TenantId]:
        """Return tenants of which anything is registered, by id."""
        ...

    def page(self, which: Which, *, ends_before: datetime, after: Mark | None, limit: int) -> Sequence[Registered]:
        """Return overrides, those that end first before the others; `ends_before` bounds what ends soon.

        Shape: `after` is exclusive; one that is no longer registered begins anew.
        """
        ...

    def glance(self, *, now: datetime, ends_before: datetime, most: int) -> Glance:
        """Return the figures of all parts, in one statement; none is counted further than `most`."""
        ...

    def totals(self) -> Sequence[tuple[str, int, int]]:
        """Return for each currency how many overrides cost how much a month."""
        ...

    def round(self) -> tuple[datetime, TenantId | None] | None:
        """Return when the round began that is under way, and the last tenant that it has seen; None without one."""
        ...

    def set_round(self, began_at: datetime | None, after: TenantId | None) -> None:
        """Remember how far a round has come; None ends it."""
        ...


class AccessFleet(Protocol):
    """Which tenants the access jobs look at: ids over all planes, and nothing of what they may use."""

    def ended(self, now: datetime, *, limit: int) -> Sequence[tuple[PlaneId, TenantId]]:
        """Return tenants whose stored set has reached its end, longest ago first; a silent plane is left out."""
        ...

    def with_overrides(self, *, after: TenantId | None, limit: int) -> Overridden:
        """Return tenants that have an override that was not ended by hand, by id, and which planes said nothing."""
        ...
