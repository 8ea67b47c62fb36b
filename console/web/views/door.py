"""The door: sign-in by password or by the identity provider, and sign-out."""

from typing import Any

from flask import Blueprint, Response, request, url_for

from console.domain.decisions import Deny, DenyCode
from console.domain.errors import BadValueError, NotFoundError
from console.domain.step_up import step_up_fault
from console.ports.identity import Claims
from console.usecases import sign_in as signing_in
from console.usecases.sign_in import SignedIn, refuse_identity, sign_in_with_identity, sign_in_with_password
from console.usecases.step_up import SteppedUp, step_up_with_identity
from console.web import asking, gate, render, sessions
from console.web.errors import STATUS
from console.web.forms.account import EmptyForm
from console.web.forms.door import SignInForm
from console.web.identity import Attempt, begin_attempt, take_attempt
from console.web.paths import safe_next
from console.web.security import forget_everything
from console.web.wording import SESSION_OVER

bp = Blueprint("door", __name__)


@bp.get("/sign-in")
@gate.open_door
def sign_in() -> Response:
    """Show the ways to sign in."""
    wanted = safe_next(request.args.get("next"))
    if asking.actor_if_any() is not None:
        return render.seen_path(wanted)
    form = SignInForm(formdata=None, email=request.args.get("as", "")[:254], next=wanted)
    return _page(form, status=200)


@bp.post("/sign-in")
@gate.open_door
def sign_in_by_password() -> Response:
    """Sign somebody in by password and code: 303, or 401, 422 and 429 with the e-mail kept."""
    form = SignInForm()
    if not form.validate():
        return _page(form, status=422)
    answer = sign_in_with_password(
        asking.house(),
        email=form.email.data or "",
        password=form.password.data or "",
        code=form.code.data or "",
        origin=asking.origin(),
    )
    if isinstance(answer, Deny):
        return _page(form, status=STATUS[answer.code], refusal=answer)
    sessions.begin(answer)
    return render.seen_path(form.next.data or "/")


@bp.get("/sign-in/identity")
@gate.open_door
def identity() -> Response:
    """Send the browser to the identity provider."""
    return render.away(begin_attempt(purpose="sign_in", wanted=request.args.get("next"), max_age_s=None))


@bp.get("/sign-in/callback")
@gate.open_door
def callback() -> Response:
    """Believe what the identity provider answers, once, for the browser that asked."""
    provider = asking.house().identity
    if provider is None:
        raise NotFoundError("Signing in with a company account is not set up here.")
    attempt = take_attempt()
    if attempt is None or (attempt.purpose == "step_up") != (asking.actor_if_any() is not None):
        return _not_believed("No sign-in is under way in this browser.")
    try:
        claims = provider.finish(callback_url=request.url, kept=attempt.kept)
    except BadValueError as wrong:
        return _not_believed(str(wrong))
    return _stepped_up(attempt, claims) if attempt.purpose == "step_up" else _signed_in(attempt, claims)


@bp.post("/sign-out")
@gate.signed_in
def sign_out() -> Response:
    """End this session and the leases that it opened."""
    form = EmptyForm()
    if not form.validate():
        return render.refused(Deny(code=DenyCode.BAD_PARAMETER, sentence=" ".join(form.surplus())))
    signing_in.sign_out(asking.house(), asking.actor())
    sessions.end()
    return forget_everything(render.seen_other("door.sign_in"))


def _signed_in(attempt: Attempt, claims: Claims) -> Response:
    answer = sign_in_with_identity(asking.house(), claims=claims, origin=asking.origin())
    match answer:
        case SignedIn():
            sessions.begin(answer)
            return render.seen_path(attempt.wanted)
        case Deny():
            return _page(SignInForm(formdata=None, next=attempt.wanted), status=STATUS[answer.code], refusal=answer)


def _stepped_up(attempt: Attempt, claims: Claims) -> Response:
    house = asking.house()
    fault = step_up_fault(claims, asked_at=attempt.asked_at, max_age_s=attempt.max_age_s, strong=house.book.acr_strong)
    answer = step_up_with_identity(house, asking.actor(), claims=claims, fault=fault)
    match answer:
        case SteppedUp():
            sessions.rotate(house, answer, asking.origin())
            return render.seen_path(attempt.wanted)
        case Deny():
            return render.refused(answer)


def _not_believed(why: str) -> Response:
    refusal = refuse_identity(asking.house(), why=why, origin=asking.origin())
    if asking.actor_if_any() is not None:
        return render.refused(refusal)
    return _page(SignInForm(formdata=None, next="/"), status=STATUS[refusal.code], refusal=refusal)


def _use_href(email: str, wanted: str) -> str:
    values: dict[str, Any] = {"as": email, "next": wanted}
    return url_for("door.sign_in", **values)


def _page(form: SignInForm, *, status: int, refusal: Deny | None = None) -> Response:
    options = asking.options()
    sessions.renew_door()
    wanted = safe_next(str(form.next.data or ""))
    form.next.data, form.code.data = wanted, ""
    response = render.door(
        "pages/door/sign_in.html",
        status=status,
        form=form,
        refusal=refusal,
        over=SESSION_OVER.get(sessions.why_over(), ""),
        local_passwords=options.local_passwords,
        identity_href=url_for("door.identity", next=wanted) if options.oidc_enabled else "",
        identity_label=options.identity_label,
        people=[
            {
                "role": person.label or person.role,
                "name": person.name,
                "email": person.email,
                "password": person.password,
                "code": person.code(),
                "use_href": _use_href(person.email, wanted),
            }
            for person in options.shown_people
        ],
    )
    if status == 429:
        minutes = asking.house().book.limits.sign_in_window_minutes
        response.headers["Retry-After"] = str(minutes * 60)
    return response
