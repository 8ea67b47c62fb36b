"""Reviews as their page shows them."""

from collections.abc import Sequence

from console.domain.reviews import Coverage, Review, ReviewKind
from console.domain.staff import Actor
from console.usecases.offer_actions import Offer
from console.usecases.read_reviews import ReviewsPage
from console.web.paths import path_of
from console.web.shaping import View
from console.web.shaping_tenants import placed_links

_REQUESTS = frozenset({ReviewKind.BREAK_GLASS})


def reviews_view(page: ReviewsPage, actor: Actor, offers: Sequence[Offer]) -> View:
    """Return the queue first, then figures and pairs, then the verdicts."""
    return {
        "queue": [_open(each, page, actor, offers) for each in page.queue],
        "decided": [_decided(each, page) for each in page.decided],
        "coverage": coverage_view(page.coverage),
        "pairs": [
            {"first": p.first, "second": p.second, "there": p.first_approved, "back": p.second_approved}
            for p in page.pairs
        ],
        "self_dealing": [
            {"href": path_of("requests.show", request_id=request), "asked": asked, "agreed": agreed}
            for request, asked, agreed in page.self_dealing
        ],
    }


def coverage_view(coverage: Coverage) -> View:
    """Return the figures of reviews."""
    return {
        "opened": coverage.opened,
        "decided": coverage.decided,
        "overdue": coverage.overdue,
        "flagged": coverage.flagged,
        "percent": coverage.percent,
        "overdue_percent": coverage.overdue_percent,
    }


def _open(review: Review, page: ReviewsPage, actor: Actor, offers: Sequence[Offer]) -> View:
    part = {
        "acted": actor.person == review.person,
        "approved": actor.person in review.approvers,
        "gains": actor.person in review.gainers,
    }
    links = placed_links(offers, None, "review", {"review": review.id})
    return {
        "kind": review.kind.label,
        "title": review.title,
        "href": path_of("requests.show", request_id=review.subject) if review.kind in _REQUESTS else "",
        "subject": review.subject,
        "actor": review.actor_name,
        "owner": "" if review.owner is None else page.names.get(review.owner, review.owner),
        "is_mine": review.owner == actor.staff,
        "due_at": review.due_at,
        "state": review.state_at(page.now).value,
        "link": links[0] if links and not any(part.values()) else None,
        "why_not": next((words for name, words in _PARTS.items() if part[name]), ""),
    }


_PARTS = {"acted": "you acted", "approved": "you approved it", "gains": "you gain by it"}


def _decided(review: Review, page: ReviewsPage) -> View:
    return {
        "kind": review.kind.label,
        "title": review.title,
        "actor": review.actor_name,
        "state": review.state.value,
        "because": review.because or "",
        "by": "" if review.decided_by is None else page.names.get(review.decided_by, review.decided_by),
        "at": review.decided_at,
    }
