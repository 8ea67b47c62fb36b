"""Five ways to keep two tenants, Acme and Zeta, on a plane; the contract tests run on each."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import psycopg

from console.domain.entries import SYSTEM_ACTOR, EntryDraft
from console.domain.ids import SHARED_PLANE, MemberId, PlaneId, TenantId
from console.domain.imports import DeliveryRecord, TenantRecord, WebhookEndpointRecord, member_id_of, tenant_id_of
from console.domain.product_jobs import ProductJobRecord
from console.ports.planes import TenantPlane
from console.storage.engines import parsed_url
from console.storage.house import Storage
from tests.databases import NOON, HandClock, empty_url, opened_storage, plane_url
from tests.integration.cast import move_in, scope, tenant_records

KINDS = ("sqlite-shared", "sqlite-other-file", "postgres-shared", "postgres-other-database", "postgres-views")
OTHER = PlaneId("product")
DOCS = Path(__file__).parents[2] / "docs" / "planes.md"


@dataclass
class PlaneHouse:
    """An open house, the plane that its two tenants live on, and how their rows are named there."""

    storage: Storage
    plane: PlaneId
    acme: TenantId
    zeta: TenantId
    first_member: MemberId
    add_on_id: str

    def write(self, tenant: TenantId, *, hours: float = 1) -> AbstractContextManager[TenantPlane]:
        """Open a tenant for writing, wherever it lives."""
        wanted = scope(tenant, plane=self.plane, hours=hours)
        return self.storage.planes.write(wanted) if self.plane == OTHER else self._shared(wanted)

    def forget_what_was_written(self) -> None:
        """Empty the tables that Sallyport itself writes, as their owner."""
        settings = self.storage._settings
        url = settings.planes.get(self.plane, settings.database_url)
        own = ("account_state", "entitlement_override", "note", "applied_execution")
        tables = (*own, "billing_object", "billing_customer")
        if url.startswith("sqlite"):
            with closing(sqlite3.connect(str(parsed_url(url).database))) as raw, raw:
                for table in tables:
                    raw.execute(f"DELETE FROM plane_{table}")
            return
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            for table in tables:
                connection.execute(f"TRUNCATE plane_{table}".encode())

    @contextmanager
    def _shared(self, wanted: object) -> Iterator[TenantPlane]:
        with self.storage.store.write() as unit:
            yield unit.tenant(wanted)  # type: ignore[arg-type]


@contextmanager
def plane_house(
    kind: str, path: Path, create: Callable[..., str], *, clock: HandClock | None = None
) -> Iterator[PlaneHouse]:
    """Open a house with Acme and Zeta on a plane of the kind named."""
    engine = kind.partition("-")[0]
    url = empty_url(engine, path / "control.db", create)
    planes, plane = {}, SHARED_PLANE
    if not kind.endswith("-shared"):
        plane = OTHER
        planes[OTHER] = plane_url("sqlite" if engine == "sqlite" else "postgresql", path / "plane.db", create)
    if kind == "postgres-views":
        build_shop(planes[OTHER])
    with opened_storage(url, planes=planes, clock=clock) as storage:
        if kind == "postgres-views":
            _register_shop(storage)
            yield PlaneHouse(storage, plane, tenant_id_of("1"), tenant_id_of("2"), MemberId("10"), "1")
        else:
            move_in(storage, plane=plane)
            with storage.bulk.write() as unit:
                unit.put([job for name in ("acme", "zeta") for job in job_records(name)])
                unit.trail.emit(EntryDraft(action="directory.imported", actor=SYSTEM_ACTOR), at=NOON)
            first = min(member_id_of("acme", f"m{number}") for number in range(4))
            yield PlaneHouse(storage, plane, tenant_id_of("acme"), tenant_id_of("zeta"), first, "crew-1")


def job_records(name: str) -> list[ProductJobRecord]:
    """Return five jobs of a tenant: two of one moment, one failed, one running and one queued."""
    states = ("succeeded", "succeeded", "failed", "running", "queued")
    return [
        ProductJobRecord(
            tenant=name, external_id=f"{name}-{number}", job="export", state=state, attempts=number,
            created_at=NOON - timedelta(hours=5 - max(number, 1)), run_at=NOON - timedelta(hours=1),
            finished_at=NOON if number < 3 else None, last_error=f"{name} is full" if state == "failed" else None,
        )
        for number, state in enumerate(states)
    ]  # fmt: skip


def sql_of_docs() -> list[str]:
    """Return the SQL blocks of docs/planes.md: the product's schema, and the views over it."""
    return re.findall(r"```sql\n(.*?)```", DOCS.read_text(), re.DOTALL)


def build_shop(url: str) -> None:
    """Build the product of another shape, its rows, and the documented views."""
    schema, views = sql_of_docs()
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        for statement in (schema, _ROWS, views):
            connection.execute(statement)


def _register_shop(storage: Storage) -> None:
    """Import the directory and what was sent, as an operator of a plane with views does."""
    with storage.bulk.write() as unit:
        for external, name in (("1", "acme"), ("2", "zeta")):
            first = next(record for record in tenant_records(name) if isinstance(record, TenantRecord))
            values = {name: getattr(first, name) for name in first.__slots__}
            unit.put([TenantRecord(**{**values, "external_id": external, "plane": OTHER})])
            hooks = [each for each in tenant_records(name) if isinstance(each, WebhookEndpointRecord | DeliveryRecord)]
            unit.put([replace(each, tenant=external) for each in hooks])
        unit.trail.emit(EntryDraft(action="directory.imported", actor=SYSTEM_ACTOR), at=NOON)


_ROWS = """
INSERT INTO shop.company
  SELECT id, initcap(name) || ' Größe Ltd', 1, 'DE', '2026-08-13 12:00+00'
  FROM (VALUES (1, 'acme'), (2, 'zeta')) AS known(id, name);
INSERT INTO shop.people
  SELECT company.id * 10 + number, company.id, 'Member ' || number,
    'M' || number || '@' || CASE company.id WHEN 1 THEN 'acme' ELSE 'zeta' END || '.example',
    CASE number WHEN 0 THEN '+49 30 1234' END, number = 0, number = 3,
    timestamptz '2026-10-02 12:00+00' + number * interval '1 day', NULL
  FROM shop.company, generate_series(0, 3) AS number;
INSERT INTO shop.tariff VALUES (7, 'pro', 'Pro');
INSERT INTO shop.capability VALUES ('seats', 'Seats', false, 'seats', 5.00), ('sso', 'Single sign-on', true, '', 0);
INSERT INTO shop.tariff_capability VALUES (7, 'seats', 5);
INSERT INTO shop.contract
  SELECT id, 7, 'active', CASE id WHEN 1 THEN 'cus_acme1' ELSE 'cus_zeta1' END, 4, 99.00, 'EUR',
    '2026-08-23 12:00+00', '2026-11-30 12:00+00', '2026-11-21 11:00+00' FROM shop.company;
INSERT INTO shop.pack VALUES (3, 'Crew pack', 'seats', 10);
INSERT INTO shop.company_pack SELECT id, id, 3, 2, '2026-11-12 12:00+00' FROM shop.company;
INSERT INTO shop.bill
  SELECT 'INV-' || CASE company.id WHEN 1 THEN 'acme-' ELSE 'zeta-' END || number, company.id, false, 99.00,
    date '2026-11-21' - 30 * number, date '2026-11-21' - 30 * number + 14, NULL, '2026-11-21 11:00+00'
  FROM shop.company, generate_series(1, 2) AS number;
INSERT INTO shop.task
  SELECT company.id * 10 + number, company.id, 'export',
    (ARRAY['ok', 'ok', 'broken', 'busy', 'waiting'])[number + 1], number,
    timestamptz '2026-11-21 12:00+00' - (5 - greatest(number, 1)) * interval '1 hour', '2026-11-21 11:00+00',
    CASE WHEN number < 3 THEN timestamptz '2026-11-21 12:00+00' END,
    CASE number WHEN 2 THEN CASE company.id WHEN 1 THEN 'acme' ELSE 'zeta' END || ' is full' END
  FROM shop.company, generate_series(0, 4) AS number;
"""
