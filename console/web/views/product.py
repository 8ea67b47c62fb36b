"""The addresses that the product, a machine, calls: tokens, introspection, revocation, reports, and our public keys."""

import json
from typing import Any

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from console.domain.errors import ConsoleError, NotFoundError, OutsideError
from console.domain.product_reports import MOST_REPORTS, ReportFaultError, event_of, report_of
from console.ports.product import Product
from console.usecases.exchange_token import Issued, exchange_code, renew_token
from console.usecases.hear_product import hear_event, hear_reports
from console.usecases.introspect_token import Active, introspect_token, revoke_token
from console.usecases.know_product import NotTheProduct, connected_product, known_product
from console.web import asking, gate
from console.web.errors import of_console

bp = Blueprint("product", __name__)
LARGEST_CALL = 512 * 1024
KEYS_SECONDS = 300
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
CODE = "urn:sallyport:token-type:impersonation-code"
JWT = "urn:ietf:params:oauth:token-type:jwt"
_REALM = 'Basic realm="product", charset="UTF-8"'


class CallFaultError(ConsoleError):
    """A call cannot be served. Shape: `status` and `error` are the protocol's own (RFC 6749 section 5.2)."""

    code = "call_fault"

    def __init__(self, status: int, error: str, description: str) -> None:
        """Keep what the answer says."""
        super().__init__(description)
        self.status = status
        self.error = error


@bp.errorhandler(CallFaultError)
def _faulty(fault: CallFaultError) -> Response:
    answer = jsonify(error=fault.error, error_description=str(fault))
    answer.status_code = fault.status
    if fault.status == 401:
        answer.headers["WWW-Authenticate"] = _REALM
    if fault.status == 429:
        answer.headers["Retry-After"] = "60"
    return answer


@bp.errorhandler(NotFoundError)
def _nobody(_missing: NotFoundError) -> Response:
    return _faulty(CallFaultError(404, "not_connected", "No product is connected here."))


@bp.errorhandler(ConsoleError)
def _unable(broken: ConsoleError) -> Response:
    """Say without a page that something is silent or that it is our fault: the product then grants nothing."""
    if isinstance(broken, OutsideError) or of_console(broken).status == 503:
        return _faulty(CallFaultError(503, "temporarily_unavailable", "Something that is needed does not answer."))
    raise broken


@bp.get("/.well-known/jwks.json")
@gate.unattended
def keys() -> Response:
    """Publish the public keys of tokens; caches may keep them for five minutes."""
    answer = jsonify(connected_product(asking.house()).keys.published())
    answer.headers["Cache-Control"] = f"public, max-age={KEYS_SECONDS}"
    answer.mimetype = "application/jwk-set+json"
    return answer


@bp.post("/product/token")
@gate.unattended
def token() -> Response:
    """Exchange a code, or the token before, for a short token (RFC 8693): 200, 400 or 401."""
    product, form = _caller(), _form("grant_type", "subject_token", "subject_token_type", "code_verifier")
    if form["grant_type"] != EXCHANGE:
        raise CallFaultError(400, "unsupported_grant_type", f"The grant type is {EXCHANGE}.")
    house, subject = asking.house(), form["subject_token"]
    if form["subject_token_type"] == CODE:
        answer = exchange_code(house, product, code=subject, verifier=form["code_verifier"], origin=asking.origin())
    elif form["subject_token_type"] == JWT:
        answer = renew_token(house, product, token=subject, origin=asking.origin())
    else:
        raise CallFaultError(400, "invalid_request", f"The subject token is {CODE} or {JWT}.")
    if not isinstance(answer, Issued):
        raise CallFaultError(400, "invalid_grant", answer.sentence)
    return jsonify(
        access_token=answer.token,
        issued_token_type=JWT,
        token_type="Bearer",  # noqa: S106  the protocol's word
        expires_in=answer.seconds,
        scope=answer.scope,
    )


@bp.post("/product/introspect")
@gate.unattended
def introspect() -> Response:
    """Say whether a token stands at this moment (RFC 7662); only `activity=1` keeps it from idling out."""
    product, form = _caller(), _form("token", "token_type_hint", "activity")
    is_activity = form["activity"] == "1"
    answer = introspect_token(
        asking.house(), product, token=form["token"], is_activity=is_activity, origin=asking.origin()
    )
    if not isinstance(answer, Active):
        return jsonify(active=False, ended_by=answer.ended_by, sentence=answer.sentence)
    row, claims = answer.row, answer.claims
    return jsonify(
        active=True,
        token_type="Bearer",  # noqa: S106  the protocol's word
        client_id=product.client_id,
        iss=claims["iss"],
        sub=claims["sub"],
        act=claims["act"],
        sid=row.id,
        tenant=claims["tenant"],
        scope=row.mode.scope,
        mode=row.mode.value,
        exp=claims["exp"],
        not_after=int(row.not_after.timestamp()),
        idle_until=int(row.idle_until.timestamp()),
        reason_code=row.reason.code,
        reference=row.reason.reference,
        leave=f"{product.issuer}/impersonations/{row.id}",
    )


@bp.post("/product/revoke")
@gate.unattended
def revoke() -> Response:
    """End the impersonation of a token by hand (RFC 7009): 200, whatever the token was."""
    product, form = _caller(), _form("token", "token_type_hint")
    revoke_token(asking.house(), product, token=form["token"], origin=asking.origin())
    return jsonify({})


@bp.post("/product/reports")
@gate.unattended
def reports() -> Response:
    """Take in the requests that were served in members' names, each once."""
    product, told = _caller(), _document("reports")["reports"]
    if not isinstance(told, list) or len(told) > MOST_REPORTS:
        raise CallFaultError(400, "invalid_request", f"reports: a list of at most {MOST_REPORTS}.")
    try:
        read = [report_of(each) for each in told]
    except ReportFaultError as fault:
        raise CallFaultError(400, "invalid_request", str(fault)) from None
    heard = hear_reports(asking.house(), product, reports=read, origin=asking.origin())
    return jsonify(accepted=heard.accepted, known=heard.known, unknown=heard.unknown)


@bp.post("/product/events")
@gate.unattended
def events() -> Response:
    """Take in what happened to a member; whatever acts for that member ends at once."""
    product = _caller()
    try:
        event = event_of(_document("id", "kind", "tenant", "member", "at"))
    except ReportFaultError as fault:
        raise CallFaultError(400, "invalid_request", str(fault)) from None
    noted = hear_event(asking.house(), product, event=event, origin=asking.origin())
    return jsonify(known=noted.is_known, ended=noted.ended)


def _caller() -> Product:
    """Return the product. Raises: CallFaultError for anybody else, before anything that they sent is read."""
    given = request.authorization
    is_basic = given is not None and given.type == "basic"
    name = (given.username or "") if given is not None and is_basic else ""
    secret = (given.password or "") if given is not None and is_basic else ""
    known = known_product(asking.house(), client_id=name, secret=secret, origin=asking.origin())
    if isinstance(known, NotTheProduct):
        if known.is_slowed:
            raise CallFaultError(429, "invalid_client", "Too many wrong tries from this network; slow down.")
        raise CallFaultError(401, "invalid_client", "The client is unknown, or its secret is wrong.")
    if (request.content_length or 0) > LARGEST_CALL:
        raise CallFaultError(413, "invalid_request", "The call is too large.")
    request.max_content_length = LARGEST_CALL
    return known


def _form(*names: str) -> dict[str, str]:
    """Return the named fields of a form, each at most once; what is left out is empty. Raises: CallFaultError."""
    try:
        sent = request.form
    except RequestEntityTooLarge:
        raise CallFaultError(413, "invalid_request", "The call is too large.") from None
    if any(len(sent.getlist(name)) > 1 for name in sent):
        raise CallFaultError(400, "invalid_request", "A parameter came more than once.")
    return {name: sent.get(name, "") for name in names}


def _document(*names: str) -> dict[str, Any]:
    """Return the JSON object of the call with exactly these fields. Raises: CallFaultError."""
    try:
        told = json.loads(request.get_data(cache=False))
    except RequestEntityTooLarge:
        raise CallFaultError(413, "invalid_request", "The call is too large.") from None
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict) or set(told) != set(names):
        raise CallFaultError(400, "invalid_request", f"The call is one JSON object with {', '.join(names)}.")
    return told
