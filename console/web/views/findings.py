"""The findings of an opened tenant: with both values, under its lease."""

from flask import Blueprint, Response, request

from console.domain.decisions import Deny
from console.domain.reconciling.findings import FindingId
from console.domain.tenancy import DirectoryRow
from console.usecases.offer_actions import action_titles, offer_actions
from console.usecases.read_findings import read_tenant_finding, read_tenant_findings
from console.web import asking, gate, render
from console.web.closed import closed
from console.web.shaping_findings import finding_view, tenant_findings_view

bp = Blueprint("findings", __name__)
_TAB = "billing"
_LONGEST = 80


@bp.get("/t/<slug>/findings")
@gate.tenant_scoped
def index(row: DirectoryRow) -> Response:
    """Show the tenant's findings, those that stand longest first."""
    after = request.args.get("after", "")[:_LONGEST]
    page = read_tenant_findings(
        asking.house(), asking.actor(), tenant=row.id, state=None, after=FindingId(after) if after else None
    )
    if isinstance(page, Deny):
        return closed(row, page)
    return render.page("pages/findings/index.html", opened=page.opened, tab=_TAB, page=tenant_findings_view(page, row))


@bp.get("/t/<slug>/findings/<finding>")
@gate.tenant_scoped
def show(row: DirectoryRow, finding: str) -> Response:
    """Show one finding: both values, the one safe button, and what happened to it."""
    page = read_tenant_finding(asking.house(), asking.actor(), tenant=row.id, finding=FindingId(finding))
    if isinstance(page, Deny):
        return closed(row, page)
    offers = offer_actions(asking.house(), asking.actor(), tenant=None)
    view = finding_view(page, offers, action_titles(asking.house()))
    return render.page("pages/reconciliation/finding.html", opened=page.opened, tab=_TAB, page=view)
