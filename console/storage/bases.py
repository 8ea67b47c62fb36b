"""The two declarative bases: what the control store owns, and what a tenant's plane holds."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import LargeBinary, MetaData
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from console.storage.types import Document, Instant, Words

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
_TYPES = {str: Words(), datetime: Instant(), dict[str, Any]: Document(), list[Any]: Document(), bytes: LargeBinary()}


class ControlBase(DeclarativeBase):
    """Staff, leases, requests, directory and trail."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar = _TYPES


class PlaneBase(DeclarativeBase):
    """The operating model of a tenant plane, whether it shares the control store's database or not."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar = _TYPES


class TenantOwned:
    """A row that belongs to exactly one tenant; the session guards know tables by this class."""

    tenant_id: Mapped[str] = mapped_column(primary_key=True, sort_order=-1)
