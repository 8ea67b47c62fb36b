"""Search over the directory, on a connection that can read nothing else."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnClause,
    ColumnElement,
    Select,
    String,
    bindparam,
    case,
    func,
    literal_column,
    select,
    text,
    union_all,
)

from console.domain.search_terms import SearchTerms, folded
from console.domain.tenancy import SearchHit, SearchKind
from console.ports.secrets import Fingerprints
from console.storage.directory import shown_row
from console.storage.directory_tables import DirectoryKeyRow, DirectoryTenantRow
from console.storage.engines import Database
from console.storage.guards import GuardedSession
from console.storage.prepared import Kept, Prepared
from console.storage.rows import table_of
from console.storage.transactions import opened

MOST_FRAGMENT_HITS = 2_000
_LAST = "\U0010ffff"
_Found = Select[*tuple[Any, ...]]
_TENANTS = table_of(DirectoryTenantRow)
_KEYS = table_of(DirectoryKeyRow)
_NUMBERS = frozenset({SearchKind.INVOICE, SearchKind.CUSTOMER, SearchKind.MESSAGE})
_KEYED = _NUMBERS | {SearchKind.DOMAIN}


class StoredFleet:
    """The Fleet on SQLAlchemy."""

    def __init__(self, database: Database, *, fingerprints: Fingerprints) -> None:
        """Keep the engines of the fleet's part."""
        self._database = database
        self._fingerprints = fingerprints

    def search(self, terms: SearchTerms, *, limit: int) -> Sequence[SearchHit]:
        """Return tenants that match, exact kinds before name fragments, in a stable order; a number is no name."""
        typed, wanted = (_stored(text) for text in (terms.text, folded(terms.text.replace("\x00", ""))))
        if not wanted:
            return []
        values = _values(typed, wanted, limit=limit)
        if terms.is_personal:
            values["sealed"] = self._fingerprints.of(wanted)
        hits: dict[str, SearchHit] = {}
        with opened(self._database, GuardedSession, writing=False) as transaction:
            connection = transaction.connection
            for prepared in _prepared(terms.kinds, connection.dialect.name):
                if len(hits) >= limit or any(hit.matched in _NUMBERS for hit in hits.values()):
                    break
                for hit in prepared.kept(connection, values, _HITS):
                    hits.setdefault(hit.tenant.id, hit)
        return list(hits.values())[:limit]


def _stored(text: str) -> str:
    """Return a text without what no database keeps."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()


def _values(typed: str, wanted: str, *, limit: int) -> dict[str, object]:
    """Return what the statements of every kind are asked by; each takes what it has a place for."""
    spelt = wanted.replace("/", "//").replace("%", "/%").replace("_", "/_")
    return {
        "typed": typed,
        "wanted": wanted,
        "beyond": wanted + _LAST,
        "quoted": '"' + wanted.replace('"', '""') + '"',
        "held": f"%{spelt}%",
        "shown": limit,
        "found": limit + len(SearchKind),  # one tenant can be found by several keys at once
    }


@cache
def _prepared(kinds: tuple[SearchKind, ...], dialect: str) -> tuple[Prepared, ...]:
    """Return the statements that find tenants by some kinds of key, best first: one for all exact ones."""
    exact = tuple(kind for kind in kinds if kind is not SearchKind.NAME)
    shapes = [_exactly(exact)] if exact else []
    if SearchKind.NAME in kinds:
        shapes += _called(dialect)
    return tuple(Prepared(shape) for shape in shapes)


def _exactly(kinds: tuple[SearchKind, ...]) -> _Found:
    """Return tenants that have a key of one of these kinds, in the order of the kinds."""
    found = union_all(*(way for kind in kinds for way in _ways(kind, kinds))).subquery("found")
    turn = case({kind.value: at for at, kind in enumerate(kinds)}, value=found.c.kind)
    return (
        select(_TENANTS, found.c.kind)
        .join(found, found.c.tenant_id == _TENANTS.c.id)
        .order_by(turn, _TENANTS.c.name_folded, _TENANTS.c.id)
        .limit(bindparam("found"))
    )


def _ways(kind: SearchKind, kinds: tuple[SearchKind, ...]) -> Iterator[_Found]:
    """Yield how a kind of key leads to tenants; all that stand among the directory's keys are looked up at once."""
    wanted: BindParameter[str] = bindparam("wanted")
    if kind is SearchKind.ID:
        yield _own(kind, _TENANTS.c.id == wanted)
        yield _own(kind, _TENANTS.c.external_id.in_([bindparam("typed"), wanted]))
    elif kind is SearchKind.SLUG:
        yield _own(kind, _TENANTS.c.slug == wanted)
    elif kind is SearchKind.MEMBER_EMAIL:
        yield select(_KEYS.c.tenant_id, _KEYS.c.kind).where(
            _KEYS.c.kind == kind.value, _KEYS.c.value == bindparam("sealed")
        )
    else:
        keyed = [each for each in kinds if each in _KEYED]
        if kind is keyed[0]:
            is_one = _KEYS.c.kind.in_([_word(each) for each in keyed])
            yield select(_KEYS.c.tenant_id, _KEYS.c.kind).where(is_one, _KEYS.c.value == wanted)


def _own(kind: SearchKind, condition: ColumnElement[bool]) -> _Found:
    return select(_TENANTS.c.id.label("tenant_id"), _word(kind).label("kind")).where(condition)


def _word(kind: SearchKind) -> ColumnClause[str]:
    return literal_column(f"'{kind.value}'", String)


def _called(dialect: str) -> list[_Found]:
    """Return tenants whose name begins with a fragment, and those whose name holds it."""
    rows = select(_TENANTS, _word(SearchKind.NAME).label("kind")).order_by(_TENANTS.c.name_folded, _TENANTS.c.id)
    begins = (_TENANTS.c.name_folded >= bindparam("wanted")) & (_TENANTS.c.name_folded < bindparam("beyond"))
    return [rows.where(condition).limit(bindparam("shown")) for condition in (begins, _holding(dialect))]


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


def _hit(row: Any) -> SearchHit:  # noqa: ANN401  a row of the directory and the kind of key that found it
    return SearchHit(tenant=shown_row(row), matched=SearchKind(row.kind))


_HITS = Kept(_hit)
