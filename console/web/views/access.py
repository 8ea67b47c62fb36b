"""The access desk: the register of overrides, and recalculations of many tenants."""

from flask import Blueprint, Response, request

from console.domain.decisions import Deny
from console.domain.ids import RunId
from console.usecases.offer_actions import Offer, offer_actions
from console.usecases.read_access import read_register, read_sweep, read_sweeps
from console.web import asking, gate, render
from console.web.shaping_access import mark_asked, register_view, sweep_view, sweeps_view, which_asked

bp = Blueprint("access", __name__)


@bp.get("/access")
@gate.signed_in
def register() -> Response:
    """Show the overrides that need somebody: ending, without owner, redundant, orphaned."""
    which, after = which_asked(request.args.get("which", "")), mark_asked(request.args.get("after", ""))
    page = read_register(asking.house(), asking.actor(), which=which, after=after)
    if isinstance(page, Deny):
        return render.refused(page)
    return render.page("pages/access/register.html", page=register_view(page))


@bp.get("/access/recalculations")
@gate.signed_in
def sweeps() -> Response:
    """Show the newest recalculations of many tenants."""
    page = read_sweeps(asking.house(), asking.actor())
    if isinstance(page, Deny):
        return render.refused(page)
    return render.page("pages/access/sweeps.html", page=sweeps_view(page, _offers()))


@bp.get("/access/recalculations/<sweep>")
@gate.signed_in
def sweep(sweep: str) -> Response:
    """Show one recalculation: how far it is, and who loses."""
    page = read_sweep(asking.house(), asking.actor(), run=RunId(sweep))
    if isinstance(page, Deny):
        return render.refused(page)
    return render.page("pages/access/sweep.html", page=sweep_view(page, _offers()))


def _offers() -> list[Offer]:
    return list(offer_actions(asking.house(), asking.actor(), tenant=None))
