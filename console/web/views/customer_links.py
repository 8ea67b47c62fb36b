"""The pages behind signed links: a tenant's administrator reads the log, answers a question, or sets the rules.

No session, no script and no cookie: the link itself is the key, looking decides nothing, and every answer is posted.
"""

from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from console.domain.errors import OutsideError
from console.domain.trust.access_policy import ImpersonationRule, Notify
from console.domain.trust.consents import ConsentVerdict
from console.usecases.customer_door import NotKnown, TooOften
from console.usecases.customer_policy import (
    OFFERED,
    Overtaken,
    PolicySheet,
    Wanted,
    set_policy_by_link,
    show_policy,
)
from console.usecases.decide_consent import NoSuchQuestion, Question, TooLate, decide_by_link, show_question
from console.usecases.serve_access_log import show_access_log
from console.web import asking, gate, render
from console.web.shaping_customer import log_sheet, policy_sheet, question_view

bp = Blueprint("customer_links", __name__)
LARGEST_FORM = 4 * 1024
_LONGEST_NUMBER = 15
Asked = Question | TooLate | NoSuchQuestion | NotKnown | TooOften
_VERDICTS = {verdict.value: verdict for verdict in ConsentVerdict}


@bp.get("/customer/consents/<link>")
@gate.unattended
def consent(link: str) -> Response:
    """Show what is asked, by whom, why and how long: 200, 404 for a link that is none, 429."""
    try:
        answer = show_question(asking.house(), link=link, origin=asking.origin())
    except OutsideError:
        return _silent()
    return _question(answer, link)


@bp.post("/customer/consents/<link>")
@gate.unattended
def decide(link: str) -> Response:
    """Take the answer: 200 once, 409 when it is too late, 422 without a verdict."""
    _refuse_large()
    verdict = _VERDICTS.get(request.form.get("verdict", ""))
    try:
        if verdict is None:
            answer: Asked = show_question(asking.house(), link=link, origin=asking.origin())
            return _question(answer, link, fault="Choose to approve or to refuse.")
        answer = decide_by_link(asking.house(), link=link, verdict=verdict, origin=asking.origin())
    except OutsideError:
        return _silent()
    return _question(answer, link)


@bp.get("/customer/policy/<link>")
@gate.unattended
def policy(link: str) -> Response:
    """Show the rules as they stand: 200, 404, 409 when they changed since the link was written, 429."""
    try:
        answer = show_policy(asking.house(), link=link, origin=asking.origin())
    except OutsideError:
        return _silent()
    return _policy(answer, link)


@bp.post("/customer/policy/<link>")
@gate.unattended
def set_policy(link: str) -> Response:
    """Take the rules that an administrator wants: 200 once, 409 when they changed meanwhile, 422."""
    _refuse_large()
    wanted = wanted_rules(request.form.get("impersonation"), request.form.get("notify"))
    try:
        if wanted is None:
            shown = show_policy(asking.house(), link=link, origin=asking.origin())
            return _policy(shown, link, fault="Choose one of each.")
        answer = set_policy_by_link(asking.house(), link=link, wanted=wanted, origin=asking.origin())
    except OutsideError:
        return _silent()
    return _policy(answer, link)


@bp.get("/customer/log/<link>")
@gate.unattended
def log(link: str) -> Response:
    """Show every access of our staff, newest first: 200, 404 for a link that is none, 429."""
    given = request.args.get("before", "")
    before = int(given) if given.isascii() and given.isdigit() and len(given) <= _LONGEST_NUMBER else None
    try:
        answer = show_access_log(asking.house(), link=link, before=before, origin=asking.origin())
    except OutsideError:
        return _silent()
    if isinstance(answer, NotKnown | TooOften):
        return _closed(answer)
    return render.outside("pages/customer/log.html", page=log_sheet(answer, link))


def wanted_rules(impersonation: object, notify: object) -> Wanted | None:
    """Return the rules that somebody outside names, or None for what is none or is not theirs to choose."""
    known = {rule.value: rule for rule in ImpersonationRule}
    ways = {way.value: way for way in Notify if way in OFFERED}
    if not isinstance(impersonation, str) or not isinstance(notify, str):
        return None
    if impersonation not in known or notify not in ways:
        return None
    return Wanted(impersonation=known[impersonation], notify=ways[notify])


def _question(
    answer: Question | TooLate | NoSuchQuestion | NotKnown | TooOften, link: str, *, fault: str = ""
) -> Response:
    if isinstance(answer, NoSuchQuestion | NotKnown | TooOften):
        return _closed(answer)
    question = answer.question if isinstance(answer, TooLate) else answer
    status = 409 if isinstance(answer, TooLate) else 422 if fault else 200
    view = question_view(question, link, fault=fault, is_late=isinstance(answer, TooLate))
    return render.outside("pages/customer/consent.html", status=status, page=view)


def _policy(answer: PolicySheet | Overtaken | NotKnown | TooOften, link: str, *, fault: str = "") -> Response:
    if isinstance(answer, NotKnown | TooOften):
        return _closed(answer)
    if isinstance(answer, Overtaken):
        return _said(409, "These rules were changed meanwhile", "A newer letter holds a newer link.")
    return render.outside(
        "pages/customer/policy.html", status=422 if fault else 200, page=policy_sheet(answer, link, fault=fault)
    )


def _closed(answer: NoSuchQuestion | NotKnown | TooOften) -> Response:
    if isinstance(answer, TooOften):
        response = _said(429, "Too many tries", "Wait a minute, then open the link again.")
        response.headers["Retry-After"] = str(answer.wait_s)
        return response
    text = "It is over, was changed on its way, or you are no administrator of your workspace any more."
    return _said(404, "This link opens nothing", text)


def _silent() -> Response:
    return _said(503, "We cannot look that up now", "Nothing was decided. Open the link again in a few minutes.")


def _said(status: int, title: str, text: str) -> Response:
    return render.outside("pages/customer/said.html", status=status, title=title, text=text)


def _refuse_large() -> None:
    if (request.content_length or 0) > LARGEST_FORM:
        raise RequestEntityTooLarge
    request.max_content_length = LARGEST_FORM
