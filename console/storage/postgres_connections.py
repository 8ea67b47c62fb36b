"""Connections to PostgreSQL: they keep what they have prepared, and are asked whether they live when in doubt."""

import select
import time
from typing import Any

from psycopg import Connection, Error, pq
from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

_RESTED = "rested_at"
_TRUSTED_S = 5.0  # for so long after its last use a connection is taken without a question to the server
_MOST_PREPARED = 400  # on one connection; the whole product has fewer, and the driver's own hundred turned over
_OPEN = (pq.TransactionStatus.INTRANS, pq.TransactionStatus.INERROR)


class KeepingConnection(Connection[Any]):
    """A connection whose prepared statements outlive a rollback, as they do on the server.

    Every unit that reads ends with a rollback, after which the driver forgets all of them, in case a table was made or
    dropped meanwhile: so each statement was parsed and planned anew each time. Our units make and drop no tables.
    """

    def rollback(self) -> None:
        """Roll back to the start of the open transaction. Raises: psycopg.Error when the server is gone."""
        with self.lock:
            is_open = self.pgconn.transaction_status in _OPEN
            if is_open and self.pgconn.exec_(b"ROLLBACK").status == pq.ExecStatus.COMMAND_OK:
                return
        super().rollback()


def keep_prepared(engine: Engine) -> None:
    """Let an engine connect so; what it runs often is then parsed and planned once a connection."""

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: object, _record: object, arguments: tuple[Any, ...], named: dict[str, Any]) -> object:
        connection = KeepingConnection.connect(*arguments, **named)
        connection.prepared_max = _MOST_PREPARED
        return connection


def ask_when_in_doubt(engine: Engine) -> None:
    """Let an engine's pool lend only what lives, without a question to the server for each request.

    A server that went away says so on the socket, which costs nothing to look at; what rested for longer is asked.
    """

    @event.listens_for(engine, "checkin")
    def rest(_given: object, record: ConnectionPoolEntry) -> None:
        record.info[_RESTED] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def look(given: KeepingConnection, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
        rested = record.info.get(_RESTED)
        if rested is None or (time.monotonic() - rested < _TRUSTED_S and not _has_something_to_say(given)):
            return
        try:
            engine.dialect.do_ping(given)  # type: ignore[arg-type]  # a connection of its own driver
        except Error as gone:
            raise InvalidatePoolError from gone


def _has_something_to_say(given: KeepingConnection) -> bool:
    """Return whether the server sent something unasked, or closed: between transactions it has no reason to."""
    if given.closed:
        return True
    ear = select.poll()
    ear.register(given.fileno(), select.POLLIN)
    return bool(ear.poll(0))
