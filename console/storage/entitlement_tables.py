"""Read shapes of what decides entitlements besides plan and add-ons; each may be empty, a table of ours or a view."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from console.storage.bases import PlaneBase, TenantOwned


class FeatureRuleRow(PlaneBase):
    """How a feature of the catalogue is combined, limited and worded; without a row its kind decides."""

    __tablename__ = "plane_feature_rule"

    feature_key: Mapped[str] = mapped_column(primary_key=True)
    combining: Mapped[str | None]
    default_value: Mapped[int] = mapped_column(BigInteger)
    hard_percent: Mapped[int | None]
    options: Mapped[list[Any]]
    owner: Mapped[str]


class PlanVersionRow(PlaneBase):
    """When a version of a plan holds; a plan without rows is its undated entitlements."""

    __tablename__ = "plane_plan_version"

    plan_key: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    starts_at: Mapped[datetime]
    until: Mapped[datetime | None]


class PlanVersionEntitlementRow(PlaneBase):
    """What a version of a plan gives of a feature."""

    __tablename__ = "plane_plan_version_entitlement"

    plan_key: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    feature_key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)


class ContractRow(TenantOwned, PlaneBase):
    """What a tenant signed: a plan and version that hold while it runs; version 0 is the undated plan."""

    __tablename__ = "plane_contract"

    id: Mapped[str] = mapped_column(primary_key=True)
    label: Mapped[str]
    plan_key: Mapped[str]
    version: Mapped[int]
    starts_at: Mapped[datetime]
    until: Mapped[datetime | None]


class TrialRow(TenantOwned, PlaneBase):
    """What a tenant may try of one feature, and until when."""

    __tablename__ = "plane_trial"

    id: Mapped[str] = mapped_column(primary_key=True)
    feature_key: Mapped[str]
    value: Mapped[int] = mapped_column(BigInteger)
    label: Mapped[str]
    starts_at: Mapped[datetime]
    until: Mapped[datetime]


class ConditionRow(TenantOwned, PlaneBase):
    """Grace or a suspension of a tenant, and its cause."""

    __tablename__ = "plane_condition"

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    cause: Mapped[str]
    starts_at: Mapped[datetime]
    until: Mapped[datetime | None]


class UsageRow(TenantOwned, PlaneBase):
    """How much of a feature a tenant used in a period."""

    __tablename__ = "plane_usage"

    feature_key: Mapped[str] = mapped_column(primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(primary_key=True)
    until: Mapped[datetime | None]
    used: Mapped[int] = mapped_column(BigInteger)
    as_of: Mapped[datetime]
