"""The records that say what tenants may use: the catalogue, and what each tenant bought, signed, tries and used."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRecord:
    """One plan that can be subscribed to; the amount is per month, in minor units."""

    key: str
    name: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureRecord:
    """One feature: `measure` is its kind; the price is per month and unit, 0 when it is not sold."""

    key: str
    name: str
    measure: str
    unit: str
    unit_price_minor: int
    currency: str
    combining: str | None = None
    default_value: int = 0
    hard_percent: int | None = None
    options: tuple[str, ...] = ()
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitlementRecord:
    """What a plan gives of a feature."""

    plan: str
    feature: str
    value: int

    @property
    def identity(self) -> tuple[str, ...]:
        """Return the key that no other record of the kind may have."""
        return self.plan, self.feature


@dataclass(frozen=True, slots=True, kw_only=True)
class AddOnRecord:
    """One add-on: what it adds of one feature; the amount is per month, in minor units."""

    key: str
    name: str
    feature: str
    value: int
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionAddOnRecord:
    """One add-on that a tenant has bought; `until` is exclusive, None means open."""

    tenant: str
    external_id: str
    add_on: str
    quantity: int
    starts_at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideRecord:
    """One override of an entitlement; `until` is exclusive; `ended_at` says when it was ended by hand.

    Shape: a file must say `until`; None is what older books of a product may hold, and a finding.
    """

    tenant: str
    external_id: str
    feature: str
    value: int
    label: str
    reference: str
    starts_at: datetime
    until: datetime | None
    ended_at: datetime | None
    op: str = "set"
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanVersionRecord:
    """When one version of a plan holds; `until` is exclusive, None means open."""

    plan: str
    version: int
    starts_at: datetime
    until: datetime | None

    @property
    def identity(self) -> tuple[str, ...]:
        """Return the key that no other record of the kind may have."""
        return self.plan, str(self.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanVersionEntitlementRecord:
    """What one version of a plan gives of a feature."""

    plan: str
    version: int
    feature: str
    value: int

    @property
    def identity(self) -> tuple[str, ...]:
        """Return the key that no other record of the kind may have."""
        return self.plan, str(self.version), self.feature


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractRecord:
    """What a tenant signed: plan and version while it runs; version 0 is the plan without versions."""

    tenant: str
    external_id: str
    label: str
    plan: str
    version: int
    starts_at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRecord:
    """What a tenant may try of one feature until a date."""

    tenant: str
    external_id: str
    feature: str
    value: int
    label: str
    starts_at: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionRecord:
    """Grace (`grace`) or a suspension (`read_only`, `blocked`) of a tenant, and its cause."""

    tenant: str
    external_id: str
    condition: str
    cause: str
    starts_at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRecord:
    """How much of a feature a tenant used in a period; `as_of` says how far the count has come."""

    tenant: str
    feature: str
    used: int
    starts_at: datetime
    until: datetime | None
    as_of: datetime

    @property
    def identity(self) -> tuple[str, ...]:
        """Return the key that no other record of the kind may have."""
        return self.tenant, self.feature, self.starts_at.isoformat()


CatalogueRecord: TypeAlias = (
    PlanRecord | FeatureRecord | EntitlementRecord | AddOnRecord | PlanVersionRecord | PlanVersionEntitlementRecord
)
OwnedEntitlementRecord: TypeAlias = (
    SubscriptionAddOnRecord | OverrideRecord | ContractRecord | TrialRecord | ConditionRecord | UsageRecord
)
