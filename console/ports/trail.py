"""The trail: written in the transaction of the change, read in keyset pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from console.domain.entries import EntryDraft
from console.domain.ids import EntryUid, StaffId, TenantId


class Trail(Protocol):
    """Writes entries inside one unit of work."""

    def emit(self, draft: EntryDraft, *, at: datetime) -> EntryUid:
        """Add one entry; raises TrailUnavailableError, and then the whole unit must fail."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFilter:
    """What the explorer looks for; None means any."""

    tenant: TenantId | None = None
    actor: StaffId | None = None
    action: str | None = None
    outcome: str | None = None
    target: str | None = None
    correlation: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntry:
    """One entry as stored; `position` is its place in the tree, None until the sequencer has been there."""

    id: int
    uid: EntryUid
    body: bytes
    leaf: bytes
    position: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCheckpoint:
    """A signed statement of size and root."""

    size: int
    root: bytes
    note: str
    at: datetime


class TrailReader(Protocol):
    """Reads the trail across tenants; a use case records the reading."""

    def page(self, wanted: EntryFilter, *, before: int | None, limit: int) -> Sequence[StoredEntry]:
        """Return entries newest first, `before` a row id (exclusive)."""
        ...

    def placed_after(self, position: int, *, limit: int) -> Sequence[StoredEntry]:
        """Return entries in the order of their positions, from the one after `position` on."""
        ...

    def one(self, uid: EntryUid) -> StoredEntry | None:
        """Return one entry."""
        ...

    def many(self, events: Sequence[int]) -> Sequence[StoredEntry]:
        """Return entries by row id, in any order."""
        ...

    def latest_checkpoint(self) -> StoredCheckpoint | None:
        """Return the newest signed checkpoint in the database."""
        ...
