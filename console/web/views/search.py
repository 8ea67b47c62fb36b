"""The one search box."""

from flask import Blueprint, Response, request

from console.domain.decisions import Deny
from console.usecases.open_lease import LeaseOffer, offer_lease
from console.usecases.search_directory import SearchAnswer, search_directory
from console.web import asking, gate, render
from console.web.forms.leases import blank_lease
from console.web.shaping import View
from console.web.shaping_home import lease_view, only_exact_hit, search_view

bp = Blueprint("search", __name__)


@bp.get("/search")
@gate.signed_in
def show() -> Response:
    """Search the directory; exactly one exact hit offers its lease form at once."""
    typed = request.args.get("q", "")
    answer = search_directory(asking.house(), asking.actor(), typed=typed)
    if isinstance(answer, Deny):
        return render.refused(answer)
    found = search_view(answer, typed=typed)
    status = 422 if found["fault"] else 200
    return render.page("pages/search/show.html", status=status, found=found, lease=_offered(answer))


def _offered(answer: SearchAnswer) -> View | None:
    row = only_exact_hit(answer)
    if row is None:
        return None
    offer = offer_lease(asking.house(), asking.actor(), tenant=row.id, is_wanted=False)
    return lease_view(offer, blank_lease()) if isinstance(offer, LeaseOffer) else None
