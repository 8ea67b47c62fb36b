"""Every question about webhooks, jobs and the inbox has an index that serves it in the order asked for."""

import json
import os
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection

from console.domain.ids import DeliveryId, InboundId, JobId, MessageId, RunId, TenantId
from console.domain.inbound import InboundState
from console.domain.jobs import JobState
from console.domain.replays import ItemState, Wanted
from console.domain.webhooks import DeliveryState
from console.ports.store import ControlUnit
from console.ports.webhooks import DeliveryFilter, WebhookBook
from console.storage.engines import parsed_url
from console.storage.house import Storage
from tests.databases import ENGINES, NOON, opened_storage, postgres_url, sqlite_url
from tests.integration.cast import ACME, move_in, scope
from tests.integration.plan_watch import heard
from tests.integration.webhook_cast import DAY, FIRST, SECOND, SENDER, delivery, everything, key
from tests.postgres import create_database, drop_database

MANY = 30_000
MICROS = int(NOON.timestamp()) * 1_000_000
STATE = (
    "CASE WHEN n % 10 > 2 THEN 'delivered' WHEN n % 10 = 0 THEN 'exhausted' WHEN n % 10 = 1 THEN 'queued' "
    "ELSE 'retry_scheduled' END"
)
TENANT = f"CASE WHEN n % 8 = 0 THEN 'ten_' || (n % 97) ELSE '{ACME}' END"
ENDPOINT = f"CASE WHEN n % 3 = 0 THEN '{SECOND}' ELSE '{FIRST}' END"
FILLING = {
    "plane_webhook_endpoint": "(tenant_id, id, url, description, event_types, state, rate_per_s, created_at, version, "
    "failures_in_row) SELECT 'ten_' || n, 'whe_' || n, 'u', '', '[]', 'active', 1, n, 1, 0",
    "plane_webhook_key": "(tenant_id, id, endpoint, algorithm, sealed, created_at) "
    f"SELECT {TENANT}, 'whk_' || n, 'whe_' || n, 'v1', 's', n",
    "plane_webhook_message": "(tenant_id, id, event_type, kind, payload, created_at, expires_at, fanned_at) "
    f"SELECT {TENANT}, 'msg_' || n, 't' || (n % 7), 'event', CASE WHEN n % 9 < 8 THEN NULL ELSE {{bytes}} END, n, "
    f"{MICROS} + n, CASE WHEN n % 100 = 8 THEN NULL ELSE n END",
    "plane_webhook_delivery": "(tenant_id, id, message, endpoint, event_type, state, created_at, due_at, trigger, "
    "attempts, tries, fingerprint, run, version) "
    f"SELECT {TENANT}, 'whd_' || n, 'msg_' || n, {ENDPOINT}, 't' || (n % 7), {STATE}, {MICROS} - 60000000 + n, "
    f"CASE WHEN n % 10 IN (1, 2) THEN {MICROS} + n END, 'scheduled', 1, 1, 'f' || (n % 5), "
    "CASE WHEN n % 1000 = 1 THEN 'whr_1' END, 1",
    "plane_webhook_attempt": "(tenant_id, id, delivery, endpoint, number, trigger, started_at, took_ms, outcome, keys, "
    f"sent_headers, got_headers) SELECT {TENANT}, 'wha_' || n, 'whd_' || n, {ENDPOINT}, 1, 'scheduled', "
    f"{MICROS} - 60000000 + n, 1, '2xx', '[]', '[]', '[]'",
    "plane_webhook_run_item": "(tenant_id, run, position, delivery, endpoint, state, tries) "
    f"SELECT '{ACME}', 'whr_' || (n % 9), n, 'whd_' || n, 'e', CASE WHEN n % 4 = 0 THEN 'waiting' ELSE 'sent' END, 0",
    "job": "(id, kind, key, queue, payload, state, tenant, created_at, run_at, attempts, most_attempts, version, "
    "lease_until, fingerprint, finished_at) SELECT 'job_' || n, 'k' || (n % 5), 'key_' || n, 'default', '{}', "
    "CASE WHEN n % 100 = 0 THEN 'queued' WHEN n % 100 = 1 THEN 'running' WHEN n % 100 = 2 THEN 'dead' "
    "ELSE 'succeeded' END, 'ten_' || (n % 97), n, n, 1, 3, 1, n, CASE WHEN n % 50 = 2 THEN 'f' || (n % 3) END, n",
    "inbound_event": "(id, provider, account, is_live, event_id, event_type, made_at, received_at, payload, "
    "is_fetched, state, attempts, version) SELECT 'inb_' || n, 'stripe', 'a', true, 'evt_' || n, 't' || (n % 7), n, n, "
    "{bytes}, false, CASE WHEN n % 50 = 0 THEN 'failed' ELSE 'processed' END, 1, 1",
}


def fill(url: str) -> None:
    """Put many rows into every table, one tenant's most of them, and tell the planner."""
    if url.startswith("sqlite"):
        raw = sqlite3.connect(str(parsed_url(url).database))
        numbers = f"WITH RECURSIVE r(n) AS (SELECT 100 UNION ALL SELECT n + 1 FROM r WHERE n < {MANY}) "
        for table, rows in FILLING.items():
            columns, select = rows.replace("{bytes}", "x'7b7d'").split(") SELECT", 1)
            raw.execute(f"{numbers} INSERT INTO {table} {columns}) SELECT {select} FROM r")
        raw.execute("ANALYZE")
        raw.commit()
        raw.close()
        return
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        for table, rows in FILLING.items():
            rows_there = rows.replace("{bytes}", "'\\x7b7d'::bytea")
            connection.execute(f"INSERT INTO {table} {rows_there} FROM generate_series(100, {MANY}) AS n".encode())
        connection.execute("VACUUM ANALYZE")


@pytest.fixture(scope="module", params=ENGINES)
def storage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    name = f"test_webhook_plans_{os.getpid()}"
    if request.param == "sqlite":
        url = sqlite_url(tmp_path_factory.mktemp("plans") / "control.db")
    else:
        url = postgres_url(lambda template: create_database(name, template))
    with opened_storage(url) as opened:
        move_in(opened)
        fill(url)
        yield opened
    if request.param != "sqlite":
        drop_database(name)


# Few rows are read whole or sorted for less; the question is what millions do.
_DEAR_AT_SIZE = ("seqscan", "bitmapscan", "sort", "incremental_sort")


class Steps:
    """Asks the database how it would run each statement, while it runs them."""

    def __init__(self) -> None:
        self.scans: list[str] = []
        self.sorts: list[str] = []
        self._is_asking = False

    def watch(self, connection: Connection, _cursor: object, sql: str, values: Sequence[Any], *_rest: object) -> None:
        if self._is_asking or not re.match(r"\s*(SELECT|UPDATE|WITH)", sql) or "set_config" in sql:
            return
        self._is_asking = True
        try:
            raw = connection.connection.cursor()
            if connection.dialect.name == "sqlite":
                raw.execute(f"EXPLAIN QUERY PLAN {sql}", values)
                for step in [str(row[3]) for row in raw.fetchall()]:
                    self._note_sqlite(step, sql)
            else:
                for way in _DEAR_AT_SIZE:
                    raw.execute(f"SET LOCAL enable_{way} = off")
                raw.execute(f"EXPLAIN (FORMAT JSON) {sql}", values)
                plan = raw.fetchone()
                assert plan is not None
                found = plan[0] if isinstance(plan[0], list) else json.loads(plan[0])
                for way in _DEAR_AT_SIZE:
                    raw.execute(f"SET LOCAL enable_{way} = on")
                self._note_postgresql(found[0]["Plan"], sql)
            raw.close()
        finally:
            self._is_asking = False

    def _note_sqlite(self, step: str, sql: str) -> None:
        is_ours = any(table in step for table in FILLING) or re.search(r"SCAN (endpoint|delivery|message)\b", step)
        if step.startswith("SCAN") and is_ours and "INDEX" not in step:
            self.scans.append(f"{step}: {sql}")
        if "TEMP B-TREE FOR ORDER BY" in step:
            self.sorts.append(f"{step}: {sql}")

    def _note_postgresql(self, plan: dict[str, Any], sql: str) -> None:
        if plan["Node Type"] == "Seq Scan" and plan["Relation Name"] in FILLING:
            self.scans.append(f"{plan['Relation Name']}: {sql}")
        if plan["Node Type"] in {"Sort", "Incremental Sort"}:
            self.sorts.append(f"{plan['Node Type']}: {sql}")
        for below in plan.get("Plans", ()):
            self._note_postgresql(below, sql)


LISTS = {
    " ".join(each for each in (who, str(state), what, "further" if before else "") if each): (
        DeliveryFilter(
            endpoint=FIRST if who else None,
            state=DeliveryState(state) if state else None,
            event_type="t3" if what else None,
            since=NOON - DAY,
            until=NOON + DAY,
        ),
        DeliveryId("whd_20011") if before else None,
    )
    for who, state, what, before in product(
        ("", "endpoint"), ("", "exhausted", "queued", "delivered"), ("", "type"), (False, True)
    )
}


@pytest.mark.parametrize("case", LISTS)
def test_every_combination_of_filters_walks_an_index_in_page_order(storage: Storage, case: str) -> None:
    which, before = LISTS[case]
    with heard(storage._control.reading, Steps()) as steps, storage.store.read() as unit:
        page = unit.tenant(scope(ACME)).webhooks.deliveries(which, before=before, limit=50)
    assert len(page) == 50
    assert steps.scans == []
    assert steps.sorts == []


BOOK: dict[str, Callable[[WebhookBook], object]] = {
    "message": lambda book: book.messages([MessageId("msg_101"), MessageId("msg_102")]),
    "unfanned": lambda book: book.unfanned(limit=20),
    "delivery": lambda book: book.delivery(DeliveryId("whd_101")),
    "named": lambda book: book.named([DeliveryId("whd_101"), DeliveryId("whd_102")]),
    "of a message": lambda book: book.deliveries_of(MessageId("msg_101")),
    "attempts": lambda book: book.attempts(DeliveryId("whd_101"), limit=20),
    "keys": lambda book: book.keys(FIRST, now=NOON),
    "event types": lambda book: book.event_types(limit=20),
    "health": lambda book: book.health(FIRST, since=NOON - DAY, until=NOON),
    "due": lambda book: book.due(FIRST, now=NOON + DAY, limit=100),
    "one endpoint": lambda book: book.endpoint(FIRST),
    "endpoints": lambda book: book.endpoints(),
    "candidates": lambda book: book.candidates(everything(), after=None, limit=500),
    "candidates further": lambda book: book.candidates(
        everything(wanted=Wanted.FAILED, endpoints=(FIRST, SECOND), event_types=("t1", "t2")),
        after=(NOON - DAY, DeliveryId("whd_1")), limit=500,
    ),
    "candidates of one endpoint": lambda book: book.candidates(
        everything(wanted=Wanted.FAILED, endpoints=(FIRST,)), after=None, limit=500
    ),
    "candidates counted": lambda book: book.count_candidates(everything(wanted=Wanted.FAILED), most=500),
    "candidates that wait": lambda book: book.count_candidates(
        everything(), most=500, state=DeliveryState.RETRY_SCHEDULED
    ),
    "candidates that failed and wait": lambda book: book.count_candidates(
        everything(wanted=Wanted.FAILED), most=500, state=DeliveryState.RETRY_SCHEDULED
    ),
    "waiting items": lambda book: book.items(RunId("whr_1"), state=ItemState.WAITING, after=5_000, limit=100),
    "items": lambda book: book.items(RunId("whr_1"), state=None, after=5_000, limit=100),
    "run": lambda book: book.run(RunId("whr_1")),
    "runs": lambda book: book.runs(limit=20),
    "digest": lambda book: book.frozen_digest(RunId("whr_1")),
    "expire": lambda book: book.expire_payloads(now=NOON - DAY, limit=9),
    "change": lambda book: book.change_delivery(delivery(1), version=1),
    "claim": lambda book: book.claim_deliveries([delivery(1), delivery(2)], by=SENDER, until=NOON),
    "claim endpoint": lambda book: book.claim_endpoint(FIRST, by=SENDER, now=NOON, until=NOON),
    "add a key": lambda book: book.add_key(key("whk_new"), older_until=NOON),
    "fan out": lambda book: book.fan_out(MessageId("msg_108"), [], at=NOON),
    "hold": lambda book: book.hold(FIRST, state=DeliveryState.HELD, reason="x", limit=50),
    "unhold": lambda book: book.unhold(FIRST, at=NOON, limit=50),
    "recall": lambda book: book.recall_items(RunId("whr_1")),
    "settle item": lambda book: book.settle_item(
        RunId("whr_1"), DeliveryId("whd_1"), state=ItemState.SENT, tries=1, reason=None
    ),
    "skip": lambda book: book.skip_waiting(RunId("whr_1"), reason="x", limit=50),
}  # fmt: skip
# A few rows each.
SORTING = {"event types", "health", "endpoints", "keys", "of a message", "attempts", "settle item", "recall"}


@pytest.mark.parametrize("read", BOOK)
def test_no_question_of_a_tenants_webhooks_scans(storage: Storage, read: str) -> None:
    with heard(storage._control.reading, Steps()) as steps, storage.store.read() as unit:
        BOOK[read](unit.tenant(scope(ACME)).webhooks)
    assert steps.scans == []
    if read not in SORTING:
        assert steps.sorts == []


def test_dead_letters_are_counted_from_an_index_that_holds_nothing_else(storage: Storage) -> None:
    with heard(storage._control.reading, Steps()) as steps, storage.store.read() as unit:
        groups = unit.tenant(scope(ACME)).webhooks.dead_letters(limit=20)
    assert sum(group.count for group in groups) > MANY // 20
    assert steps.scans == []


def test_the_fleet_finds_who_is_due_without_reading_what_is_not(storage: Storage) -> None:
    for looked_at in (10**9, 0):  # as when little is due, and as when one queue is endless
        with pytest.MonkeyPatch.context() as patch, heard(storage._databases[1].reading, Steps()) as steps:
            patch.setattr("console.storage.fleet.due._LOOKED_AT", looked_at or 1)
            assert storage.webhook_fleet.due(NOON, limit=50) is not None
        assert [scan for scan in steps.scans if "plane_webhook_endpoint" not in scan] == []
    with heard(storage._databases[1].reading, Steps()) as steps:
        assert len(storage.webhook_fleet.unfanned(limit=50)) > 1
        assert len(storage.webhook_fleet.expired(NOON + DAY, limit=5)) == 5
    assert steps.scans == []


def _jobs(**chosen: Any) -> Callable[[ControlUnit], object]:  # noqa: ANN401  filters of a page of jobs
    which: dict[str, Any] = {"state": None, "kind": None, "fingerprint": None, "tenant": None} | chosen
    return lambda unit: unit.jobs.page(**which, before=JobId("job_20000"), limit=20)


def _events(state: InboundState | None, kind: str | None) -> Callable[[ControlUnit], object]:
    return lambda unit: unit.inbox.page(state=state, event_type=kind, before=InboundId("inb_20000"), limit=20)


CONTROL: dict[str, Callable[[ControlUnit], object]] = {
    "claim": lambda unit: unit.jobs.claim(worker="w", now=NOON, until=NOON, limit=20),
    "claim one": lambda unit: unit.jobs.claim_one(JobId("job_100"), worker="w", now=NOON, until=NOON),
    "queues": lambda unit: unit.jobs.queues(now=NOON),
    "failed": lambda unit: unit.jobs.failed(limit=20),
    "event": lambda unit: unit.inbox.get(InboundId("inb_101")),
    "known": lambda unit: unit.inbox.known("stripe", "a", True, ["evt_1", "evt_2"]),
    "counts": lambda unit: unit.inbox.counts(),
    "customer": lambda unit: unit.inbox.tenant_of_customer("cus_acme1"),
    "jobs": _jobs(),
    "jobs of a state": _jobs(state=JobState.SUCCEEDED),
    "jobs that died": _jobs(state=JobState.DEAD),
    "jobs of a kind": _jobs(kind="k1"),
    "jobs of a kind that died": _jobs(state=JobState.DEAD, kind="k2"),
    "jobs of one cause": _jobs(fingerprint="f1"),
    "jobs of a tenant": _jobs(tenant=TenantId("ten_7")),
    "inbox all": _events(None, None),
    "inbox of a state": _events(InboundState.FAILED, None),
    "inbox of a type": _events(None, "t3"),
    "inbox of both": _events(InboundState.FAILED, "t3"),
}


@pytest.mark.parametrize("read", CONTROL)
def test_no_question_of_jobs_and_the_inbox_scans(storage: Storage, read: str) -> None:
    with heard(storage._control.reading, Steps()) as steps, storage.store.read() as unit:
        CONTROL[read](unit)
    assert steps.scans == []
    if read.startswith(("jobs", "inbox ")):
        assert steps.sorts == []
