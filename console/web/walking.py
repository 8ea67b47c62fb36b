"""The walk through an action's four steps: each function answers one step, and nothing typed is ever lost."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from flask import Response

from console.domain.decisions import Deny, NeedsStepUp
from console.domain.ids import RequestId
from console.domain.requests import Request
from console.usecases.break_glass import Glass
from console.usecases.change_request import revise_request
from console.usecases.fresh_form import fresh_form_id
from console.usecases.opened_tenant import Opened
from console.usecases.outcomes import (
    Already,
    BadFields,
    CountingDown,
    Drifted,
    Failed,
    Previewed,
    Proposal,
    Ran,
    Unsettled,
    Waiting,
)
from console.usecases.prepare_action import ActionForm, preview_action
from console.usecases.propose_action import propose_action, sent_before
from console.web import asking, render
from console.web.closed import closed
from console.web.errors import STATUS
from console.web.forms.actions import SentAction
from console.web.forms.posted import field_faults
from console.web.frame import is_stepped_up
from console.web.made import page_of
from console.web.shaping import Seen, groups_in_words
from console.web.shaping_actions import Walk, default_reason, walk_view
from console.web.shown import shown_once

_FORM_ID = re.compile(r"req_[0-9a-z]{20,40}")
_DRIFTED = "Things changed since your preview, so nothing was filed. Look at the new preview, then ask again."
_EDITED = "You changed the form after its preview. This is what it would do now."


def begin(form: ActionForm, sent: SentAction, *, href: str, revises: Request | None = None) -> Walk:
    """Return where somebody stands after what they sent."""
    reason = default_reason(sent, form.lease, form.reasons) if revises is None else revises.reason
    typed_id = sent.form_id or ""
    form_id = typed_id if _FORM_ID.fullmatch(typed_id) else fresh_form_id(asking.house())
    return Walk(
        form=form,
        sent=sent,
        reason=reason,
        href=href,
        form_id=form_id,
        revises=revises,
        is_fresh=is_stepped_up(asking.actor()),
    )


def next_step(walk: Walk) -> Response:
    """Return the page of the step that was asked for."""
    sent = walk.sent
    if sent.faults:
        return show(walk, status=422, faults=sent.faults)
    if sent.step == "ask" and sent.mark:
        is_same_reason = sent.shown is not None and sent.shown.code == walk.reason.code
        if not (sent.is_as_shown and is_same_reason):
            return preview(walk, message=_EDITED)
        return file_request(walk) if walk.revises is None else file_revision(walk, walk.revises)
    if sent.step == "form" or (sent.step == "link" and not sent.is_full):
        return show(walk)
    return preview(walk)


def show(walk: Walk, *, status: int = 200, faults: Mapping[str, str] | None = None) -> Response:
    """Return the page as the walk stands."""
    walk = walk if faults is None else replace(walk, faults=faults)
    form = walk.form
    opened = Opened(tenant=form.tenant, lease=form.lease) if form.tenant and form.lease else None
    return render.page("pages/actions/create.html", status=status, opened=opened, walk=walk_view(walk))


def preview(
    walk: Walk,
    *,
    status: int = 200,
    message: str = "",
    faults: Mapping[str, str] | None = None,
    refusal: Deny | NeedsStepUp | None = None,
    drifted_from: Sequence[Seen] = (),
) -> Response:
    """Return the page with what the action would do, and what policy says to it."""
    form = walk.form
    tenant = None if form.tenant is None else form.tenant.id
    answer = preview_action(
        asking.house(),
        asking.actor(),
        key=form.action.key,
        tenant=tenant,
        raw=walk.sent.raw,
        reason=walk.reason,
        finding=walk.sent.repairs,
    )
    match answer:
        case Deny():
            return closed(form.tenant, answer)
        case BadFields() if walk.sent.step == "refresh":
            return show(walk)  # somebody is still typing: no reproach yet
        case BadFields(faults=found):
            return show(walk, status=422, faults={fault.field: fault.remedy for fault in found})
        case Previewed():
            walk = replace(walk, previewed=answer, message=message, refusal=refusal, drifted_from=drifted_from)
            return show(walk, status=status, faults=faults)


def file_request(walk: Walk) -> Response:
    """File the request that was previewed; where nobody else must agree it runs at once."""
    first = sent_before(asking.house(), asking.actor(), form_id=RequestId(walk.form_id))
    if isinstance(first, Already):  # before the one-time code, which the first of two clicks has used up
        return _answered(walk, first)
    refusal = asking.confirmed()
    if refusal is not None:
        return _refused(walk, refusal)
    form, sent = walk.form, walk.sent
    answer = propose_action(
        asking.house(),
        asking.actor(),
        key=form.action.key,
        tenant=None if form.tenant is None else form.tenant.id,
        raw=sent.raw,
        reason=walk.reason,
        mark=sent.mark,
        form_id=RequestId(walk.form_id),
        shown_for=sent.shown,
        finding=sent.repairs,
        glass=Glass(typed=sent.intent, is_drill=sent.is_drill),
    )
    return _answered(walk, answer)


def file_revision(walk: Walk, request: Request) -> Response:
    """File the new revision; every vote on the old one is void."""
    refusal = asking.confirmed()
    if refusal is not None:
        return _refused(walk, refusal)
    sent = walk.sent
    answer = revise_request(asking.house(), asking.actor(), request_id=request.id, raw=sent.raw, mark=sent.mark)
    match answer:
        case Drifted():
            return preview(walk, status=409, message=_DRIFTED, drifted_from=sent.seen)
        case Request():
            render.say("ok", f"Revision {answer.revision} is filed; earlier votes are void.")
            return render.seen_other("requests.show", request_id=request.id)
        case BadFields(faults=found):
            return show(walk, status=422, faults={fault.field: fault.remedy for fault in found})
        case Deny() | NeedsStepUp():
            return _refused(walk, answer)


def _answered(walk: Walk, answer: Proposal) -> Response:
    match answer:
        case Ran(applied=applied) if applied.shown:
            form = walk.form
            opened = Opened(tenant=form.tenant, lease=form.lease) if form.tenant and form.lease else None
            return shown_once(answer, opened=opened)
        case Drifted():
            return preview(walk, status=409, message=_DRIFTED, drifted_from=walk.sent.seen)
        case BadFields(faults=found):
            return show(walk, status=422, faults={fault.field: fault.remedy for fault in found})
        case Deny() | NeedsStepUp():
            return _refused(walk, answer)
        case Ran(applied=applied) if page_of(walk.form.tenant, applied.made):
            render.say("ok", applied.sentence)
            return render.seen_path(page_of(walk.form.tenant, applied.made))
        case Waiting() | CountingDown() | Ran() | Failed() | Unsettled() | Already():
            render.say(*_said(answer))
            return render.seen_other("requests.show", request_id=answer.request.id)


def _said(answer: Waiting | CountingDown | Ran | Failed | Unsettled | Already) -> tuple[str, str]:
    """Return what the page of the request does not say by itself: how it went stands there once."""
    match answer:
        case Waiting(request=request):
            return "ok", f"Asked. It waits for {groups_in_words(request.needs)}."
        case CountingDown(told=told, is_drill=is_drill):
            drill = "A drill: nothing will be changed. " if is_drill else ""
            return "warn", f"{drill}It counts down, and {told} people were told. Stop it here while you still can."
        case Ran():
            return "ok", "It ran at once; nobody else had to agree."
        case Failed():
            return "stop", "It did not run."
        case Unsettled():
            return "warn", "It went out to the tenant's plane; its outcome is not known yet and is being asked for."
        case Already():
            return "info", "This form was sent before. Here is what came of it."


def _refused(walk: Walk, refusal: Deny | NeedsStepUp) -> Response:
    """Return the page with each fault at its field, or above everything where it is about no field."""
    if isinstance(refusal, Deny) and refusal.field:
        return preview(walk, status=422, faults=field_faults(refusal))
    status = 403 if isinstance(refusal, NeedsStepUp) else STATUS[refusal.code]
    return preview(walk, status=status, refusal=refusal)
