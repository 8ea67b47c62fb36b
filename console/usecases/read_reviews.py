"""The queue of reviews, what was decided, how much is covered, and who approves whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.domain.decisions import Deny
from console.domain.entries import Exposure, TargetRef
from console.domain.ids import StaffId
from console.domain.reviews import Coverage, Pair, Review
from console.domain.staff import Actor
from console.ports.store import ControlUnit
from console.usecases.asking import ask, query
from console.usecases.house import House
from console.usecases.recording import authorised, emit, refuse

_SHOWN = 100
_PAIRS = 20
COVERED = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewsPage:
    """Open reviews by due date, the newest verdicts, and the last 30 days in figures and pairs.

    Shape: `self_dealing` is (request, who asked, who approved) where one of them gains.
    """

    now: datetime
    queue: Sequence[Review]
    decided: Sequence[Review]
    coverage: Coverage
    pairs: Sequence[Pair]
    self_dealing: Sequence[tuple[str, str, str]]
    names: Mapping[StaffId, str]


def read_reviews(house: House, actor: Actor) -> ReviewsPage | Deny:
    """Return the page of the reviews, recorded as one look."""
    decision = ask(house, query(actor, "review.read", now=house.clock.now()))
    targets = (TargetRef(type="page", id="reviews", name="reviews"),)
    if isinstance(decision, Deny):
        refuse(house, actor, "review.read_refused", decision, targets=targets)
        return decision
    with house.store.write() as unit:
        now = house.clock.now()
        queue, decided = unit.reviews.queue(limit=_SHOWN), unit.reviews.decided(limit=_SHOWN)
        emit(
            unit,
            actor,
            "review.read",
            at=now,
            authorisation=authorised(house, decision),
            targets=targets,
            exposure=Exposure(records=len(queue), fields=("review",)),
        )
        people = {each.owner for each in queue if each.owner} | {each.decided_by for each in decided if each.decided_by}
        members = [unit.staff.get(person) for person in sorted(people)]
        return ReviewsPage(
            now=now,
            queue=queue,
            decided=decided,
            coverage=unit.reviews.coverage(now - COVERED, now),
            pairs=unit.reviews.reciprocal(now - COVERED, limit=_PAIRS),
            self_dealing=unit.reviews.self_dealing(now - COVERED, limit=_PAIRS),
            names={member.id: member.name for member in members if member is not None},
        )


def review_figures(house: House, unit: ControlUnit, actor: Actor) -> Coverage | None:
    """Return the last 30 days in figures for somebody who may see them, else None."""
    now = house.clock.now()
    if isinstance(ask(house, query(actor, "review.read", now=now)), Deny):
        return None
    return unit.reviews.coverage(now - COVERED, now)


def reviews_owed(unit: ControlUnit, actor: Actor) -> Sequence[datetime]:
    """Return until when each open review that somebody owns is to be judged, the earliest first, to a bound."""
    return [each.due_at for each in unit.reviews.queue(limit=_SHOWN) if each.owner == actor.staff]
