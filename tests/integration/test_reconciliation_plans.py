"""Every query of reconciliation has an index that serves it: EXPLAIN on both databases, over rows enough to matter."""

import os
import sqlite3
from collections.abc import Callable, Iterator

import psycopg
import pytest

from console.domain.billing.objects import ObjectKind
from console.domain.ids import StaffId, TenantId
from console.domain.reconciling.findings import FindingId, FindingState, ReconciliationId
from console.domain.reconciling.runs import FLEET
from console.ports.reconciliation import FindingFilter
from console.ports.store import ControlUnit
from console.storage.engines import parsed_url
from console.storage.house import Storage
from tests.databases import ENGINES, NOON, opened_storage, postgres_url, sqlite_url
from tests.integration import plan_watch
from tests.integration.plan_watch import watched
from tests.postgres import create_database, drop_database

MANY = 20_000
LARGE = ("finding", "reconciliation", "reconciliation_object", "reconciliation_sighting", "inbound_event")
RUN, TENANT = ReconciliationId("rcn_1"), TenantId("ten_7")
STATE = (
    "CASE WHEN n % 20 > 2 THEN 'resolved' WHEN n % 20 = 0 THEN 'waived' WHEN n % 20 = 1 THEN 'open' "
    "ELSE 'in_progress' END"
)
FILLING = {
    "finding": "(id, kind, tenant, objects, differs, ours, theirs, at_risk_minor, currency, direction, params, "
    "evidence, state, version, first_seen_at, last_seen_at, first_run, last_run, times_reopened, owner, waived_until) "
    f"SELECT 'fnd_' || n, 'k' || (n % 83), 'ten_' || (n % 997), '[]', '', '', '', 1, 'C' || (n % 9), 'nobody', '{{}}', "
    f"'{{}}', {STATE}, 1, n, n, 'rcn_0', 'rcn_' || (n % 50), 0, "
    "CASE WHEN n % 20 = 2 THEN 'stf_' || (n % 30) END, CASE WHEN n % 20 = 0 THEN n * 1000 END",
    "reconciliation": "(id, scope, tenant, state, version, queued_at, rules_version, tenants_total, counts, found, "
    "cursor) SELECT 'rcn_' || n, CASE WHEN n % 3 = 0 THEN 'fleet' ELSE 'ten_' || (n % 997) END, "
    "CASE WHEN n % 3 = 0 THEN NULL ELSE 'ten_' || (n % 997) END, 'done', 1, n, 'r', 1, '{}', '{}', '{}'",
    "reconciliation_object": "(run, kind, id, customer, parent, digest, is_deleted) SELECT 'rcn_' || (n % 5), "
    "CASE n % 3 WHEN 0 THEN 'invoice' WHEN 1 THEN 'customer' ELSE 'balance_transaction' END, 'o' || n, "
    "'cus_' || (n % 997), 'po_' || (n % 90), 'd', false",
    "reconciliation_sighting": "(run, finding, kind, tenant, objects, digest, how) SELECT 'rcn_' || (n % 50), "
    "'fnd_' || n, 'k', 'ten_' || (n % 997), '[]', 'd', 'seen'",
    "inbound_event": "(id, provider, account, is_live, event_id, event_type, customer, made_at, received_at, payload, "
    "is_fetched, state, attempts, version) SELECT 'inb_' || n, 'p', '', true, 'e' || n, 't', 'cus_' || (n % 997), n, "
    "n, {bytes}, false, CASE WHEN n % 50 = 0 THEN 'received' ELSE 'processed' END, 0, 1",
}  # fmt: skip
READS: dict[str, Callable[[ControlUnit], object]] = {
    "run": lambda unit: unit.runs.get(RUN),
    "open run": lambda unit: unit.runs.open_of(FLEET),
    "last run": lambda unit: unit.runs.last_done(TENANT),
    "runs": lambda unit: unit.runs.page(tenant=None, before=RUN, limit=50),
    "runs of a tenant": lambda unit: unit.runs.page(tenant=TENANT, before=None, limit=50),
    "staged of customers": lambda unit: unit.staging.of_customers(RUN, ["cus_7", "cus_8"]),
    "staged": lambda unit: unit.staging.page(RUN, ObjectKind.CUSTOMER, after="o1", limit=50),
    "staged children": lambda unit: unit.staging.children(
        RUN, ObjectKind.BALANCE_TRANSACTION, "po_7", after="", limit=50
    ),
    "strays": lambda unit: unit.staging.strays(RUN, limit=50),
    "sightings": lambda unit: unit.sightings.of_tenant(RUN, TENANT),
    "sightings of the account": lambda unit: unit.sightings.of_tenant(RUN, None),
    "finding": lambda unit: unit.findings.get(FindingId("fnd_7")),
    "findings by id": lambda unit: unit.findings.many([FindingId("fnd_7"), FindingId("fnd_8")]),
    "queue": lambda unit: unit.findings.page(FindingFilter(), after=None, limit=50),
    "queue further": lambda unit: unit.findings.page(FindingFilter(), after=FindingId("fnd_700"), limit=50),
    "queue of a state": lambda unit: unit.findings.page(FindingFilter(state=FindingState.OPEN), after=None, limit=50),
    "queue of a kind": lambda unit: unit.findings.page(FindingFilter(kind="k7"), after=FindingId("fnd_700"), limit=50),
    "queue of an owner": lambda unit: unit.findings.page(FindingFilter(owner=StaffId("stf_2")), after=None, limit=50),
    "queue of a tenant": lambda unit: unit.findings.page(FindingFilter(tenant=TENANT), after=None, limit=50),
    "queue of a currency": lambda unit: unit.findings.page(FindingFilter(currency="C7"), after=None, limit=50),
    "queue of old ones": lambda unit: unit.findings.page(FindingFilter(before=NOON), after=None, limit=50),
    "unseen": lambda unit: unit.findings.unseen(RUN, before=NOON, tenant=None, after=None, limit=50),
    "unseen of a tenant": lambda unit: unit.findings.unseen(RUN, before=NOON, tenant=TENANT, after=None, limit=50),
    "lapsed": lambda unit: unit.findings.lapsed(NOON, limit=50),
    "healable": lambda unit: unit.findings.healable(RUN, ["k1", "k2"], after=None, limit=1),
    "count of healable": lambda unit: unit.findings.count_healable(RUN, ["k1", "k2"]),
    "totals": lambda unit: unit.findings.totals(["k1", "k2", "k3"]),
    "standing": lambda unit: unit.findings.standing(["k1", "k2"], most=99),
    "my findings": lambda unit: unit.findings.count(owner=StaffId("stf_2"), states=[FindingState.IN_PROGRESS], most=99),
    "nobody's findings": lambda unit: unit.findings.count(owner=None, states=[FindingState.OPEN], most=99),
    "waiting events": lambda unit: unit.inbox.waiting_of(["cus_7", "cus_8"]),
    "newest event": lambda unit: unit.inbox.newest(),
    "oldest waiting event": lambda unit: unit.inbox.oldest_waiting(),
}


def fill(url: str) -> None:
    """Put many rows into every large table, and tell the planner."""
    if url.startswith("sqlite"):
        raw = sqlite3.connect(str(parsed_url(url).database))
        numbers = f"WITH RECURSIVE r(n) AS (SELECT 100 UNION ALL SELECT n + 1 FROM r WHERE n < {MANY}) "
        for table, row in FILLING.items():
            columns, select = row.replace("{bytes}", "x'7b7d'").split(") SELECT", 1)
            raw.execute(f"{numbers} INSERT INTO {table} {columns}) SELECT {select} FROM r")
        raw.execute("ANALYZE")
        raw.commit()
        raw.close()
        return
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        for table, row in FILLING.items():
            filled = row.replace("{bytes}", "'\\x7b7d'::bytea")
            connection.execute(f"INSERT INTO {table} {filled} FROM generate_series(100, {MANY}) AS n".encode())
        connection.execute("ANALYZE")


@pytest.fixture(scope="module", params=ENGINES)
def storage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    name = f"test_reconciliation_plans_{os.getpid()}"
    if request.param == "sqlite":
        url = sqlite_url(tmp_path_factory.mktemp("plans") / "control.db")
    else:
        url = postgres_url(lambda template: create_database(name, template))
    with opened_storage(url) as opened:
        fill(url)
        yield opened
    if request.param != "sqlite":
        drop_database(name)


@pytest.mark.parametrize("read", READS)
def test_no_read_of_reconciliation_scans(storage: Storage, monkeypatch: pytest.MonkeyPatch, read: str) -> None:
    monkeypatch.setattr(plan_watch, "LARGE", LARGE)
    with watched(storage._control.reading) as plans, storage.store.read() as unit:
        READS[read](unit)
    assert plans.scans == []
