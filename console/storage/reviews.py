"""Reviews: opened once per subject, decided once, and the figures and pairs that they are measured by."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, bindparam, case, func, select, update
from sqlalchemy.orm import Session, aliased

from console.domain.ids import PersonKey, ReviewId, StaffId, TenantId
from console.domain.requests import Verdict
from console.domain.reviews import Coverage, Pair, Review, ReviewKind, ReviewState
from console.storage.control_tables import StaffRow
from console.storage.guard_tables import ReviewRow
from console.storage.prepared import Prepared
from console.storage.request_tables import RequestRevisionRow, RequestRow, RequestVoteRow
from console.storage.rows import add_unless_taken, changed, found, table_of

_MOST_VOTES = 500


class StoredReviews:
    """The ReviewBook of one unit."""

    def __init__(self, session: Session) -> None:
        """Work inside the unit's transaction."""
        self._session = session

    def add(self, review: Review) -> bool:
        """Store a review; False when this subject has one of this kind."""
        values = {
            "id": review.id,
            "kind": review.kind.value,
            "subject": review.subject,
            "title": review.title,
            "tenant": review.tenant,
            "actor": review.actor,
            "actor_name": review.actor_name,
            "person": review.person,
            "approvers": sorted(review.approvers),
            "gainers": sorted(review.gainers),
            "opened_at": review.opened_at,
            "due_at": review.due_at,
            "state": review.state.value,
            "owner": review.owner,
            "escalated_at": review.escalated_at,
            "because": review.because,
            "decided_by": review.decided_by,
            "decided_at": review.decided_at,
        }
        return add_unless_taken(self._session, ReviewRow, values)

    def get(self, review: ReviewId) -> Review | None:
        """Return one review."""
        return self._first(select(ReviewRow).where(ReviewRow.id == review))

    def of(self, kind: ReviewKind, subject: str) -> Review | None:
        """Return the review of a subject."""
        return self._first(select(ReviewRow).where(ReviewRow.kind == kind.value, ReviewRow.subject == subject))

    def owed_by(self, person: PersonKey) -> Review | None:
        """Return the oldest break-glass of a natural person that nobody has judged yet."""
        owed = select(ReviewRow).where(
            ReviewRow.person == person,
            ReviewRow.kind == ReviewKind.BREAK_GLASS.value,
            ReviewRow.state == ReviewState.DUE.value,
        )
        return self._first(owed.order_by(ReviewRow.opened_at).limit(1))

    def move(self, review: Review, to: ReviewState, *, by: StaffId | None, because: str, at: datetime) -> bool:
        """Decide or withdraw a review by one conditional update; False when somebody was faster."""
        fenced = update(ReviewRow).where(ReviewRow.id == review.id, ReviewRow.state == ReviewState.DUE.value)
        values = {"state": to.value, "decided_by": by, "because": because, "decided_at": at}
        return changed(self._session, fenced.values(**values)) == 1

    def own(self, review: ReviewId, owner: StaffId) -> bool:
        """Give an open review an owner; False when it is decided."""
        fenced = update(ReviewRow).where(ReviewRow.id == review, ReviewRow.state == ReviewState.DUE.value)
        return changed(self._session, fenced.values(owner=owner)) == 1

    def queue(self, *, limit: int) -> Sequence[Review]:
        """Return open reviews, the earliest due first."""
        due = select(ReviewRow).where(ReviewRow.state == ReviewState.DUE.value)
        return self._many(due.order_by(ReviewRow.due_at, ReviewRow.id).limit(limit))

    def decided(self, *, limit: int) -> Sequence[Review]:
        """Return decided reviews, newest first."""
        over = select(ReviewRow).where(ReviewRow.decided_at.is_not(None))
        return self._many(over.order_by(ReviewRow.decided_at.desc(), ReviewRow.id.desc()).limit(limit))

    def overdue(self, now: datetime, *, limit: int) -> Sequence[Review]:
        """Return open reviews that are late and of which nobody was told."""
        late = select(ReviewRow).where(
            ReviewRow.state == ReviewState.DUE.value, ReviewRow.due_at <= now, ReviewRow.escalated_at.is_(None)
        )
        return self._many(late.order_by(ReviewRow.due_at, ReviewRow.id).limit(limit))

    def escalate(self, review: ReviewId, *, at: datetime) -> bool:
        """Note that an overdue review was told; False when it was before."""
        fenced = update(ReviewRow).where(
            ReviewRow.id == review, ReviewRow.state == ReviewState.DUE.value, ReviewRow.escalated_at.is_(None)
        )
        return changed(self._session, fenced.values(escalated_at=at)) == 1

    def has_of_month(self, person: PersonKey, since: datetime) -> bool:
        """Return whether something that a person did since a moment is or was under review."""
        wanted = select(ReviewRow.id).where(ReviewRow.person == person, ReviewRow.opened_at >= since)
        return self._session.scalar(wanted.limit(1)) is not None

    def coverage(self, since: datetime, now: datetime) -> Coverage:
        """Return the reviews opened since a moment in figures, those withdrawn left out."""
        row = found(self._session, _COVERAGE, since=since, now=now)[0]
        return Coverage(opened=int(row[0]), decided=int(row[1]), overdue=int(row[2]), flagged=int(row[3]))

    def reciprocal(self, since: datetime, *, limit: int) -> Sequence[Pair]:
        """Return pairs of people each of whom approved requests of the other since a moment, most first."""
        rows = found(self._session, _RECIPROCAL, since=since, most=limit)
        return [Pair(first=a, second=b, first_approved=int(n), second_approved=int(m)) for a, b, m, n in rows]

    def self_dealing(self, since: datetime, *, limit: int) -> Sequence[tuple[str, str, str]]:
        """Return (request, requester, approver) where the person who gains took part in the decision."""
        rows = found(self._session, _PARTIES, since=since, most=_MOST_VOTES)
        told = [
            (row.request, row.requester_name, row.name)
            for row in rows
            if row.preview.get("target_type") == "staff" and row.preview.get("target_id") in {row.requester, row.staff}
        ]
        return told[:limit]

    def _first(self, wanted: Select[ReviewRow]) -> Review | None:
        return next(iter(self._many(wanted)), None)

    def _many(self, wanted: Select[ReviewRow]) -> list[Review]:
        return [_review(row) for row in self._session.scalars(wanted)]


_TABLE = table_of(ReviewRow)
_IS_OPEN = _TABLE.c.state == ReviewState.DUE.value
_COVERAGE = Prepared(
    select(
        func.count(),
        func.coalesce(func.sum(case((_TABLE.c.decided_at.is_not(None), 1), else_=0)), 0),
        func.coalesce(func.sum(case((and_(_IS_OPEN, _TABLE.c.due_at <= bindparam("now")), 1), else_=0)), 0),
        func.coalesce(func.sum(case((_TABLE.c.state == ReviewState.FLAGGED.value, 1), else_=0)), 0),
    ).where(_TABLE.c.opened_at >= bindparam("since"), _TABLE.c.state != ReviewState.WITHDRAWN.value)
)
_VOTE, _REQUEST, _REVISION = table_of(RequestVoteRow), table_of(RequestRow), table_of(RequestRevisionRow)
_COUNTS = and_(
    _VOTE.c.cast_at >= bindparam("since"),
    _VOTE.c.verdict == Verdict.APPROVE.value,
    _VOTE.c.voided_because.is_(None),
)
_APPROVALS = (
    select(_REQUEST.c.requester_person.label("asked"), _VOTE.c.person.label("agreed"), func.count().label("times"))
    .select_from(_VOTE.join(_REQUEST, _REQUEST.c.id == _VOTE.c.request))
    .where(_COUNTS)
    .group_by(_REQUEST.c.requester_person, _VOTE.c.person)
    .cte("approvals")
)
_THERE, _BACK = aliased(_APPROVALS), aliased(_APPROVALS)
_ONE, _OTHER = table_of(StaffRow).alias("one"), table_of(StaffRow).alias("other")
_RECIPROCAL = Prepared(
    select(_ONE.c.name, _OTHER.c.name, _THERE.c.times, _BACK.c.times)
    .select_from(
        _THERE.join(_BACK, and_(_BACK.c.asked == _THERE.c.agreed, _BACK.c.agreed == _THERE.c.asked))
        .join(_ONE, _ONE.c.person == _THERE.c.asked)
        .join(_OTHER, _OTHER.c.person == _THERE.c.agreed)
    )
    .where(_THERE.c.asked < _THERE.c.agreed)
    .order_by((_THERE.c.times + _BACK.c.times).desc(), _ONE.c.name, _OTHER.c.name)
    .limit(bindparam("most"))
)
_PARTIES = Prepared(
    select(
        _VOTE.c.request,
        _VOTE.c.staff,
        _VOTE.c.name,
        _REVISION.c.requester,
        _REVISION.c.requester_name,
        _REVISION.c.preview,
    )
    .select_from(
        _VOTE.join(_REVISION, and_(_REVISION.c.request == _VOTE.c.request, _REVISION.c.revision == _VOTE.c.revision))
    )
    .where(_COUNTS)
    .order_by(_VOTE.c.cast_at.desc())
    .limit(bindparam("most"))
)


def _review(row: Any) -> Review:  # noqa: ANN401  a row, mapped or not
    return Review(
        id=ReviewId(row.id),
        kind=ReviewKind(row.kind),
        subject=row.subject,
        title=row.title,
        tenant=None if row.tenant is None else TenantId(row.tenant),
        actor=StaffId(row.actor),
        actor_name=row.actor_name,
        person=PersonKey(row.person),
        approvers=frozenset(map(PersonKey, row.approvers)),
        gainers=frozenset(map(PersonKey, row.gainers)),
        opened_at=row.opened_at,
        due_at=row.due_at,
        state=ReviewState(row.state),
        owner=None if row.owner is None else StaffId(row.owner),
        escalated_at=row.escalated_at,
        because=row.because,
        decided_by=None if row.decided_by is None else StaffId(row.decided_by),
        decided_at=row.decided_at,
    )
