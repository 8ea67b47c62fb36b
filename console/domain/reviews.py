"""Reviews: an independent verdict afterwards, with an owner, a date, and people who may not give it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from console.domain.ids import PersonKey, ReviewId, StaffId, TenantId
from console.domain.reasons import Effect


class ReviewKind(StrEnum):
    """Why something is reviewed."""

    BREAK_GLASS = "break_glass"
    IMPERSONATION_WRITE = "impersonation_write"
    FLAGGED = "flagged"
    SAMPLE = "sample"

    @property
    def label(self) -> str:
        """Return the kind in words."""
        return self.value.replace("_", " ").replace("break glass", "break-glass").capitalize()


class ReviewState(StrEnum):
    """Where a review stands; overdue is due, and late."""

    DUE = "due"
    OVERDUE = "overdue"
    OK = "ok"
    FLAGGED = "flagged"
    WITHDRAWN = "withdrawn"


class ReviewEvent(StrEnum):
    """What can happen to a review."""

    PASS = "pass"  # noqa: S105  a verdict
    FLAG = "flag"
    WITHDRAW = "withdraw"


TRANSITIONS: Mapping[tuple[ReviewState, ReviewEvent], ReviewState] = {
    (state, event): after
    for state in (ReviewState.DUE, ReviewState.OVERDUE)
    for event, after in (
        (ReviewEvent.PASS, ReviewState.OK),
        (ReviewEvent.FLAG, ReviewState.FLAGGED),
        (ReviewEvent.WITHDRAW, ReviewState.WITHDRAWN),
    )
}


def after(state: ReviewState, event: ReviewEvent) -> ReviewState | None:
    """Return the state that follows, or None where the event is not legal."""
    return TRANSITIONS.get((state, event))


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One thing to be judged.

    Shape: `subject` is a request's or an entry's id and unique within a kind; the natural
    persons who acted, approved or gain may not judge. `state` is stored as due until somebody decides.
    """

    id: ReviewId
    kind: ReviewKind
    subject: str
    title: str
    tenant: TenantId | None
    actor: StaffId
    actor_name: str
    person: PersonKey
    approvers: frozenset[PersonKey]
    gainers: frozenset[PersonKey]
    opened_at: datetime
    due_at: datetime
    state: ReviewState = ReviewState.DUE
    owner: StaffId | None = None
    escalated_at: datetime | None = None
    because: str | None = None
    decided_by: StaffId | None = None
    decided_at: datetime | None = None

    def state_at(self, now: datetime) -> ReviewState:
        """Return where it stands now."""
        return ReviewState.OVERDUE if self.state is ReviewState.DUE and now >= self.due_at else self.state


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Reviews of a stretch of time in figures."""

    opened: int
    decided: int
    overdue: int
    flagged: int

    @property
    def percent(self) -> int:
        """Return how much of what was opened is decided; all of nothing."""
        return 100 if not self.opened else self.decided * 100 // self.opened

    @property
    def overdue_percent(self) -> int:
        """Return how much of what was opened is overdue."""
        return 0 if not self.opened else self.overdue * 100 // self.opened


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two people who approve each other. Units: requests of each that the other approved."""

    first: str
    second: str
    first_approved: int
    second_approved: int


SAMPLED_PERMILLE: Mapping[Effect, int] = {Effect.READ: 100, Effect.WRITE: 100, Effect.DANGEROUS: 250}


def is_sampled(uid: str, effect: Effect) -> bool:
    """Return whether an entry is drawn for review: by its uid alone, so that nobody chooses and anybody can check."""
    return int.from_bytes(sha256(uid.encode()).digest()[:4]) % 1_000 < SAMPLED_PERMILLE[effect]
