"""How views answer: a page or its fragment, a refusal with its rule and remedy, a redirect; one template for each."""

from typing import Any

from flask import Response, flash, make_response, render_template, request, url_for
from flask import jsonify as as_json
from werkzeug.utils import redirect

from console.domain.decisions import Deny, NeedsStepUp, Refusal
from console.domain.errors import ConsoleError
from console.usecases.opened_tenant import Opened
from console.web import asking, wording
from console.web.errors import STATUS, STEP_UP_STATUS, Mishap
from console.web.frame import Frame, door_frame, full_frame
from console.web.paths import path_of, safe_next

_VARY = "Cookie, HX-Request, HX-Boosted, HX-History-Restore-Request"
_DOOR = "layouts/door.html"


def page(
    template: str, *, status: int = 200, opened: Opened | None = None, tab: str = "", **context: object
) -> Response:
    """Return a page of a signed-in person, or only its inside when htmx asked for a fragment."""
    frame = full_frame(asking.actor(), opened=opened, tab=tab)
    return _answer(template, layout=_layout(), frame=frame, status=status, context=context)


def door(template: str, *, status: int = 200, **context: object) -> Response:
    """Return a page of the door: sign-in and step-up."""
    return _answer(template, layout=_DOOR, frame=door_frame(has_form=True), status=status, context=context)


def outside(template: str, *, status: int = 200, **context: object) -> Response:
    """Return a page for somebody who is not of the staff and has no session: a customer behind a signed link."""
    return _answer(template, layout=_DOOR, frame=door_frame(has_form=False), status=status, context=context)


def refused(refusal: Refusal, *, status: int | None = None) -> Response:
    """Return which rule refused, in a sentence, with what would make it possible."""
    code = refusal.code.value if isinstance(refusal, Deny) else "step_up_needed"
    is_slow = False
    if isinstance(refusal, NeedsStepUp):
        known, sentence = STEP_UP_STATUS, "This needs a second factor that was shown just now."
        remedy = f"Show it again (good for {refusal.max_age_s // 60} minutes), then come back."
    else:
        known, remedy = STATUS[refusal.code], refusal.remedy
        sentence = refusal.sentence or wording.REFUSED[refusal.code]
        is_slow = known == 429
    status = known if status is None else status
    if wants_json():
        answer = _told(code, sentence, remedy, status=status)
    else:
        answer = _framed(
            "pages/errors/refused.html",
            status=status,
            context={
                "sentence": sentence,
                "remedy": remedy,
                "rule": ", ".join(refusal.rules),
                "code": code,
                "step_up_href": _step_up_href() if isinstance(refusal, NeedsStepUp) else "",
                "sign_in_href": "",
            },
        )
    if is_slow:
        answer.headers["Retry-After"] = "60"
    return answer


def failed(mishap: Mishap) -> Response:
    """Return what went wrong, what was not changed, and the id of the call; never a trace."""
    if wants_json():
        return _told(mishap.code, mishap.happened, mishap.remedy, status=mishap.status)
    context: dict[str, object] = {"mishap": mishap, "sign_in_href": ""}
    if mishap.status == 401:
        context["sign_in_href"] = sign_in_href()
    return _framed("pages/errors/mishap.html", status=mishap.status, context=context)


def seen_other(endpoint: str, **values: Any) -> Response:  # noqa: ANN401  what url_for takes
    """Return 303 to another page of the console."""
    return _moved(url_for(endpoint, **values))


def seen_path(path: str) -> Response:
    """Return 303 to a path that came from outside; anything but a page of this console becomes the home page."""
    return _moved(safe_next(path))


def away(address: str) -> Response:
    """Return 303 to the identity provider, whose address comes from its own configuration."""
    return _moved(address)


def say(kind: str, text: str) -> None:
    """Leave a message for the next page. Shape: `kind` is ok, info, warn or stop."""
    flash(text, kind)


def sign_in_href() -> str:
    """Return the way to sign in and to come back to this very page."""
    wanted = safe_next(request.full_path.rstrip("?")) if request.method == "GET" else "/"
    return path_of("door.sign_in") if wanted == "/" else path_of("door.sign_in", next=wanted)


def wants_fragment() -> bool:
    """Return whether htmx will put the answer into a page; boosted and history requests replace the whole page."""
    asked = request.headers
    is_whole = "HX-Boosted" in asked or "HX-History-Restore-Request" in asked
    return asked.get("HX-Request") == "true" and not is_whole


def wants_json() -> bool:
    """Return whether the caller asked for JSON rather than for a page."""
    if wants_fragment():
        return False
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"


def _framed(template: str, *, status: int, context: dict[str, object]) -> Response:
    """Return an error inside the frame where that is possible, on the door's page otherwise."""
    if asking.actor_if_any() is not None and status < 500:
        try:
            frame = full_frame(asking.actor(), opened=None, tab="")
        except ConsoleError:
            frame = door_frame(has_form=False)
        else:
            return _answer(template, layout=_layout(), frame=frame, status=status, context=context)
    else:
        frame = door_frame(has_form=False)
    layout = "layouts/bare.html" if wants_fragment() else _DOOR
    return _answer(template, layout=layout, frame=frame, status=status, context=context)


def _answer(template: str, *, layout: str, frame: Frame, status: int, context: dict[str, object]) -> Response:
    body = render_template(template, layout=layout, frame=frame, **context)
    response = make_response(body, status)
    response.headers["Vary"] = _VARY
    return response


def _layout() -> str:
    return "layouts/bare.html" if wants_fragment() else "layouts/page.html"


def _moved(address: str) -> Response:
    response = redirect(address, 303, Response)
    response.headers["Vary"] = _VARY
    assert isinstance(response, Response)  # noqa: S101  for the type checker: redirect makes what it is told to make
    return response


def _told(code: str, sentence: str, remedy: str, *, status: int) -> Response:
    response = as_json(error=code, sentence=sentence, remedy=remedy, request_id=asking.request_id())
    response.status_code = status
    return response


def _step_up_href() -> str:
    came_from = request.full_path.rstrip("?") if request.method == "GET" else _referring_path()
    return path_of("account.step_up", next=safe_next(came_from))


def _referring_path() -> str:
    """Return the path of the page that sent a form; only pages of ours ever get through `safe_next`."""
    _, _, rest = (request.referrer or "").partition("://")
    _, slash, path = rest.partition("/")
    return slash + path
