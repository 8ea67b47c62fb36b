"""Notices to staff, written with the change that causes them and delivered afterwards."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from console.domain.ids import NoticeId, StaffId


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message to one staff member; never carries tenant data, only a path into the console."""

    id: NoticeId
    to: StaffId
    kind: str
    sentence: str
    path: str
    at: datetime
    read_at: datetime | None = None


class Outbox(Protocol):
    """Queues notices inside one unit of work; a sink never sees one whose change was rolled back."""

    def add(self, notice: Notice) -> None:
        """Queue a notice for every channel; the in-app one is visible at commit."""
        ...

    def unread(self, staff: StaffId, *, limit: int) -> Sequence[Notice]:
        """Return unread notices, newest first."""
        ...

    def mark_read(self, staff: StaffId, at: datetime) -> int:
        """Mark all of a person's notices read and return how many."""
        ...

    def undelivered(self, *, but: Collection[StaffId] = (), limit: int) -> Sequence[Notice]:
        """Return notices that no outside sink has taken yet, oldest first, none of them to `but`."""
        ...

    def delivered(self, notice: NoticeId, at: datetime) -> None:
        """Remember that the outside sink has taken a notice."""
        ...


class NoticeSink(Protocol):
    """Takes a notice out of the house: a local file, mail, a webhook."""

    def send(self, notice: Notice) -> None:
        """Deliver one notice; raises OutsideError."""
        ...
