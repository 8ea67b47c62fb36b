"""What Sallyport itself keeps on every tenant plane; always tables, never views."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from console.storage.bases import PlaneBase, TenantOwned

IMPORTER = "import"  # who wrote what came with an import: nobody whom one could ask
_OPEN = text("ended_at IS NULL")


class TenantLinkRow(TenantOwned, PlaneBase):
    """Which of the product's own tenants this is; views over the product's schema join by it."""

    __tablename__ = "plane_tenant"

    external_id: Mapped[str] = mapped_column(unique=True)


class AccountStateRow(TenantOwned, PlaneBase):
    """Versions of a tenant, and the status that Sallyport set; it wins over the product's own. No row means 1, 1."""

    __tablename__ = "plane_account_state"

    version: Mapped[int]
    entitlement_version: Mapped[int]
    status: Mapped[str | None]
    status_because: Mapped[str | None]


class OverrideRow(TenantOwned, PlaneBase):
    """An entitlement override."""

    __tablename__ = "plane_entitlement_override"
    __table_args__ = (
        Index(None, "tenant_id", "feature"),
        Index(
            "ix_plane_entitlement_override_open",
            "tenant_id",
            "until",
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    feature: Mapped[str]
    label: Mapped[str]
    value: Mapped[int] = mapped_column(BigInteger)
    starts_at: Mapped[datetime]
    until: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    reference: Mapped[str]
    granted_by: Mapped[str]
    granted_at: Mapped[datetime]
    op: Mapped[str] = mapped_column(server_default="set")
    owner: Mapped[str] = mapped_column(server_default="")


class OwnConditionRow(TenantOwned, PlaneBase):
    """Grace that staff granted, or the end of a coverage; beside the product's own conditions."""

    __tablename__ = "plane_own_condition"

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    cause: Mapped[str]
    starts_at: Mapped[datetime]
    until: Mapped[datetime | None]
    reference: Mapped[str]
    set_by: Mapped[str]
    set_at: Mapped[datetime]


class NoteRow(TenantOwned, PlaneBase):
    """What a staff member wrote about a tenant."""

    __tablename__ = "plane_note"
    __table_args__ = (Index(None, "tenant_id", "at", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    author: Mapped[str]
    text: Mapped[str]
    at: Mapped[datetime]


class AppliedExecutionRow(TenantOwned, PlaneBase):
    """An execution whose fate was decided here, in the transaction of its effect; unique over all tenants."""

    __tablename__ = "plane_applied_execution"
    __table_args__ = (Index("uq_plane_applied_execution_execution", "execution", unique=True),)

    execution: Mapped[str] = mapped_column(primary_key=True)
    outcome: Mapped[str]
    at: Mapped[datetime]
