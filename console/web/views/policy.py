"""The policy in words."""

from flask import Blueprint, Response, request

from console.domain.decisions import Deny
from console.usecases.offer_actions import action_titles
from console.usecases.read_staff import read_policy
from console.web import asking, gate, render
from console.web.shaping_trail import policy_view

bp = Blueprint("policy", __name__)


@bp.get("/policy")
@gate.signed_in
def show() -> Response:
    """Show the rules that are in force, the reasons and the limits."""
    book = read_policy(asking.house(), asking.actor())
    if isinstance(book, Deny):
        return render.refused(book)
    view = policy_view(book, action_titles(asking.house()), area=request.args.get("area", ""))
    return render.page("pages/policy/show.html", page=view)
