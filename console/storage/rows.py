"""Small statements that several books need, in the language of the database at hand."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar, cast

from sqlalchemy import CursorResult, Executable
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.sql.schema import Table

from console.storage.prepared import Kept, Prepared, PreparedFresher, PreparedInsert

T = TypeVar("T")


def table_of(row: type[DeclarativeBase]) -> Table:
    """Return the table behind a mapped class."""
    return cast("Table", row.__table__)


def found(session: Session, prepared: Prepared, **values: object) -> Sequence[Any]:
    """Return the rows of a prepared statement, on the session's own connection.

    Only for tables of the control store: this way the engine's guard refuses every tenant-owned one.
    """
    return prepared.rows(session.connection(), values)


def kept(session: Session, prepared: Prepared, shape: Kept[T], **values: object) -> list[T]:
    """Return what the rows of a prepared statement become; as `found`, and rows seen before are not read again."""
    return prepared.kept(session.connection(), values, shape)


def changed(session: Session, statement: Executable) -> int:
    """Run an UPDATE, DELETE or INSERT and return how many rows it touched."""
    result = session.execute(statement, execution_options={"synchronize_session": False, "preserve_rowcount": True})
    return cast("CursorResult[Any]", result).rowcount


def add_unless_taken(session: Session, row: type[DeclarativeBase], values: Mapping[str, Any]) -> bool:
    """Insert a row; False when a key of it is taken, and then the transaction goes on unharmed."""
    return insertion(row, is_forgiving=True).run(session.connection(), values) == 1


def add(session: Session, row: type[DeclarativeBase], values: Mapping[str, Any]) -> None:
    """Insert a row of the control store."""
    insertion(row).run(session.connection(), values)


def done(session: Session, prepared: Prepared, **values: object) -> int:
    """Run a prepared change of the control store and return how many rows it touched."""
    return prepared.run(session.connection(), values)


@cache
def insertion(row: type[DeclarativeBase], *, is_forgiving: bool = False) -> PreparedInsert:
    """Return the one prepared insert of a table."""
    return PreparedInsert(table_of(row), is_forgiving=is_forgiving)


@cache
def fresher(row: type[DeclarativeBase], *, by: str) -> PreparedFresher:
    """Return the one prepared write of a table that an older answer loses."""
    return PreparedFresher(table_of(row), by=by)
