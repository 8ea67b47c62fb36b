"""What a customer's own programs may do besides reading the log: answer consents, read and set the access policy."""

import json
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from console.domain.trust.consents import ConsentVerdict
from console.usecases.customer_door import NotAllowed, NotByProgram, NotKnown, TooOften
from console.usecases.customer_policy import (
    Overtaken,
    PolicySheet,
    read_policy_by_token,
    set_policy_by_token,
)
from console.usecases.decide_consent import NoSuchQuestion, TooLate, decide_by_token, list_questions
from console.web import asking, gate
from console.web.shaping_customer import policy_told, question_told
from console.web.views.customer import as_json, fault, given_token, refused
from console.web.views.customer_links import LARGEST_FORM, wanted_rules

bp = Blueprint("customer_api", __name__)
_VERDICTS = {verdict.value: verdict for verdict in ConsentVerdict}


@bp.get("/customer/api/consents")
@gate.unattended
def consents() -> Response:
    """List the tenant's questions, newest first: 200, 401, 403 for a token of the log only, 429."""
    answer = list_questions(asking.house(), token=given_token(), origin=asking.origin())
    if isinstance(answer, NotKnown | TooOften | NotAllowed):
        return _refused(answer)
    return as_json({"consents": [question_told(each) for each in answer]}, status=200)


@bp.post("/customer/api/consents/<consent>")
@gate.unattended
def decide(consent: str) -> Response:
    """Take an answer as {"verdict": "approve" | "refuse"}: 200 once, 403, 404, 409 when it is too late, 422."""
    verdict = _VERDICTS.get(str(_body().get("verdict", "")))
    if verdict is None:
        return fault(422, "bad_verdict", "Send verdict as approve or refuse.")
    answer = decide_by_token(
        asking.house(), token=given_token(), consent=consent[:64], verdict=verdict, origin=asking.origin()
    )
    match answer:
        case TooLate(question=question):
            return as_json({"error": "too_late", "consent": question_told(question)}, status=409)
        case NoSuchQuestion():
            return fault(404, "no_such_question", "This tenant was never asked that.")
        case NotKnown() | TooOften() | NotAllowed() | NotByProgram():
            return _refused(answer)
        case _:
            return as_json(question_told(answer), status=200)


@bp.get("/customer/api/policy")
@gate.unattended
def policy() -> Response:
    """Return the tenant's rules."""
    answer = read_policy_by_token(asking.house(), token=given_token(), origin=asking.origin())
    if isinstance(answer, PolicySheet):
        return as_json(policy_told(answer.policy), status=200)
    return _refused(answer)


@bp.post("/customer/api/policy")
@gate.unattended
def set_policy() -> Response:
    """Take stricter rules as {"impersonation": …, "notify": "each" | "digest"}: 200, 403, 409 if overtaken, 422."""
    body = _body()
    wanted = wanted_rules(body.get("impersonation"), body.get("notify"))
    if wanted is None:
        return fault(422, "bad_policy", "Send impersonation (allowed, consent, refused) and notify (each, digest).")
    answer = set_policy_by_token(asking.house(), token=given_token(), wanted=wanted, origin=asking.origin())
    match answer:
        case PolicySheet(policy=policy):
            return as_json(policy_told(policy), status=200)
        case Overtaken():
            return fault(409, "overtaken", "Somebody changed it meanwhile; read it again.")
        case _:
            return _refused(answer)


def _body() -> dict[str, Any]:
    """Return the JSON object of the request; anything else is an empty one."""
    if (request.content_length or 0) > LARGEST_FORM:
        raise RequestEntityTooLarge
    request.max_content_length = LARGEST_FORM
    try:
        read = json.loads(request.get_data(cache=False))
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def _refused(answer: NotKnown | TooOften | NotAllowed | NotByProgram) -> Response:
    if isinstance(answer, NotByProgram):
        return fault(403, answer.code, answer.sentence)
    if isinstance(answer, NotAllowed):
        return fault(403, "log_only", "This token opens the access log only.")
    return refused(answer)
