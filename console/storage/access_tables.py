"""Tables of the control store about access: mass recalculations, and the register of overrides."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from console.storage.bases import ControlBase


class SweepRow(ControlBase):
    """One mass recalculation."""

    __tablename__ = "access_sweep"
    __table_args__ = (Index(None, "planned_at", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    plan: Mapped[str | None]
    rate_per_s: Mapped[int]
    planned_by: Mapped[str]
    planned_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    version: Mapped[int]
    after: Mapped[str | None]
    looked_at: Mapped[int]
    unreadable: Mapped[int]
    planned: Mapped[int]
    gaining: Mapped[int]
    losing: Mapped[int]
    digest: Mapped[str | None]
    request: Mapped[str | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    canaries_done_at: Mapped[datetime | None]
    because: Mapped[str | None]


class SweepTenantRow(ControlBase):
    """One tenant of a mass recalculation: how many features it gains and loses, and where it stands."""

    __tablename__ = "access_sweep_tenant"
    __table_args__ = (
        Index(None, "run", "place"),
        Index(None, "run", "state", "place"),
    )

    run: Mapped[str] = mapped_column(ForeignKey("access_sweep.id"), primary_key=True)
    tenant: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[int]
    is_canary: Mapped[bool]
    is_first: Mapped[bool]
    gains: Mapped[int]
    losses: Mapped[int]
    state: Mapped[str]
    because: Mapped[str | None]
    settled_at: Mapped[datetime | None]


class RegisteredRow(ControlBase):
    """One override in the register."""

    __tablename__ = "override_register"
    __table_args__ = (Index(None, "until", "tenant"),)

    tenant: Mapped[str] = mapped_column(primary_key=True)
    override: Mapped[str] = mapped_column(primary_key=True)
    starts_at: Mapped[datetime]
    until: Mapped[datetime | None]
    owner: Mapped[str]
    monthly_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    is_redundant: Mapped[bool]
    is_orphaned: Mapped[bool]
    checked_at: Mapped[datetime]
    reminded_at: Mapped[datetime | None]


class RegisterRoundRow(ControlBase):
    """How far the round over all tenants with overrides has come; one row at most."""

    __tablename__ = "override_register_round"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    began_at: Mapped[datetime]
    after: Mapped[str | None]
