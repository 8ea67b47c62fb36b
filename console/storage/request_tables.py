"""Tables of the request machine: the head that moves, frozen revisions, votes, seats and what was shown."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from console.storage.bases import ControlBase


class RequestRow(ControlBase):
    """Where a request stands; what was agreed to stands in its revision."""

    __tablename__ = "request"
    __table_args__ = (
        Index(None, "requester", "filed_at", "id"),
        Index(None, "filed_at", "id"),
        Index(None, "tenant", "filed_at", "id"),
        Index(None, "state", "filed_at", "id"),
        Index(None, "state", "approve_by", "id"),
        Index(None, "state", "started_at"),
        Index(None, "state", "execute_by"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    revision: Mapped[int]
    version: Mapped[int]
    state: Mapped[str]
    tenant: Mapped[str | None]
    requester: Mapped[str]
    requester_person: Mapped[str]
    drafted_by: Mapped[str]
    filed_at: Mapped[datetime]
    approve_by: Mapped[datetime]
    execute_by: Mapped[datetime | None]
    execution: Mapped[str | None] = mapped_column(unique=True)
    executor: Mapped[str | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    ended_because: Mapped[str | None]
    drift: Mapped[dict[str, Any] | None]


class RequestRevisionRow(ControlBase):
    """One frozen proposal; triggers refuse to change or remove it."""

    __tablename__ = "request_revision"

    request: Mapped[str] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    action: Mapped[str]
    action_version: Mapped[int]
    tenant: Mapped[str | None]
    params: Mapped[dict[str, Any]]
    preview: Mapped[dict[str, Any]]
    reason_code: Mapped[str]
    reason_reference: Mapped[str]
    reason_note: Mapped[str]
    digest: Mapped[str]
    rules: Mapped[list[Any]]
    needs: Mapped[list[Any]]
    policy_version: Mapped[str]
    requester: Mapped[str]
    requester_person: Mapped[str]
    requester_name: Mapped[str]
    drafted_by: Mapped[str]
    lease: Mapped[str | None]
    filed_at: Mapped[datetime]
    approve_by: Mapped[datetime]
    execute_minutes: Mapped[int]


class RequestVoteRow(ControlBase):
    """One natural person's vote on one revision; the key makes a second one impossible."""

    __tablename__ = "request_vote"
    __table_args__ = (Index(None, "cast_at"),)

    request: Mapped[str] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(primary_key=True)
    staff: Mapped[str]
    name: Mapped[str]
    verdict: Mapped[str]
    digest: Mapped[str]
    roles: Mapped[list[Any]]
    stepped_up_by: Mapped[str | None]
    comment: Mapped[str]
    cast_at: Mapped[datetime]
    voided_because: Mapped[str | None]


class RequestSeatRow(ControlBase):
    """A role that can fill a group of a revision, so that an inbox is found by role."""

    __tablename__ = "request_seat"

    request: Mapped[str] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    need: Mapped[str] = mapped_column(primary_key=True)


class RequestRenderedRow(ControlBase):
    """The diff of a revision was shown to somebody."""

    __tablename__ = "request_rendered"

    request: Mapped[str] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    staff: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class ReservationRow(ControlBase):
    """What an execution holds while it goes on; the key makes a second holder impossible."""

    __tablename__ = "execution_reservation"
    __table_args__ = (Index(None, "execution"),)

    name: Mapped[str] = mapped_column(primary_key=True)
    execution: Mapped[str]
    at: Mapped[datetime]
