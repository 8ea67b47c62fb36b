"""Which committed entries come next: the rule that loses none and never waits for a stranger's transaction."""

import json
from dataclasses import dataclass, replace

from sqlalchemy import Connection, RowMapping, TextClause, text

from console.domain.merkle import Frontier


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The sequencer's state: the edge of the tree, how far it read, and how far the outside has been told."""

    tree: Frontier
    cursor: int
    low: int
    drain_low: int
    drain_high: int
    published_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One committed entry without a position."""

    id: int
    body: bytes
    leaf: bytes
    uid: str
    tenant: str | None


# Rows of transactions that ended after the last complete drain began (`low`) and that began before this drain did
# (`high`): what is committed before another transaction begins is never placed after it.
_POSTGRESQL = text(
    """
    SELECT id, body, leaf, uid, tenant FROM audit_event AS event
    WHERE xid >= CAST(CAST(:low AS text) AS xid8) AND xid < CAST(CAST(:high AS text) AS xid8) AND id > :cursor
      AND NOT EXISTS (SELECT 1 FROM audit_seq WHERE audit_seq.event = event.id)
    ORDER BY id LIMIT :limit
    """
)
_SNAPSHOT = text(
    """
    SELECT CAST(CAST(pg_snapshot_xmin(now_seen) AS text) AS bigint),
      CAST(CAST(pg_snapshot_xmax(now_seen) AS text) AS bigint)
    FROM pg_current_snapshot() AS now_seen
    """
)
# Writers of SQLite take turns, so ids are in the order of commits.
_SQLITE = text("SELECT id, body, leaf, uid, tenant FROM audit_event WHERE id > :cursor ORDER BY id LIMIT :limit")
_STATE = text("SELECT * FROM audit_frontier WHERE id = 1")


def state_of(connection: Connection) -> State:
    """Return the stored state."""
    row: RowMapping = connection.execute(_STATE).mappings().one()
    hashes = [bytes.fromhex(each) for each in json.loads(row["hashes"])]
    return State(
        tree=Frontier.restored(row["size"], hashes),
        cursor=row["cursor"],
        low=row["low"],
        drain_low=row["drain_low"],
        drain_high=row["drain_high"],
        published_size=row["published_size"],
    )


def next_events(connection: Connection, state: State, *, limit: int) -> tuple[list[Event], State]:
    """Return the next entries in order, and the state once they are placed (the tree is not moved yet)."""
    if connection.dialect.name != "postgresql":
        events = _events(connection, _SQLITE, cursor=state.cursor, limit=limit)
        return events, replace(state, cursor=events[-1].id if events else state.cursor)
    if state.drain_high == 0:
        low, high = connection.execute(_SNAPSHOT).one()
        state = replace(state, drain_low=low, drain_high=high, cursor=0)
    events = _events(connection, _POSTGRESQL, low=state.low, high=state.drain_high, cursor=state.cursor, limit=limit)
    if len(events) == limit:
        return events, replace(state, cursor=events[-1].id)
    return events, replace(state, low=state.drain_low, drain_low=0, drain_high=0, cursor=0)


def _events(connection: Connection, statement: TextClause, **values: int) -> list[Event]:
    return [
        Event(id=row.id, body=row.body.encode(), leaf=bytes(row.leaf), uid=row.uid, tenant=row.tenant)
        for row in connection.execute(statement, values)
    ]
