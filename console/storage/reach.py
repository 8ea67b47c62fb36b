"""What a statement reaches: nothing of a tenant, rows through their mapped class, or a table past its class."""

import re
from collections.abc import Iterator
from enum import Enum
from functools import lru_cache
from typing import cast

from sqlalchemy import Delete, Insert, Join, Select, TextClause, Update
from sqlalchemy.sql import ClauseElement, visitors
from sqlalchemy.sql.elements import ColumnClause
from sqlalchemy.sql.selectable import Alias, TableClause
from sqlalchemy.sql.visitors import ExternallyTraversible

from console.storage import (
    billing_tables,
    entitlement_tables,
    own_tables,
    period_tables,
    tenant_tables,
    webhook_tables,
)
from console.storage.bases import PlaneBase, TenantOwned

OWNED_TABLES = frozenset(
    str(mapper.persist_selectable) for mapper in PlaneBase.registry.mappers if issubclass(mapper.class_, TenantOwned)
)
_MENTION = re.compile(r"\b(" + "|".join(sorted(OWNED_TABLES)) + r")\b", re.IGNORECASE)
_SEEN = (
    own_tables,
    billing_tables,
    entitlement_tables,
    period_tables,
    tenant_tables,
    webhook_tables,
)  # imported so that every mapper is registered before the names are collected


class Reach(Enum):
    """How far a statement goes; only through the mapped class is the tenant added to it."""

    NOTHING = "nothing"
    MAPPED = "mapped"
    PAST = "past"


def reach_of(statement: object) -> Reach:
    """Return what a statement reaches; statements of one shape are walked once."""
    # The execution asks for this key too, and finds it kept.
    key = statement._generate_cache_key() if isinstance(statement, ClauseElement) else None  # noqa: SLF001
    if key is None:
        return _walked(statement)
    known = _known_shapes.get(key.key)
    if known is None:
        if len(_known_shapes) >= _MOST_SHAPES:
            _known_shapes.clear()
        known = _known_shapes[key.key] = _walked(statement)
    return known


_MOST_SHAPES = 2_000
_known_shapes: dict[object, Reach] = {}


@lru_cache(maxsize=_MOST_SHAPES)
def mentions_owned(sql: str) -> bool:
    """Return whether SQL text names a tenant-owned table; every statement is asked about, the same ones for ever."""
    return _MENTION.search(sql) is not None


def _walked(statement: object) -> Reach:
    """Return the reach of a shape: past as soon as one name of a table is not the mapped class's own."""
    mapped: set[str] = set()
    bare: set[str] = set()
    selects = 0
    for part in visitors.iterate(cast("ExternallyTraversible", statement)):
        if any(mentions_owned(text) for text in _texts(part)) or any(_is_past(named) for named in _named(part)):
            return Reach.PAST
        selects += isinstance(part, Select)
        if isinstance(part, ColumnClause) and _is_owned(part.table):
            (mapped if _is_mapped(part) else bare).add(str(part.table))
        elif _is_owned(part) and _is_mapped(part):
            mapped.add(str(part))
    # SQLAlchemy's own get() and refresh() compare bare columns of the row they load, in one plain SELECT.
    if bare and not (selects == 1 and bare <= mapped):
        return Reach.PAST
    return Reach.MAPPED if mapped else Reach.NOTHING


def _texts(part: object) -> Iterator[str]:
    """Yield what a part says in SQL of its own."""
    if isinstance(part, TextClause):
        yield part.text
    elif isinstance(part, ColumnClause) and part.is_literal:
        yield str(part.name)
    elif isinstance(part, Select):
        for added, _dialect in (*part._prefixes, *part._suffixes):  # noqa: SLF001  it has no other name
            yield str(added)
        for hint in (*part._statement_hints, *part._hints.items()):  # noqa: SLF001  the same
            yield str(hint[-1])


def _named(part: object) -> Iterator[object]:
    """Yield what a part names itself; the rest of a select's FROM follows from its columns, which come apart."""
    if isinstance(part, Select):
        yield from part._raw_columns  # noqa: SLF001  it has no other name
        yield from part._from_obj  # noqa: SLF001  the same
        for target, _on, left, _flags in part._setup_joins:  # noqa: SLF001  the same
            yield from (target, left)
    elif isinstance(part, Join):
        yield from (part.left, part.right)
    elif isinstance(part, Update | Delete | Insert):
        yield part.table


def _is_past(named: object) -> bool:
    return _is_owned(named) and not _is_mapped(named)


def _is_owned(named: object) -> bool:
    table = named.element if isinstance(named, Alias) else named
    return isinstance(table, TableClause) and table.name.lower() in OWNED_TABLES


def _is_mapped(named: object) -> bool:
    """Return whether the tenant's criterion finds this: it looks for mapped classes, not for tables."""
    return "parententity" in getattr(named, "_annotations", ())
