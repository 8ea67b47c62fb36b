"""The work queue."""

from flask import Blueprint, Response

from console.usecases.read_home import read_home
from console.web import asking, gate, render
from console.web.shaping_home import home_view

bp = Blueprint("home", __name__)


@bp.get("/")
@gate.signed_in
def show() -> Response:
    """Show what waits for this person and what they have open."""
    home = read_home(asking.house(), asking.actor())
    return render.page("pages/home/show.html", home=home_view(home))
