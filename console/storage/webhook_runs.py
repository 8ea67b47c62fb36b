"""Plans of bulk replays and their frozen lists, one tenant's; the fourth part of its WebhookBook."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Row, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute

from console.domain.ids import DeliveryId, Digest, EndpointId, RunId
from console.domain.replays import (
    Candidate,
    ItemState,
    Run,
    RunItem,
    RunState,
    Selector,
    Wanted,
    list_digest,
)
from console.domain.webhooks import DeliveryState
from console.storage.replay_rows import counted_values, item_row, run_row, shown_item, shown_run
from console.storage.rows import changed
from console.storage.webhook_messages import NOT_DELIVERED
from console.storage.webhook_sending import StoredSending
from console.storage.webhook_tables import DeliveryRow, MessageRow, RunItemRow, RunRow

_AT_ONCE = 2_000
_MOVABLE = frozenset({"request", "started_at", "finished_at", "because", "failures_in_row", "rate_per_s"})
_STATES: Mapping[Wanted, tuple[DeliveryState, ...] | None] = {
    Wanted.FAILED: (
        DeliveryState.EXHAUSTED,
        DeliveryState.RETRY_SCHEDULED,
        DeliveryState.SUPPRESSED,
        DeliveryState.HELD,
    ),
    Wanted.DELIVERED: (DeliveryState.DELIVERED,),
    Wanted.ALL: None,
}


class StoredRuns(StoredSending):
    """Plans: what matches, what was frozen, and where a run stands."""

    def candidates(
        self, selector: Selector, *, after: tuple[datetime, DeliveryId] | None, limit: int
    ) -> Sequence[Candidate]:
        """Return matching deliveries oldest first, by key; `after` is the last (created_at, id) seen."""
        found: list[Row[*tuple[Any, ...]]] = []
        for matching in _matching(selector):
            wanted = _CANDIDATES.where(DeliveryRow.created_at < selector.until, *matching).limit(limit)
            if after is None:
                wanted = wanted.where(DeliveryRow.created_at >= selector.since)
            else:  # not as a pair: SQLite would walk from `since` up to it
                at, last = after
                is_later = or_(DeliveryRow.created_at > at, DeliveryRow.id > last)
                wanted = wanted.where(DeliveryRow.created_at >= at, is_later)
            found += self._session.execute(wanted)
        found.sort(key=lambda row: (row.created_at, row.id))
        return [
            Candidate(
                delivery=DeliveryId(delivery), endpoint=EndpointId(endpoint), event_type=event_type,
                state=DeliveryState(state), created_at=created_at, payload_expires_at=expires_at,
                run=None if run is None else RunId(run),
            )
            for delivery, endpoint, event_type, state, created_at, expires_at, run in found[:limit]
        ]  # fmt: skip

    def count_candidates(self, selector: Selector, *, most: int, state: DeliveryState | None = None) -> int:
        """Return how many deliveries match, of one state where it is given, counted no further than `most`."""
        count = 0
        for matching in _matching(selector, state):
            some = select(DeliveryRow.id).where(*_within(selector), *matching).limit(most - count).subquery()
            count += self._session.scalar(select(func.count()).select_from(some)) or 0
        return count

    def candidate_at(self, selector: Selector, position: int) -> datetime | None:
        """Return when the delivery at a position, from 1, of those that match was created; None when fewer do."""
        found: list[datetime] = []
        for matching in _matching(selector):
            ordered = (
                select(DeliveryRow.created_at).where(*_within(selector), *matching).order_by(DeliveryRow.created_at)
            )
            found += self._session.scalars(ordered.limit(position))
        found.sort()
        return found[position - 1] if len(found) >= position else None

    def add_run(self, run: Run, items: Iterable[RunItem]) -> None:
        """Store a planned run with its frozen list."""
        self._insert(RunRow, [run_row(run)])
        coming = iter(items)
        while some := [item_row(item) for item in islice(coming, _AT_ONCE)]:
            self._insert(RunItemRow, some)

    def grow_run(self, run: Run, more: Run, items: Iterable[RunItem]) -> bool:
        """Write how far a plan that is being counted has come, with the items it gained; False: it moved meanwhile."""
        fenced = update(RunRow).where(
            RunRow.id == run.id, RunRow.version == run.version, RunRow.state == RunState.COUNTING.value
        )
        if changed(self._session, fenced.values({**counted_values(more), "version": run.version + 1})) != 1:
            return False
        self._insert(RunItemRow, [item_row(item) for item in items])
        return True

    def run(self, run: RunId) -> Run | None:
        """Return one run."""
        row = self._session.scalar(select(RunRow).where(RunRow.id == run))
        return None if row is None else shown_run(row)

    def runs(self, *, limit: int) -> Sequence[Run]:
        """Return the newest runs."""
        wanted = select(RunRow).order_by(RunRow.planned_at.desc(), RunRow.id.desc()).limit(limit)
        return [shown_run(row) for row in self._session.scalars(wanted)]

    def move_run(self, run: Run, to: RunState, *, at: datetime, **fields: object) -> bool:
        """Change a run's state by one conditional update on its version; `fields` as in Run; False: was faster."""
        unknown = set(fields) - _MOVABLE
        if unknown:
            message = f"These do not move with the state: {', '.join(sorted(unknown))}."
            raise TypeError(message)
        moved: dict[str, Any] = {**fields, "state": to.value, "version": run.version + 1}
        if to is RunState.RUNNING and run.started_at is None:
            moved.setdefault("started_at", at)
        if to in {RunState.FINISHED, RunState.CANCELLED}:
            moved.setdefault("finished_at", at)
        fenced = update(RunRow).where(
            RunRow.id == run.id, RunRow.version == run.version, RunRow.state == run.state.value
        )
        return changed(self._session, fenced.values(moved)) == 1

    def items(self, run: RunId, *, state: ItemState | None, after: int, limit: int) -> Sequence[RunItem]:
        """Return items in their order, from the position after `after`."""
        wanted = select(RunItemRow).where(RunItemRow.run == run, RunItemRow.position > after)
        if state is not None:
            wanted = wanted.where(RunItemRow.state == state.value)
        return [shown_item(row) for row in self._session.scalars(wanted.order_by(RunItemRow.position).limit(limit))]

    def frozen_digest(self, run: RunId) -> Digest:
        """Return the digest over the stored list, computed afresh; must equal the run's own."""
        ordered = select(RunItemRow.delivery).where(RunItemRow.run == run).order_by(RunItemRow.position)
        return list_digest(self._session.scalars(ordered, execution_options={"yield_per": _AT_ONCE}))

    def tally(self, run: RunId) -> Mapping[tuple[ItemState, str | None], int]:
        """Return the items counted by state and reason, from the rows themselves."""
        group = (RunItemRow.state, RunItemRow.reason)
        wanted = select(*group, func.count()).where(RunItemRow.run == run).group_by(*group)
        return {(ItemState(state), reason): many for state, reason, many in self._session.execute(wanted)}


def _within(selector: Selector) -> tuple[ColumnElement[bool], ...]:
    return (DeliveryRow.created_at >= selector.since, DeliveryRow.created_at < selector.until)


def _matching(selector: Selector, only: DeliveryState | None = None) -> Iterator[tuple[ColumnElement[bool], ...]]:
    """Return the conditions of a selector, one set for each index to walk: those that failed lie in several states.

    The few that failed among very many that arrived are read from indexes that hold nothing else.
    Shape: `only` leaves one state of those that are wanted, and no set where that is none of them.
    """
    chosen: list[ColumnElement[bool]] = []
    if selector.endpoints:
        chosen.append(_among(DeliveryRow.endpoint, selector.endpoints))
    if selector.event_types:
        chosen.append(_among(DeliveryRow.event_type, selector.event_types))
    states = _STATES[selector.wanted]
    if only is not None:
        states = (only,) if states is None or only in states else ()
    if states is None:
        yield tuple(chosen)
        return
    for state in states:
        is_delivered = state is DeliveryState.DELIVERED
        yield (*chosen, DeliveryRow.state == state.value, *(() if is_delivered else (NOT_DELIVERED,)))


def _among(column: InstrumentedAttribute[str], values: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition; several values are kept from the indexes, which could not give the order then."""
    return column == values[0] if len(values) == 1 else column.concat("").in_(values)


_CANDIDATES = (
    select(
        DeliveryRow.id, DeliveryRow.endpoint, DeliveryRow.event_type, DeliveryRow.state, DeliveryRow.created_at,
        MessageRow.expires_at, DeliveryRow.run,
    )
    .join(MessageRow, (MessageRow.tenant_id == DeliveryRow.tenant_id) & (MessageRow.id == DeliveryRow.message))
    .order_by(DeliveryRow.created_at, DeliveryRow.id)
)  # fmt: skip
