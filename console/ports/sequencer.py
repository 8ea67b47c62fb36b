"""Giving entries their place in the tree, and proving afterwards that nothing was changed."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from console.domain.errors import ConsoleError
from console.domain.ids import EntryUid

Progress = Callable[[int, int], None]


class TrailBrokenError(ConsoleError):
    """A stored entry does not match its own hash, so it must not be signed; `facts` name it."""

    code = "trail_broken"


class FindingKind(StrEnum):
    """Every way in which the trail can be found wrong."""

    BODY_CHANGED = "body_changed"
    NOT_CANONICAL = "not_canonical"
    ENTRY_MISSING = "entry_missing"
    POSITION_MISSING = "position_missing"
    UID_TWICE = "uid_twice"
    OUT_OF_ORDER = "out_of_order"
    WRITER_GAP = "writer_gap"
    BACK_DATED = "back_dated"
    ROOT_DIFFERS = "root_differs"
    TAIL_MISSING = "tail_missing"
    NOTE_REFUSED = "note_refused"
    NO_OUTSIDE_COPY = "no_outside_copy"
    NOTHING_PROVEN = "nothing_proven"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing wrong: what, said in a sentence, and the entry it was found at, where there is one."""

    kind: FindingKind
    sentence: str
    position: int | None = None
    event: int | None = None
    uid: EntryUid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a full pass found, first fault first; dangling intents are a matter of operation, not of tampering."""

    sequenced: int
    pending: int
    checkpoints: int
    root: bytes
    findings: tuple[Finding, ...]
    dangling_intents: tuple[EntryUid, ...]

    @property
    def is_unproven(self) -> bool:
        """Return whether there is no checkpoint to hold the trail against, as in a house that has only just begun."""
        return bool(self.findings) and all(found.kind is FindingKind.NOTHING_PROVEN for found in self.findings)

    @property
    def is_sound(self) -> bool:
        """Return whether nothing at all was found."""
        return not self.findings


class Sequencer(Protocol):
    """The one writer of positions and checkpoints."""

    def run_once(self, limit: int = 5_000) -> int:
        """Give up to `limit` entries their position, publish a checkpoint, and return how many.

        Shape: 0 when there is nothing to do or another process leads.
        Raises: TrailBrokenError for an entry that must not be signed, OutsideError when database or sink fail.
        """
        ...

    def verify(self, progress: Progress | None = None) -> Verification:
        """Check the whole trail in constant memory; `progress` is told (done, total) now and then."""
        ...
