"""The two ways to write many rows of a tenant at once, and what the fleet may know of webhooks."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from console.domain.errors import ScopeError
from console.domain.ids import PlaneId
from console.storage.guards import ACROSS_TENANTS, GuardedSession
from console.storage.house import Storage
from console.storage.own_tables import NoteRow
from console.storage.shape import PLANE_HEADS
from console.storage.tenant_tables import PlanRow
from console.storage.webhook_rows import delivery_row
from console.storage.webhook_tables import DeliveryRow
from tests.conftest import NewDatabase
from tests.databases import ENGINES, NOON, opened_storage, sqlite_url
from tests.integration.cast import ACME, CATALOGUE_RECORDS, ZETA, house, move_in, scope, tenant_records
from tests.integration.stage import rows
from tests.integration.webhook_cast import delivery, fill


@pytest.fixture(params=ENGINES)
def storage(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Storage]:
    with house(request.param, tmp_path, pg_database) as opened:
        move_in(opened)
        for tenant in (ACME, ZETA):
            with opened.store.write() as unit:
                fill(unit.tenant(scope(tenant)).webhooks, [delivery(1)])
        yield opened


@pytest.fixture
def session(storage: Storage) -> Iterator[GuardedSession]:
    with GuardedSession(storage._control.writing) as opened:
        yield opened
        opened.rollback()


NEW = delivery_row(delivery(7))
MOVED = {"id": delivery(1).id, "reason": "x"}
WRITES: dict[str, Callable[[GuardedSession, dict[str, Any]], None]] = {
    "add": lambda session, more: session.add_rows(DeliveryRow, [NEW | more]),
    "change": lambda session, more: session.change_rows(DeliveryRow, [MOVED | more]),
}


@pytest.mark.parametrize("write", WRITES)
def test_many_rows_are_written_in_the_open_tenant_only(session: GuardedSession, write: str) -> None:
    with pytest.raises(ScopeError):
        WRITES[write](session, {})
    session.bind_scope(scope(ACME), now=NOON)
    with pytest.raises(ScopeError):
        WRITES[write](session, {"tenant_id": ZETA})
    WRITES[write](session, {})
    WRITES[write](session, {"id": "whd_other"} if write == "add" else {"tenant_id": ACME})


def test_a_change_by_id_leaves_the_same_id_of_another_tenant_alone(storage: Storage) -> None:
    with GuardedSession(storage._control.writing) as session:
        session.bind_scope(scope(ACME), now=NOON)
        session.change_rows(DeliveryRow, [{"id": delivery(1).id, "reason": "mine", "version": 9}])
        session.commit()
    found = rows(
        storage._settings.database_url,
        "SELECT tenant_id, reason FROM plane_webhook_delivery WHERE id = ? AND reason IS NOT NULL", delivery(1).id,
    )  # fmt: skip
    assert found == [(ACME, "mine")]


def test_rows_without_a_tenant_are_not_written_this_way(session: GuardedSession) -> None:
    session.bind_scope(scope(ACME), now=NOON)
    for write in (session.add_rows, session.change_rows):
        with pytest.raises(ScopeError):
            write(PlanRow, [{"id": "x", "key": "x", "name": "X"}])
        write(NoteRow, [])


def test_the_tenant_of_a_row_never_moves(session: GuardedSession) -> None:
    session.bind_scope(scope(ACME), now=NOON)
    with pytest.raises(ScopeError):
        session.change_rows(DeliveryRow, [MOVED, MOVED | {"tenant_id": ZETA}])


SHOWN = (
    "SELECT tenant_id, endpoint, due_at FROM plane_webhook_delivery",
    "SELECT tenant_id, id, state, claimed_until, breaker_until FROM plane_webhook_endpoint",
    "SELECT tenant_id, created_at, fanned_at, kept_until FROM plane_webhook_message",
)
HIDDEN = (
    "SELECT url FROM plane_webhook_endpoint",
    "SELECT * FROM plane_webhook_endpoint",
    "SELECT id FROM plane_webhook_delivery",
    "SELECT message FROM plane_webhook_delivery",
    "SELECT state FROM plane_webhook_delivery",
    "SELECT payload FROM plane_webhook_message",
    "SELECT id FROM plane_webhook_message",
    "SELECT event_type FROM plane_webhook_message",
    "SELECT sealed FROM plane_webhook_key",
    "SELECT tenant_id FROM plane_webhook_key",
    "SELECT tenant_id FROM plane_webhook_attempt",
    "SELECT tenant_id FROM plane_webhook_run",
    "SELECT tenant_id FROM plane_webhook_run_item",
    "SELECT tokens FROM plane_webhook_bucket",
    "SELECT tenant_id FROM plane_member",
    "UPDATE plane_webhook_delivery SET due_at = 1",
    "UPDATE plane_webhook_endpoint SET claimed_until = NULL",
    "DELETE FROM plane_webhook_delivery",
    "SELECT payload FROM job",
    "SELECT payload FROM inbound_event",
)


def fleet_of(storage: Storage) -> Engine:
    """Return the fleet's engine with the house's own guard lifted, so that only the database stands in the way."""
    return storage._databases[1].reading.execution_options(**{ACROSS_TENANTS: True})


def test_the_fleet_reads_ids_and_times_of_every_tenant(storage: Storage) -> None:
    with fleet_of(storage).connect() as raw:
        for sql in SHOWN:
            assert {row[0] for row in raw.execute(text(sql))} == {ACME, ZETA}


@pytest.mark.parametrize("sql", HIDDEN)
def test_the_database_itself_refuses_the_fleet_anything_more(storage: Storage, sql: str) -> None:
    with fleet_of(storage).connect() as raw, pytest.raises(DBAPIError, match=r"denied|not authorized|prohibited"):
        raw.execute(text(sql))


def test_planes_elsewhere_are_asked_too_and_a_silent_one_is_left_out(tmp_path: Path) -> None:
    far = tmp_path / "far.db"
    planes = {PlaneId("far"): sqlite_url(far, heads=PLANE_HEADS)}
    with opened_storage(sqlite_url(tmp_path / "control.db"), planes=planes) as storage:
        with storage.bulk.write() as unit:
            unit.put([*CATALOGUE_RECORDS, *tenant_records("acme"), *tenant_records("zeta", plane="far")])
        with storage.store.write() as unit:
            fill(unit.tenant(scope(ACME)).webhooks, [delivery(1)])
        with storage.planes.write(scope(ZETA, plane=PlaneId("far"))) as plane:
            fill(plane.webhooks, [delivery(1)])
        found = storage.webhook_fleet.due(NOON, limit=9)
        assert {(due.plane, due.tenant) for due in found} == {("shared", ACME), ("far", ZETA)}
        far.unlink()
        far.mkdir()
        for database in storage._databases:
            database.close()
        assert {due.plane for due in storage.webhook_fleet.due(NOON, limit=9)} == {"shared"}
        assert storage.webhook_fleet.unfanned(limit=9) == [("shared", ACME)]
