"""Open a review: give it an owner who had no part in what is judged, and tell them."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from console.domain.ids import PersonKey, RequestId, ReviewId, StaffId, TenantId
from console.domain.requests import Request, Verdict
from console.domain.reviews import Review, ReviewKind
from console.domain.staff import Actor, Role, StaffMember
from console.ports.store import ControlUnit
from console.usecases.house import House
from console.usecases.notices import tell

JUDGES = (Role.SECURITY_AUDITOR, Role.SUPPORT_LEAD, Role.FINANCE_LEAD)
PATH = "/reviews"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What is judged: by its id within its kind, in words, and everybody who had a part in it."""

    subject: str
    title: str
    tenant: TenantId | None
    actor: StaffId
    actor_name: str
    person: PersonKey
    approvers: frozenset[PersonKey] = frozenset()
    gainers: frozenset[PersonKey] = frozenset()


def open_review(
    house: House, unit: ControlUnit, kind: ReviewKind, judged: Judged, *, now: datetime, within: timedelta | None = None
) -> Review | None:
    """Store a review in the open unit and tell its owner; None when this subject has one of this kind."""
    due = within or timedelta(hours=house.book.limits.review_within_hours)
    review = Review(
        id=ReviewId(house.ids.new("rev")),
        kind=kind,
        subject=judged.subject,
        title=judged.title,
        tenant=judged.tenant,
        actor=judged.actor,
        actor_name=judged.actor_name,
        person=judged.person,
        approvers=judged.approvers,
        gainers=judged.gainers,
        opened_at=now,
        due_at=now + due,
    )
    owner = _owner(unit, review)
    review = replace(review, owner=None if owner is None else owner.id)
    if not unit.reviews.add(review):
        return None
    if owner is not None:
        tell(house, unit, owner.id, kind="review_due", sentence=f"To review: {named(review)}", path=PATH, at=now)
    return review


def named(review: Review) -> str:
    """Return a review as notices name it, which leave the house: its title may hold a tenant's data."""
    return f"{review.kind.label} by {review.actor_name}"


def judged_request(unit: ControlUnit, request: Request, *, title: str) -> Judged:
    """Return a request as what is judged: who asked, who agreed, and who gains where it is about a colleague."""
    agreed = [
        vote.person
        for vote in unit.requests.votes(request.id)
        if vote.verdict is Verdict.APPROVE and vote.revision == request.revision and vote.voided_because is None
    ]
    about = request.preview
    gains = unit.staff.get(StaffId(about.target_id)) if about.target_type == "staff" else None
    return Judged(
        subject=request.id,
        title=title,
        tenant=request.tenant,
        actor=request.requester,
        actor_name=request.requester_name,
        person=request.requester_person,
        approvers=frozenset(agreed),
        gainers=frozenset() if gains is None else frozenset({gains.person}),
    )


def may_judge(unit: ControlUnit, actor: Actor, request: RequestId) -> bool:
    """Return whether somebody may look at a request because it is under review and they had no part in it."""
    return bool(actor.roles & set(JUDGES)) and any(
        actor.person not in {review.person, *review.approvers, *review.gainers}
        for review in unit.reviews.about(request)
    )


def _owner(unit: ControlUnit, review: Review) -> StaffMember | None:
    """Return one of those who may judge, by the review's own id, which we make: a request's id comes with its form."""
    barred = {review.person, *review.approvers, *review.gainers}
    able = sorted(
        (member for member in unit.staff.eligible(JUDGES) if member.person not in barred), key=lambda each: each.id
    )
    if not able:
        return None
    return able[int.from_bytes(sha256(review.id.encode()).digest()[:4]) % len(able)]
