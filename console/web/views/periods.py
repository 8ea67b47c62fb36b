"""Accounting periods: the list, one with its checklist, and its sealed files."""

from flask import Blueprint, Response

from console.domain.decisions import Deny
from console.domain.errors import BadValueError, NotFoundError
from console.domain.periods import PeriodId, period_id
from console.usecases.offer_actions import offer_actions
from console.usecases.read_home import pages_open_to
from console.usecases.read_periods import read_period, read_periods, take_file
from console.web import asking, gate, render
from console.web.shaping_periods import period_view, periods_view

bp = Blueprint("periods", __name__)
_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@bp.get("/reconciliation/periods")
@gate.signed_in
def index() -> Response:
    """Show the last months, newest first."""
    page = read_periods(asking.house(), asking.actor())
    if isinstance(page, Deny):
        return render.refused(page)
    pages = pages_open_to(asking.house(), asking.actor())
    return render.page("pages/periods/index.html", page=periods_view(page, pages))


@bp.get("/reconciliation/periods/<period>")
@gate.signed_in
def show(period: str) -> Response:
    """Show what is done and what is missing until a month is closed, and its files."""
    page = read_period(asking.house(), asking.actor(), period=_named(period))
    if isinstance(page, Deny):
        return render.refused(page)
    offers = offer_actions(asking.house(), asking.actor(), tenant=None)
    return render.page(
        "pages/periods/show.html", page=period_view(page, offers, pages_open_to(asking.house(), asking.actor()))
    )


@bp.get("/reconciliation/periods/<period>/files/<name>")
@gate.signed_in
def take(period: str, name: str) -> Response:
    """Hand a sealed file out, piece by piece."""
    taken = take_file(asking.house(), asking.actor(), period=_named(period), name=name)
    if isinstance(taken, Deny):
        return render.refused(taken)
    answer = Response(taken.pieces, content_type=_TYPES.get(name.rpartition(".")[2], "text/plain; charset=utf-8"))
    answer.headers["Content-Disposition"] = f'attachment; filename="{period}-{taken.file.name}"'
    answer.headers["Content-Length"] = str(taken.file.size)
    return answer


def _named(period: str) -> PeriodId:
    """Return the period of an address. Raises: NotFoundError for what is no month."""
    try:
        return period_id(period)
    except BadValueError as bad:
        raise NotFoundError("There is no such period.") from bad
