"""Tables of the control store for runs of reconciliation, what they pulled and saw, and the findings."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from console.storage.bases import ControlBase

_OPEN = text("state IN ('queued', 'pulling', 'comparing', 'settling')")
_DONE = text("state = 'done'")
_UNRESOLVED = text("state <> 'resolved'")
_WAIVED = text("state = 'waived'")
_STANDING = text("state IN ('open', 'in_progress')")
_UNOWNED = text("owner IS NULL AND state <> 'resolved'")
_OWNED = text("owner IS NOT NULL")
_OF_TENANT = text("tenant IS NOT NULL")


class ReconciliationRow(ControlBase):
    """A run; triggers keep what it was started with, and everything once it is over."""

    __tablename__ = "reconciliation"
    __table_args__ = (
        Index("uq_reconciliation_open", "scope", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_reconciliation_done", "scope", "queued_at", "id", sqlite_where=_DONE, postgresql_where=_DONE),
        Index("ix_reconciliation_queued_at", "queued_at", "id"),
        Index("ix_reconciliation_scope", "scope", "queued_at", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    scope: Mapped[str]
    tenant: Mapped[str | None]
    state: Mapped[str]
    version: Mapped[int]
    queued_at: Mapped[datetime]
    started_by: Mapped[str | None]
    request: Mapped[str | None]
    rules_version: Mapped[str]
    previous: Mapped[str | None]
    window_from: Mapped[datetime | None]
    window_until: Mapped[datetime | None]
    newest_event: Mapped[str | None]
    tenants_total: Mapped[int]
    counts: Mapped[dict[str, Any]]
    found: Mapped[dict[str, Any]]
    cursor: Mapped[dict[str, Any]]
    inputs_digest: Mapped[str | None]
    findings_digest: Mapped[str | None]
    began_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    because: Mapped[str | None]


class StagedObjectRow(ControlBase):
    """One object of the provider as a run pulled it; taken away some days after the run."""

    __tablename__ = "reconciliation_object"
    __table_args__ = (
        Index("ix_reconciliation_object_customer", "run", "customer", "kind", "id"),
        Index("ix_reconciliation_object_parent", "run", "kind", "parent", "id"),
    )

    run: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    customer: Mapped[str | None]
    parent: Mapped[str | None]
    digest: Mapped[str]
    document: Mapped[dict[str, Any] | None]
    is_deleted: Mapped[bool]
    why: Mapped[str | None]


class SightingRow(ControlBase):
    """That a run saw a finding; nothing changes or removes it."""

    __tablename__ = "reconciliation_sighting"
    __table_args__ = (Index("ix_reconciliation_sighting_tenant", "run", "tenant", "finding"),)

    run: Mapped[str] = mapped_column(primary_key=True)
    finding: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    tenant: Mapped[str | None]
    objects: Mapped[list[Any]]
    digest: Mapped[str]
    how: Mapped[str]


class FindingRow(ControlBase):
    """A finding; triggers keep what it is about."""

    __tablename__ = "finding"
    __table_args__ = (
        Index("ix_finding_state", "state", "first_seen_at", "id"),
        Index("ix_finding_first_seen_at", "first_seen_at", "id", sqlite_where=_UNRESOLVED,
              postgresql_where=_UNRESOLVED),
        Index("ix_finding_kind", "kind", "first_seen_at", "id"),
        Index("ix_finding_currency", "currency", "first_seen_at", "id"),
        Index("ix_finding_tenant", "tenant", "first_seen_at", "id", sqlite_where=_OF_TENANT,
              postgresql_where=_OF_TENANT),
        Index("ix_finding_owner", "owner", "first_seen_at", "id", sqlite_where=_OWNED, postgresql_where=_OWNED),
        Index("ix_finding_waived", "waived_until", "id", sqlite_where=_WAIVED, postgresql_where=_WAIVED),
        Index("ix_finding_unresolved", "id", sqlite_where=_UNRESOLVED, postgresql_where=_UNRESOLVED),
        Index("ix_finding_last_run", "last_run", "state", "id"),
        Index("ix_finding_standing", "kind", "currency", "at_risk_minor", sqlite_where=_STANDING,
              postgresql_where=_STANDING),
        Index("ix_finding_unowned", "state", "id", sqlite_where=_UNOWNED, postgresql_where=_UNOWNED),
    )  # fmt: skip

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    tenant: Mapped[str | None]
    objects: Mapped[list[Any]]
    differs: Mapped[str]
    ours: Mapped[str]
    theirs: Mapped[str]
    at_risk_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str | None]
    direction: Mapped[str]
    params: Mapped[dict[str, Any]]
    evidence: Mapped[dict[str, Any]]
    state: Mapped[str]
    version: Mapped[int]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    first_run: Mapped[str]
    last_run: Mapped[str]
    times_reopened: Mapped[int]
    owner: Mapped[str | None]
    waived_until: Mapped[datetime | None]
    waived_by: Mapped[str | None]
    explanation: Mapped[str | None]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str | None]
    repair: Mapped[str | None]
