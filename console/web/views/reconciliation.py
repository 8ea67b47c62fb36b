"""Reconciliation over all tenants: what stands by kind, runs and their progress, the queue of findings."""

from flask import Blueprint, Response, jsonify, request

from console.domain.decisions import Deny, DenyCode
from console.domain.errors import ConsoleError
from console.domain.reconciling.findings import FindingId, ReconciliationId
from console.usecases.offer_actions import Offer, action_titles, offer_actions
from console.usecases.read_findings import read_account_finding, read_findings, tenant_of_finding
from console.usecases.read_home import pages_open_to
from console.usecases.read_reconciliation import glance_at_run, read_run, read_runs, watch_run
from console.usecases.refuse_at_the_door import refuse_at_the_door
from console.usecases.resume_session import still_there
from console.web import asking, gate, live, render
from console.web.forms.findings import read_finding_filters
from console.web.shaping_findings import finding_view
from console.web.shaping_reconciliation import findings_view, live_run_view, run_view, runs_view

bp = Blueprint("reconciliation", __name__)
_LONGEST = 80


@bp.get("/reconciliation")
@gate.signed_in
def index() -> Response:
    """Show what stands by kind and amount, and the runs, newest first."""
    before = request.args.get("before", "")[:_LONGEST]
    page = read_runs(asking.house(), asking.actor(), tenant=None, before=ReconciliationId(before) if before else None)
    if isinstance(page, Deny):
        return render.refused(page)
    return render.page("pages/reconciliation/index.html", page=runs_view(page, _offers(), _pages()))


@bp.get("/reconciliation/runs/<reconciliation>")
@gate.signed_in
def run(reconciliation: str) -> Response:
    """Show one run: how far it is, and what it saw by kind."""
    page = read_run(asking.house(), asking.actor(), run=ReconciliationId(reconciliation))
    if isinstance(page, Deny):
        return render.refused(page)
    return render.page("pages/reconciliation/run.html", page=run_view(page, _offers(), _pages()))


@bp.get("/reconciliation/runs/<reconciliation>/progress")
@gate.polling
@gate.signed_in
def progress(reconciliation: str) -> Response:
    """Tell the figures once, for pages that ask again and again."""
    found = watch_run(asking.house(), asking.actor(), run=ReconciliationId(reconciliation))
    if isinstance(found, Deny):
        return render.refused(found)
    return jsonify(live_run_view(found))


@bp.get("/reconciliation/runs/<reconciliation>/events")
@gate.polling
@gate.signed_in
def events(reconciliation: str) -> Response:
    """Tell the figures as they move, for two minutes at most; the browser comes back by itself."""
    house, actor, streams = asking.house(), asking.actor(), asking.streams()
    found = watch_run(house, actor, run=ReconciliationId(reconciliation))
    if isinstance(found, Deny):
        return render.refused(found)
    if not streams.enter(actor.staff):
        refuse_at_the_door(
            house, actor, action="throttle.refused", code=DenyCode.THROTTLED, origin=asking.origin(), target="events"
        )
        return render.refused(Deny(code=DenyCode.THROTTLED, remedy="The page asks every few seconds instead."))

    def look() -> live.Look | None:
        try:
            who = still_there(house, actor)
            now = None if who is None else glance_at_run(house, who, run=ReconciliationId(reconciliation))
        except ConsoleError:
            return None  # the browser asks again in a moment, and then says what is wrong
        if now is None or isinstance(now, Deny):
            return None
        return live.Look(values=live_run_view(now), is_last=not now.is_open)

    return live.stream(look, left=lambda: streams.leave(actor.staff))


@bp.get("/reconciliation/findings")
@gate.signed_in
def findings() -> Response:
    """Show findings, those that stand longest first; the filters live in the address."""
    form = read_finding_filters(request.args, me=asking.actor().staff, now=asking.house().clock.now())
    page = read_findings(asking.house(), asking.actor(), wanted=form.which, after=form.after)
    if isinstance(page, Deny):
        return render.refused(page)
    status = 422 if form.faults else 200
    return render.page("pages/reconciliation/findings.html", status=status, page=findings_view(page, form, _pages()))


@bp.get("/reconciliation/findings/<stray>")
@gate.signed_in
def finding(stray: str) -> Response:
    """Show one finding that belongs to no tenant; one that belongs to a tenant is shown there."""
    row = tenant_of_finding(asking.house(), asking.actor(), finding=FindingId(stray))
    if row is not None:
        return render.seen_other("findings.show", slug=row.slug, finding=stray)
    page = read_account_finding(asking.house(), asking.actor(), finding=FindingId(stray))
    if isinstance(page, Deny):
        return render.refused(page)
    view = finding_view(page, _offers(), action_titles(asking.house()))
    return render.page("pages/reconciliation/finding.html", page=view)


def _pages() -> frozenset[str]:
    return pages_open_to(asking.house(), asking.actor())


def _offers() -> list[Offer]:
    return list(offer_actions(asking.house(), asking.actor(), tenant=None))
