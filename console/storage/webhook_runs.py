"""Plans of bulk replays and their frozen lists, one tenant's; the fourth part of its WebhookBook."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update
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
from console.storage.replay_rows import item_row, run_row, shown_item, shown_run
from console.storage.rows import changed
from console.storage.webhook_sending import StoredSending
from console.storage.webhook_tables import DeliveryRow, MessageRow, RunItemRow, RunRow

_AT_ONCE = 2_000
_MOVABLE = frozenset({"request", "started_at", "finished_at", "because", "failures_in_row", "rate_per_s"})
_FAILED = (DeliveryState.EXHAUSTED, DeliveryState.RETRY_SCHEDULED, DeliveryState.SUPPRESSED, DeliveryState.HELD)


class StoredRuns(StoredSending):
    """Plans: what matches, what was frozen, and where a run stands."""

    def candidates(
        self, selector: Selector, *, after: tuple[datetime, DeliveryId] | None, limit: int
    ) -> Sequence[Candidate]:
        """Return matching deliveries oldest first, by key; `after` is the last (created_at, id) seen."""
        row = DeliveryRow
        wanted = (
            select(row.id, row.endpoint, row.event_type, row.state, row.created_at, MessageRow.expires_at, row.run)
            .join(MessageRow, (MessageRow.tenant_id == row.tenant_id) & (MessageRow.id == row.message))
            .where(row.created_at < selector.until, *_matching(selector))
            .order_by(row.created_at, row.id)
            .limit(limit)
        )
        if after is None:
            wanted = wanted.where(row.created_at >= selector.since)
        else:  # not as a pair: SQLite would walk from `since` up to it
            at, last = after
            wanted = wanted.where(row.created_at >= at, or_(row.created_at > at, row.id > last))
        return [
            Candidate(
                delivery=DeliveryId(delivery), endpoint=EndpointId(endpoint), event_type=event_type,
                state=DeliveryState(state), created_at=created_at, payload_expires_at=expires_at,
                run=None if run is None else RunId(run),
            )
            for delivery, endpoint, event_type, state, created_at, expires_at, run in self._session.execute(wanted)
        ]  # fmt: skip

    def add_run(self, run: Run, items: Iterable[RunItem]) -> None:
        """Store a planned run with its frozen list."""
        self._insert(RunRow, [run_row(run)])
        coming = iter(items)
        while some := [item_row(item) for item in islice(coming, _AT_ONCE)]:
            self._insert(RunItemRow, some)

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
        return list_digest(self._frozen(run))

    def tally(self, run: RunId) -> Mapping[tuple[ItemState, str | None], int]:
        """Return the items counted by state and reason, from the rows themselves."""
        group = (RunItemRow.state, RunItemRow.reason)
        wanted = select(*group, func.count()).where(RunItemRow.run == run).group_by(*group)
        return {(ItemState(state), reason): many for state, reason, many in self._session.execute(wanted)}

    def _frozen(self, run: RunId) -> Iterator[DeliveryId]:
        last = 0
        while True:
            wanted = select(RunItemRow.position, RunItemRow.delivery).where(
                RunItemRow.run == run, RunItemRow.position > last
            )
            some = self._session.execute(wanted.order_by(RunItemRow.position).limit(_AT_ONCE)).all()
            for position, delivery in some:
                last = position
                yield DeliveryId(delivery)
            if len(some) < _AT_ONCE:
                return


def _matching(selector: Selector) -> Iterator[ColumnElement[bool]]:
    if selector.endpoints:
        yield _among(DeliveryRow.endpoint, selector.endpoints)
    if selector.event_types:
        yield _among(DeliveryRow.event_type, selector.event_types)
    match selector.wanted:
        case Wanted.FAILED:
            yield _among(DeliveryRow.state, [state.value for state in _FAILED])
        case Wanted.DELIVERED:
            yield DeliveryRow.state == DeliveryState.DELIVERED.value
        case Wanted.ALL:
            return


def _among(column: InstrumentedAttribute[str], values: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition; several values are kept from the indexes, which could not give the order then."""
    return column == values[0] if len(values) == 1 else column.concat("").in_(values)
