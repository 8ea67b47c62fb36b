"""The queue of reviews."""

from flask import Blueprint, Response

from console.domain.decisions import Deny
from console.usecases.offer_actions import offer_actions
from console.usecases.read_reviews import read_reviews
from console.web import asking, gate, render
from console.web.shaping_reviews import reviews_view

bp = Blueprint("reviews", __name__)


@bp.get("/reviews")
@gate.signed_in
def index() -> Response:
    """Show what is to be judged, what was, and how much of it is covered."""
    page = read_reviews(asking.house(), asking.actor())
    if isinstance(page, Deny):
        return render.refused(page)
    offers = list(offer_actions(asking.house(), asking.actor(), tenant=None))
    return render.page("pages/reviews/index.html", page=reviews_view(page, asking.actor(), offers))
