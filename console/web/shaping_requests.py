"""The inbox and the page of one request, as their templates want them."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from console.domain.decisions import Decision, Deny, GroupNeed, NeedsStepUp
from console.domain.moments import minute_of, short_day
from console.domain.requests import Request, State, Verdict, Vote
from console.ports.trail import StoredEntry
from console.usecases.read_requests import Inbox, Line, RequestPage
from console.web import wording
from console.web.made import page_of
from console.web.paths import path_of
from console.web.shaping import (
    View,
    body_of,
    deadline,
    diff_rows,
    drift_rows,
    entry_events,
    group_words,
    groups_in_words,
    refusal_view,
    request_mark,
    tenant_view,
)
from console.web.shaping_actions import preview_view

_TABS = (("waiting", "Waiting for me"), ("mine", "Mine"), ("all", "All"))
_READ = "request.read"
_VERBS = ("vote", "execute", "cancel", "revoke", "revise")
_EMPTY = {
    "waiting": ("Nothing waits for you", "Requests that need your vote appear here, the most urgent first."),
    "mine": ("You have not asked for anything", "Open a tenant and choose an action: what needs approval lands here."),
    "all": ("No request was ever filed", "Open a tenant and choose an action to file the first one."),
}
_ENDED = {
    State.REJECTED: ("Rejected", "circle-x"),
    State.CANCELLED: ("Withdrawn", "circle-slash"),
    State.STALE: ("Out of date", "git-compare-arrows"),
    State.EXPIRED_PENDING: ("Expired unapproved", "timer"),
    State.EXPIRED_APPROVED: ("Expired unexecuted", "timer"),
    State.REVOKED: ("Revoked", "ban"),
    State.FAILED: ("Failed", "octagon-alert"),
}
_STOPPED = frozenset({State.REJECTED, State.CANCELLED, State.STALE, State.REVOKED})
_FOR_REQUESTERS = frozenset({"cancel", "revise"})


def inbox_view(inbox: Inbox, now: datetime) -> View:
    """Return one tab of the inbox."""
    title, text = _EMPTY[inbox.tab]
    return {
        "tab": inbox.tab,
        "tabs": [
            {
                "label": label,
                "href": path_of("requests.index", tab=tab),
                "is_current": tab == inbox.tab,
                "count": inbox.waiting if tab == "waiting" else None,
            }
            for tab, label in _TABS
        ],
        "rows": [_row(line, now) for line in inbox.lines],
        "older": path_of("requests.index", tab=inbox.tab, after=inbox.older) if inbox.older else "",
        "empty_title": title,
        "empty_text": text,
    }


def request_view(page: RequestPage, titles: Mapping[str, str], now: datetime) -> View:
    """Return everything about one request."""
    request = page.request
    return {
        "id": request.id,
        "state": page.state.value,
        "mark": request_mark(page.state),
        "title": titles.get(request.action, request.action),
        "button": page.action.button if page.action is not None else "Run",
        "tenant": None if page.tenant is None else tenant_view(page.tenant),
        "about_href": page_of(page.tenant, request.preview.target_id),
        "requester": request.requester_name,
        "requester_initials": wording.initials(request.requester_name),
        "filed_at": request.filed_at,
        "revision": request.revision,
        "digest": request.digest,
        "reason": request.reason,
        "rules": request.rules,
        "policy": request.policy_version,
        "outcome": request.outcome or "",
        "ended_because": request.ended_because or "",
        "preview": preview_view(request.preview),
        "effect": page.action.effect.value if page.action is not None else "dangerous",
        "glass": _glass(page),
        "taint": _taint(page),
        "nodes": _nodes(page),
        "clocks": _clocks(page),
        "groups": _groups(page),
        "is_stuck": page.state is State.PENDING and not page.is_satisfiable,
        "stuck_on": groups_in_words(page.tally.missing),
        "drift": _drift(request),
        "revisions": [_revision(r, request) for r in reversed(page.revisions)],
        "events": entry_events(_once_read(page), titles, is_linked=page.may_read_trail),
        "trail_href": path_of("trail.index", correlation=request.id) if page.may_read_trail else "",
        "may": {verb: _verb(page.may.get(verb), is_shy=verb in _FOR_REQUESTERS) for verb in _VERBS},
        "has_voted": any(
            v.verdict in Verdict and v.voided_because is None and v.revision == request.revision for v in page.votes
        ),
    }


def _glass(page: RequestPage) -> View | None:
    use = page.glass
    if use is None:
        return None
    told = f"{use.told} people were told at once."
    if use.is_drill:
        return {"is_drill": True, "title": "A drill of break-glass", "text": f"Nothing is changed by it. {told}"}
    text = f"{use.name} skipped prior approval in {use.reference}. {told} Somebody else reviews it."
    return {"is_drill": False, "title": "Glass was broken", "text": text}


def _taint(page: RequestPage) -> View | None:
    use = page.taint
    if use is None or use.request == page.request.id:
        return None
    text = f"{use.name} in {use.reference}, {minute_of(use.at)}. Look twice until {short_day(use.tainted_until)}."
    return {"title": "In the shadow of break-glass on this tenant", "text": text}


def _once_read(page: RequestPage) -> list[StoredEntry]:
    """Return what happened, oldest first; of each person's readings only the first."""
    readers: set[object] = set()
    kept = []
    for entry in reversed(page.entries):
        body = body_of(entry)
        reader = body["actor"]["id"] if body["action"] == _READ else None
        if reader is None or reader not in readers:
            kept.append(entry)
        readers.add(reader)
    return kept


def _row(line: Line, now: datetime) -> View:
    request, state = line.request, line.request.state_at(now)
    return {
        "href": "" if line.is_closed else path_of("requests.show", request_id=request.id),
        "title": line.title,
        "is_closed": line.is_closed,
        "sentence": "" if line.is_closed else request.preview.sentence,
        "tenant": None if line.tenant is None else tenant_view(line.tenant),
        "requester": request.requester_name,
        "state": request_mark(state),
        "needs": groups_in_words(request.needs) if state is State.PENDING else "",
        "until": deadline(request, state),
        "at": request.filed_at,
        "reference": "" if line.is_closed else request.reason.reference,
    }


def _nodes(page: RequestPage) -> list[View]:
    request, state = page.request, page.state
    approved_at = request.execute_by - timedelta(minutes=request.execute_minutes) if request.execute_by else None
    asked = _node("Asked", "send", "done", request.filed_at)
    waiting = _node("Waiting for approval", "hourglass", "current", None)
    approved = _node("Approved", "badge-check", "done", approved_at)
    run = _node("Executed", "circle-check", "ahead", None)
    if state in _ENDED:
        label, icon = _ENDED[state]
        was_approved = [approved] if request.needs and request.execute_by else []
        return [asked, *was_approved, _node(label, icon, "refused", request.finished_at)]
    if state is State.PENDING:
        return [asked, waiting, _node("Approved", "badge-check", "ahead", None), run]
    middle = [approved] if request.needs else []
    if state is State.APPROVED:
        return [asked, _node("Approved, not run yet", "badge-check", "current", approved_at), run]
    if state is State.COUNTING_DOWN:
        label = "Counting down, can still be stopped" if page.now < request.approve_by else "About to run"
        return [
            asked,
            _node("Approval skipped", "siren", "done", request.filed_at),
            _node(label, "timer", "current", None),
            run,
        ]
    if state is State.EXECUTING:
        return [asked, *middle, _node("Running", "loader", "current", request.started_at), run]
    return [asked, *middle, _node("Executed", "circle-check", "done", request.finished_at)]


def _node(label: str, icon: str, status: str, at: datetime | None) -> View:
    return {"label": label, "icon": icon, "status": status, "at": at}


def _clocks(page: RequestPage) -> list[View]:
    request, state = page.request, page.state
    if page.glass is not None:
        first = "running" if state is State.COUNTING_DOWN else "met"
        return [{"label": "To stop it", "until": request.approve_by, "state": first,
                 "note": f"fires at {request.approve_by:%H:%M:%S} UTC"}]  # fmt: skip
    if not request.needs:
        return []
    second = "waiting"
    if request.execute_by is not None:
        first = "met"
        second = {State.APPROVED: "running", State.EXPIRED_APPROVED: "over"}.get(state, "met")
        second = "stopped" if state in _STOPPED else second
    else:
        first = {State.PENDING: "running", State.EXPIRED_PENDING: "over"}.get(state, "stopped")
    hours, minutes = divmod(request.execute_minutes, 60)
    span = f"{hours} h" if not minutes else f"{request.execute_minutes} min"
    run_note = f"until {request.execute_by:%H:%M} UTC" if request.execute_by else f"{span} from the last vote"
    return [
        {
            "label": "To approve",
            "until": request.approve_by,
            "state": first,
            "note": f"until {short_day(request.approve_by)}, {request.approve_by:%H:%M} UTC",
        },
        {"label": "To run", "until": request.execute_by, "state": second, "note": run_note},
    ]


def _groups(page: RequestPage) -> list[View]:
    """Return per-group progress; each vote stands in one group, a rejection in the first."""
    missing = {need.name: need.count for need in page.tally.missing}
    left = [vote for vote in page.votes if vote.revision == page.request.revision]
    groups = []
    for index, need in enumerate(page.request.needs):
        is_last = index == len(page.request.needs) - 1
        mine = [v for v in left if v.roles & need.roles or (is_last and v in left)]
        left = [v for v in left if v not in mine]
        groups.append(_group(page, need, mine, given=need.count - missing.get(need.name, 0)))
    return groups


def _group(page: RequestPage, need: GroupNeed, votes: Iterable[Vote], *, given: int) -> View:
    shown = [_vote(vote, page) for vote in votes]
    voted = {vote["name"] for vote in shown}
    return {
        "label": group_words(need).capitalize(),
        "needed": need.count,
        "given": given,
        "is_open": page.request.state is State.PENDING,
        "votes": shown,
        "eligible": [name for name in page.eligible.get(need.name, ()) if name not in voted],
    }


def _vote(vote: Vote, page: RequestPage) -> View:
    is_void = vote.voided_because is not None or vote.staff in page.tally.void
    method = wording.STEPPED_UP_BY[vote.stepped_up_by] if vote.stepped_up_by is not None else "no second factor"
    because = vote.voided_because or "the voter no longer holds the seat"
    note = f"{vote.comment} ({because})".strip() if is_void else vote.comment
    return {
        "name": vote.name,
        "initials": wording.initials(vote.name),
        "decision": "void" if is_void else vote.verdict.value,
        "at": vote.cast_at,
        "method": f"confirmed by {method}",
        "note": note,
    }


def _drift(request: Request) -> list[View]:
    if request.drift is None:
        return []
    seen = [(change.field, change.before, change.after) for change in request.preview.every_change]
    return drift_rows(seen, request.drift.every_change)


def _revision(revision: Request, newest: Request) -> View:
    return {
        "number": revision.revision,
        "digest": revision.digest,
        "is_newest": revision.revision == newest.revision,
        "sentence": revision.preview.sentence,
        "changes": diff_rows(revision.preview.every_change),
    }


def _verb(answer: Decision | None, *, is_shy: bool) -> View | None:
    """Return policy's answer to one verb; None where the state does not know it, or it is nobody's but the requester's.

    Shape: a shy verb is not shown at all to those who may not use it.
    """
    is_refused = isinstance(answer, Deny)
    if answer is None or (is_refused and is_shy):
        return None
    why = refusal_view(answer) if isinstance(answer, Deny) else None
    return {"is_refused": is_refused, "needs_code": isinstance(answer, NeedsStepUp), "why": why}
