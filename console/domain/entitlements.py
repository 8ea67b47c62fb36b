"""The effective entitlements of a tenant: a pure function of grants and time, with winner and losers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FeatureKind(StrEnum):
    """A switch is on (1) or off (0); a limit counts units."""

    SWITCH = "switch"
    LIMIT = "limit"


class GrantSource(StrEnum):
    """Where a value comes from, in the order in which it is considered."""

    PLAN = "plan"
    ADD_ON = "add_on"
    OVERRIDE = "override"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """Something a plan can contain. `unit_price_minor` is per month and unit; 0 means it is not sold."""

    key: str
    name: str
    kind: FeatureKind
    unit: str
    unit_price_minor: int
    currency: str

    @property
    def is_paid(self) -> bool:
        """Return whether more of it costs money."""
        return self.unit_price_minor > 0

    def worded(self, value: int) -> str:
        """Return a value as people say it: on, off, or a number with its unit, which is singular for one."""
        if self.kind is FeatureKind.SWITCH:
            return "on" if value else "off"
        is_plural_word = self.unit.endswith("s") and not self.unit.endswith("ss")
        unit = self.unit[:-1] if value == 1 and is_plural_word else self.unit
        return f"{value:,} {unit}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One source's value for one feature. Units: of the feature; `until` is exclusive, None means open."""

    source: GrantSource
    id: str
    label: str
    feature: str
    value: int
    starts_at: datetime
    until: datetime | None
    ended_at: datetime | None = None
    reference: str = ""

    def is_live(self, now: datetime) -> bool:
        """Return whether the grant counts at a moment."""
        if self.ended_at is not None and now >= self.ended_at:
            return False
        return self.starts_at <= now and (self.until is None or now < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loser:
    """A grant that does not decide, and why."""

    grant: Grant
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement:
    """The effective value of one feature and the whole chain behind it."""

    feature: Feature
    value: int
    winners: tuple[Grant, ...]
    losers: tuple[Loser, ...]
    valid_until: datetime | None


def effective(feature: Feature, grants: Iterable[Grant], now: datetime) -> Entitlement:
    """Return what the tenant has of one feature now, and why.

    Shape: the newest live override decides alone; otherwise the plan's value plus every live add-on.
    """
    mine = [grant for grant in grants if grant.feature == feature.key]
    live = [grant for grant in mine if grant.is_live(now)]
    losers = [Loser(grant=grant, why=_why_not_live(grant, now)) for grant in mine if grant not in live]
    overrides = sorted(
        (grant for grant in live if grant.source is GrantSource.OVERRIDE),
        key=lambda grant: (grant.starts_at, grant.id),
        reverse=True,
    )
    if overrides:
        winners = overrides[:1]
        losers += [Loser(grant=grant, why="replaced by a newer override") for grant in overrides[1:]]
        under = [grant for grant in live if grant.source is not GrantSource.OVERRIDE]
        losers += [Loser(grant=grant, why="replaced by the override") for grant in under]
    else:
        winners = live
    value = sum(grant.value for grant in winners)
    if feature.kind is FeatureKind.SWITCH:
        value = min(value, 1)
    return Entitlement(
        feature=feature,
        value=value,
        winners=tuple(winners),
        losers=tuple(losers),
        valid_until=_next_change(mine, now),
    )


def _why_not_live(grant: Grant, now: datetime) -> str:
    if grant.ended_at is not None and now >= grant.ended_at:
        return "ended by hand"
    return "not started yet" if now < grant.starts_at else "expired"


def _next_change(grants: list[Grant], now: datetime) -> datetime | None:
    moments = [
        moment
        for grant in grants
        for moment in (grant.starts_at, grant.until, grant.ended_at)
        if moment is not None and moment > now
    ]
    return min(moments, default=None)
