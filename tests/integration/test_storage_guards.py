"""Scope by construction: what a session refuses, and what PostgreSQL refuses behind it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from sqlalchemy import (
    Engine,
    Executable,
    Select,
    Update,
    bindparam,
    column,
    delete,
    exists,
    func,
    insert,
    lambda_stmt,
    literal,
    literal_column,
    select,
    table,
    text,
    union_all,
    update,
)
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session, aliased

from console.domain.errors import ScopeError
from console.domain.ids import PlaneId
from console.storage.account_state import ensure_state
from console.storage.directory_tables import DirectoryTenantRow
from console.storage.guards import GuardedSession, Scoped
from console.storage.house import Storage
from console.storage.own_tables import AccountStateRow, NoteRow
from console.storage.prepared import Prepared
from console.storage.reach import OWNED_TABLES
from console.storage.rows import add, done, found, table_of
from console.storage.tenant_tables import AccountRow, FeatureRow, MemberRow
from tests.conftest import NewDatabase
from tests.databases import ENGINES, NOON
from tests.integration.cast import ACME, ZETA, house, move_in, scope


@pytest.fixture(params=ENGINES)
def storage(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Storage]:
    with house(request.param, tmp_path, pg_database) as opened:
        move_in(opened)
        yield opened


@pytest.fixture
def engine(storage: Storage) -> Engine:
    return storage._control.writing


@pytest.fixture
def session(engine: Engine) -> Iterator[GuardedSession]:
    with GuardedSession(engine) as opened:
        yield opened
        opened.rollback()


UNSCOPED: list[Callable[[Session], object]] = [
    lambda session: session.scalars(select(MemberRow)).all(),
    lambda session: session.scalars(select(MemberRow.name)).all(),
    lambda session: session.execute(select(table_of(MemberRow))),
    lambda session: session.execute(text("SELECT * FROM plane_member")),
    lambda session: session.execute(text("SELECT * FROM plane_product_job")),
    lambda session: session.execute(text('SELECT * FROM "PLANE_MEMBER"')),
    lambda session: session.execute(select(func.count()).select_from(select(MemberRow.id).subquery())),
    lambda session: session.execute(select(text("1")).where(select(MemberRow.id).exists())),
    lambda session: session.execute(update(MemberRow).values(name="x")),
    lambda session: session.execute(delete(MemberRow)),
    lambda session: session.execute(insert(NoteRow).values(tenant_id=ACME, id="n", author="a", text="t", at=NOON)),
    lambda session: session.get(AccountRow, ACME),
    lambda session: session.connection().execute(text("SELECT * FROM plane_member")),
    lambda session: session.connection().exec_driver_sql("DELETE FROM plane_note"),
    lambda session: found(session, Prepared(select(table_of(MemberRow)))),
    lambda session: done(session, Prepared(delete(table_of(MemberRow)))),
    lambda session: add(session, NoteRow, {"tenant_id": ACME, "id": "n", "author": "a", "text": "t", "at": NOON}),
    lambda session: cast("GuardedSession", session).scoped(Scoped(select(MemberRow))),
    lambda session: cast("GuardedSession", session).move(Scoped(update(NoteRow).values(text="x"))),
    lambda session: cast("GuardedSession", session).put(NoteRow, id="n", author="a", text="t", at=NOON),
    lambda session: session.bulk_save_objects([]),
    lambda session: session.bulk_insert_mappings(NoteRow, []),
    lambda session: session.bulk_update_mappings(NoteRow, []),
]


def test_nothing_of_a_tenant_is_reached_without_a_scope(session: GuardedSession) -> None:
    for number, reach in enumerate(UNSCOPED):
        with pytest.raises(ScopeError):
            pytest.fail(f"{number} gave {reach(session)!r}")


def test_a_prepared_statement_reads_the_open_tenant_only(session: GuardedSession) -> None:
    session.bind_scope(scope(ACME), now=NOON)
    everybody = session.scoped(Scoped(select(MemberRow)))
    assert {row.tenant_id for row in everybody} == {ACME}
    counted = Scoped(select(func.count()).select_from(select(MemberRow.id).limit(bindparam("most")).subquery()))
    assert session.scoped(counted, most=100)[0][0] == len(everybody)
    with pytest.raises(ScopeError):
        session.scoped(Scoped(select(MemberRow)), scope_tenant=ZETA)


_UNBOUND: list[Select[Any]] = [
    select(FeatureRow),
    select(MemberRow.name).where(text("EXISTS (SELECT 1 FROM plane_note)")),
    select(table_of(MemberRow)),
    select(table_of(MemberRow).alias("other")),
    select(aliased(MemberRow)),
    select(MemberRow, table_of(MemberRow).alias("other").c.email),  # the second mention of a table that is bound once
    select(MemberRow).where(MemberRow.name.in_(select(table_of(MemberRow).alias("other").c.name))),
]


def test_a_prepared_statement_that_does_not_bind_a_table_is_refused(session: GuardedSession) -> None:
    session.bind_scope(scope(ACME), now=NOON)
    for number, statement in enumerate(_UNBOUND):
        with pytest.raises(ScopeError):
            pytest.fail(f"{number} gave {session.scoped(Scoped(statement))!r}")
    assert found(session, Prepared(select(table_of(FeatureRow).c.key))) is not None, "the mark is gone again"
    with pytest.raises(ScopeError):
        found(session, Prepared(select(table_of(MemberRow))))


_REACHING_FARTHER: list[Update] = [
    update(table_of(NoteRow)).values(text="x"),
    update(NoteRow).values(tenant_id=ZETA),
    update(NoteRow).values({NoteRow.id: "other"}),
    update(NoteRow).values(text=select(table_of(MemberRow).alias("other").c.name).limit(1).scalar_subquery()),
    update(FeatureRow).values(name="x"),
]


def test_a_prepared_change_moves_rows_of_the_open_tenant_only(session: GuardedSession, engine: Engine) -> None:
    for tenant in (ACME, ZETA):
        with GuardedSession(engine) as other:
            other.bind_scope(scope(tenant), now=NOON)
            ensure_state(other)
            other.commit()
    session.bind_scope(scope(ACME), now=NOON)
    assert session.move(Scoped(update(AccountStateRow).values(status_because=bindparam("to"))), to="x") == 1
    assert [row.status_because for row in session.scoped(Scoped(select(AccountStateRow)))] == ["x"]
    for number, statement in enumerate(_REACHING_FARTHER):
        with pytest.raises(ScopeError):
            pytest.fail(f"{number} moved {session.move(Scoped(statement))!r}")


def test_a_row_is_put_into_the_open_tenant_only(session: GuardedSession) -> None:
    session.bind_scope(scope(ACME), now=NOON)
    session.put(NoteRow, id="n", author="a", text="t", at=NOON)
    assert [(row.tenant_id, row.id) for row in session.scoped(Scoped(select(NoteRow)))] == [(ACME, "n")]
    with pytest.raises(ScopeError):
        session.put(NoteRow, tenant_id=ZETA, id="m", author="a", text="t", at=NOON)
    with pytest.raises(ScopeError):
        session.put(FeatureRow, key="k")
    with pytest.raises(IntegrityError):
        session.put(NoteRow, id="n", author="a", text="t", at=NOON)
    with pytest.raises(ScopeError):
        found(session, Prepared(select(table_of(NoteRow))))


def test_a_row_is_not_added_without_a_scope(session: GuardedSession) -> None:
    session.add(NoteRow(tenant_id=ACME, id="n", author="a", text="t", at=NOON))
    with pytest.raises(ScopeError):
        session.flush()
    session.expunge_all()


def test_an_engine_refuses_tenant_sql_that_comes_around_the_session(engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(ScopeError):
        connection.execute(select(table_of(MemberRow)))
    with Session(engine) as plain, pytest.raises(ScopeError):
        plain.scalars(select(MemberRow)).all()


SCOPED: list[Select[str]] = [
    select(MemberRow.tenant_id),
    select(aliased(MemberRow).tenant_id),
    select(MemberRow.tenant_id).where((MemberRow.tenant_id == ZETA) | (MemberRow.tenant_id == ACME)),
    select(AccountRow.tenant_id).where(select(MemberRow.id).where(MemberRow.tenant_id == ZETA).exists()),
    select(select(MemberRow.tenant_id).subquery().c.tenant_id),
    union_all(select(MemberRow.tenant_id), select(MemberRow.tenant_id)),  # type: ignore[list-item]
]


def test_every_select_sees_one_tenant(session: GuardedSession) -> None:
    session.bind_scope(scope(ACME), now=NOON)
    for number, statement in enumerate(SCOPED):
        assert set(session.scalars(statement)) <= {ACME}, number


MEMBER = table_of(MemberRow)
BESIDE = MEMBER.alias()
SOMEWHERE = select(MEMBER.c.tenant_id).cte()
DIRECTORY = DirectoryTenantRow
ELSEWHERE = text("id IN (SELECT tenant_id FROM plane_member)")

# Each names a tenant-owned table beside its mapped class, where no criterion would find it.
PAST: dict[str, Executable] = {
    "a table in a subquery": select(DIRECTORY.id).where(DIRECTORY.id.in_(select(MEMBER.c.tenant_id))),
    "an alias of a table": select(DIRECTORY.id).where(DIRECTORY.id.in_(select(BESIDE.c.tenant_id))),
    "a table in a common table expression": select(DIRECTORY.id).join(SOMEWHERE, SOMEWHERE.c.tenant_id == DIRECTORY.id),
    "a table that exists": select(DIRECTORY.id).where(exists().where(MEMBER.c.tenant_id == DIRECTORY.id)),
    "a table that is counted": select(DIRECTORY.id, select(func.count(MEMBER.c.id)).scalar_subquery()),
    "a table that sorts": select(DIRECTORY.id).order_by(select(func.count(MEMBER.c.id)).scalar_subquery()),
    "a table joined on nothing": select(DIRECTORY.id).join(MEMBER, literal(value=True)),
    "a table that is only counted": select(MemberRow.id, select(func.count()).select_from(MEMBER).scalar_subquery()),
    "a table by its name": select(MemberRow.id).join(table("plane_note", column("tenant_id")), literal(value=True)),
    "a union with a table": union_all(select(MemberRow.tenant_id), select(MEMBER.c.tenant_id)),
    "a mapped class over a table": select(aliased(MemberRow, select(MEMBER).subquery()).tenant_id),
    "rows from a table": select(MemberRow).from_statement(select(MEMBER)),
    "rows from text": select(MemberRow).from_statement(text("SELECT * FROM plane_member")),
    "text in a condition": select(DIRECTORY.id).where(ELSEWHERE),
    "text beside a mapped class": select(MemberRow.id).where(text("EXISTS (SELECT 1 FROM plane_note)")),
    "text as a column": select(MemberRow.id, literal_column("(SELECT count(*) FROM plane_note)")),
    "text before the columns": select(MemberRow.id).prefix_with("(SELECT count(*) FROM plane_note),"),
    "an update from a table": update(DIRECTORY).values(name=select(func.max(MEMBER.c.tenant_id)).scalar_subquery()),
    "an update beside a table": update(DIRECTORY).where(DIRECTORY.id == MEMBER.c.tenant_id).values(name="x"),
    "a removal by a table": delete(DIRECTORY).where(DIRECTORY.id.in_(select(MEMBER.c.tenant_id))),
    "an insert from a mapped class": insert(DIRECTORY).from_select(["id"], select(MemberRow.tenant_id)),
    "an insert from a table": insert(DIRECTORY).from_select(["id"], select(MEMBER.c.tenant_id)),
}


@pytest.mark.parametrize("name", PAST)
def test_an_open_scope_does_not_help_past_the_mapped_class(name: str, session: GuardedSession) -> None:
    session.bind_scope(scope(ACME), now=NOON)
    for _again in range(2):  # the second time the shape of the statement is known
        with pytest.raises(ScopeError):
            pytest.fail(f"gave {session.execute(PAST[name])!r}")


def test_two_statements_of_one_shape_are_told_apart_by_what_they_reach(session: GuardedSession) -> None:
    session.execute(select(DIRECTORY.id).where(text("1 = 1")))
    with pytest.raises(ScopeError):
        session.execute(select(DIRECTORY.id).where(ELSEWHERE))
    session.bind_scope(scope(ACME), now=NOON)
    assert set(session.scalars(select(MemberRow.tenant_id))) == {ACME}
    with pytest.raises(ScopeError):
        session.scalars(select(MEMBER.c.tenant_id))
    assert set(session.scalars(lambda_stmt(lambda: select(MemberRow.tenant_id)))) == {ACME}


def test_updates_and_deletes_touch_one_tenant(session: GuardedSession, storage: Storage) -> None:
    for tenant in (ACME, ZETA):
        with storage.store.write() as unit:
            ensure_state(unit.tenant(scope(tenant))._session)
    session.bind_scope(scope(ACME), now=NOON)
    changed = session.execute(
        update(AccountStateRow).values(version=9), execution_options={"synchronize_session": False}
    )
    assert changed.rowcount == 1  # type: ignore[attr-defined]
    session.commit()
    with storage.store.read() as unit:
        assert unit.tenant(scope(ZETA)).account().version == 1


FOREIGN: list[Callable[[Session], object]] = [
    lambda session: session.add(NoteRow(tenant_id=ZETA, id="n", author="a", text="t", at=NOON)),
    lambda session: setattr(session.scalars(select(MemberRow)).first(), "tenant_id", ZETA),
    lambda session: session.merge(NoteRow(tenant_id=ZETA, id="n", author="a", text="t", at=NOON)),
]


def test_no_row_of_another_tenant_is_written(session: GuardedSession) -> None:
    session.bind_scope(scope(ACME), now=NOON)
    for change in FOREIGN:
        change(session)
        with pytest.raises(ScopeError):
            session.flush()
        session.expunge_all()


def test_a_scoped_session_refuses_core_and_text(session: GuardedSession) -> None:
    session.bind_scope(scope(ACME), now=NOON)
    for reach in (select(table_of(MemberRow)), text("SELECT * FROM plane_member")):
        with pytest.raises(ScopeError):
            session.execute(reach)


def test_a_unit_opens_one_scope(storage: Storage) -> None:
    with storage.store.read() as unit:
        unit.tenant(scope(ACME))
        unit.tenant(scope(ACME))
        with pytest.raises(ScopeError):
            unit.tenant(scope(ZETA))
        with pytest.raises(ScopeError):
            unit.tenant(scope(ACME, hours=2))


def test_a_scope_is_refused_when_expired_or_of_another_plane(storage: Storage) -> None:
    with storage.store.read() as unit:
        with pytest.raises(ScopeError):
            unit.tenant(scope(ACME, hours=0))
        with pytest.raises(ScopeError):
            unit.tenant(scope(ACME, plane=PlaneId("elsewhere")))
    for opener in (storage.planes.read, storage.planes.write):
        with pytest.raises(ScopeError), opener(scope(ACME)):
            pass


def test_the_guard_knows_every_table_with_a_tenant() -> None:
    assert {"plane_member", "plane_product_job"} <= OWNED_TABLES
    assert "plane_plan" not in OWNED_TABLES
    assert len(OWNED_TABLES) == 31


@pytest.fixture
def app(tmp_path: Path, pg_database: NewDatabase) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Give a bare connection in the application's role: what an attacker with SQL has."""
    with house("postgresql", tmp_path, pg_database) as storage:
        move_in(storage)
        url = storage._settings.database_url.replace("+psycopg", "")
        with psycopg.connect(url, options="-c role=sallyport_app") as connection:
            yield connection
            connection.rollback()


def test_postgresql_shows_no_row_without_a_tenant(app: psycopg.Connection[tuple[object]]) -> None:
    for name in sorted(OWNED_TABLES):
        forced = app.execute("SELECT relforcerowsecurity FROM pg_class WHERE relname = %s", [name])
        assert forced.fetchall() == [(True,)], name
        assert app.execute(f"SELECT count(*) FROM {name}".encode()).fetchone() == (0,), name


def test_postgresql_shows_and_takes_rows_of_the_named_tenant_only(app: psycopg.Connection[tuple[object]]) -> None:
    app.execute("SELECT set_config('app.tenant', %s, true)", [ACME])
    assert app.execute("SELECT DISTINCT tenant_id FROM plane_member").fetchall() == [(ACME,)]
    note = "INSERT INTO plane_note (tenant_id, id, author, text, at) VALUES (%s, 'n', 'a', 't', 0)"
    app.execute(note, [ACME])
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        app.execute(note, [ZETA])


BEYOND_ITS_RIGHTS = (
    "UPDATE plane_member SET name = 'x'",
    "UPDATE plane_product_job SET state = 'queued'",
    "DELETE FROM plane_note",
    "INSERT INTO directory_tenant (id) VALUES ('x')",
    "SELECT * FROM directory_key",
    "ALTER TABLE plane_member DISABLE ROW LEVEL SECURITY",
    "UPDATE lease SET tenant = 'x'",
    "DELETE FROM staff",
)


def test_postgresql_gives_the_application_least_rights(app: psycopg.Connection[tuple[object]]) -> None:
    for reach in BEYOND_ITS_RIGHTS:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute(reach.encode())
        app.rollback()


def test_the_fleet_sees_the_directory_only(storage: Storage) -> None:
    fleet = storage._databases[1].reading
    with fleet.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM directory_tenant")).scalar() == 2
    for reach in ("SELECT * FROM staff", "SELECT * FROM audit_event", "UPDATE directory_tenant SET name = 'x'"):
        with fleet.connect() as connection, pytest.raises(DBAPIError, match=r"denied|not authorized|prohibited"):
            connection.execute(text(reach))
    with fleet.connect() as connection, pytest.raises(ScopeError):
        connection.execute(text("SELECT * FROM plane_member"))


def test_a_scope_ends_with_its_transaction(tmp_path: Path, pg_database: NewDatabase) -> None:
    with house("postgresql", tmp_path, pg_database) as storage:
        move_in(storage)
        for tenant in (ACME, ZETA, ACME):
            with storage.store.write() as unit:
                unit.tenant(scope(tenant)).account()
        with storage._control.writing.connect() as connection:
            assert connection.execute(text("SELECT current_setting('app.tenant', true)")).scalar() in {"", None}
