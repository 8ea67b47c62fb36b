"""Rows of bulk replays as the domain knows them, and back."""

from collections.abc import Mapping
from typing import Any

from console.domain.ids import DeliveryId, Digest, EndpointId, RequestId, RunId
from console.domain.replays import Counting, ItemState, Run, RunItem, RunState, Selector, Wanted
from console.storage.types import moment_of, stored_micros
from console.storage.webhook_tables import RunItemRow, RunRow


def stored_selector(selector: Selector) -> dict[str, Any]:
    """Return a selector as a small document."""
    return {
        "endpoints": list(selector.endpoints),
        "event_types": list(selector.event_types),
        "wanted": selector.wanted.value,
        "since": stored_micros(selector.since),
        "until": stored_micros(selector.until),
        "most": selector.most,
        "ignores_filters": selector.ignores_filters,
    }


def _selector(stored: Mapping[str, Any]) -> Selector:
    return Selector(
        endpoints=tuple(EndpointId(each) for each in stored["endpoints"]),
        event_types=tuple(stored["event_types"]),
        wanted=Wanted(stored["wanted"]),
        since=moment_of(stored["since"]),
        until=moment_of(stored["until"]),
        most=stored["most"],
        ignores_filters=stored["ignores_filters"],
    )


def run_row(run: Run) -> dict[str, Any]:
    """Return a run as it is first stored."""
    same = (
        "digest", "planned", "excluded", "per_endpoint", "per_type", "oldest_at", "newest_at", "rate_per_s",
        "planned_by", "planned_at", "expires_at", "version", "sent", "skipped", "released", "failures_in_row",
        "request", "started_at", "finished_at", "because",
    )  # fmt: skip
    return {
        "id": run.id,
        "state": run.state.value,
        "selector": stored_selector(run.selector),
        "skipped_by": dict(run.skipped_by or {}),
        "counting": _stored_counting(run.counting),
        **{name: getattr(run, name) for name in same},
    }


def counted_values(run: Run) -> dict[str, Any]:
    """Return what moves of a run while its list is made."""
    same = ("digest", "planned", "excluded", "per_endpoint", "per_type", "oldest_at", "newest_at", "finished_at")
    values = {name: getattr(run, name) for name in (*same, "because")}
    return {**values, "state": run.state.value, "counting": _stored_counting(run.counting)}


def _stored_counting(counting: Counting | None) -> dict[str, Any] | None:
    if counting is None:
        return None
    after = None if counting.after is None else [stored_micros(counting.after[0]), counting.after[1]]
    return {
        "after": after,
        "looked_at": counting.looked_at,
        "matching": counting.matching,
        "is_over": counting.is_over,
    }


def _counting(stored: Mapping[str, Any] | None) -> Counting | None:
    if stored is None:
        return None
    after = stored["after"]
    return Counting(
        after=None if after is None else (moment_of(after[0]), DeliveryId(after[1])),
        looked_at=stored["looked_at"],
        matching=stored["matching"],
        is_over=stored["is_over"],
    )


def shown_run(row: RunRow) -> Run:
    """Return a run."""
    return Run(
        id=RunId(row.id),
        state=RunState(row.state),
        selector=_selector(row.selector),
        digest=Digest(row.digest),
        planned=row.planned,
        excluded=row.excluded,
        per_endpoint=row.per_endpoint,
        per_type=row.per_type,
        oldest_at=row.oldest_at,
        newest_at=row.newest_at,
        rate_per_s=row.rate_per_s,
        planned_by=row.planned_by,
        planned_at=row.planned_at,
        expires_at=row.expires_at,
        version=row.version,
        sent=row.sent,
        skipped=row.skipped,
        released=row.released,
        failures_in_row=row.failures_in_row,
        skipped_by=row.skipped_by,
        request=None if row.request is None else RequestId(row.request),
        started_at=row.started_at,
        finished_at=row.finished_at,
        because=row.because,
        counting=_counting(row.counting),
    )


def item_row(item: RunItem) -> dict[str, Any]:
    """Return a planned delivery as it is first stored."""
    return {
        "run": item.run,
        "position": item.position,
        "delivery": item.delivery,
        "endpoint": item.endpoint,
        "state": item.state.value,
        "tries": item.tries,
        "reason": item.reason,
    }


def shown_item(row: RunItemRow) -> RunItem:
    """Return a planned delivery."""
    return RunItem(
        run=RunId(row.run),
        position=row.position,
        delivery=DeliveryId(row.delivery),
        endpoint=EndpointId(row.endpoint),
        state=ItemState(row.state),
        tries=row.tries,
        reason=row.reason,
    )
