"""What the customer sees: the page in the workspace, and the door for the customer's own programs."""

import json
from typing import Any

from flask import Blueprint, Response, request

from console.domain.decisions import Deny
from console.domain.tenancy import DirectoryRow
from console.usecases.customer_door import NotKnown, TooOften
from console.usecases.offer_actions import offer_actions
from console.usecases.read_access_log import read_customer_page
from console.usecases.serve_access_log import MOST, serve_access_log
from console.web import asking, gate, render
from console.web.closed import closed
from console.web.shaping_customer import customer_view, feed_page

bp = Blueprint("customer", __name__)
_SCHEME = "bearer "
_LONGEST_NUMBER = 18


@bp.get("/t/<slug>/customer")
@gate.tenant_scoped
def show(row: DirectoryRow) -> Response:
    """Show what the tenant sees of our accesses, what waits, and what it permits."""
    page = read_customer_page(asking.house(), asking.actor(), tenant=row.id, before=_number(request.args.get("before")))
    if isinstance(page, Deny):
        return closed(row, page)
    view = customer_view(page, list(offer_actions(asking.house(), asking.actor(), tenant=row)))
    return render.page("pages/tenants/customer.html", opened=page.opened, tab="customer", page=view)


@bp.get("/customer/access-log")
@gate.unattended
def access_log() -> Response:
    """Give a customer's program the lines after a number: 200, 400 for a bad number, 401 without a token, 429."""
    after, limit = _number(request.args.get("after", "0")), _number(request.args.get("limit", str(MOST)))
    if after is None or limit is None:
        return fault(400, "bad_request", "after and limit are whole numbers.")
    answer = serve_access_log(asking.house(), token=given_token(), after=after, limit=limit, origin=asking.origin())
    if isinstance(answer, NotKnown | TooOften):
        return refused(answer)
    return as_json(feed_page(answer), status=200)


def given_token() -> str:
    """Return the bearer token of the request, empty without one."""
    header = request.headers.get("Authorization", "")
    return header[len(_SCHEME) :].strip() if header.lower().startswith(_SCHEME) else ""


def refused(answer: NotKnown | TooOften) -> Response:
    """Return 401 or 429 as a program reads it."""
    if isinstance(answer, TooOften):
        response = fault(429, "too_often", "Ask again later.")
        response.headers["Retry-After"] = str(answer.wait_s)
        return response
    response = fault(401, "unknown_token", "Send a live token of this tenant as Authorization: Bearer …")
    response.headers["WWW-Authenticate"] = 'Bearer realm="sallyport"'
    return response


def fault(status: int, code: str, sentence: str) -> Response:
    """Return a fault as a program reads it."""
    return as_json({"error": code, "error_description": sentence}, status=status)


def as_json(value: dict[str, Any], *, status: int) -> Response:
    """Return JSON that nobody keeps."""
    response = Response(json.dumps(value, ensure_ascii=False), status=status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def _number(text: str | None) -> int | None:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > _LONGEST_NUMBER:
        return None
    return int(text)
