"""Many rows of one table at once: row by row on SQLite, one array for each column on PostgreSQL.

There a statement for each row costs several times what it does, and no guess of the planner about a list of ids can
send it through all rows of a tenant.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, bindparam, update
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.orm import DeclarativeBase

from console.storage.prepared import Prepared, executed
from console.storage.rows import insertion, table_of

_Rows = Sequence[Mapping[str, Any]]
_Change = Callable[[Any], Any]
_NEW = "new_"  # a value may not be called as the column that it is written to


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One statement for any number of rows, and how the values of each column are stored."""

    sql: str
    changes: tuple[tuple[str, _Change | None], ...]

    def run(self, connection: Connection, rows: _Rows, **others: object) -> None:
        columns: dict[str, object] = {
            name: [row[name] if change is None else change(row[name]) for row in rows] for name, change in self.changes
        }
        executed(connection, self.sql, {**columns, **others}, lambda _cursor: None)


@dataclass(frozen=True, slots=True)
class _Lines:
    """One statement for each row, and in which order it takes the values of a row, stored how."""

    sql: str
    changes: tuple[tuple[str, _Change | None], ...]

    def run(self, connection: Connection, rows: _Rows, **others: object) -> None:
        whole = [{**each, **others} for each in rows] if others else rows
        told = [[row[name] if change is None else change(row[name]) for name, change in self.changes] for row in whole]
        executed(connection, self.sql, told, lambda _cursor: None, many=True)


def add_all(connection: Connection, row: type[DeclarativeBase], rows: _Rows) -> None:
    """Insert rows that name the same columns. Raises: what SQLAlchemy raises for the same failure."""
    if connection.dialect.name == "postgresql":
        _addition(connection.dialect, row, tuple(rows[0])).run(connection, rows)
    else:
        _insertion(connection.dialect, row, tuple(rows[0])).run(connection, rows)


def change_all(
    connection: Connection, row: type[DeclarativeBase], rows: _Rows, *, tenant: str, by: tuple[str, ...]
) -> None:
    """Write the columns that rows name but those of `by`, where tenant and those are theirs. Raises: as `add_all`."""
    moved = tuple(name for name in rows[0] if name not in {*by, "tenant_id"})
    if connection.dialect.name == "postgresql":
        _alteration(connection.dialect, row, moved, by).run(connection, rows, its_tenant=tenant)
    else:
        _lines(connection.dialect, row, moved, by).run(connection, rows, tenant_id=tenant)


@lru_cache(maxsize=64)
def _insertion(dialect: Dialect, row: type[DeclarativeBase], columns: tuple[str, ...]) -> _Lines:
    form = insertion(row).form(dialect, dict.fromkeys(columns))
    return _Lines(form.sql, tuple((source, change) for _own, source, _at, change in form.places))


@lru_cache(maxsize=64)
def _lines(dialect: Dialect, row: type[DeclarativeBase], moved: tuple[str, ...], by: tuple[str, ...]) -> _Lines:
    table = table_of(row)
    mine = update(table).where(*(table.c[name] == bindparam(f"{_NEW}{name}") for name in ("tenant_id", *by)))
    written = mine.values({name: bindparam(f"{_NEW}{name}", type_=table.c[name].type) for name in moved})
    form = Prepared(written).form(dialect, dict.fromkeys([f"{_NEW}{name}" for name in (*moved, "tenant_id", *by)]))
    return _Lines(form.sql, tuple((source.removeprefix(_NEW), change) for _own, source, _at, change in form.places))


@lru_cache(maxsize=64)
def _addition(dialect: Dialect, row: type[DeclarativeBase], columns: tuple[str, ...]) -> _Sheet:
    names = _named(dialect, columns)
    given, changes = _given(dialect, row, columns)
    table = dialect.identifier_preparer.format_table(table_of(row))
    return _Sheet(f"INSERT INTO {table} ({names}) SELECT {names} FROM {given}", changes)  # noqa: S608  our own names


@lru_cache(maxsize=64)
def _alteration(dialect: Dialect, row: type[DeclarativeBase], moved: tuple[str, ...], by: tuple[str, ...]) -> _Sheet:
    given, changes = _given(dialect, row, (*by, *moved))
    table = dialect.identifier_preparer.format_table(table_of(row))
    written = ", ".join(f"{name} = given.{name}" for name in _named(dialect, moved).split(", "))
    same = (f"{table}.{name} = given.{name}" for name in _named(dialect, by).split(", "))
    mine = " AND ".join((f"{table}.tenant_id = %(its_tenant)s", *same))
    return _Sheet(f"UPDATE {table} SET {written} FROM {given} WHERE {mine}", changes)  # noqa: S608  our own names


def _given(
    dialect: Dialect, row: type[DeclarativeBase], columns: tuple[str, ...]
) -> tuple[str, tuple[tuple[str, _Change | None], ...]]:
    types = {name: table_of(row).c[name].type for name in columns}
    plain = {name: kind.compile(dialect).partition(" COLLATE")[0] for name, kind in types.items()}
    arrays = ", ".join(f"%({name})s::{plain[name]}[]" for name in columns)
    changes = tuple((name, kind.dialect_impl(dialect).bind_processor(dialect)) for name, kind in types.items())
    return f"unnest({arrays}) AS given({_named(dialect, columns)})", changes


def _named(dialect: Dialect, columns: tuple[str, ...]) -> str:
    return ", ".join(dialect.identifier_preparer.quote(name) for name in columns)
