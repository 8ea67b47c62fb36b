"""A tenant's webhooks: endpoints, deliveries, and what gave up."""

from flask import Blueprint, Response, request

from console.domain.decisions import Deny
from console.domain.ids import DeliveryId, EndpointId
from console.domain.tenancy import DirectoryRow
from console.usecases.offer_actions import Offer, offer_actions
from console.usecases.read_webhooks import (
    read_dead_letters,
    read_deliveries,
    read_delivery,
    read_endpoint,
    read_endpoints,
)
from console.web import asking, gate, render
from console.web.closed import closed
from console.web.forms.webhooks import read_deliveries_filters
from console.web.shaping_deliveries import deliveries_view, delivery_view
from console.web.shaping_replays import run_row
from console.web.shaping_webhooks import dead_letters_view, endpoint_page_view, webhooks_view

bp = Blueprint("webhooks", __name__)
_TAB = "webhooks"


@bp.get("/t/<slug>/webhooks")
@gate.tenant_scoped
def index(row: DirectoryRow) -> Response:
    """Show where the tenant is told what happens, and how each place answers."""
    page = read_endpoints(asking.house(), asking.actor(), tenant=row.id)
    if isinstance(page, Deny):
        return closed(row, page)
    runs = [run_row(run, row, page.names) for run in page.runs]
    view = webhooks_view(page, _offers(row), runs, asking.house().clock.now())
    return render.page("pages/webhooks/index.html", opened=page.opened, tab=_TAB, page=view)


@bp.get("/t/<slug>/webhooks/endpoints/<endpoint_id>")
@gate.tenant_scoped
def endpoint(row: DirectoryRow, endpoint_id: str) -> Response:
    """Show one endpoint: keys, health, latest deliveries, dead letters."""
    page = read_endpoint(asking.house(), asking.actor(), tenant=row.id, endpoint=EndpointId(endpoint_id))
    if isinstance(page, Deny):
        return closed(row, page)
    view = endpoint_page_view(page, _offers(row), asking.house().clock.now())
    return render.page("pages/webhooks/endpoint.html", opened=page.opened, tab=_TAB, page=view)


@bp.get("/t/<slug>/webhooks/deliveries")
@gate.tenant_scoped
def deliveries(row: DirectoryRow) -> Response:
    """Show deliveries, newest first; the filters live in the address."""
    form = read_deliveries_filters(request.args)
    page = read_deliveries(asking.house(), asking.actor(), tenant=row.id, which=form.which, before=form.before)
    if isinstance(page, Deny):
        return closed(row, page)
    view = deliveries_view(page, form)
    status = 422 if form.faults else 200
    return render.page("pages/webhooks/deliveries.html", status=status, opened=page.opened, tab=_TAB, page=view)


@bp.get("/t/<slug>/webhooks/deliveries/<delivery>")
@gate.tenant_scoped
def delivery(row: DirectoryRow, delivery: str) -> Response:
    """Show one delivery with every attempt, and what can be done with it."""
    page = read_delivery(asking.house(), asking.actor(), tenant=row.id, delivery=DeliveryId(delivery))
    if isinstance(page, Deny):
        return closed(row, page)
    view = delivery_view(page, _offers(row))
    return render.page("pages/webhooks/delivery.html", opened=page.opened, tab=_TAB, page=view)


@bp.get("/t/<slug>/webhooks/dead-letters")
@gate.tenant_scoped
def dead_letters(row: DirectoryRow) -> Response:
    """Show what gave up, by endpoint and by the way it failed."""
    page = read_dead_letters(asking.house(), asking.actor(), tenant=row.id)
    if isinstance(page, Deny):
        return closed(row, page)
    view = dead_letters_view(page, _offers(row))
    return render.page("pages/webhooks/dead_letters.html", opened=page.opened, tab=_TAB, page=view)


def _offers(row: DirectoryRow) -> list[Offer]:
    return list(offer_actions(asking.house(), asking.actor(), tenant=row))
