"""A person's own account: sessions, notices, and the second factor."""

from flask import Blueprint, Response, request, url_for

from console.domain.decisions import Deny, DenyCode
from console.domain.ids import SessionKey
from console.domain.staff import StaffSession
from console.usecases import own_sessions
from console.usecases.step_up import SteppedUp, step_up_with_code, step_up_with_password
from console.web import asking, frame, gate, render, sessions, wording
from console.web.errors import STATUS
from console.web.forms.account import EmptyForm, StepUpForm
from console.web.identity import begin_attempt
from console.web.paths import safe_next
from console.web.security import forget_everything
from console.web.shaping_home import notice_queue

bp = Blueprint("account", __name__)
_FRESH_S = 60


@bp.get("/account")
@gate.signed_in
def show() -> Response:
    """Show the actor's own sessions and notices."""
    account = own_sessions.read_account(asking.house(), asking.actor())
    return render.page(
        "pages/account/show.html",
        sessions=[_line(session) for session in account.sessions],
        notices=notice_queue(account.notices),
        actor=asking.actor(),
        idle_minutes=asking.house().book.limits.session_idle_minutes,
    )


@bp.post("/account/sessions/<key>/end")
@gate.signed_in
def revoke_session(key: str) -> Response:
    """End one of the actor's own sessions; this one, too."""
    form = EmptyForm()
    if not form.validate():
        return render.refused(Deny(code=DenyCode.BAD_PARAMETER, sentence=" ".join(form.surplus())))
    is_this_one = key == asking.actor().session
    refusal = own_sessions.revoke_session(asking.house(), asking.actor(), key=SessionKey(key))
    if refusal is not None:
        return render.refused(refusal)
    if is_this_one:
        sessions.end()
        return forget_everything(render.seen_other("door.sign_in"))
    render.say("ok", "The session is ended; its next request is refused.")
    return render.seen_other("account.show")


@bp.post("/account/notices/read")
@gate.signed_in
def read_notices() -> Response:
    """Mark every notice read."""
    form = EmptyForm()
    if not form.validate():
        return render.refused(Deny(code=DenyCode.BAD_PARAMETER, sentence=" ".join(form.surplus())))
    count = own_sessions.mark_notices_read(asking.house(), asking.actor())
    render.say("ok", f"{count} notices marked read." if count != 1 else "One notice marked read.")
    return render.seen_other("account.show")


@bp.get("/step-up")
@gate.signed_in
def step_up() -> Response:
    """Ask for a second factor."""
    return _step_up_page(StepUpForm(formdata=None, next=safe_next(request.args.get("next"))), status=200)


@bp.post("/step-up")
@gate.signed_in
def step_up_by_hand() -> Response:
    """Accept a code or the password, and go on where the person came from."""
    form = StepUpForm()
    if not form.validate():
        return _step_up_page(form, status=422)
    house, actor = asking.house(), asking.actor()
    if form.code.data:
        answer = step_up_with_code(house, actor, code=form.code.data)
    elif form.password.data:
        answer = step_up_with_password(house, actor, password=form.password.data)
    else:
        remedy = "Type the code or the password."
        missing = Deny(code=DenyCode.BAD_PARAMETER, sentence="Nothing was typed.", remedy=remedy)
        return _step_up_page(form, status=422, refusal=missing)
    match answer:
        case SteppedUp():
            sessions.rotate(house, answer, asking.origin())
            return render.seen_path(form.next.data or "/")
        case Deny():
            return _step_up_page(form, status=STATUS[answer.code], refusal=answer)


@bp.get("/step-up/identity")
@gate.signed_in
def step_up_identity() -> Response:
    """Send the browser to the identity provider for a fresh sign-in."""
    wanted = request.args.get("next")
    return render.away(begin_attempt(purpose="step_up", wanted=wanted, max_age_s=_FRESH_S))


def _step_up_page(form: StepUpForm, *, status: int, refusal: Deny | None = None) -> Response:
    options = asking.options()
    wanted = safe_next(str(form.next.data or ""))
    form.next.data, form.code.data = wanted, ""
    return render.door(
        "pages/account/step_up.html",
        status=status,
        form=form,
        refusal=refusal,
        actor=asking.actor(),
        minutes=asking.house().book.limits.step_up_fresh_minutes,
        is_stepped_up=frame.is_stepped_up(asking.actor()),
        wanted=wanted,
        local_passwords=options.local_passwords,
        identity_href=url_for("account.step_up_identity", next=wanted) if options.oidc_enabled else "",
        identity_label=options.identity_label,
    )


def _line(session: StaffSession) -> dict[str, object]:
    by = None if session.stepped_up_by is None else wording.STEPPED_UP_BY[session.stepped_up_by]
    return {
        "key": session.key,
        "device": wording.device(session.agent),
        "agent": session.agent,
        "ip": session.ip,
        "by": wording.SIGNED_IN_BY[session.signed_in_by],
        "since": session.created_at,
        "seen": session.last_seen_at,
        "until": session.not_after,
        "stepped_up_by": by,
        "stepped_up_at": session.stepped_up_at,
        "is_this_one": session.key == asking.actor().session,
        "end_href": url_for("account.revoke_session", key=session.key),
    }
