"""The inbox, the page of a request, and what can be done with one."""

from flask import Blueprint, Response, request, url_for
from werkzeug.datastructures import MultiDict

from console.domain.decisions import Deny, DenyCode, NeedsStepUp
from console.domain.ids import RequestId
from console.domain.requests import Request, Verdict
from console.usecases.change_request import cancel_request, revoke_request
from console.usecases.execute_request import execute_request
from console.usecases.offer_actions import action_titles
from console.usecases.outcomes import Drifted, Execution, Failed, Ran, Unsettled
from console.usecases.parameters import raw_of
from console.usecases.prepare_action import action_form
from console.usecases.read_requests import TABS, read_inbox, read_request
from console.usecases.refuse_at_the_door import refuse_at_the_door
from console.usecases.vote_on_request import Voted, vote_on_request
from console.web import asking, gate, render, walking
from console.web.closed import closed
from console.web.errors import STATUS
from console.web.forms.actions import linked, read_action
from console.web.forms.posted import unknown_fields
from console.web.forms.requests import BecauseForm, VoteForm, read_because, read_vote
from console.web.shaping import refusal_view
from console.web.shaping_home import error_list
from console.web.shaping_requests import inbox_view, request_view
from console.web.shown import shown_once

bp = Blueprint("requests", __name__)
_LABELS = {"comment": "Comment", "because": "Why", "verdict": "Vote", "step_up_code": "One-time code"}
# Whoever is refused like this has no business with the request: its page would only be refused once more.
_STRANGERS = frozenset({DenyCode.NOT_YOURS, DenyCode.NOT_AN_APPROVER, DenyCode.ROLE_MISSING, DenyCode.SERVICE_ACCOUNT})


@bp.get("/requests")
@gate.signed_in
def index() -> Response:
    """Show one tab of the inbox."""
    tab = request.args.get("tab", "waiting")
    after = request.args.get("after")
    wanted = tab if tab in TABS else "waiting"
    inbox = read_inbox(asking.house(), asking.actor(), tab=wanted, after=RequestId(after) if after else None)
    if isinstance(inbox, Deny):
        return render.refused(inbox)
    return render.page("pages/requests/index.html", inbox=inbox_view(inbox, asking.house().clock.now()))


@bp.get("/requests/<request_id>")
@gate.signed_in
def show(request_id: str) -> Response:
    """Show the request with its diff; having seen it is what permits a vote."""
    return _page(request_id, status=200)


@bp.post("/requests/<request_id>/votes")
@gate.signed_in
def vote(request_id: str) -> Response:
    """Vote on the digest that was shown; the last vote may set the action off."""
    form = read_vote(request.form)
    if form.faults or form.verdict is None:
        return _page(request_id, status=422, vote=form)
    refusal = asking.confirmed()
    answer = refusal or vote_on_request(
        asking.house(), asking.actor(), request_id=RequestId(request_id), digest=form.digest, verdict=form.verdict,
        comment=form.comment,
    )  # fmt: skip
    match answer:
        case Voted(execution=None):
            render.say("ok", "You approved." if form.verdict is Verdict.APPROVE else "You rejected the request.")
            return render.seen_other("requests.show", request_id=request_id)
        case Voted(execution=execution) if execution is not None:
            return _executed(request_id, execution, said="Your vote was the last one needed. ")
        case Deny() | NeedsStepUp():
            return _refused(request_id, answer, vote=form)
        case _:
            raise TypeError(answer)


@bp.post("/requests/<request_id>/execution")
@gate.signed_in
def execute(request_id: str) -> Response:
    """Run an approved request, once."""
    refusal = _surplus() or asking.confirmed()
    if refusal is not None:
        return _refused(request_id, refusal)
    return _executed(request_id, execute_request(asking.house(), asking.actor(), request_id=RequestId(request_id)))


@bp.post("/requests/<request_id>/cancellation")
@gate.signed_in
def cancel(request_id: str) -> Response:
    """Withdraw one's own request."""
    answer = _surplus() or cancel_request(asking.house(), asking.actor(), request_id=RequestId(request_id))
    return _ended(request_id, answer, said="The request is withdrawn.")


@bp.post("/requests/<request_id>/revocation")
@gate.signed_in
def revoke(request_id: str) -> Response:
    """Take an approval back."""
    form = read_because(request.form)
    if form.faults:
        return _page(request_id, status=422, because=form)
    answer = revoke_request(asking.house(), asking.actor(), request_id=RequestId(request_id), because=form.because)
    return _ended(request_id, answer, said="The approval is revoked; the request cannot run any more.")


@bp.route("/requests/<request_id>/revision", methods=["GET", "POST"])
@gate.signed_in
def revise(request_id: str) -> Response:
    """Change what is asked for, in the same four steps; every vote becomes void."""
    page = read_request(asking.house(), asking.actor(), request_id=RequestId(request_id))
    if isinstance(page, Deny):
        return render.refused(page)
    may = page.may.get("revise")
    if isinstance(may, Deny):
        refuse_at_the_door(
            asking.house(), asking.actor(), action="route.refused", code=may.code, origin=asking.origin(),
            target=request.path,
        )  # fmt: skip
        return render.refused(may)
    old = page.request
    is_post = request.method == "POST"
    given: MultiDict[str, str] = request.form if is_post else _stored(old)
    form = action_form(
        asking.house(), asking.actor(), key=old.action, tenant=old.tenant, typed=given.to_dict(), is_opening=not is_post
    )
    if isinstance(form, Deny):
        return closed(page.tenant, form)
    sent = read_action(form.action, given) if is_post else linked(form.action, given)
    href = url_for("requests.revise", request_id=request_id)
    return walking.next_step(walking.begin(form, sent, href=href, revises=old))


def _surplus() -> Deny | None:
    """Return the refusal of a form that is only a button and yet came with fields."""
    faults = unknown_fields(request.form, ())
    return Deny(code=DenyCode.BAD_PARAMETER, sentence=next(iter(faults.values()))) if faults else None


def _stored(old: Request) -> MultiDict[str, str]:
    return MultiDict(
        (name, text)
        for name, value in raw_of(old.params).items()
        for text in ([value] if isinstance(value, str) else value)
    )


def _executed(request_id: str, execution: Execution, *, said: str = "") -> Response:
    """Return to the request, whose page says by itself what came of it."""
    match execution:
        case Ran(applied=applied) if applied.shown:
            return shown_once(execution)
        case Ran():
            render.say("ok", f"{said}It ran.")
        case Unsettled():
            render.say("warn", f"{said}The run went out, and its outcome is not known yet; it is being asked for.")
        case Failed():
            render.say("stop", f"{said}The run failed.")
        case Drifted():
            render.say("warn", f"{said}It did not run. Compare both sides below.")
        case Deny() | NeedsStepUp():
            return _refused(request_id, execution)
    return render.seen_other("requests.show", request_id=request_id)


def _ended(request_id: str, answer: Request | Deny | NeedsStepUp, *, said: str) -> Response:
    if not isinstance(answer, Request):
        return _refused(request_id, answer)
    render.say("info", said)
    return render.seen_other("requests.show", request_id=request_id)


def _refused(request_id: str, refusal: Deny | NeedsStepUp, *, vote: VoteForm | None = None) -> Response:
    if isinstance(refusal, Deny) and refusal.code in _STRANGERS:
        return render.refused(refusal)
    status = 403 if isinstance(refusal, NeedsStepUp) else STATUS[refusal.code]
    if status == 401:
        status = 422  # a wrong code is a wrong field, not a missing session
    return _page(request_id, status=status, refusal=refusal, vote=vote)


def _page(
    request_id: str,
    *,
    status: int,
    refusal: Deny | NeedsStepUp | None = None,
    vote: VoteForm | None = None,
    because: BecauseForm | None = None,
) -> Response:
    page = read_request(asking.house(), asking.actor(), request_id=RequestId(request_id))
    if isinstance(page, Deny):
        return render.refused(page)
    view = request_view(page, action_titles(asking.house()), asking.house().clock.now())
    faults = dict(vote.faults if vote else because.faults if because else {})
    if isinstance(refusal, Deny) and refusal.field:
        faults[refusal.field] = f"{refusal.sentence} {refusal.remedy}".strip()
    return render.page(
        "pages/requests/show.html", status=status, page=view, refusal=refusal_view(refusal) if refusal else None,
        faults=faults, errors=error_list(faults, _LABELS),
        comment=vote.comment if vote else "", because=because.because if because else "",
    )  # fmt: skip
