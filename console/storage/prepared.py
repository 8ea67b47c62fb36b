"""Statements that are built once and go to the driver as text; engine events, and so the guards, see them as ever."""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import Connection, Executable
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine.interfaces import Compiled, DBAPICursor, Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.schema import Table

_Change = Callable[[Any], Any]
_Place = tuple[str, str, int | None, _Change | None]
T = TypeVar("T")
_MOST_FORMS = 64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Form:
    """The text for one database and one length of each list.

    Shape: `places` are (own name, name of the value, index in it or None, change); `fixed` values need no change;
    `changes` are (column, change).
    """

    sql: str
    places: tuple[_Place, ...]
    fixed: Mapping[str, object]
    is_positional: bool
    changes: tuple[tuple[int, _Change], ...]
    row: Callable[[Sequence[Any]], Any]

    def filled(self, values: Mapping[str, object]) -> tuple[object, ...] | dict[str, object]:
        """Return the values as the driver takes them."""
        known: Mapping[str, Any] = {**self.fixed, **values} if self.fixed else values
        filled = [
            known[source] if change is None and index is None else _stored(known[source], index, change)
            for _own, source, index, change in self.places
        ]
        if self.is_positional:
            return tuple(filled)
        return {own: value for (own, *_place), value in zip(self.places, filled, strict=True)}

    def shown(self, found: Sequence[Any]) -> Any:  # noqa: ANN401  a named tuple of this form's own
        """Return a row as the columns' types read it, with a name for each."""
        if not self.changes:
            return self.row(found)
        cells = list(found)
        for place, change in self.changes:
            cells[place] = change(cells[place])
        return self.row(cells)


class Kept(Generic[T]):
    """What rows become, remembered by the whole row as the database gave it: the same row is the same value.

    Only for values that nobody changes.
    """

    def __init__(self, make: Callable[[Any], T], *, most: int = 1_024) -> None:
        """Keep how a row becomes a value; what was not asked for the longest is forgotten beyond so many."""

        @lru_cache(maxsize=most)
        def of(form: Form, found: Sequence[Any]) -> T:
            return make(form.shown(found))

        self.of = of


class Prepared:
    """A statement with named places. What SQLAlchemy does around each execution costs ten times the execution."""

    def __init__(self, statement: Executable) -> None:
        """Keep the statement; each database compiles it when it first runs there."""
        self._statement = cast("ClauseElement", statement)
        self._forms: dict[tuple[object, ...], Form] = {}

    def rows(self, connection: Connection, values: Mapping[str, object]) -> list[Any]:
        """Return all rows, with a name for each column. Raises: what SQLAlchemy raises for the same failure."""
        form = self.form(connection.dialect, values)
        shown = form.shown
        return [shown(row) for row in executed(connection, form.sql, form.filled(values), _all)]

    def kept(self, connection: Connection, values: Mapping[str, object], kept: Kept[T]) -> list[T]:
        """Return what the rows become, made anew only for rows that were not seen before. Raises: as `rows`."""
        form, of = self.form(connection.dialect, values), kept.of
        return [of(form, row) for row in executed(connection, form.sql, form.filled(values), _all)]

    def run(self, connection: Connection, values: Mapping[str, object]) -> int:
        """Run an INSERT, UPDATE or DELETE and return how many rows it touched. Raises: as `rows`."""
        form = self.form(connection.dialect, values)
        return executed(connection, form.sql, form.filled(values), _touched)

    def form(self, dialect: Dialect, values: Mapping[str, object]) -> Form:
        """Return the statement as one database takes it, compiled when it is first needed."""
        lengths = tuple(len(value) for value in values.values() if isinstance(value, list))
        return self._kept(
            (dialect.name, *lengths), lambda: _form(self._statement.compile(dialect=dialect), dialect, values)
        )

    def _kept(self, key: tuple[object, ...], make: Callable[[], Form]) -> Form:
        form = self._forms.get(key)
        if form is None:
            if len(self._forms) >= _MOST_FORMS:
                self._forms.clear()
            form = self._forms[key] = make()
        return form


class PreparedInsert(Prepared):
    """One row into one table; a `forgiving` one leaves a row alone whose key is taken, and touches none then."""

    def __init__(self, table: Table, *, is_forgiving: bool = False) -> None:
        """Keep the table; the columns are those of the values."""
        forgiving = insert(table).on_conflict_do_nothing()  # PostgreSQL's form is SQLite's too
        super().__init__((forgiving if is_forgiving else insert(table)).inline())

    def form(self, dialect: Dialect, values: Mapping[str, object]) -> Form:
        """Return the statement for these columns."""
        columns = list(values)

        def made() -> Form:
            return _form(self._statement.compile(dialect=dialect, column_keys=columns), dialect, values)

        return self._kept((dialect.name, *columns), made)


class PreparedFresher(PreparedInsert):
    """One row into one table, or in the place of the row with its key unless that one is fresher: one statement."""

    def __init__(self, table: Table, *, by: str) -> None:
        """Keep the table, all of whose columns the values must name; `by` is the column that tells how fresh."""
        fresher = insert(table)
        own = {column.name for column in table.primary_key}
        told = {column.name: fresher.excluded[column.name] for column in table.c if column.name not in own}
        Prepared.__init__(
            self,
            fresher.on_conflict_do_update(
                index_elements=sorted(own), set_=told, where=table.c[by] <= fresher.excluded[by]
            ).inline(),
        )


def _stored(given: Any, index: int | None, change: _Change | None) -> object:  # noqa: ANN401  whatever is stored
    value = given if index is None else given[index]
    return value if change is None else change(value)


def _all(cursor: DBAPICursor) -> Sequence[Any]:
    return cursor.fetchall()


def _touched(cursor: DBAPICursor) -> int:
    return int(cursor.rowcount)


def executed(
    connection: Connection, sql: str, parameters: object, take: Callable[[DBAPICursor], T], *, many: bool = False
) -> T:
    """Run a text on the driver and return what is taken of it. Raises: what SQLAlchemy raises for the same failure."""
    if not connection.in_transaction():  # SQLite would keep it at once, whatever becomes of the unit
        message = "The transaction of this connection is over."
        raise RuntimeError(message)
    raw = connection.connection
    cursor = raw.cursor()
    try:
        connection.dispatch.before_cursor_execute(connection, cursor, sql, parameters, None, many)
        try:
            (cursor.executemany if many else cursor.execute)(sql, cast("Any", parameters))
            return take(cursor)
        except connection.dialect.loaded_dbapi.Error as broken:
            is_gone = connection.dialect.is_disconnect(broken, raw.driver_connection, cursor)
            if is_gone:
                connection.invalidate(broken)
            raise DBAPIError.instance(
                sql, None, broken, connection.dialect.loaded_dbapi.Error, connection_invalidated=is_gone,
                dialect=connection.dialect,
            ) from broken  # fmt: skip
    finally:
        cursor.close()


def _form(written: Compiled, dialect: Dialect, values: Mapping[str, object]) -> Form:
    compiled = cast("SQLCompiler", written)
    state = compiled.construct_expanded_state(dict(values))
    origins = {own: (name, at) for name, owns in state.parameter_expansion.items() for at, own in enumerate(owns)}
    # SQLAlchemy keeps these two for itself; nothing else knows how a value is stored and what a column holds.
    to_stored = {**compiled._bind_processors, **state.processors}  # noqa: SLF001
    columns = compiled._result_columns  # noqa: SLF001
    fixed: dict[str, object] = {}
    places: list[_Place] = []
    for own in state.positiontup if state.positiontup is not None else state.parameters:
        change = cast("_Change | None", to_stored.get(own))
        if own in values or own in origins:
            places.append((own, *origins.get(own, (own, None)), change))
        else:
            value = state.parameters[own]
            fixed[own] = value if change is None else change(value)
            places.append((own, own, None, None))
    readers = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
    row = namedtuple("Found", [column.keyname for column in columns], rename=True)  # type: ignore[misc]  # noqa: PYI024
    return Form(
        sql=state.statement,
        places=tuple(places),
        fixed=fixed,
        is_positional=state.positiontup is not None,
        changes=tuple((at, reader) for at, reader in enumerate(readers) if reader is not None),
        row=row._make,
    )
