"""Raw SQL on the measured database, the same statements for SQLite and PostgreSQL: what floors and builders use."""

import re
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg

Row = tuple[Any, ...]
Values = Mapping[str, Any]
_NAME = re.compile(r"(?<!:):([a-z_]+)")

# The floor's own tables: what a plain admin writes for a note and its audit row.
_FLOOR = (
    """
    CREATE TABLE floor_note (
      id {key}, tenant_id TEXT NOT NULL, author TEXT NOT NULL, text TEXT NOT NULL, at BIGINT NOT NULL
    )
    """,
    "CREATE INDEX floor_note_tenant ON floor_note (tenant_id, at)",
    """
    CREATE TABLE floor_audit (
      id {key}, ts_us BIGINT NOT NULL, tenant TEXT, actor TEXT NOT NULL, action TEXT NOT NULL, outcome TEXT NOT NULL,
      body TEXT NOT NULL
    )
    """,
    "CREATE INDEX floor_audit_tenant ON floor_audit (tenant, id)",
    "CREATE INDEX floor_audit_actor ON floor_audit (actor, id)",
    "CREATE INDEX floor_audit_action ON floor_audit (action, id)",
)
_KEYS = {"sqlite": "INTEGER PRIMARY KEY", "postgres": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"}


class Rows:
    """One connection per thread, opened when first used, autocommit unless a transaction is begun."""

    kind = ""

    def __init__(self) -> None:
        """Start unconnected."""
        self._local = threading.local()

    def all(self, sql: str, values: Values | None = None) -> list[Row]:
        """Return every row of a statement with :named values."""
        return list(self._run(sql, values or {}).fetchall())

    def write(self, statements: Sequence[tuple[str, Values]]) -> None:
        """Run statements in one durable transaction."""
        raise NotImplementedError

    def run(self, sql: str) -> None:
        """Run one statement for its effect."""
        self._run(sql, {})

    def reset(self) -> None:
        """Begin with an empty database."""
        raise NotImplementedError

    def drop_indexes(self, table: str) -> list[str]:
        """Drop the secondary indexes of a table and return how to make them again."""
        raise NotImplementedError

    def create_indexes(self, definitions: Sequence[str]) -> None:
        """Make indexes again, and let the planner look at the tables where a deployment's database does so itself."""
        for definition in definitions:
            self.run(definition)

    def insert_entries(self, bodies: Sequence[tuple[str, bytes]]) -> None:
        """Add (body, leaf) pairs to the trail in one transaction."""
        raise NotImplementedError

    def prepare_floor(self) -> None:
        """Make the tables that the floor writes to."""
        for statement in _FLOOR:
            self.run(statement.format(key=_KEYS[self.kind]))

    def close(self) -> None:
        """Close this thread's connection."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def _run(self, sql: str, values: Values) -> Any:  # noqa: ANN401  a cursor of either driver
        raise NotImplementedError


class SqliteRows(Rows):
    """Raw sqlite3, durable as the console is."""

    kind = "sqlite"

    def __init__(self, path: Path, *, is_careless: bool) -> None:
        """Work on a file; a careless connection does not wait for the disk."""
        super().__init__()
        self._path = path
        self._is_careless = is_careless

    def write(self, statements: Sequence[tuple[str, Values]]) -> None:
        """Run statements in one durable transaction."""
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE")
        for sql, values in statements:
            connection.execute(sql, values)
        connection.execute("COMMIT")

    def reset(self) -> None:
        """Remove the file."""
        self.close()
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self._path}{suffix}").unlink(missing_ok=True)

    def drop_indexes(self, table: str) -> list[str]:
        """Drop the secondary indexes of a table and return how to make them again."""
        found = self.all(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = :table AND sql IS NOT NULL",
            {"table": table},
        )
        for name, _ in found:
            self.run(f"DROP INDEX {name}")
        return [sql for _, sql in found]

    def insert_entries(self, bodies: Sequence[tuple[str, bytes]]) -> None:
        """Add (body, leaf) pairs to the trail in one transaction."""
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO audit_event (body, leaf) VALUES (?, ?)", bodies)
        connection.execute("COMMIT")

    def _connection(self) -> sqlite3.Connection:
        known: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if known is None:
            known = sqlite3.connect(self._path, isolation_level=None, timeout=10, cached_statements=512)
            known.execute("PRAGMA journal_mode=WAL")
            known.execute(f"PRAGMA synchronous={'OFF' if self._is_careless else 'FULL'}")
            known.execute("PRAGMA foreign_keys=ON")
            if self._is_careless:
                known.execute("PRAGMA cache_size=-400000")
                known.execute("PRAGMA threads=2")
            self._local.connection = known
        return known

    def _run(self, sql: str, values: Values) -> sqlite3.Cursor:
        return self._connection().execute(sql, values)


class PostgresRows(Rows):
    """Raw psycopg."""

    kind = "postgres"

    def __init__(self, address: str, *, is_careless: bool) -> None:
        """Work on a database; a careless connection does not wait for the disk."""
        super().__init__()
        self._address = address.replace("postgresql+psycopg://", "postgresql://", 1)
        self._is_careless = is_careless

    def write(self, statements: Sequence[tuple[str, Values]]) -> None:
        """Run statements in one durable transaction."""
        connection = self._connection()
        with connection.transaction():
            for sql, values in statements:
                connection.execute(_translated(sql), dict(values))

    def reset(self) -> None:
        """Empty the database."""
        self.run("DROP SCHEMA public CASCADE")
        self.run("CREATE SCHEMA public")
        self.run("GRANT USAGE ON SCHEMA public TO PUBLIC")  # as in a new database; the console works as other roles

    def drop_indexes(self, table: str) -> list[str]:
        """Drop the secondary indexes of a table and return how to make them again."""
        found = self.all(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = :table AND indexname LIKE 'ix_%%'",
            {"table": table},
        )
        for name, _ in found:
            self.run(f"DROP INDEX {name}")
        return [sql for _, sql in found]

    def create_indexes(self, definitions: Sequence[str]) -> None:
        """Make indexes again, and gather statistics as autovacuum would have."""
        super().create_indexes(definitions)
        self.run("ANALYZE")

    def insert_entries(self, bodies: Sequence[tuple[str, bytes]]) -> None:
        """Add (body, leaf) pairs to the trail in one transaction."""
        connection = self._connection()
        with (
            connection.transaction(),
            connection.cursor() as cursor,
            cursor.copy("COPY audit_event (body, leaf) FROM STDIN") as copy,
        ):
            for pair in bodies:
                copy.write_row(pair)

    def _connection(self) -> psycopg.Connection[Row]:
        known: psycopg.Connection[Row] | None = getattr(self._local, "connection", None)
        if known is None:
            known = psycopg.connect(self._address, autocommit=True)
            if self._is_careless:
                known.execute("SET synchronous_commit = off")
            self._local.connection = known
        return known

    def _run(self, sql: str, values: Values) -> psycopg.Cursor[Row]:
        return self._connection().execute(_translated(sql), dict(values) or None)


def opened_rows(address: str, *, is_careless: bool = False) -> Rows:
    """Return raw SQL on a database address as the console's settings write it."""
    if address.startswith("sqlite:///"):
        return SqliteRows(Path(address.removeprefix("sqlite:///")), is_careless=is_careless)
    return PostgresRows(address, is_careless=is_careless)


def _translated(sql: str) -> Any:  # noqa: ANN401  psycopg wants a literal, and these are ours
    return _NAME.sub(r"%(\1)s", sql)
