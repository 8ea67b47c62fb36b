"""Bulk replays as their templates want them: the plan, the run while it goes on, and the report with its proof."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from console.domain.ids import EndpointId
from console.domain.moments import short_day
from console.domain.replays import Excluded, ItemState, Run, RunState, Wanted, least_seconds
from console.domain.tenancy import DirectoryRow
from console.domain.webhooks import Endpoint
from console.usecases.offer_actions import Offer
from console.usecases.read_replays import ItemsPage, Proof, ReplayPage, ReplaysPage, is_moving, is_winding_up
from console.web.paths import path_of
from console.web.shaping import View, with_query
from console.web.shaping_deliveries import counted, in_words, section_views
from console.web.shaping_tenants import placed_links

# Which verbs a state leaves; the others would only be refused.
LEGAL: Mapping[str, frozenset[RunState]] = {
    "webhook.run_replay": frozenset({RunState.PLANNED}),
    "webhook.pause_replay": frozenset({RunState.RUNNING}),
    "webhook.resume_replay": frozenset({RunState.PAUSED}),
    "webhook.cancel_replay": frozenset({RunState.COUNTING, RunState.PLANNED, RunState.RUNNING, RunState.PAUSED}),
}
_MOVING = frozenset({RunState.RUNNING, RunState.PAUSED})
_OVER = frozenset({RunState.FINISHED, RunState.CANCELLED})
REASONS: Mapping[str, str] = {
    Excluded.ALREADY_DELIVERED: "it had arrived already",
    Excluded.PAYLOAD_EXPIRED: "the payload has expired",
    Excluded.FILTERED_OUT: "the endpoint does not subscribe to the event any more",
    Excluded.ENDPOINT_DISABLED: "the endpoint is disabled",
    Excluded.ENDPOINT_DELETED: "the endpoint was deleted",
    Excluded.IN_ANOTHER_RUN: "another replay holds it",
    Excluded.BEING_SENT: "it is being sent right now",
    Excluded.GAVE_UP: "it failed again, three times",
    Excluded.CANCELLED: "the replay was cancelled",
}
_WANTED = {Wanted.FAILED: "that failed", Wanted.DELIVERED: "that arrived", Wanted.ALL: "of any outcome"}


def replays_view(page: ReplaysPage, offers: Sequence[Offer]) -> View:
    """Return the newest runs."""
    row = page.opened.tenant
    return {
        "views": section_views(row, "replays"),
        "rows": [run_row(run, row, page.names) for run in page.runs],
        "actions": placed_links(offers, row, "webhooks", {}),
    }


def run_row(run: Run, row: DirectoryRow, names: Mapping[str, str]) -> View:
    """Return a run as a row of a table."""
    return {
        "id": run.id,
        "state": run.state.value,
        "what": _what(run),
        "planned": run.planned,
        "sent": run.sent,
        "skipped": run.skipped,
        "left": run.left,
        "by": names.get(run.planned_by, run.planned_by),
        "at": run.planned_at,
        "href": path_of("replays.show", slug=row.slug, run=run.id),
    }


def replay_view(page: ReplayPage, offers: Sequence[Offer], now: datetime) -> View:
    """Return one run in whatever state it is."""
    run, row = page.run, page.opened.tenant
    links = placed_links(offers, row, "replay", {"run": str(run.id)})
    is_lapsed = run.state is RunState.PLANNED and now >= run.expires_at
    verbs = [link for link in links if run.state in LEGAL.get(link["key"], frozenset(RunState)) and not is_lapsed]
    return {
        "id": run.id,
        "state": run.state.value,
        "what": _what(run),
        "planner": page.planner,
        "nodes": _nodes(run),
        "run": run,
        "is_counting": run.state is RunState.COUNTING,
        "is_planned": run.state is RunState.PLANNED,
        "is_lapsed": is_lapsed,
        "is_moving": run.state in _MOVING,
        "is_followed": is_moving(run),
        "is_winding_up": is_winding_up(run),
        "is_over": run.state in _OVER and run.started_at is not None,
        "because": in_words(run.because),
        "verbs": sorted(verbs, key=lambda link: list(LEGAL).index(link["key"]) if link["key"] in LEGAL else 99),
        "estimate": duration(timedelta(seconds=_takes(run, page.endpoints))),
        "excluded": [{"reason": _reason(code), "count": count} for code, count in _largest(run.excluded)],
        "excluded_total": sum(run.excluded.values()),
        "per_endpoint": _per_endpoint(run, page.endpoints, row),
        "per_type": [{"name": name, "count": count} for name, count in _largest(run.per_type)],
        "skipped": [{"reason": _reason(code), "count": count} for code, count in _largest(run.skipped_by or {})],
        "progress": live_view(run),
        "pace": _average(run, now),
        "proof": None if page.proof is None else _proof(run, page.proof),
        "took": duration(run.finished_at - run.started_at) if run.finished_at and run.started_at else "",
        "items_href": path_of("replays.items", slug=row.slug, run=run.id),
        "events_href": path_of("replays.events", slug=row.slug, run=run.id),
        "progress_href": path_of("replays.progress", slug=row.slug, run=run.id),
        "href": path_of("replays.show", slug=row.slug, run=run.id),
        "request_href": path_of("requests.show", request_id=run.request) if run.request else "",
        "request_by": "" if page.request is None else page.request.requester_name,
    }


def items_view(page: ItemsPage, *, state: ItemState | None, after: int) -> View:
    """Return a page of the frozen list."""
    run, row = page.run, page.opened.tenant
    address = path_of("replays.items", slug=row.slug, run=run.id)
    chosen = {"state": state.value} if state else {}
    return {
        "run": run_row(run, row, {}),
        "views": [
            {"label": label, "href": with_query(address, {"state": each.value} if each else {}), "count": None,
             "is_current": each is state}
            for label, each in (("All", None), ("Waiting", ItemState.WAITING), ("Handed over", ItemState.RELEASED),
                                ("Sent", ItemState.SENT), ("Skipped", ItemState.SKIPPED))
        ],
        "rows": [
            {
                "position": item.position,
                "delivery": item.delivery,
                "href": path_of("webhooks.delivery", slug=row.slug, delivery=item.delivery),
                "endpoint": page.endpoints[item.endpoint].url if item.endpoint in page.endpoints else item.endpoint,
                "state": item.state.value,
                "tries": item.tries,
                "reason": _reason(item.reason) if item.reason else "",
            }
            for item in page.items
        ],
        "further": with_query(address, {**chosen, "after": str(page.further)}) if page.further else "",
        "first": with_query(address, chosen) if after else "",
    }  # fmt: skip


def live_view(run: Run) -> dict[str, str | int]:
    """Return the counters that move, as numbers: what the page shows and what follows it by itself."""
    looked_at = 0 if run.counting is None else run.counting.looked_at
    return {
        "state": run.state.value,
        "planned": run.planned,
        "sent": run.sent,
        "skipped": run.skipped,
        "left": run.left,
        "done": looked_at if run.state is RunState.COUNTING else run.planned - run.left,
        "failing": run.failures_in_row,
        "looked_at": looked_at,
    }


def duration(span: timedelta) -> str:
    """Return a length of time in its two largest units."""
    seconds = max(0, round(span.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s" if seconds % 60 else f"{seconds // 60} min"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min" if seconds % 3600 // 60 else f"{seconds // 3600} h"


def _what(run: Run) -> str:
    chosen = run.selector
    where = counted(len(chosen.endpoints), "endpoint") if chosen.endpoints else "all endpoints"
    which = counted(len(chosen.event_types), "event type") if chosen.event_types else "all events"
    since, until = chosen.since, chosen.until
    is_one_day = since.date() == until.date()
    to = f"{until:%H:%M}" if is_one_day else f"{short_day(until)}, {until:%H:%M}"
    return f"{which.capitalize()} {_WANTED[chosen.wanted]}, {where}, {short_day(since)}, {since:%H:%M} to {to} UTC"


def _nodes(run: Run) -> list[View]:
    """Return the states of a run as a line: planned, running (or paused), over."""
    is_running, is_over = run.state in _MOVING, run.state in _OVER
    middle = "Paused" if run.state is RunState.PAUSED else "Running"
    is_planning = run.state in {RunState.COUNTING, RunState.PLANNED}
    nodes: list[View] = [
        {"label": "Being planned" if run.state is RunState.COUNTING else "Planned", "icon": "list-checks",
         "at": run.planned_at, "status": "current" if is_planning else "done"},
        {"label": middle, "icon": "pause" if run.state is RunState.PAUSED else "play",
         "status": "current" if is_running else "done" if run.started_at else "ahead", "at": run.started_at},
        {"label": "Finished", "icon": "circle-check", "status": "done" if is_over else "ahead", "at": run.finished_at},
    ]  # fmt: skip
    if run.state is RunState.CANCELLED:
        nodes[-1] |= {"label": "Cancelled", "icon": "circle-slash", "status": "refused"}
    return nodes


def _per_endpoint(run: Run, endpoints: Mapping[EndpointId, Endpoint], row: DirectoryRow) -> list[View]:
    found = []
    for name, count in _largest(run.per_endpoint):
        endpoint = endpoints.get(EndpointId(name))
        found.append(
            {
                "name": endpoint.url if endpoint else name,
                "state": endpoint.state.value if endpoint else "deleted",
                "href": path_of("webhooks.endpoint", slug=row.slug, endpoint_id=name),
                "count": count,
            }
        )
    return found


def _proof(run: Run, proof: Proof) -> View:
    """Return what the rows say beside what the counters say: each line is a claim and whether it holds."""
    counts: dict[ItemState, int] = dict.fromkeys(ItemState, 0)
    skipped: dict[str, int] = {}
    for (state, reason), count in proof.tally.items():
        counts[state] += count
        if state is ItemState.SKIPPED:
            skipped[reason or "unknown"] = skipped.get(reason or "unknown", 0) + count
    total = sum(counts.values())
    sent, out = counts[ItemState.SENT], counts[ItemState.SKIPPED]
    because = ", ".join(f"{count:,} because {_reason(code)}" for code, count in _largest(skipped))
    claims = [
        ("Nothing is missing", total == run.planned,
         f"{run.planned:,} were planned; the list holds {total:,}."),
        ("Every delivery has one end", sent + out == total,
         f"{total:,} = {sent:,} sent + {out:,} skipped{f' ({because})' if because else ''}, nothing left over."
         if sent + out == total else f"{total - sent - out:,} have no end yet: they are being recalled."),
        ("The list is the one that was approved", proof.digest == run.digest,
         "The digest, computed again from the stored list, equals the one in the approval."
         if proof.digest == run.digest else "The digest of the stored list is another one now."),
        ("The counters tell the truth", (sent, out) == (run.sent, run.skipped),
         f"The run counted {run.sent:,} sent and {run.skipped:,} skipped."),
    ]  # fmt: skip
    return {
        "claims": [{"title": title, "holds": holds, "text": text} for title, holds, text in claims],
        "holds": all(holds for _title, holds, _text in claims),
        "digest": proof.digest,
    }


def _takes(run: Run, endpoints: Mapping[EndpointId, Endpoint]) -> int:
    rates = {str(each.id): each.rate_per_s for each in endpoints.values()}
    return least_seconds(run.per_endpoint, rates, rate_per_s=run.rate_per_s)


def _average(run: Run, now: datetime) -> str:
    if run.started_at is None:
        return ""
    seconds = ((run.finished_at or now) - run.started_at).total_seconds()
    return f"{run.sent / seconds:.1f} a second" if seconds > 0 and run.sent else ""


def _reason(code: str) -> str:
    return REASONS.get(code, in_words(code))


def _largest(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
