"""Search over the directory, on a connection that can read nothing else."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, func, select, text

from console.domain.search_terms import SearchTerms, folded
from console.domain.tenancy import SearchHit, SearchKind
from console.ports.secrets import Fingerprints
from console.storage.directory import SHOWN
from console.storage.directory_tables import DirectoryKeyRow, DirectoryTenantRow
from console.storage.engines import Database
from console.storage.guards import GuardedSession
from console.storage.prepared import Prepared
from console.storage.rows import table_of
from console.storage.transactions import opened

MOST_FRAGMENT_HITS = 2_000
_LAST = "\U0010ffff"
_Found = Select[*tuple[Any, ...]]
_TENANTS = table_of(DirectoryTenantRow)


class StoredFleet:
    """The Fleet on SQLAlchemy."""

    def __init__(self, database: Database, *, fingerprints: Fingerprints) -> None:
        """Keep the engines of the fleet's part."""
        self._database = database
        self._fingerprints = fingerprints

    def search(self, terms: SearchTerms, *, limit: int) -> Sequence[SearchHit]:
        """Return tenants that match, exact kinds before name fragments, in a stable order."""
        hits: dict[str, SearchHit] = {}
        wanted = folded(terms.text.replace("\x00", "")).encode("utf-8", "ignore").decode()
        with opened(self._database, GuardedSession, writing=False) as transaction:
            connection = transaction.connection
            for kind in terms.kinds:
                values = _values(self._value(kind, wanted), limit=limit)
                for prepared in _prepared(kind, connection.dialect.name):
                    if len(hits) >= limit or not wanted:
                        break
                    for row in prepared.kept(connection, values, SHOWN):
                        hits.setdefault(row.id, SearchHit(tenant=row, matched=kind))
        return list(hits.values())[:limit]

    def _value(self, kind: SearchKind, wanted: str) -> str:
        return self._fingerprints.of(wanted) if kind is SearchKind.MEMBER_EMAIL else wanted


def statements(kind: SearchKind, value: str, *, limit: int, dialect: str) -> list[_Found]:
    """Return the statements that find tenants by one kind of key, with their values, best first."""
    values = _values(value, limit=limit)
    return [shape.params(values) for shape in _shapes(kind, dialect)]


def _values(value: str, *, limit: int) -> dict[str, object]:
    """Return what the statements of every kind are asked by; each takes what it has a place for."""
    spelt = value.replace("/", "//").replace("%", "/%").replace("_", "/_")
    return {
        "wanted": value,
        "beyond": value + _LAST,
        "quoted": '"' + value.replace('"', '""') + '"',
        "held": f"%{spelt}%",
        "shown": limit,
    }


@cache
def _prepared(kind: SearchKind, dialect: str) -> tuple[Prepared, ...]:
    return tuple(Prepared(shape) for shape in _shapes(kind, dialect))


def _shapes(kind: SearchKind, dialect: str) -> list[_Found]:
    wanted: BindParameter[str] = bindparam("wanted")
    rows = select(_TENANTS).order_by(_TENANTS.c.name_folded, _TENANTS.c.id).limit(bindparam("shown"))
    match kind:
        case SearchKind.ID:
            return [rows.where(_TENANTS.c.id == wanted)]
        case SearchKind.SLUG:
            return [rows.where(_TENANTS.c.slug == wanted)]
        case SearchKind.NAME:
            is_prefix = (_TENANTS.c.name_folded >= wanted) & (_TENANTS.c.name_folded < bindparam("beyond"))
            return [rows.where(is_prefix), rows.where(_holding(dialect))]
        case (
            SearchKind.DOMAIN | SearchKind.MEMBER_EMAIL | SearchKind.INVOICE | SearchKind.CUSTOMER | SearchKind.MESSAGE
        ):
            keyed = select(DirectoryKeyRow.tenant_id).where(
                DirectoryKeyRow.kind == kind.value, DirectoryKeyRow.value == wanted
            )
            return [rows.where(_TENANTS.c.id.in_(keyed))]


def _holding(dialect: str) -> ColumnElement[bool]:
    """Return the condition "the name holds this fragment", so that the fragment index must serve it."""
    if dialect == "sqlite":
        found = text("SELECT rowid FROM directory_name WHERE directory_name MATCH :quoted LIMIT :most").bindparams(
            bindparam("quoted"), most=MOST_FRAGMENT_HITS
        )
        return _TENANTS.c.ordinal.in_(found.columns(_TENANTS.c.ordinal).scalar_subquery())
    sought: BindParameter[str] = bindparam("wanted", type_=_TENANTS.c.name_folded.type)
    grams = func.sallyport_grams(_TENANTS.c.name_folded).op("@>")(func.sallyport_grams(sought))
    some = (
        select(_TENANTS.c.ordinal)
        .where(grams, _TENANTS.c.name_folded.like(bindparam("held"), escape="/"))
        .limit(MOST_FRAGMENT_HITS)
        .cte("holding")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    return _TENANTS.c.ordinal.in_(select(some.c.ordinal))
