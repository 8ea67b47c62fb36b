"""Search over the directory, on a connection that can read nothing else."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, func, literal, select, text
from sqlalchemy.orm import Session

from console.domain.search_terms import SearchTerms, folded
from console.domain.tenancy import SearchHit, SearchKind
from console.ports.secrets import Fingerprints
from console.storage.directory import shown_row
from console.storage.directory_tables import DirectoryKeyRow, DirectoryTenantRow
from console.storage.engines import Database
from console.storage.faults import translated

MOST_FRAGMENT_HITS = 2_000
_LAST = "\U0010ffff"
_Found = Select[DirectoryTenantRow]


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
        with translated("directory"), self._database.turn(writing=False) as engine, Session(engine) as session:
            for kind in terms.kinds:
                for statement in statements(kind, self._value(kind, wanted), limit=limit, dialect=engine.dialect.name):
                    if len(hits) >= limit or not wanted:
                        break
                    for row in session.scalars(statement):
                        hits.setdefault(row.id, SearchHit(tenant=shown_row(row), matched=kind))
            session.rollback()
        return list(hits.values())[:limit]

    def _value(self, kind: SearchKind, wanted: str) -> str:
        return self._fingerprints.of(wanted) if kind is SearchKind.MEMBER_EMAIL else wanted


def statements(kind: SearchKind, value: str, *, limit: int, dialect: str) -> list[_Found]:
    """Return the statements that find tenants by one kind of key, best first."""
    rows = select(DirectoryTenantRow).order_by(DirectoryTenantRow.name_folded, DirectoryTenantRow.id).limit(limit)
    match kind:
        case SearchKind.ID:
            return [rows.where(DirectoryTenantRow.id == value)]
        case SearchKind.SLUG:
            return [rows.where(DirectoryTenantRow.slug == value)]
        case SearchKind.NAME:
            is_prefix = (DirectoryTenantRow.name_folded >= value) & (DirectoryTenantRow.name_folded < value + _LAST)
            return [rows.where(is_prefix), rows.where(_holding(value, dialect))]
        case (
            SearchKind.DOMAIN | SearchKind.MEMBER_EMAIL | SearchKind.INVOICE | SearchKind.CUSTOMER | SearchKind.MESSAGE
        ):
            keyed = select(DirectoryKeyRow.tenant_id).where(
                DirectoryKeyRow.kind == kind.value, DirectoryKeyRow.value == value
            )
            return [rows.where(DirectoryTenantRow.id.in_(keyed))]


def _holding(fragment: str, dialect: str) -> ColumnElement[bool]:
    """Return the condition "the name holds this fragment", so that the fragment index must serve it."""
    if dialect == "sqlite":
        quoted = '"' + fragment.replace('"', '""') + '"'
        found = text("SELECT rowid FROM directory_name WHERE directory_name MATCH :fragment LIMIT :most").bindparams(
            fragment=quoted, most=MOST_FRAGMENT_HITS
        )
        return DirectoryTenantRow.ordinal.in_(found.columns(DirectoryTenantRow.ordinal).scalar_subquery())
    grams = func.sallyport_grams(DirectoryTenantRow.name_folded).op("@>")(func.sallyport_grams(literal(fragment)))
    some = (
        select(DirectoryTenantRow.ordinal)
        .where(grams, DirectoryTenantRow.name_folded.contains(fragment, autoescape=True))
        .limit(MOST_FRAGMENT_HITS)
        .cte("holding")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    return DirectoryTenantRow.ordinal.in_(select(some.c.ordinal))
