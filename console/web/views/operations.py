"""The house's own work: queues, jobs, schedules, and the inbox of providers' webhooks."""

from flask import Blueprint, Response, request

from console.domain.decisions import Deny
from console.domain.ids import InboundId, JobId
from console.usecases.offer_actions import Offer, offer_actions
from console.usecases.read_operations import read_inbound, read_inbox_events, read_job, read_jobs, read_operations
from console.web import asking, gate, render
from console.web.forms.operations import read_inbox_filters, read_job_filters
from console.web.shaping_operations import event_view, inbox_view, job_view, jobs_view, operations_view

bp = Blueprint("operations", __name__)


@bp.get("/operations")
@gate.signed_in
def index() -> Response:
    """Show how far behind the queues are, what failed, and what comes again and again."""
    page = read_operations(asking.house(), asking.actor())
    if isinstance(page, Deny):
        return render.refused(page)
    return render.page("pages/operations/index.html", page=operations_view(page, _offers()))


@bp.get("/operations/jobs")
@gate.signed_in
def jobs() -> Response:
    """Show jobs, newest first; the filters live in the address."""
    form = read_job_filters(request.args)
    page = read_jobs(asking.house(), asking.actor(), which=form.which, before=form.before)
    if isinstance(page, Deny):
        return render.refused(page)
    status = 422 if form.faults else 200
    return render.page("pages/operations/jobs.html", status=status, page=jobs_view(page, form, _offers()))


@bp.get("/operations/jobs/<job>")
@gate.signed_in
def job(job: str) -> Response:
    """Show one job: its authority, its arguments without secrets, its failures."""
    page = read_job(asking.house(), asking.actor(), job=JobId(job))
    if isinstance(page, Deny):
        return render.refused(page)
    return render.page("pages/operations/job.html", page=job_view(page, _offers()))


@bp.get("/operations/inbox")
@gate.signed_in
def inbox() -> Response:
    """Show what providers sent us, newest first."""
    form = read_inbox_filters(request.args)
    page = read_inbox_events(
        asking.house(), asking.actor(), state=form.state, event_type=form.event_type, before=form.before
    )
    if isinstance(page, Deny):
        return render.refused(page)
    status = 422 if form.faults else 200
    return render.page("pages/operations/inbox.html", status=status, page=inbox_view(page, form))


@bp.get("/operations/inbox/<event>")
@gate.signed_in
def inbound(event: str) -> Response:
    """Show one event of a provider, with its payload masked."""
    page = read_inbound(asking.house(), asking.actor(), event=InboundId(event))
    if isinstance(page, Deny):
        return render.refused(page)
    return render.page("pages/operations/inbound.html", page=event_view(page, _offers()))


def _offers() -> list[Offer]:
    return list(offer_actions(asking.house(), asking.actor(), tenant=None))
