"""Many rows in one statement: added, or put in the place of those with the same key."""

import json
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import BigInteger, Boolean, Connection, Dialect, Integer, LargeBinary
from sqlalchemy.sql.schema import Column, Table

from console.storage.types import Words, are_plain

Row = Mapping[str, Any]


class Clash(Enum):
    """What happens to a row whose key is there already."""

    REPLACE = "replace"
    KEEP = "keep"
    REPLACE_OLDER = "replace_older"  # what was fetched from the provider since stays
    REPLACE_UNMOVED = "replace_unmoved"  # what the house itself has changed since (version > 1) stays


def upsert(
    connection: Connection, table: Table, rows: Sequence[Row], *, key: tuple[str, ...], clash: Clash = Clash.REPLACE
) -> None:
    """Write rows that all name the same columns; of two with one key the later holds."""
    if not rows:
        return
    distinct = dict(zip(map(itemgetter(*key), rows), rows, strict=True))
    names = tuple(rows[0])
    columns = [_bound(table.c[name], connection.dialect, distinct.values()) for name in names]
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_from_arrays(table, names, key, clash), tuple(columns))
    else:
        connection.exec_driver_sql(_line_by_line(table, names, key, clash), list(zip(*columns, strict=True)))


def among(connection: Connection, values: Iterable[str]) -> tuple[str, object]:
    """Return the condition that a column is one of some texts, with one mark, and its parameter."""
    known = list(dict.fromkeys(values))
    if connection.dialect.name == "postgresql":
        return "= ANY(%s::text[])", known
    return "IN (SELECT value FROM json_each(?))", json.dumps(known)


def pairs(connection: Connection, values: Iterable[tuple[str, str]]) -> tuple[str, tuple[object, ...]]:
    """Return a FROM item `pair(one, two)` over pairs of texts, and its parameters."""
    known = list(dict.fromkeys(values))
    if connection.dialect.name == "postgresql":
        ones, twos = [one for one, _ in known], [two for _, two in known]
        return "unnest(%s::text[], %s::text[]) AS pair(one, two)", (ones, twos)
    return "(SELECT value ->> 0 AS one, value ->> 1 AS two FROM json_each(?)) AS pair", (json.dumps(known),)


@cache
def _line_by_line(table: Table, names: tuple[str, ...], key: tuple[str, ...], clash: Clash) -> str:
    marks = ", ".join("?" for _ in names)
    return f"INSERT INTO {table.name} ({_list(names)}) VALUES ({marks}) {_conflict(table, names, key, clash)}"  # noqa: S608  names of ours


@cache
def _from_arrays(table: Table, names: tuple[str, ...], key: tuple[str, ...], clash: Clash) -> str:
    arrays = ", ".join(f"%s::{_array_type(table.c[name])}[]" for name in names)
    rows = f"SELECT * FROM unnest({arrays})"  # noqa: S608  types of ours
    return f"INSERT INTO {table.name} ({_list(names)}) {rows} {_conflict(table, names, key, clash)}"


def _conflict(table: Table, names: tuple[str, ...], key: tuple[str, ...], clash: Clash) -> str:
    others = [] if clash is Clash.KEEP else [name for name in names if name not in key]
    settings = ", ".join(f'"{name}" = excluded."{name}"' for name in others)
    stays = {
        Clash.REPLACE_UNMOVED: f" WHERE {table.name}.version = 1",
        Clash.REPLACE_OLDER: f" WHERE {table.name}.fetched_at <= excluded.fetched_at",
    }
    return f"ON CONFLICT ({_list(key)}) DO " + (f"UPDATE SET {settings}{stays.get(clash, '')}" if others else "NOTHING")


def _list(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _array_type(column: Column[Any]) -> str:
    kind = getattr(column.type, "impl_instance", column.type)
    if isinstance(kind, Boolean):
        return "boolean"
    if isinstance(kind, BigInteger):
        return "bigint"
    if isinstance(kind, LargeBinary):
        return "bytea"
    return "integer" if isinstance(kind, Integer) else "text"


def _bound(column: Column[Any], dialect: Dialect, rows: Iterable[Row]) -> list[Any]:
    """Return what the database stores for a column, row by row; most columns store a value as it is."""
    kind = column.type.dialect_impl(dialect)
    values = list(map(itemgetter(column.name), rows))
    bind = kind.bind_processor(dialect)
    if bind is None or (isinstance(column.type, Words) and are_plain(values)):
        return values
    return list(map(bind, values))
