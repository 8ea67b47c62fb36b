"""Small statements that several books need, in the language of the database at hand."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import CursorResult, Executable, Row
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.sql.schema import Table


def table_of(row: type[DeclarativeBase]) -> Table:
    """Return the table behind a mapped class."""
    return cast("Table", row.__table__)


def found(session: Session, prepared: Executable, **values: object) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return the rows of a statement that is built once, on the session's own connection.

    Building a statement and mapping its rows costs seven times as much, and a page asks some twenty of them. Only for
    tables of the control store: this way the engine's guard refuses every tenant-owned one.
    """
    return session.connection().execute(prepared, values).all()


def changed(session: Session, statement: Executable) -> int:
    """Run an UPDATE, DELETE or INSERT and return how many rows it touched."""
    result = session.execute(statement, execution_options={"synchronize_session": False, "preserve_rowcount": True})
    return cast("CursorResult[Any]", result).rowcount


def add_unless_taken(session: Session, row: type[DeclarativeBase], values: Mapping[str, Any]) -> bool:
    """Insert a row; False when a key of it is taken, and then the transaction goes on unharmed."""
    insert = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    return changed(session, insert(table_of(row)).values(dict(values)).on_conflict_do_nothing()) == 1
