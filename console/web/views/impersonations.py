"""Acting for members: the hand-over to the product, one's own running impersonation, and a tenant's list of them."""

from flask import Blueprint, Response, request

from console.domain.decisions import Deny, DenyCode
from console.domain.ids import ImpersonationId
from console.domain.tenancy import DirectoryRow
from console.usecases.end_impersonation import end_impersonation
from console.usecases.find_tenant import find_tenant
from console.usecases.hand_over import hand_over, read_hand_off
from console.usecases.know_product import connected_product
from console.usecases.offer_actions import offer_actions
from console.usecases.read_impersonations import read_impersonation, read_impersonations, read_own_impersonation
from console.web import asking, gate, render
from console.web.closed import closed
from console.web.forms.hand_off import FIELDS, read_wish
from console.web.forms.posted import unknown_fields
from console.web.security import let_forms_lead_to
from console.web.shaping_impersonations import detail_view, hand_off_view, list_view, own_view

bp = Blueprint("impersonations", __name__)
_TAB = "impersonations"
_ONLY_A_BUTTON = Deny(code=DenyCode.BAD_PARAMETER, sentence="This form is only a button.")


@bp.route("/impersonations/<impersonation>/hand-off", methods=["GET", "POST"])
@gate.signed_in
def hand_off(impersonation: str) -> Response:
    """Show whom one becomes, and on the button's word carry a one-use code to the product: 303."""
    house, actor, sid = asking.house(), asking.actor(), ImpersonationId(impersonation)
    if request.method == "POST":
        if unknown_fields(request.form, FIELDS):
            return render.refused(_ONLY_A_BUTTON)
        answer = hand_over(house, actor, impersonation=sid, wish=read_wish(request.form))
        return render.refused(answer) if isinstance(answer, Deny) else render.away(answer.address)
    wish = read_wish(request.args)
    page = read_hand_off(house, actor, impersonation=sid, wish=wish)
    if isinstance(page, Deny):
        return render.refused(page)
    let_forms_lead_to(connected_product(house).address)
    view = hand_off_view(page, wish, product=connected_product(house).address)
    return render.page("pages/impersonations/hand_off.html", opened=page.opened, tab="members", page=view)


@bp.get("/impersonations/<impersonation>")
@gate.signed_in
def show(impersonation: str) -> Response:
    """Show one's own impersonation: how it stands, the way into the product, and its end."""
    house, actor = asking.house(), asking.actor()
    page = read_own_impersonation(house, actor, impersonation=ImpersonationId(impersonation))
    if isinstance(page, Deny):
        return render.refused(page)
    offers = list(offer_actions(house, actor, tenant=page.tenant)) if page.enter_address else []
    return render.page("pages/impersonations/own.html", page=own_view(page, offers))


@bp.post("/impersonations/<impersonation>/end")
@gate.signed_in
def end(impersonation: str) -> Response:
    """End it: effective with the product's next request."""
    if unknown_fields(request.form, ()):
        return render.refused(_ONLY_A_BUTTON)
    answer = end_impersonation(asking.house(), asking.actor(), impersonation=ImpersonationId(impersonation))
    if isinstance(answer, Deny):
        return render.refused(answer)
    render.say("ok", "The impersonation has ended; the product's next request is refused.")
    if answer.staff == asking.actor().staff:
        return render.seen_other("impersonations.show", impersonation=answer.id)
    row = find_tenant(asking.house(), slug=answer.tenant)
    return render.seen_other("impersonations.index", slug=row.slug)


@bp.get("/t/<slug>/impersonations")
@gate.tenant_scoped
def index(row: DirectoryRow) -> Response:
    """Show who acted for whom on this tenant, newest first."""
    before = request.args.get("before", "")
    page = read_impersonations(
        asking.house(), asking.actor(), tenant=row.id, before=ImpersonationId(before) if before else None
    )
    if isinstance(page, Deny):
        return closed(row, page)
    view = list_view(page, asking.house().clock.now())
    return render.page("pages/impersonations/index.html", opened=page.opened, tab=_TAB, page=view)


@bp.get("/t/<slug>/impersonations/<impersonation>")
@gate.tenant_scoped
def detail(row: DirectoryRow, impersonation: str) -> Response:
    """Show one of them with every request that the product told of."""
    page = read_impersonation(
        asking.house(),
        asking.actor(),
        tenant=row.id,
        impersonation=ImpersonationId(impersonation),
        before=request.args.get("before") or None,
    )
    if isinstance(page, Deny):
        return closed(row, page)
    view = detail_view(page, asking.actor(), asking.house().clock.now())
    return render.page("pages/impersonations/show.html", opened=page.opened, tab=_TAB, page=view)
