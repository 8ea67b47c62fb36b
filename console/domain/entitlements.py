"""What entitlements are made of: features, grants, contracts, plan versions, conditions, usage, and their row."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FeatureKind(StrEnum):
    """A switch is on (1) or off (0); a limit counts what exists; config is one of its options; metered is used up."""

    SWITCH = "switch"
    LIMIT = "limit"
    CONFIG = "config"
    METERED = "metered"


class Combining(StrEnum):
    """How several sources of one feature make one value: declared per feature, never guessed from generosity."""

    SUM = "sum"
    MAX = "max"
    LAST = "last"
    ANY = "any"


class GrantSource(StrEnum):
    """Where a value comes from, in the order in which it is considered."""

    DEFAULT = "default"
    PLAN = "plan"
    CONTRACT = "contract"
    TRIAL = "trial"
    ADD_ON = "add_on"
    OVERRIDE = "override"


class Op(StrEnum):
    """What an override does: decide alone, join the sources, come on top of them, or take the feature away."""

    SET = "set"
    GRANT = "grant"
    ADD = "add"
    DENY = "deny"


class ConditionKind(StrEnum):
    """What stands over a whole tenant: access past what is paid, no growth, no access, or nothing paid for any more."""

    GRACE = "grace"
    READ_ONLY = "read_only"
    BLOCKED = "blocked"
    COVERAGE_ENDED = "coverage_ended"


class Access(StrEnum):
    """What a row means for the tenant now; the first that holds, from the last of these to the first."""

    GRANTED = "granted"
    GRANTED_IN_GRACE = "granted_in_grace"
    SOFT_EXCEEDED = "soft_exceeded"
    HARD_EXCEEDED = "hard_exceeded"
    DENIED = "denied"


_COMBINING = {FeatureKind.SWITCH: Combining.ANY, FeatureKind.CONFIG: Combining.LAST}
_COUNTED = frozenset({FeatureKind.LIMIT, FeatureKind.METERED})
_ALL = 100


def _runs(now: datetime, starts_at: datetime, until: datetime | None) -> bool:
    return starts_at <= now and (until is None or now < until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """Something a plan can contain. `unit_price_minor` is per month and unit; 0 means it is not sold.

    Shape: `options` are the words of a config feature, whose value is a position among them; `default` holds where
    nothing grants it. Units: `hard_percent` of the value is where use stops; 0 means never, None what its kind says.
    """

    key: str
    name: str
    kind: FeatureKind
    unit: str
    unit_price_minor: int
    currency: str
    combining: Combining | None = None
    default: int = 0
    hard_percent: int | None = None
    options: tuple[str, ...] = ()
    owner: str = ""

    @property
    def is_paid(self) -> bool:
        """Return whether more of it costs money."""
        return self.unit_price_minor > 0

    @property
    def is_counted(self) -> bool:
        """Return whether use of it is counted against a limit."""
        return self.kind in _COUNTED

    @property
    def policy(self) -> Combining:
        """Return how its sources are combined."""
        return self.combining or _COMBINING.get(self.kind, Combining.SUM)

    def hard_limit(self, value: int) -> int | None:
        """Return where use stops for a value: at the value for a limit, nowhere for what is metered, unless told."""
        if not self.is_counted:
            return None
        percent = self.hard_percent
        if percent is None:
            percent = _ALL if self.kind is FeatureKind.LIMIT else 0
        return value * percent // _ALL if percent else None

    def worded(self, value: int) -> str:
        """Return a value as people say it: on, off, an option, or a number with its unit, singular for one."""
        if self.kind is FeatureKind.SWITCH:
            return "on" if value else "off"
        if self.kind is FeatureKind.CONFIG and 0 <= value < len(self.options):
            return self.options[value]
        is_plural_word = self.unit.endswith("s") and not self.unit.endswith("ss")
        unit = self.unit[:-1] if value == 1 and is_plural_word else self.unit
        return f"{value:,} {unit}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One source's value for one feature. Units: of the feature; `until` is exclusive, None means open.

    Shape: `version` is the plan's, for plan and contract; `op` and `owner` are an override's.
    """

    source: GrantSource
    id: str
    label: str
    feature: str
    value: int
    starts_at: datetime
    until: datetime | None
    ended_at: datetime | None = None
    reference: str = ""
    version: int = 0
    op: Op = Op.SET
    owner: str = ""

    @property
    def end(self) -> datetime | None:
        """Return the moment from which it no longer counts: its date, or when it was ended by hand if that is first."""
        if self.ended_at is None or self.until is None:
            return self.until or self.ended_at
        return min(self.until, self.ended_at)

    def is_live(self, now: datetime) -> bool:
        """Return whether the grant counts at a moment."""
        return _runs(now, self.starts_at, self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanVersion:
    """When a version of a plan holds for whoever has no contract; version 0 is the plan without versions."""

    plan: str
    version: int
    starts_at: datetime
    until: datetime | None

    def is_live(self, now: datetime) -> bool:
        """Return whether the version is the plan at a moment, unless a later one is too."""
        return _runs(now, self.starts_at, self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What was signed: while it runs it fixes plan and version, and the plan's own grants do not count."""

    id: str
    label: str
    plan: str
    version: int
    starts_at: datetime
    until: datetime | None

    def is_live(self, now: datetime) -> bool:
        """Return whether the contract runs at a moment."""
        return _runs(now, self.starts_at, self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Grace, a suspension or an ended coverage of the whole tenant, and what caused it; `until` is exclusive."""

    id: str
    kind: ConditionKind
    cause: str
    starts_at: datetime
    until: datetime | None

    def is_live(self, now: datetime) -> bool:
        """Return whether it holds at a moment."""
        return _runs(now, self.starts_at, self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """How much of a feature was used in a period; `as_of` is how far the count has come. Units: of the feature."""

    feature: str
    used: int
    starts_at: datetime
    until: datetime | None
    as_of: datetime

    def is_live(self, now: datetime) -> bool:
        """Return whether the count says something of a moment: within its period, and not before it was made."""
        return _runs(now, max(self.starts_at, self.as_of), self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """All that decides what one tenant may use; with a moment it decides it completely."""

    features: tuple[Feature, ...]
    grants: tuple[Grant, ...] = ()
    plan_versions: tuple[PlanVersion, ...] = ()
    contracts: tuple[Contract, ...] = ()
    conditions: tuple[Condition, ...] = ()
    usage: tuple[Usage, ...] = ()
    subscription: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Loser:
    """A grant that does not decide, and why."""

    grant: Grant
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement:
    """The effective value of one feature and the whole chain behind it.

    Shape: `soft` and `hard` are None where nothing is counted or nothing stops it; `blocked_by`, `frozen_by` and
    `grace` name the condition that takes it away, stops its growth, or alone keeps it.
    """

    feature: Feature
    value: int
    access: Access
    winners: tuple[Grant, ...]
    losers: tuple[Loser, ...]
    valid_until: datetime | None
    soft: int | None = None
    hard: int | None = None
    usage: Usage | None = None
    blocked_by: Condition | None = None
    frozen_by: Condition | None = None
    grace: Condition | None = None

    @property
    def used_percent(self) -> int | None:
        """Return how much of the value is used up, rounded down; None where nothing is counted or given."""
        if self.usage is None or not self.soft:
            return None
        return self.usage.used * _ALL // self.soft
