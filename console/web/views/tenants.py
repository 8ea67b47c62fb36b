"""The workspace of an opened tenant, and the way to it."""

from flask import Blueprint, Response, request

from console.domain.decisions import Deny
from console.domain.ids import MemberId
from console.domain.tenancy import DirectoryRow
from console.usecases.offer_actions import Offer, action_titles, offer_actions
from console.usecases.read_entitlements import read_entitlements
from console.usecases.read_home import read_home
from console.usecases.read_product_jobs import read_product_jobs
from console.usecases.read_tenant import (
    read_members,
    read_notes,
    read_overview,
    read_tenant_entries,
)
from console.web import asking, gate, render
from console.web.closed import closed
from console.web.forms.product_jobs import read_product_job_filter
from console.web.shaping_deliveries import delivery_row
from console.web.shaping_entitlements import entitlements_view, moment_asked
from console.web.shaping_home import home_view
from console.web.shaping_product_jobs import product_jobs_view
from console.web.shaping_tenants import (
    action_links,
    members_view,
    notes_view,
    overview_view,
    tenant_entries_view,
)

bp = Blueprint("tenants", __name__)
_CONTROL = "control"


@bp.get("/tenants")
@gate.signed_in
def index() -> Response:
    """Show the tenants that this person has open, and the search box."""
    home = home_view(read_home(asking.house(), asking.actor()))
    offers = action_links(offer_actions(asking.house(), asking.actor(), tenant=None), None, place=_CONTROL)
    return render.page("pages/tenants/index.html", home=home, offers=offers)


@bp.get("/t/<slug>/")
@gate.tenant_scoped
def overview(row: DirectoryRow) -> Response:
    """Show what is wrong with the tenant, and everything about it in short."""
    page = read_overview(asking.house(), asking.actor(), tenant=row.id)
    if isinstance(page, Deny):
        return closed(row, page)
    view = overview_view(page, _offers(row), action_titles(asking.house()))
    names = {endpoint.id: endpoint for endpoint in page.endpoints}
    view["deliveries"] = [delivery_row(delivery, names, row) for delivery in page.deliveries]
    return render.page("pages/tenants/overview.html", opened=page.opened, tab="overview", page=view)


@bp.get("/t/<slug>/members")
@gate.tenant_scoped
def members(row: DirectoryRow) -> Response:
    """Show members with masked fields."""
    after = request.args.get("after")
    page = read_members(asking.house(), asking.actor(), tenant=row.id, after=MemberId(after) if after else None)
    if isinstance(page, Deny):
        return closed(row, page)
    view = members_view(page, _offers(row), minutes=asking.house().book.limits.impersonation_minutes)
    return render.page("pages/tenants/members.html", opened=page.opened, tab="members", page=view)


@bp.get("/t/<slug>/entitlements")
@gate.tenant_scoped
def entitlements(row: DirectoryRow) -> Response:
    """Show what the tenant may use now or at another moment, why, and what changes next."""
    now = asking.house().clock.now()
    at, fault = moment_asked(request.args.get("at", ""), request.args.get("days", ""), now)
    page = read_entitlements(asking.house(), asking.actor(), tenant=row.id, at=at)
    if isinstance(page, Deny):
        return closed(row, page)
    view = entitlements_view(page, _offers(row), fault)
    return render.page("pages/tenants/entitlements.html", opened=page.opened, tab="entitlements", page=view)


@bp.get("/t/<slug>/jobs")
@gate.tenant_scoped
def jobs(row: DirectoryRow) -> Response:
    """Show the product's own jobs, newest first; the filter lives in the address."""
    form = read_product_job_filter(request.args)
    page = read_product_jobs(asking.house(), asking.actor(), tenant=row.id, state=form.state, before=form.before)
    if isinstance(page, Deny):
        return closed(row, page)
    view, status = product_jobs_view(page, form), 422 if form.fault else 200
    return render.page("pages/tenants/jobs.html", status=status, opened=page.opened, tab="jobs", page=view)


@bp.get("/t/<slug>/notes")
@gate.tenant_scoped
def notes(row: DirectoryRow) -> Response:
    """Show what colleagues wrote."""
    page = read_notes(asking.house(), asking.actor(), tenant=row.id, before=request.args.get("before"))
    if isinstance(page, Deny):
        return closed(row, page)
    view = notes_view(page, _offers(row))
    return render.page("pages/tenants/notes.html", opened=page.opened, tab="notes", page=view)


@bp.get("/t/<slug>/entries")
@gate.tenant_scoped
def entries(row: DirectoryRow) -> Response:
    """Show what staff did with this tenant."""
    before = request.args.get("before", "")
    wanted = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
    page = read_tenant_entries(asking.house(), asking.actor(), tenant=row.id, before=wanted)
    if isinstance(page, Deny):
        return closed(row, page)
    view = tenant_entries_view(page, action_titles(asking.house()))
    return render.page("pages/tenants/entries.html", opened=page.opened, tab="entries", page=view)


def _offers(row: DirectoryRow) -> list[Offer]:
    return list(offer_actions(asking.house(), asking.actor(), tenant=row))
