"""The explorer of the trail."""

from flask import Blueprint, Response, request

from console.domain.decisions import Deny
from console.domain.ids import EntryUid
from console.usecases.offer_actions import action_titles
from console.usecases.read_trail import read_entry, read_trail
from console.web import asking, gate, render
from console.web.forms.trail import read_filters
from console.web.shaping_trail import entry_view, trail_view

bp = Blueprint("trail", __name__)


@bp.get("/trail")
@gate.signed_in
def index() -> Response:
    """Show one page of the trail; its filters live in the address."""
    form = read_filters(request.args)
    page = read_trail(asking.house(), asking.actor(), wanted=form.wanted, before=form.before)
    if isinstance(page, Deny):
        return render.refused(page)
    view = trail_view(page, form, action_titles(asking.house()))
    return render.page("pages/trail/index.html", status=422 if form.faults else 200, page=view)


@bp.get("/trail/<uid>")
@gate.signed_in
def show(uid: str) -> Response:
    """Show one entry whole."""
    entry = read_entry(asking.house(), asking.actor(), uid=EntryUid(uid))
    if isinstance(entry, Deny):
        return render.refused(entry)
    return render.page("pages/trail/show.html", entry=entry_view(entry, action_titles(asking.house())))
