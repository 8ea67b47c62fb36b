"""The kit in a Flask product: endpoints declare their effects, and the router's own answer decides."""

import time
from collections.abc import Callable

import flask
from werkzeug.exceptions import HTTPException

from sallyport_kit.acting import Acting, acting
from sallyport_kit.calls import Call, call_http
from sallyport_kit.effects import NO_ROUTE, Declaration, Effect, Found, declaration_of
from sallyport_kit.kit import Kit, member_of_tenant
from sallyport_kit.settings import KitSettings
from sallyport_kit.visits import Visit
from sallyport_kit.wsgi import VISIT_KEY, WsgiKit

_NAME = "sallyport"


class Sallyport:
    """Puts the kit around a Flask application.

    Shape: the decision falls where Flask has matched the route and before anything of the product runs, so that no
    spelling of an address leads past it. `flask.g.acting` and `acting` in templates say who acts.
    """

    def __init__(
        self,
        app: flask.Flask,
        settings: KitSettings,
        *,
        call: Call = call_http,
        label: Callable[[Acting], str] = member_of_tenant,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin at once; make it before other extensions, so that its check is the first."""
        self.kit = Kit(settings, call=call, label=label, clock=clock, monotonic=monotonic)
        self._app = app
        self._declared: dict[str, Declaration] = {}
        if app.static_folder is not None:
            self.declare("static", Declaration(Effect.READ))
        app.before_request_funcs.setdefault(None, []).insert(0, self._check)
        app.context_processor(lambda: {"acting": acting()})
        app.wsgi_app = WsgiKit(app.wsgi_app, self.kit, routes=None)  # type: ignore[method-assign]
        app.extensions[_NAME] = self

    def declare(self, endpoint: str, declaration: Declaration) -> None:
        """Declare an endpoint that is not yours to decorate, such as one of another package's blueprint."""
        self._declared[endpoint] = declaration

    def declaration(self, endpoint: str) -> Declaration | None:
        """Return what an endpoint declares; the decorator on its view wins."""
        view = self._app.view_functions.get(endpoint)
        return declaration_of(view) or self._declared.get(endpoint)

    def undeclared(self) -> list[str]:
        """Return the endpoints that declare nothing: a test of yours should find none."""
        return sorted(name for name in self._app.view_functions if self.declaration(name) is None)

    def never_allowed(self) -> dict[str, str]:
        """Return the endpoints of operations that staff may never do, by endpoint."""
        found = {name: self.declaration(name) for name in self._app.view_functions}
        return {name: each.operation for name, each in found.items() if each and each.effect is Effect.NEVER}

    def _check(self) -> flask.Response | None:
        visit = flask.request.environ.get(VISIT_KEY)
        flask.g.acting = acting()
        if not isinstance(visit, Visit):
            return None
        if visit.permit(self._found()) is None:
            return None
        answer = visit.refuse()
        return flask.Response(answer.body, answer.status, list(answer.headers))

    def _found(self) -> Found | None:
        rule = flask.request.url_rule
        if rule is None:
            # Flask answers 404, 405 or a redirect to the right spelling, and runs no endpoint.
            return NO_ROUTE if isinstance(flask.request.routing_exception, HTTPException) else None
        return Found(rule.rule, self.declaration(rule.endpoint))
