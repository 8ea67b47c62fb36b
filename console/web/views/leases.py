"""Open a tenant with a reason, and close it again."""

from flask import Blueprint, Response, request

from console.domain.decisions import Deny, DenyCode, NeedsStepUp
from console.domain.ids import LeaseId
from console.domain.leases import Lease
from console.domain.tenancy import DirectoryRow
from console.usecases.open_lease import end_lease, offer_lease, open_lease
from console.web import asking, gate, render
from console.web.errors import STATUS
from console.web.forms.leases import LeaseForm, blank_lease, read_lease
from console.web.forms.posted import unknown_fields
from console.web.shaping_home import lease_view

bp = Blueprint("leases", __name__)


@bp.route("/tenants/<slug>/lease", methods=["GET", "POST"])
@gate.tenant_scoped
def create(row: DirectoryRow) -> Response:
    """Open the tenant: 303 to its overview, or the form again with everything typed."""
    if request.method != "POST":
        return _form(row, blank_lease(), status=200)
    form = read_lease(request.form)
    if not (form.is_ours and form.code):  # without a reason nothing was asked yet, which is no refusal
        return _form(row, form, status=422)
    refusal = asking.confirmed()
    answer = refusal or open_lease(
        asking.house(), asking.actor(), tenant=row.id, reason=form.reason, minutes=form.wanted_minutes
    )
    match answer:
        case Lease():
            return render.seen_other("tenants.overview", slug=row.slug)
        case NeedsStepUp():
            return render.refused(answer)
        case Deny():
            return _form(row, form, status=STATUS[answer.code], refusal=answer)


@bp.post("/leases/<lease>/end")
@gate.signed_in
def end(lease: str) -> Response:
    """Close one of one's own tenants."""
    if unknown_fields(request.form, ()):
        return render.refused(Deny(code=DenyCode.BAD_PARAMETER, sentence="This form is only a button."))
    refusal = end_lease(asking.house(), asking.actor(), lease=LeaseId(lease))
    if refusal is not None:
        return render.refused(refusal)
    render.say("ok", "The lease has ended; its pages are closed.")
    return render.seen_other("home.show")


def _form(row: DirectoryRow, form: LeaseForm, *, status: int, refusal: Deny | None = None) -> Response:
    # What was refused and recorded already is not recorded again for showing the form.
    offer = offer_lease(asking.house(), asking.actor(), tenant=row.id, is_wanted=refusal is None)
    if isinstance(offer, Deny):
        return render.refused(refusal or offer)
    return render.page("pages/leases/create.html", status=status, lease=lease_view(offer, form, refusal=refusal))
