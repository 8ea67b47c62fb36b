"""The gate in front of every view: closed unless an endpoint says what it is; each refusal is recorded."""

import functools
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, request
from flask_login import current_user
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, SecurityError
from werkzeug.routing import RequestRedirect

from console.domain.decisions import Deny, DenyCode
from console.domain.errors import ConsoleError, NotFoundError
from console.usecases.find_tenant import find_tenant
from console.usecases.refuse_at_the_door import refuse_at_the_door
from console.web import asking, render, sessions
from console.web.errors import CrossSiteError, MalformedError, StrangerError

F = TypeVar("F", bound=Callable[..., Any])

SAFE_METHODS = frozenset({"GET", "HEAD"})
MOST_FIELDS = 500
_OVERRIDES = {  # as WSGI spells them: asking for headers by name takes longer than all the rest of the gate
    f"HTTP_{name.upper().replace('-', '_')}": name
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
}
_OWN_SITES = frozenset({"same-origin", "none"})
_CLASS = "sallyport_gate"
_IS_POLLING = "sallyport_polling"


class Gate(StrEnum):
    """What an endpoint is: seen by all without any session, open to strangers, for staff, for holders of a tenant."""

    UNATTENDED = "unattended"
    OPEN = "open"
    SIGNED_IN = "signed_in"
    TENANT = "tenant"


class UnclassifiedEndpointError(ConsoleError):
    """An endpoint says nothing about who may reach it, so the app must not start."""

    code = "unclassified_endpoint"


def unattended(view: F) -> F:
    """Mark an endpoint that touches no session and takes no form of ours: a short list that a test names."""
    return _marked(view, Gate.UNATTENDED)


def open_door(view: F) -> F:
    """Mark an endpoint that strangers may reach; form tokens are checked all the same."""
    return _marked(view, Gate.OPEN)


def signed_in(view: F) -> F:
    """Mark an endpoint for staff with a live session."""
    return _marked(view, Gate.SIGNED_IN)


def tenant_scoped(view: F) -> F:
    """Mark an endpoint of one tenant and hand it `row`, the directory row behind the <slug> of the address."""

    @functools.wraps(view)
    def found(*, slug: str, **values: Any) -> Any:  # noqa: ANN401  what a view takes and gives
        try:
            row = find_tenant(asking.house(), slug=slug)
        except NotFoundError:
            _record("tenant.read_refused", DenyCode.UNKNOWN_TENANT, target=slug)
            return render.refused(Deny(code=DenyCode.UNKNOWN_TENANT, remedy="Search for it by name, domain or id."))
        return view(row=row, **values)

    return _marked(found, Gate.TENANT)  # type: ignore[return-value]


def polling(view: F) -> F:
    """Mark an endpoint that pages ask by themselves: it must not keep an idle session alive."""
    setattr(view, _IS_POLLING, True)
    return view


def kind_of(app: Flask, endpoint: str) -> Gate | None:
    """Return what an endpoint is, or None when it does not say."""
    if endpoint == "static":
        return Gate.UNATTENDED
    found: Gate | None = getattr(app.view_functions[endpoint], _CLASS, None)
    return found


def close_gate(app: Flask) -> None:
    """Put the gate in front of every view, and form tokens behind it. Raises: UnclassifiedEndpointError."""
    unclassified = sorted(endpoint for endpoint in app.view_functions if kind_of(app, endpoint) is None)
    if unclassified:
        message = f"Say who may reach {', '.join(unclassified)}: gate.open_door, signed_in or tenant_scoped."
        raise UnclassifiedEndpointError(message)
    app.before_request(_guard)


def install_form_tokens(app: Flask) -> None:
    """Let Flask-WTF make and check tokens; the gate says when, so that a stranger is a stranger first."""
    CSRFProtect(app)


def _guard() -> Response | None:
    """Let a request through, or say why not.

    1. the message itself. 2. who it is. 3. is there such a page. 4. is it theirs. 5. did they send it.
    """
    # 1
    _refuse_foreign_host()
    _refuse_odd_message()
    # 2
    endpoint = request.endpoint
    kind = None if endpoint is None else kind_of(current_app, endpoint)
    if kind is Gate.UNATTENDED:
        return None
    view = None if endpoint is None else current_app.view_functions[endpoint]
    sessions.resume(asking.house(), asking.origin(), is_activity=not getattr(view, _IS_POLLING, False))
    # 3
    if request.routing_exception is not None:
        _record_lost_way(request.routing_exception)
        return None
    # 4
    if kind is not Gate.OPEN:
        if not current_user.is_authenticated or asking.actor_if_any() is None:
            return _stranger()
        _refuse_foreign_fetch()
    # 5
    if request.method not in SAFE_METHODS:
        _refuse_foreign_sender()
        _refuse_overfull_form()
        _check_form_token()
    return None


def _refuse_foreign_host() -> None:
    if isinstance(request.routing_exception, SecurityError):
        _record("host.refused", None, target=request.headers.get("Host", ""))
        raise request.routing_exception
    asked = request.environ.get("RAW_URI", "")  # as it was sent: it may name a host too, which then counts
    if "://" in asked and not asked.startswith("/"):
        named = asked.partition("://")[2].partition("/")[0].partition("?")[0]
        if named.casefold() != request.host.casefold():
            _record("host.refused", None, target=named)
            raise SecurityError(f"The address names {named}.")


def _refuse_odd_message() -> None:
    for spelt, name in _OVERRIDES.items():
        if spelt in request.environ:
            _record("route.refused", None, target=name)
            raise MalformedError(f"The header {name} is not accepted: only the method itself counts.")
    if "\x00" in request.path or any("\x00" in value for value in request.args.values()):
        raise MalformedError("An address never holds a NUL.")


def _stranger() -> Response:
    _record("route.refused", DenyCode.SIGN_IN_REFUSED, target=request.path)
    is_navigation = request.headers.get("Sec-Fetch-Mode") == "navigate" and request.method == "GET"
    if is_navigation and not render.wants_fragment():
        return render.away(render.sign_in_href())
    raise StrangerError


def _refuse_foreign_fetch() -> None:
    """Refuse what another site's page loads from us; a person may still follow a link from a ticket."""
    asked = request.headers
    if asked.get("Sec-Fetch-Site", "none") in _OWN_SITES:
        return
    is_link = asked.get("Sec-Fetch-Mode") == "navigate" and asked.get("Sec-Fetch-Dest") == "document"
    if request.method in SAFE_METHODS and is_link:
        return
    _record("csrf.refused", None, target=request.path)
    raise CrossSiteError


def _refuse_foreign_sender() -> None:
    """Refuse a change whose sender is another origin; a browser cannot lie about either header."""
    site, origin = request.headers.get("Sec-Fetch-Site", "none"), request.headers.get("Origin")
    if site in _OWN_SITES and (origin is None or _is_own(origin)):
        return
    _record("csrf.refused", None, target=request.path)
    raise CrossSiteError


def _is_own(origin: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.netloc == request.host and parts.scheme in {request.scheme, "https"}


def _refuse_overfull_form() -> None:
    try:
        fields = list(request.form.items(multi=True))
    except RequestEntityTooLarge:
        fields = []
        is_overfull = True
    else:
        is_overfull = len(fields) > MOST_FIELDS
    if is_overfull:
        _record("csrf.refused", DenyCode.BAD_PARAMETER, target=request.path)
        raise RequestEntityTooLarge
    if any("\x00" in name or "\x00" in value for name, value in fields):
        _record("csrf.refused", DenyCode.BAD_PARAMETER, target=request.path)
        raise MalformedError("A text never holds a NUL.")


def _check_form_token() -> None:
    try:
        current_app.extensions["csrf"].protect()
    except (CSRFError, ValueError, TypeError) as fault:
        # A token outside ASCII makes the comparison itself fail; to us it is one more token that is not ours.
        _record("csrf.refused", None, target=request.path)
        raise fault if isinstance(fault, CSRFError) else CSRFError("The token is not text.") from fault


def _record_lost_way(lost: HTTPException) -> None:
    """Record what a staff member looked for in vain; strangers who try addresses would only fill the trail."""
    if asking.actor_if_any() is not None and not isinstance(lost, RequestRedirect):
        _record("route.refused", None, target=request.path)


def _record(action: str, code: DenyCode | None, *, target: str) -> None:
    actor = asking.actor_if_any()
    refuse_at_the_door(asking.house(), actor, action=action, code=code, origin=asking.origin(), target=target)


def _marked(view: F, kind: Gate) -> F:
    setattr(view, _CLASS, kind)
    return view
