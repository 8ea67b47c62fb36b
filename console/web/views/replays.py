"""Bulk replays of a tenant: the list, one run from plan to report, its frozen list, and its progress as it moves."""

from flask import Blueprint, Response, jsonify, request

from console.domain.decisions import Deny, DenyCode
from console.domain.errors import ConsoleError
from console.domain.ids import RunId
from console.domain.replays import ItemState
from console.domain.tenancy import DirectoryRow
from console.usecases.offer_actions import offer_actions
from console.usecases.read_replays import glance, is_moving, read_items, read_replay, read_replays, watch
from console.usecases.refuse_at_the_door import refuse_at_the_door
from console.usecases.resume_session import still_there
from console.web import asking, gate, live, render
from console.web.closed import closed
from console.web.shaping_replays import items_view, live_view, replay_view, replays_view

bp = Blueprint("replays", __name__)
_TAB = "webhooks"
_LONGEST_POSITION = 9


@bp.get("/t/<slug>/webhooks/replays")
@gate.tenant_scoped
def index(row: DirectoryRow) -> Response:
    """Show the newest replays."""
    page = read_replays(asking.house(), asking.actor(), tenant=row.id)
    if isinstance(page, Deny):
        return closed(row, page)
    offers = offer_actions(asking.house(), asking.actor(), tenant=row)
    return render.page("pages/replays/index.html", opened=page.opened, tab=_TAB, page=replays_view(page, offers))


@bp.get("/t/<slug>/webhooks/replays/<run>")
@gate.tenant_scoped
def show(row: DirectoryRow, run: str) -> Response:
    """Show one replay: its plan, its progress or its report."""
    page = read_replay(asking.house(), asking.actor(), tenant=row.id, run=RunId(run))
    if isinstance(page, Deny):
        return closed(row, page)
    offers = offer_actions(asking.house(), asking.actor(), tenant=row)
    view = replay_view(page, offers, asking.house().clock.now())
    return render.page("pages/replays/show.html", opened=page.opened, tab=_TAB, page=view)


@bp.get("/t/<slug>/webhooks/replays/<run>/list")
@gate.tenant_scoped
def items(row: DirectoryRow, run: str) -> Response:
    """Show exactly which deliveries a replay is about, in its order."""
    typed, after = request.args.get("state", ""), request.args.get("after", "")
    state = ItemState(typed) if typed in set(ItemState) else None
    is_number = after.isascii() and after.isdigit() and len(after) <= _LONGEST_POSITION
    start = int(after) if is_number else 0
    page = read_items(asking.house(), asking.actor(), tenant=row.id, run=RunId(run), state=state, after=start)
    if isinstance(page, Deny):
        return closed(row, page)
    view = items_view(page, state=state, after=start)
    return render.page("pages/replays/items.html", opened=page.opened, tab=_TAB, page=view)


@bp.get("/t/<slug>/webhooks/replays/<run>/progress")
@gate.polling
@gate.tenant_scoped
def progress(row: DirectoryRow, run: str) -> Response:
    """Tell the counters once, for pages that ask again and again."""
    found = watch(asking.house(), asking.actor(), tenant=row.id, run=RunId(run))
    if isinstance(found, Deny):
        return closed(row, found)
    return jsonify(live_view(found))


@bp.get("/t/<slug>/webhooks/replays/<run>/events")
@gate.polling
@gate.tenant_scoped
def events(row: DirectoryRow, run: str) -> Response:
    """Tell the counters as they move, for two minutes at most; the browser comes back by itself."""
    house, actor, streams = asking.house(), asking.actor(), asking.streams()
    found = watch(house, actor, tenant=row.id, run=RunId(run))
    if isinstance(found, Deny):
        return closed(row, found)
    if not streams.enter(actor.staff):
        refuse_at_the_door(
            house, actor, action="throttle.refused", code=DenyCode.THROTTLED, origin=asking.origin(), target="events"
        )
        return render.refused(Deny(code=DenyCode.THROTTLED, remedy="The page asks every few seconds instead."))

    def look() -> live.Look | None:
        try:
            who = still_there(house, actor)
            now = None if who is None else glance(house, who, tenant=row.id, run=RunId(run))
        except ConsoleError:
            return None  # the browser asks again in a moment, and then says what is wrong
        if now is None or isinstance(now, Deny):
            return None
        return live.Look(values=live_view(now), is_last=not is_moving(now))

    return live.stream(look, left=lambda: streams.leave(actor.staff))
