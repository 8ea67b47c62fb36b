"""Tables of the directory: one row per tenant and the keys by which it can be found."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from console.storage.bases import ControlBase
from console.storage.types import RowNumber


class DirectoryTenantRow(ControlBase):
    """All that may be known of a tenant without a lease; `ordinal` ties it to the name index of SQLite."""

    __tablename__ = "directory_tenant"
    __table_args__ = (Index(None, "name_folded", "id"), {"sqlite_autoincrement": True})

    ordinal: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    external_id: Mapped[str] = mapped_column(unique=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_folded: Mapped[str]
    region: Mapped[str]
    plan: Mapped[str]
    status: Mapped[str]
    tier: Mapped[str]
    plane: Mapped[str]


class DirectoryKeyRow(ControlBase):
    """A folded domain, invoice number, customer or message id, or the fingerprint of a member's address."""

    __tablename__ = "directory_key"
    __table_args__ = (Index(None, "tenant_id", "kind"), {"sqlite_with_rowid": False})

    kind: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
