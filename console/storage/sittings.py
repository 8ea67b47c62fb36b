"""One request sits down once: its units work on the same connections, one after another, instead of fetching each anew.

Fetching one costs as much as a statement, and on PostgreSQL asks the server whether it is still there.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine


class _Table(threading.local):
    """What this thread has at hand while it sits; None while it does not."""

    kept: dict[Engine, list[Connection]] | None = None


_table = _Table()


@contextmanager
def sitting() -> Iterator[None]:
    """Keep this thread's connections at hand between its units, until the block ends; one inside another is one."""
    if _table.kept is not None:
        yield
        return
    kept: dict[Engine, list[Connection]] = {}
    _table.kept = kept
    try:
        yield
    finally:
        _table.kept = None
        for connections in kept.values():
            for connection in connections:
                connection.close()


def lent(engine: Engine) -> Connection:
    """Return a connection on which nothing is open."""
    at_hand = None if _table.kept is None else _table.kept.get(engine)
    return at_hand.pop() if at_hand else engine.connect()


def given_back(connection: Connection) -> None:
    """Take a connection back, after its transaction; one that broke, or that was told to be special, is closed."""
    is_plain = not connection.invalidated and not connection.closed and not connection.get_execution_options()
    if _table.kept is None or not is_plain or connection.in_transaction():
        connection.close()
    else:
        _table.kept.setdefault(connection.engine, []).append(connection)
