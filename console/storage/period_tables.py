"""Accounting periods: their list in the control store, and what each holds of a tenant on that tenant's plane."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from console.storage.bases import ControlBase, PlaneBase, TenantOwned


class PeriodRow(ControlBase):
    """A month that somebody prepared, closed or reopened."""

    __tablename__ = "accounting_period"

    id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    version: Mapped[int]
    rules: Mapped[int]
    prepared_by: Mapped[str | None]
    prepared_at: Mapped[datetime | None]
    tenants: Mapped[int]
    digest: Mapped[str | None]
    files: Mapped[list[Any]]
    previous: Mapped[list[Any]]
    closed_by: Mapped[str | None]
    closed_at: Mapped[datetime | None]
    request: Mapped[str | None]
    times_reopened: Mapped[int]
    cursor: Mapped[str | None]
    agreements: Mapped[list[Any]] = mapped_column(server_default="[]")


class PeriodSetRow(TenantOwned, PlaneBase):
    """What a period holds of a tenant: digests and states by object, the objects themselves, and what was booked."""

    __tablename__ = "plane_period_set"

    period: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    frozen_at: Mapped[datetime]
    held: Mapped[dict[str, Any]]
    closing: Mapped[dict[str, Any]]
    documents: Mapped[list[Any]]
    events: Mapped[list[Any]]
    rolled: Mapped[list[Any]]
    ageing: Mapped[dict[str, Any]]
