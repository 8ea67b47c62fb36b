"""Reviews as the control store keeps them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from console.domain.ids import PersonKey, ReviewId, StaffId
from console.domain.reviews import Coverage, Pair, Review, ReviewKind, ReviewState


class ReviewBook(Protocol):
    """Reads and writes reviews inside one unit of work."""

    def add(self, review: Review) -> bool:
        """Store a review; False when this subject has one of this kind."""
        ...

    def get(self, review: ReviewId) -> Review | None:
        """Return one review."""
        ...

    def of(self, kind: ReviewKind, subject: str) -> Review | None:
        """Return the review of a subject."""
        ...

    def owed_by(self, person: PersonKey) -> Review | None:
        """Return the oldest break-glass of a natural person that nobody has judged yet."""
        ...

    def move(self, review: Review, to: ReviewState, *, by: StaffId | None, because: str, at: datetime) -> bool:
        """Decide or withdraw a review by one conditional update; False when somebody was faster."""
        ...

    def own(self, review: ReviewId, owner: StaffId) -> bool:
        """Give an open review an owner; False when it is decided."""
        ...

    def queue(self, *, limit: int) -> Sequence[Review]:
        """Return open reviews, the earliest due first."""
        ...

    def decided(self, *, limit: int) -> Sequence[Review]:
        """Return decided reviews, newest first."""
        ...

    def overdue(self, now: datetime, *, limit: int) -> Sequence[Review]:
        """Return open reviews that are late and of which nobody was told."""
        ...

    def escalate(self, review: ReviewId, *, at: datetime) -> bool:
        """Note that an overdue review was told; False when it was before."""
        ...

    def has_of_month(self, person: PersonKey, since: datetime) -> bool:
        """Return whether something that a person did since a moment is or was under review."""
        ...

    def coverage(self, since: datetime, now: datetime) -> Coverage:
        """Return the reviews opened since a moment in figures, those withdrawn left out."""
        ...

    def reciprocal(self, since: datetime, *, limit: int) -> Sequence[Pair]:
        """Return pairs of people each of whom approved requests of the other since a moment, most first."""
        ...

    def self_dealing(self, since: datetime, *, limit: int) -> Sequence[tuple[str, str, str]]:
        """Return (request, requester, approver) where the person who gains took part in the decision."""
        ...
