"""Models and migrations agree, on both databases, and the way back works."""

from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, create_engine, inspect
from sqlalchemy.pool import NullPool
from sqlalchemy.types import TypeEngine

from console.domain.errors import OutsideError
from console.storage import (
    control_tables,
    directory_tables,
    job_tables,
    own_tables,
    reconciliation_tables,
    request_tables,
    tenant_tables,
    trail_tables,
    webhook_tables,
)
from console.storage.bases import ControlBase, PlaneBase
from console.storage.house import StorageSettings, open_store
from console.storage.shape import CONTROL_HEADS, PLANE_HEADS, VERSION_TABLE, newest
from console.storage.upgrades import migrations_config, upgrade_database
from tests.conftest import NewDatabase
from tests.databases import ENGINES, CountedIds, HandClock, TestFingerprints, empty_url, plane_url

MODELS = (
    control_tables,
    directory_tables,
    job_tables,
    own_tables,
    reconciliation_tables,
    request_tables,
    tenant_tables,
    trail_tables,
    webhook_tables,
)
# Made by hand, because no model can say them: the name index and what belongs to it, and PostgreSQL's transaction ids.
BY_HAND = {"ix_audit_event_xid", "ix_directory_tenant_grams", "xid"}

_SHAPE = {
    "sqlite": ("SELECT type, name, tbl_name, sql FROM sqlite_master",),
    "postgresql": (
        "SELECT attrelid::regclass::text, attname, atttypid::regtype::text, attnotnull FROM pg_attribute",
        "SELECT adrelid::regclass::text, adnum, pg_get_expr(adbin, adrelid) FROM pg_attrdef",
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint",
        "SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
        "SELECT tablename, policyname, cmd, qual, with_check FROM pg_policies",
        "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'",
        "SELECT oid::regclass::text, relrowsecurity, relforcerowsecurity, relacl FROM pg_class WHERE relkind = 'r'",
    ),
}


def is_modelled(thing: object, name: str | None, kind: str, *_rest: object) -> bool:
    if kind == "table":
        return not str(name).startswith(("directory_name", VERSION_TABLE))
    return name not in BY_HAND


def is_other_type(
    context: MigrationContext,
    _found: object,
    _wanted: object,
    found_type: TypeEngine[Any],
    wanted_type: TypeEngine[Any],
) -> bool:
    """Compare as DDL: custom types differ from what they are stored as only in Python."""
    return found_type.compile(context.dialect) != wanted_type.compile(context.dialect)


def differences(connection: Connection, *bases: MetaData) -> list[Any]:
    context = MigrationContext.configure(
        connection,
        opts={
            "compare_type": is_other_type,
            "compare_server_default": False,
            "include_object": is_modelled,
            "version_table": VERSION_TABLE,
        },
    )
    return list(compare_metadata(context, list(bases)))  # type: ignore[arg-type]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.filterwarnings("ignore:Did not recognize type 'xid8'")
@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
def test_models_and_migrations_agree(engine: str, tmp_path: Path, pg_database: NewDatabase) -> None:
    url = empty_url(engine, tmp_path / "c.db", pg_database)
    planes = plane_url(engine, tmp_path / "p.db", pg_database)
    for address, bases in ((url, (ControlBase.metadata, PlaneBase.metadata)), (planes, (PlaneBase.metadata,))):
        with create_engine(address, poolclass=NullPool).connect() as connection:
            assert differences(connection, *bases) == []


@pytest.mark.parametrize("engine", ENGINES)
def test_no_foreign_key_leads_to_the_trail_or_out_of_it(engine: str, tmp_path: Path, pg_database: NewDatabase) -> None:
    """What an entry tells of may be gone, and what it tells must not hold anything back."""
    url = empty_url(engine, tmp_path / "c.db", pg_database)
    with create_engine(url, poolclass=NullPool).connect() as connection:
        reader = inspect(connection)
        tables = reader.get_table_names()
        keys = {(name, key["referred_table"]) for name in tables for key in reader.get_foreign_keys(name)}
    trail = {name for name in tables if name.startswith("audit_")}
    assert {"audit_event", "audit_seq", "audit_checkpoint", "audit_frontier"} <= trail
    assert keys, "the rule is able to find one"
    assert not [pair for pair in keys if trail & set(pair)]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_way_back_leaves_nothing(engine: str, tmp_path: Path, pg_database: NewDatabase) -> None:
    url = empty_url(engine, tmp_path / "c.db", pg_database)
    with create_engine(url, poolclass=NullPool).begin() as connection:
        command.downgrade(migrations_config(connection), "control@base")
        command.downgrade(migrations_config(connection), "plane@base")
        assert set(inspect(connection).get_table_names()) <= {VERSION_TABLE, "sqlite_sequence"}


@pytest.mark.parametrize("heads", [CONTROL_HEADS, PLANE_HEADS])
def test_the_newest_revisions_are_those_that_alembic_knows(heads: tuple[str, ...]) -> None:
    script = ScriptDirectory.from_config(migrations_config())
    assert newest(heads) == {revision.revision for head in heads for revision in script.get_revisions(head)}


def shape_of(url: str) -> list[str]:
    """Return everything that a database says of its own shape, and the revisions that it is at."""
    with create_engine(url, poolclass=NullPool).connect() as connection:
        asked = (*_SHAPE[connection.dialect.name], f"SELECT version_num FROM {VERSION_TABLE}")
        return sorted(repr(tuple(row)) for question in asked for row in connection.exec_driver_sql(question))


@pytest.mark.parametrize("engine", ENGINES)
def test_upgrading_twice_changes_nothing(engine: str, tmp_path: Path, pg_database: NewDatabase) -> None:
    url = empty_url(engine, tmp_path / "c.db", pg_database)
    before = shape_of(url)
    told = "".join(before)
    assert not [word for word in ("audit_event", "TRIGGER", "INDEX", *newest(PLANE_HEADS)) if word not in told]
    for heads in (CONTROL_HEADS, PLANE_HEADS):
        upgrade_database(url, heads=heads)
    assert shape_of(url) == before


@pytest.mark.checklist("V6.3.2")
@pytest.mark.parametrize("engine", ENGINES)
def test_a_fresh_database_knows_nobody(engine: str, tmp_path: Path, pg_database: NewDatabase) -> None:
    """No account, no token and no key comes with the tables: whoever is in them was added by somebody."""
    url = empty_url(engine, tmp_path / "c.db", pg_database)
    with create_engine(url, poolclass=NullPool).connect() as connection:
        tables = {name for name in inspect(connection).get_table_names() if not name.startswith("directory_name")}
        held = {name for name in tables if connection.exec_driver_sql(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone()}
    assert {"staff", "staff_session", "customer_token"} <= tables
    assert held == {VERSION_TABLE, "audit_frontier", "signal_watch"}, "where counting begins, and nothing else"


def test_a_database_without_our_shape_is_refused(tmp_path: Path) -> None:
    storage = open_store(
        StorageSettings(
            database_url=f"sqlite:///{tmp_path / 'empty.db'}",
            clock=HandClock(),
            ids=CountedIds(),
            fingerprints=TestFingerprints(),
        )
    )
    with pytest.raises(OutsideError) as caught:
        storage.check()
    assert caught.value.permanent
    storage.upgrade()
    storage.check()
    storage.close()
