"""Turns everything that is raised into a clear page with the id of the call; the table stands in errors.py."""

import logging

from flask import Flask, Response
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from console.domain.errors import ConsoleError, NotFoundError, ScopeError
from console.usecases.refuse_at_the_door import refuse_at_the_door
from console.web import asking, render
from console.web.errors import of_code, of_console, of_http

_LOG = logging.getLogger("console.web")


def handle_mishaps(app: Flask) -> None:
    """Register the handlers; the last one takes what nobody expected."""
    app.register_error_handler(CSRFError, _forged)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(ConsoleError, _console)
    app.register_error_handler(Exception, _bug)


def _forged(_error: CSRFError) -> Response:
    return render.failed(of_code("form_not_ours"))


def _http(error: HTTPException) -> Response:
    answer = render.failed(of_http(error))
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        answer.headers["Allow"] = ", ".join(sorted(allowed))
    return answer


def _console(error: ConsoleError) -> Response:
    mishap = of_console(error)
    if mishap.code == "bug":
        return _bug(error)
    if mishap.status >= 500:
        _LOG.error("%s %s: %s", asking.request_id(), error.code, error)
    elif isinstance(error, NotFoundError | ScopeError):
        if isinstance(error, ScopeError):  # no page asks for this: a fault of ours, or somebody digging
            _LOG.error("%s %s", asking.request_id(), error.code, exc_info=error)
        actor = asking.actor_if_any()
        refuse_at_the_door(asking.house(), actor, action="route.refused", code=None, origin=asking.origin(),
                           target=asking.origin().route)  # fmt: skip
    return render.failed(mishap)


def _bug(error: Exception) -> Response:
    _LOG.error("%s failed", asking.request_id(), exc_info=error)
    return render.failed(of_code("bug"))
