"""Engines: one writing and one reading per database, with the settings that each database needs."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from console.domain.errors import BadValueError
from console.storage.postgres_connections import ask_when_in_doubt, keep_prepared
from console.storage.turns import FairLock, fair_lock_of

Authorizer = Callable[[int, str | None, str | None, str | None, str | None], int]

CONNECT_TIMEOUT_S = 2
STATEMENT_TIMEOUT_MS = 4_500
LOCK_TIMEOUT_MS = 4_000
_BUSY_TIMEOUT_MS = 5_000
_POOL_TIMEOUT_S = 4
_SQLITE = "sqlite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Which part of the house a connection plays: a PostgreSQL role, an SQLite authorizer."""

    role: str | None
    authorizer: Authorizer | None = None
    statement_timeout_ms: int = STATEMENT_TIMEOUT_MS
    sqlite_cache_kib: int = 8_192


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """One database as one part of the house sees it."""

    writing: Engine
    reading: Engine
    path: Path | None = None
    name: str = field(default="database")

    @property
    def is_sqlite(self) -> bool:
        """Return whether this is an SQLite file."""
        return self.path is not None

    @contextmanager
    def turn(self, *, writing: bool) -> Iterator[Engine]:
        """Wait for a turn where turns are taken, and give the engine to use."""
        lock = self.lock(writing=writing)
        with nullcontext() if lock is None else lock.turn():
            yield self.engine(writing=writing)

    def engine(self, *, writing: bool) -> Engine:
        """Return the engine for one kind of work."""
        return self.writing if writing else self.reading

    def lock(self, *, writing: bool) -> FairLock | None:
        """Return the lock to hold while working, where turns are taken."""
        return fair_lock_of(self.path) if writing and self.path is not None else None

    def close(self) -> None:
        """Close all connections."""
        self.writing.dispose()
        self.reading.dispose()


def parsed_url(url: str) -> URL:
    """Return a database address that this house can use. Raises: BadValueError."""
    parsed = make_url(url)
    if parsed.drivername in {"postgresql", "postgres"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in {_SQLITE, "sqlite+pysqlite", "postgresql+psycopg"}:
        message = f"A database address begins with sqlite:/// or postgresql+psycopg://, not {parsed.drivername}."
        raise BadValueError(message, field="database_url", remedy="Use one of the two.")
    if parsed.get_backend_name() == _SQLITE and parsed.database in {None, "", ":memory:"}:
        message = "An SQLite database needs a file; one in memory cannot be shared between connections."
        raise BadValueError(message, field="database_url", remedy="Name a file, e.g. sqlite:///var/sallyport.db.")
    return parsed


def open_database(url: str, *, part: Part, pool_size: int = 5, name: str = "database") -> Database:
    """Return the engines of one database; connects to nothing yet."""
    parsed = parsed_url(url)
    if parsed.get_backend_name() == _SQLITE:
        path = Path(str(parsed.database))
        writing = _sqlite(parsed, part=part, pool_size=pool_size, begin="BEGIN IMMEDIATE")
        reading = _sqlite(parsed, part=part, pool_size=pool_size, begin="BEGIN")
        return Database(writing=writing, reading=reading, path=path, name=name)
    engine = _postgresql(parsed, part=part, pool_size=pool_size)
    return Database(writing=engine, reading=engine, name=name)


def _postgresql(url: URL, *, part: Part, pool_size: int) -> Engine:
    options = [
        f"-c statement_timeout={part.statement_timeout_ms}",
        f"-c lock_timeout={LOCK_TIMEOUT_MS}",
        "-c timezone=UTC",
        "-c jit=off",  # compiling costs more than any statement of a page takes
    ]
    if part.role is not None:
        options.append(f"-c role={part.role}")
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_use_lifo=True,  # the connection used last has its pages and statements at hand
        pool_timeout=_POOL_TIMEOUT_S,
        hide_parameters=True,  # what a broken statement would have written is somebody's data, and faults are logged
        isolation_level="READ COMMITTED",
        connect_args={
            "options": " ".join(options),
            "connect_timeout": CONNECT_TIMEOUT_S,
            "tcp_user_timeout": STATEMENT_TIMEOUT_MS,
            "keepalives_idle": 30,
            "application_name": "sallyport",
        },
    )
    keep_prepared(engine)
    ask_when_in_doubt(engine)
    return engine


def _sqlite(url: URL, *, part: Part, pool_size: int, begin: str) -> Engine:
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_use_lifo=True,  # the connection used last has its pages and statements at hand
        pool_timeout=_POOL_TIMEOUT_S,
        hide_parameters=True,
        connect_args={
            "isolation_level": None,
            "timeout": _BUSY_TIMEOUT_MS / 1000,
            "check_same_thread": False,
            "cached_statements": 512,
        },
    )

    def on_connect(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        prepare_sqlite(connection, part=part)

    def on_begin(connection: Connection) -> None:
        # Straight to the driver: what SQLAlchemy does around a statement costs more than a whole read.
        raw = cast("sqlite3.Connection", connection.connection.dbapi_connection)
        try:
            raw.execute(begin)
        except sqlite3.Error as broken:
            raise DBAPIError.instance(begin, None, broken, sqlite3.Error, dialect=connection.dialect) from broken

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    return engine


_journal_guard = threading.Lock()


def prepare_sqlite(connection: object, *, part: Part) -> None:
    """Set what every SQLite connection of the house needs; the authorizer comes last, since it forbids pragmas."""
    raw = cast("sqlite3.Connection", connection)
    raw.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
    with _journal_guard:
        raw.execute("PRAGMA journal_mode=WAL")
    raw.execute("PRAGMA synchronous=FULL")
    raw.execute("PRAGMA foreign_keys=ON")
    raw.execute("PRAGMA recursive_triggers=ON")
    raw.execute(f"PRAGMA cache_size=-{part.sqlite_cache_kib}")
    if part.authorizer is not None:
        raw.set_authorizer(part.authorizer)
