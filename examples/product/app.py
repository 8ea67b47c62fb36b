"""Fieldnote put together: the kit first, then its own pages."""

import time
from collections.abc import Callable
from pathlib import Path

from flask import Flask, Response, g, render_template, request
from werkzeug.exceptions import HTTPException, InternalServerError

from examples.product import account, api, door, pages
from examples.product.people import close, connection, form_token, member
from examples.product.store import Store, one
from sallyport_kit import Acting, KitSettings
from sallyport_kit.calls import Call, call_http
from sallyport_kit.flask import Sallyport

_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'"
)


def create_app(
    store: Store,
    kit: KitSettings | None,
    *,
    session_key: str,
    demo_password: str = "",
    call: Call = call_http,
    clock: Callable[[], float] = time.time,
) -> Flask:
    """Return the product; without settings of the kit it is the bare product, beside which the kit is measured."""
    app = Flask(__name__, template_folder=str(Path(__file__).with_name("templates")), static_folder="static")
    app.config.update(
        SECRET_KEY=session_key,
        SESSION_COOKIE_NAME="fieldnote",
        SESSION_COOKIE_SAMESITE="Lax",
        DEMO_PASSWORD=demo_password,
    )
    app.extensions["store"] = store
    if kit is not None:
        Sallyport(app, kit, call=call, label=_label, clock=clock)
    for blueprint in (pages.bp, api.bp, account.bp, door.bp):
        app.register_blueprint(blueprint)
    app.jinja_env.globals["form_token"] = form_token
    app.register_error_handler(HTTPException, _fault)
    app.teardown_appcontext(close)
    app.after_request(_hardened)
    return app


def _label(who: Acting) -> str:
    """Say whom a staff member acts as in words that they know: the member's name and their company's."""
    found = g.get("member") or member()
    if found is None:
        return f"{who.subject} of {who.tenant}"
    tenant = g.get("tenant") or one(connection(), "SELECT name FROM tenant WHERE id = ?", who.tenant)
    return f"{found['name']}, {tenant['name']}" if tenant else str(found["name"])


def _fault(fault: HTTPException) -> Response | tuple[Response, int]:
    status = fault.code or InternalServerError.code
    if request.path.startswith("/api/"):
        return Response(f'{{"error": {status}}}', status, {"Content-Type": "application/json"})
    if status in {301, 302, 303, 307, 308}:
        found = fault.get_response()
        return Response(found.get_data(), status, list(found.headers))
    return Response(render_template("fault.html", status=status, sentence=fault.description), status)


def _hardened(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", _POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    return response
