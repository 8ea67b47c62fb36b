"""The staff list."""

from flask import Blueprint, Response, request

from console.domain.decisions import Deny
from console.domain.ids import StaffId
from console.usecases.offer_actions import offer_actions
from console.usecases.read_staff import read_staff
from console.web import asking, gate, render
from console.web.shaping_trail import staff_view

bp = Blueprint("staff", __name__)


@bp.get("/staff")
@gate.signed_in
def index() -> Response:
    """Show who works here and in which roles."""
    after = request.args.get("after")
    page = read_staff(asking.house(), asking.actor(), after=StaffId(after) if after else None)
    if isinstance(page, Deny):
        return render.refused(page)
    offers = list(offer_actions(asking.house(), asking.actor(), tenant=None))
    return render.page("pages/staff/index.html", page=staff_view(page, offers))
