"""What a view asks of its surroundings: the house, who acts, from where, and whether a second factor came along."""

from dataclasses import replace

from flask import current_app, g, request

from console.domain.decisions import Deny
from console.domain.ids import ReasonCode
from console.domain.staff import Actor, Origin
from console.usecases.house import House
from console.usecases.resume_session import Resumed
from console.usecases.step_up import SteppedUp, step_up_with_code, step_up_with_password
from console.web import sessions
from console.web.live import Streams
from console.web.options import Web, WebOptions

STEP_UP_CODE = "step_up_code"
STEP_UP_PASSWORD = "step_up_password"  # noqa: S105  a field's name


def house() -> House:
    """Return the house."""
    return _web().house


def options() -> WebOptions:
    """Return what the installation decided."""
    return _web().options


def streams() -> Streams:
    """Return the streams that are open in this process."""
    return _web().streams


def actor() -> Actor:
    """Return who acts. Raises: LookupError where nobody is signed in, which the gate rules out."""
    found = actor_if_any()
    if found is None:
        raise LookupError("this endpoint needs gate.signed_in")
    return found


def actor_if_any() -> Actor | None:
    """Return who acts, or None for a stranger."""
    found = resumed_if_any()
    return None if found is None else found.actor


def resumed_if_any() -> Resumed | None:
    """Return the live session of this request, or None for a stranger."""
    found: Resumed | None = g.get("resumed")
    return found


def reason_label(code: ReasonCode) -> str:
    """Return what a reason is called; its code where policy knows it no more."""
    rule = house().book.reasons.get(code)
    return code if rule is None else rule.label


def request_id() -> str:
    """Return our own name for this request; what the client calls it is not believed."""
    if "request_id" not in g:
        g.request_id = house().ids.new("call")
    found: str = g.request_id
    return found


def origin() -> Origin:
    """Return where this request came from; the address is the connection's, or a trusted proxy's word for it."""
    if "origin" not in g:
        rule = request.url_rule
        g.origin = Origin(
            request_id=request_id(),
            route=request.path[:200] if rule is None else rule.rule,
            method=request.method[:16],
            ip=request.remote_addr or "",
            agent=request.headers.get("User-Agent", "")[:300],
        )
    found: Origin = g.origin
    return found


def confirmed(_form: object = None) -> Deny | None:
    """Step up with the code or password that a dangerous form carries; None when it carries none, or the right one.

    The cookie is renewed and `actor()` is stepped up from here on; the refusal names the field to mend.
    """
    code = request.form.get(STEP_UP_CODE, "").strip()
    password = request.form.get(STEP_UP_PASSWORD, "")
    if not code and not password:
        return None
    if code:
        answer, field = step_up_with_code(house(), actor(), code=code), STEP_UP_CODE
    else:
        answer, field = step_up_with_password(house(), actor(), password=password), STEP_UP_PASSWORD
    if isinstance(answer, SteppedUp):
        sessions.rotate(house(), answer, origin())
        return None
    return replace(answer, field=field)


def _web() -> Web:
    found: Web = current_app.extensions["sallyport"]
    return found
