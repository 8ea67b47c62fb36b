"""The kill switch: what is frozen, how to freeze and to lift, and what the drills measured."""

from flask import Blueprint, Response

from console.domain.decisions import Deny
from console.usecases.offer_actions import offer_actions
from console.usecases.read_freezes import read_freezes
from console.web import asking, gate, render
from console.web.shaping_freezes import freezes_view

bp = Blueprint("freezes", __name__)


@bp.get("/freezes")
@gate.signed_in
def index() -> Response:
    """Show what is frozen, what was, and the drills with their times."""
    page = read_freezes(asking.house(), asking.actor())
    if isinstance(page, Deny):
        return render.refused(page)
    offers = list(offer_actions(asking.house(), asking.actor(), tenant=None))
    return render.page("pages/freezes/index.html", page=freezes_view(page, offers))
