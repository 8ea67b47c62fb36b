"""Every query of a page has an index that serves it: EXPLAIN on both databases, over rows enough to matter."""

import json
import os
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Engine, event

from console.domain.billing.objects import ObjectKind
from console.domain.entries import SYSTEM_ACTOR, EntryDraft, Writer, seal_body
from console.domain.freezes import FreezeScope
from console.domain.ids import (
    EntryUid,
    ExecutionId,
    ImpersonationId,
    MemberId,
    NoticeId,
    RequestId,
    SessionKey,
    StaffId,
    TenantId,
)
from console.domain.merkle import leaf_hash
from console.domain.product_jobs import ProductJobRecord, ProductJobState
from console.domain.requests import State
from console.domain.search_terms import SearchTerms, understood
from console.domain.signals import SignalId
from console.domain.staff import Role
from console.domain.tenancy import SearchKind
from console.ports.override_register import Which
from console.ports.planes import TenantPlane
from console.ports.store import ControlUnit
from console.ports.trail import EntryFilter
from console.ports.webhooks import DeliveryFilter
from console.storage.engines import parsed_url
from console.storage.house import Storage
from console.storage.types import stored_micros
from tests.billing import A_SUBSCRIPTION, DAY, ONE_OF_EACH, told
from tests.databases import ENGINES, NOON, opened_storage, postgres_url, sqlite_url
from tests.integration.cast import ACME, ANNA, hire, move_in, request, scope
from tests.postgres import create_database, drop_database

LARGE = (
    "audit_event",
    "audit_seq",
    "consent",
    "customer_letter",
    "customer_token",
    "directory_key",
    "directory_tenant",
    "impersonation",
    "impersonation_code",
    "disclosure",
    "lease",
    "notice",
    "override_register",
    "plane_webhook_delivery",
    "plane_billing_object",
    "plane_invoice",
    "plane_member",
    "plane_note",
    "plane_product_job",
    "product_event",
    "product_report",
    "request",
    "request_revision",
    "request_vote",
    "staff_session",
    "throttle_event",
)
MANY = 3_000
READS: dict[str, Callable[[ControlUnit], object]] = {
    "request": lambda unit: unit.requests.get(RequestId("req_0001")),
    "revisions": lambda unit: unit.requests.revisions(RequestId("req_0001")),
    "votes": lambda unit: unit.requests.votes(RequestId("req_0001")),
    "inbox": lambda unit: unit.requests.waiting_for(ANNA, [Role.FINANCE], now=NOON, after=None, limit=50),
    "inbox further": lambda unit: unit.requests.waiting_for(
        ANNA, [Role.FINANCE], now=NOON, after=RequestId("req_0001"), limit=50
    ),
    "inbox count": lambda unit: unit.requests.count_waiting_for(ANNA, [Role.FINANCE], now=NOON, most=100),
    "mine": lambda unit: unit.requests.mine(ANNA, after=RequestId("req_0009"), limit=50),
    "recent": lambda unit: unit.requests.recent(states=[], tenant=None, after=RequestId("req_0009"), limit=50),
    "recent of a state": lambda unit: unit.requests.recent(states=[State.FAILED], tenant=None, after=None, limit=50),
    "recent of a tenant": lambda unit: unit.requests.recent(states=[], tenant=ACME, after=None, limit=50),
    "open of a tenant": lambda unit: unit.requests.recent(
        states=[State.PENDING, State.APPROVED], tenant=ACME, after=None, limit=50
    ),
    "open of somebody": lambda unit: unit.requests.open_of_requester(StaffId("stf_7")),
    "overdue requests": lambda unit: unit.requests.overdue(NOON, limit=50),
    "executing": lambda unit: unit.requests.executing(started_before=NOON, limit=50),
    "by execution": lambda unit: unit.requests.by_execution(ExecutionId("exe_1")),
    "open leases": lambda unit: unit.leases.open_of(ANNA),
    "open lease": lambda unit: unit.leases.open_on(ANNA, ACME),
    "overdue sessions": lambda unit: unit.sessions.overdue(NOON, idle_minutes=15, limit=50),
    "overdue leases": lambda unit: unit.leases.overdue(NOON, limit=50),
    "budget": lambda unit: unit.leases.budget(ANNA, NOON),
    "has opened": lambda unit: unit.leases.has_opened(ANNA, ACME, NOON),
    "impersonation": lambda unit: unit.impersonations.get(ImpersonationId("imp_x200")),
    "open impersonation": lambda unit: unit.impersonations.open_of(ANNA),
    "impersonations of a session": lambda unit: unit.impersonations.open_in(SessionKey("s")),
    "impersonations of everybody": lambda unit: unit.impersonations.open_under(FreezeScope.ALL, "", limit=50),
    "impersonations of a vendor": lambda unit: unit.impersonations.open_under(FreezeScope.VENDOR, "v", limit=50),
    "impersonations on a tenant": lambda unit: unit.impersonations.open_under(FreezeScope.TENANT, ACME, limit=50),
    "leases of everybody": lambda unit: unit.leases.open_under(FreezeScope.ALL, "", limit=50),
    "open impersonations": lambda unit: unit.impersonations.open_after(ImpersonationId("imp_x200"), limit=50),
    "open impersonations of members": lambda unit: unit.impersonations.open_on(
        TenantId("ten_7"), [MemberId("m1"), MemberId("m2")]
    ),
    "impersonations of a tenant": lambda unit: unit.impersonations.of_tenant(
        TenantId("ten_7"), before=ImpersonationId("imp_x200"), limit=50
    ),
    "hand-off code": lambda unit: unit.impersonations.code("code_200"),
    "spent code": lambda unit: unit.impersonations.spend("code_200", NOON),
    "touched impersonation": lambda unit: unit.impersonations.touch(ImpersonationId("imp_x200"), NOON),
    "requests of an impersonation": lambda unit: unit.product_reports.of(
        ImpersonationId("imp_x200"), before="rep_200", limit=50
    ),
    "member reset": lambda unit: unit.product_reports.was_reset(TenantId("ten_7"), MemberId("m7"), since=NOON),
    "external id": lambda unit: unit.directory.external_id(ACME),
    "unread": lambda unit: unit.outbox.unread(ANNA, limit=20),
    "undelivered": lambda unit: unit.outbox.undelivered(limit=20),
    "mark read": lambda unit: unit.outbox.mark_read(ANNA, NOON),
    "delivered": lambda unit: unit.outbox.delivered(NoticeId("ntc_1"), NOON),
    "old counts": lambda unit: unit.throttles.sweep(now=NOON, limit=50),
    "throttle": lambda unit: unit.throttles.count("sign_in", "anna", since=NOON),
    "directory row": lambda unit: unit.directory.get(ACME),
    "directory slug": lambda unit: unit.directory.by_slug("acme"),
    "directory rows": lambda unit: unit.directory.many([ACME, TenantId("ten_x")]),
    "entry": lambda unit: unit.reader.one(EntryUid("ent_1")),
    "trail": lambda unit: unit.reader.page(EntryFilter(), before=2_000, limit=50),
    "trail of a tenant": lambda unit: unit.reader.page(EntryFilter(tenant=ACME), before=2_000, limit=50),
    "trail of a tenant's actor": lambda unit: unit.reader.page(
        EntryFilter(tenant=ACME, actor=ANNA), before=None, limit=50
    ),
    "trail of a tenant's action": lambda unit: unit.reader.page(
        EntryFilter(tenant=ACME, action="lease.open"), before=None, limit=50
    ),
    "trail of an actor": lambda unit: unit.reader.page(EntryFilter(actor=ANNA), before=None, limit=50),
    "trail of an action": lambda unit: unit.reader.page(EntryFilter(action="lease.open"), before=None, limit=50),
    "trail of an outcome": lambda unit: unit.reader.page(EntryFilter(outcome="failed"), before=None, limit=50),
    "trail of a target": lambda unit: unit.reader.page(EntryFilter(target="seats"), before=None, limit=50),
    "trail in order": lambda unit: unit.reader.placed_after(1_000, limit=50),
    "trail of an actor's action": lambda unit: unit.reader.page(
        EntryFilter(actor=ANNA, action="lease.open", since=NOON), before=None, limit=50
    ),
    "open signals": lambda unit: unit.signals.page(is_open=True, before=SignalId("sig_2"), limit=50, beside=ANNA),
    "settled signals": lambda unit: unit.signals.page(is_open=False, before=SignalId("sig_2"), limit=50, beside=ANNA),
    "open signals counted": lambda unit: unit.signals.open_count(most=99, beside=ANNA),
    "signal": lambda unit: unit.signals.get(SignalId("sig_1")),
    "staff by id": lambda unit: unit.staff.many([ANNA, StaffId("stf_x")]),
    "trail of an event": lambda unit: unit.reader.page(EntryFilter(correlation="x"), before=None, limit=50),
    "entries of row ids": lambda unit: unit.reader.many([1, 2, 3]),
    "register": lambda unit: unit.register.page(Which.ALL, ends_before=NOON, after=None, limit=50),
    "register ends soon": lambda unit: unit.register.page(Which.ENDS_SOON, ends_before=NOON, after=None, limit=50),
    "register further": lambda unit: unit.register.page(
        Which.ALL, ends_before=NOON, after=(TenantId("ten_301"), "ovr_301"), limit=50
    ),
    "register without an end": lambda unit: unit.register.page(
        Which.ALL, ends_before=NOON, after=(TenantId("ten_300"), "ovr_300"), limit=50
    ),
    "disclosures due": lambda unit: unit.disclosures.due(NOON, limit=50),
    "last number shown": lambda unit: unit.disclosures.last_numbers([ACME]),
    "disclosures shown": lambda unit: unit.disclosures.shown(ACME, before=500, limit=50),
    "disclosures shown after": lambda unit: unit.disclosures.shown_after(ACME, number=5, limit=50),
    "disclosures waiting": lambda unit: unit.disclosures.waiting(ACME, limit=50),
    "disclosures under a matter": lambda unit: unit.disclosures.count_under(ACME, "MAT-1"),
    "hurry disclosures": lambda unit: unit.disclosures.hurry(ACME, "MAT-1", due_at=NOON),
    "token": lambda unit: unit.customer_tokens.by_hash("h500"),
    "tokens": lambda unit: unit.customer_tokens.of(ACME),
    "consent": lambda unit: unit.consents.get("cns_1"),
    "consents of a tenant": lambda unit: unit.consents.of_tenant(ACME, limit=50),
    "consents of somebody": lambda unit: unit.consents.of_staff(ANNA, ACME, limit=50),
    "consents of an access": lambda unit: unit.consents.used_by(ImpersonationId("imp_1")),
    "consents that end": lambda unit: unit.consents.pending(now=NOON, before=NOON, limit=50),
    "letters due": lambda unit: unit.letters.due(NOON, limit=50),
    "digest": lambda unit: unit.letters.has_digest(ACME),
    "letters given up": lambda unit: unit.letters.given_up(ACME, limit=50),
}
PLANE_READS: dict[str, Callable[[TenantPlane], object]] = {
    "account": lambda plane: plane.account(),
    "subscription": lambda plane: plane.subscription(),
    "members": lambda plane: plane.members(after=MemberId("mem_1"), limit=50),
    "member": lambda plane: plane.member(MemberId("mem_1")),
    "member count": lambda plane: plane.member_count(most=1_000),
    "invoices": lambda plane: plane.invoices(limit=20),
    "invoice": lambda plane: plane.invoice("INV-1"),
    "deliveries": lambda plane: plane.webhooks.deliveries(DeliveryFilter(), before=None, limit=20),
    "jobs of the product": lambda plane: plane.product_jobs(state=None, before=None, limit=20),
    "jobs of the product further": lambda plane: plane.product_jobs(state=None, before="j1000", limit=20),
    "jobs of the product of a state": lambda plane: plane.product_jobs(
        state=ProductJobState.FAILED, before=None, limit=20
    ),
    "jobs of the product of a state further": lambda plane: plane.product_jobs(
        state=ProductJobState.FAILED, before="j1000", limit=20
    ),
    "grants": lambda plane: plane.grants(),
    "inputs": lambda plane: plane.inputs(),
    "notes": lambda plane: plane.notes(before=None, limit=20),
    "older notes": lambda plane: plane.notes(before="n1000", limit=20),
    "mirror": lambda plane: plane.mirror.page(ObjectKind.INVOICE, before=None, limit=20),
    "mirror further": lambda plane: plane.mirror.page(ObjectKind.INVOICE, before="in_1", limit=20),
    "mirrored object": lambda plane: plane.mirror.get(ObjectKind.INVOICE, "in_1"),
    "mirrored children": lambda plane: plane.mirror.children(ObjectKind.REFUND, "pi_1", limit=20),
    "mirrored invoice": lambda plane: plane.mirror.invoice_of_number("INV-acme-1"),
    "mirrored side": lambda plane: plane.mirror.side(),
    "mirrored at": lambda plane: plane.mirror.mirrored_at(),
    "mirror an object": lambda plane: plane.mirror.put(told(A_SUBSCRIPTION, at=NOON - DAY)),
    "mark an object as deleted": lambda plane: plane.mirror.mark_deleted(ObjectKind.INVOICE, "in_1", at=NOON - DAY),
}
FILLING = {
    "directory_tenant": "(id, external_id, slug, name, name_folded, region, plan, status, tier, plane) "
    "SELECT 'ten_' || n, 'x' || n, 's' || n, 'Name ' || n, 'name ' || n, 'eu', 'pro', 'active', 'shared', 'shared'",
    "directory_key": "(kind, value, tenant_id) SELECT 'domain', 'd' || n, 'ten_' || n",
    "plane_member": "(tenant_id, id, name, email, role, is_active, joined_at) "
    "SELECT 'ten_' || (n % 100), 'm' || n, 'N', 'e', 'r', true, 0",
    "plane_invoice": "(tenant_id, number, status, provider_status, amount_minor, currency, issued_at, due_at, "
    "mirrored_at) SELECT 'ten_' || (n % 100), 'i' || n, 'open', 'open', 1, 'EUR', n, n, n",
    "plane_webhook_delivery": "(tenant_id, id, message, endpoint, event_type, state, created_at, trigger, attempts, "
    "tries, version) SELECT 'ten_' || (n % 100), 'd' || n, 'm' || n, 'e', 't', 'delivered', n, 's', 1, 1, 1",
    "plane_billing_object": "(tenant_id, kind, id, customer, parent, number, status, amount_minor, at, canonical, "
    "digest, raw, api_version, fetched_at, is_deleted) SELECT 'ten_' || (n % 100), "
    "CASE n % 3 WHEN 0 THEN 'invoice' WHEN 1 THEN 'payment' ELSE 'refund' END, 'o' || n, 'cus_' || (n % 100), "
    "'p' || n, 'i' || n, 'open', 1, n, '{}', 'd', '{}', 'v', n, false",
    "plane_contract": "(tenant_id, id, label, plan_key, version, starts_at) "
    "SELECT 'ten_' || (n % 100), 'c' || n, 'c', 'pro', 0, n",
    "plane_trial": "(tenant_id, id, feature_key, label, value, starts_at, until) "
    "SELECT 'ten_' || (n % 100), 't' || n, 'seats', 't', 1, n, n + 9",
    "plane_condition": "(tenant_id, id, kind, cause, starts_at) SELECT 'ten_' || (n % 100), 'x' || n, 'grace', 'c', n",
    "plane_usage": "(tenant_id, feature_key, starts_at, used, as_of) SELECT 'ten_' || (n % 100), 'seats', n, n, n",
    "plane_product_job": "(tenant_id, id, kind, queue, state, attempts, created_at, run_at) "
    "SELECT 'ten_' || (n % 100), 'j' || n, 'k', 'q', CASE n % 9 WHEN 0 THEN 'failed' ELSE 'succeeded' END, 1, n, n",
    "plane_note": "(tenant_id, id, author, text, at) SELECT 'ten_' || (n % 100), 'n' || n, 'a', 't', n",
    "disclosure": "(event, tenant, at, reason_code, reference, due_at, number, shown_at) "
    "SELECT n, 'ten_' || (n % 9), n, 'CUSTOMER_SUPPORT', 'SUP-' || n, n, CASE n % 50 WHEN 0 THEN NULL ELSE n END, n",
    "customer_token": "(id, tenant, hash, label, may_decide, made_by, made_at) "
    "SELECT 'cut_' || n, 'ten_' || n, 'h' || n, 'l', false, 's', n",
    "consent": "(id, tenant, staff, what, mode, reason_code, reference, minutes, asked_at, decide_by, use_by, state, "
    "version) SELECT 'cns_' || n, 'ten_' || n, 'stf_anna', 'w', 'read', 'r', 'r', 5, n, n, n, "
    "CASE n % 50 WHEN 0 THEN 'pending' ELSE 'approved' END, 1",
    "customer_letter": "(id, tenant, kind, way, about, at, due_at, tries, sent_at) "
    "SELECT 'ltr_' || n, 'ten_' || (n % 99), 'access', 'mail', 'a' || n, n, n, 0, "
    "CASE n % 50 WHEN 0 THEN NULL ELSE n END",
    "staff_session": '(key, staff, signed_in_by, created_at, last_seen_at, not_after, ip, agent, "values", revoked_at) '
    "SELECT 'ses_' || n, 'stf_anna', 'password', n, n, n, '', '', '{}', CASE n % 50 WHEN 0 THEN NULL ELSE n END",
    "lease": "(id, staff, tenant, reason_code, reason_reference, reason_note, opened_at, last_used_at, not_after, "
    "idle_minutes, ended_at) SELECT 'lea_x' || n, 'stf_anna', 'ten_' || n, 'r', 'r', '', n, n, n, 5, n",
    "impersonation": "(id, staff, session, lease, tenant, member, mode, reason_code, reason_reference, reason_note, "
    "started_at, last_used_at, not_after, idle_minutes, ended_at, ended_by) SELECT 'imp_x' || n, 'stf_anna', 's', "
    "'lea_x' || n, 'ten_' || (n % 100), 'm' || n, 'read', 'r', 'r', '', n, n, n, 5, n, 'hand'",
    "impersonation_code": "(digest, impersonation, session, challenge, made_at, until) "
    "SELECT 'code_' || n, 'imp_x' || n, 's', 'c', n, n",
    "product_report": "(id, impersonation, at, received_at, method, route, effect, outcome, status) "
    "SELECT 'rep_' || n, 'imp_x' || (n % 100 + 100), n, n, 'GET', '/', 'read', 'done', 200",
    "product_event": "(id, kind, tenant, member, imported_member, at, received_at) "
    "SELECT 'evt_' || n, 'member.deleted', 'ten_' || (n % 100), 'm' || n, 'm' || n, n, n",
    "override_register": "(tenant, override, starts_at, until, owner, monthly_minor, currency, is_redundant, "
    "is_orphaned, checked_at) SELECT 'ten_' || (n % 900), 'ovr_' || n, n, CASE n % 50 WHEN 0 THEN NULL ELSE n END, "
    "'stf_anna', 5, 'EUR', false, false, n",
    "notice": "(id, to_staff, kind, sentence, path, at, read_at, delivered_at) "
    "SELECT 'ntc_' || n, 'stf_' || (n % 50), 'k', 's', 'p', n, n, n",
    "throttle_event": "(bucket, key, at) SELECT 'b', 'k' || n, n",
    "request": "(id, revision, version, state, tenant, requester, requester_person, drafted_by, filed_at, approve_by, "
    "execution) SELECT 'req_x' || n, 1, 1, 'executed', 'ten_' || n, 'stf_' || (n % 99), 'p', 'p', n, n, 'exe_x' || n",
    "request_revision": "(request, revision, action, action_version, params, preview, reason_code, reason_reference, "
    "reason_note, digest, rules, needs, policy_version, requester, requester_person, requester_name, drafted_by, "
    "filed_at, approve_by, execute_minutes) SELECT 'req_x' || n, 1, 'a', 1, '{}', '{\"sentence\":\"s\",\"changes\":[],"
    '"fingerprint":{},"facts":{},"warnings":[],"customer":"","target_type":"t","target_id":"x"}\', '
    "'r', 'r', '', 'd', '[]', "
    "'[]', 'p', 's', 'p', 'n', 'p', n, n, 5",
    "request_seat": "(request, revision, role, need) SELECT 'req_x' || n, 1, 'finance', 'g'",
    "audit_seq": "(seq, event, leaf) SELECT n, n, 'x'",
    "request_vote": "(request, revision, person, staff, name, verdict, digest, roles, comment, cast_at) "
    "SELECT 'req_x' || n, 1, 'p', 's', 'n', 'approve', 'd', '[]', '', n",
}


def entries() -> Iterator[tuple[str, bytes]]:
    draft = EntryDraft(action="server.started", actor=SYSTEM_ACTOR)
    for number in range(MANY):
        writer = Writer(id="w", n=number + 1, prev=None)
        body = seal_body(draft, uid=f"ent_x{number}", ts_us=stored_micros(NOON), writer=writer)
        yield body.decode(), leaf_hash(body)


def fill(url: str) -> None:
    """Put many rows into every large table, and tell the planner."""
    if url.startswith("sqlite"):
        raw = sqlite3.connect(str(parsed_url(url).database))
        numbers = f"WITH RECURSIVE r(n) AS (SELECT 100 UNION ALL SELECT n + 1 FROM r WHERE n < {MANY}) "
        for table, rows in FILLING.items():
            columns, select = rows.split(") SELECT", 1)
            raw.execute(f"{numbers} INSERT INTO {table} {columns}) SELECT {select} FROM r")
        raw.executemany("INSERT INTO audit_event (body, leaf) VALUES (?, ?)", entries())
        raw.execute("ANALYZE")
        raw.commit()
        raw.close()
        return
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        for table, rows in FILLING.items():
            connection.execute(f"INSERT INTO {table} {rows} FROM generate_series(100, {MANY}) AS n".encode())
        connection.cursor().executemany("INSERT INTO audit_event (body, leaf) VALUES (%s, %s)", entries())
        connection.execute("ANALYZE")


@pytest.fixture(scope="module", params=ENGINES)
def storage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    name = f"test_plans_{os.getpid()}"
    if request.param == "sqlite":
        url = sqlite_url(tmp_path_factory.mktemp("plans") / "control.db")
    else:
        url = postgres_url(lambda template: create_database(name, template))
    with opened_storage(url) as opened:
        prepare(opened)
        fill(url)
        yield opened
    if request.param != "sqlite":
        drop_database(name)


def prepare(storage: Storage) -> None:
    hire(storage)
    move_in(storage)
    job = ProductJobRecord(
        tenant="acme", external_id="j1000", job="k", state="failed", attempts=1, created_at=NOON, run_at=NOON
    )
    with storage.store.write() as unit:
        for thing in ONE_OF_EACH:
            unit.tenant(scope(ACME)).mirror.put(told(thing))
    with storage.bulk.write() as unit:
        unit.put([job])
        unit.trail.emit(EntryDraft(action="directory.imported", actor=SYSTEM_ACTOR), at=NOON)
    with storage.store.write() as unit:
        for number in range(10):
            unit.requests.add(request(number))


class Plans:
    """Asks the database how it would run each SELECT and UPDATE, while it runs them."""

    def __init__(self) -> None:
        self.scans: list[str] = []
        self.asked = 0
        self._is_asking = False

    def watch(self, connection: Connection, _cursor: object, sql: str, values: Sequence[Any], *_rest: object) -> None:
        if self._is_asking or not re.match(r"\s*(SELECT|UPDATE|DELETE|WITH)", sql) or "set_config" in sql:
            return
        self._is_asking = True
        self.asked += 1
        try:
            raw = connection.connection.cursor()
            if connection.dialect.name == "sqlite":
                raw.execute(f"EXPLAIN QUERY PLAN {sql}", values)
                steps = [str(row[3]) for row in raw.fetchall()]
                self.scans += [f"{step}: {sql}" for step in steps if _is_sqlite_scan(step, sql)]
            else:
                raw.execute(f"EXPLAIN (FORMAT JSON) {sql}", values)
                plan = raw.fetchone()
                assert plan is not None
                found = plan[0] if isinstance(plan[0], list) else json.loads(plan[0])
                self.scans += [f"{table}: {sql}" for table in _scanned(found[0]["Plan"]) if table in LARGE]
            raw.close()
        finally:
            self._is_asking = False


def _is_sqlite_scan(step: str, sql: str) -> bool:
    """Return whether a step reads a large table from end to end; walking an index in page order is not that."""
    words = step.split()
    if (
        words[0] != "SCAN"
        or words[1] in {"pair", "json_each", "directory_name"}
        or ("LIMIT" in sql and "INDEX" in step)
    ):
        return False
    real = re.search(rf"(\w+) AS {words[1]}\b", sql)
    table = real[1] if real else words[1]
    is_keyset = "LIMIT" in sql and "ORDER BY audit_event.id DESC" in sql
    return table in LARGE and not is_keyset


def _scanned(plan: dict[str, Any]) -> Iterator[str]:
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    for below in plan.get("Plans", ()):
        yield from _scanned(below)


@contextmanager
def watched(engine: Engine) -> Iterator[Plans]:
    plans = Plans()
    event.listen(engine, "before_cursor_execute", plans.watch)
    try:
        yield plans
    finally:
        event.remove(engine, "before_cursor_execute", plans.watch)


@pytest.mark.parametrize("read", READS)
def test_no_read_of_the_control_store_scans(storage: Storage, read: str) -> None:
    with watched(storage._control.reading) as plans, storage.store.read() as unit:
        READS[read](unit)
    assert plans.scans == []


@pytest.mark.parametrize("read", PLANE_READS)
def test_no_read_of_a_tenant_scans(storage: Storage, read: str) -> None:
    with watched(storage._control.reading) as plans, storage.store.read() as unit:
        PLANE_READS[read](unit.tenant(scope(ACME)))
    assert plans.scans == []


@pytest.mark.parametrize("kind", SearchKind)
def test_no_search_scans(storage: Storage, kind: SearchKind) -> None:
    fleet = storage._databases[1].reading
    with watched(fleet) as plans:
        storage.fleet.search(SearchTerms(text="Name 17%_\\\"'\x00", kinds=(kind,)), limit=50)
    assert plans.scans == []


@pytest.mark.parametrize(
    "typed", ["2026-0042", "A1B2C3D4-0001", "RE/2026/17", "in_1MtHbELkdIwHu7", "acme", "a.b.example"]
)
def test_every_number_that_somebody_types_is_looked_up_by_index_and_at_once(storage: Storage, typed: str) -> None:
    terms = understood(typed)
    with watched(storage._databases[1].reading) as plans:
        storage.fleet.search(terms, limit=50)
    assert plans.scans == []
    assert plans.asked == (3 if SearchKind.NAME in terms.kinds else 1)


FOUND = {
    SearchKind.ID: ACME,
    SearchKind.SLUG: "acme",
    SearchKind.NAME: "GRÖSSE",
    SearchKind.DOMAIN: "ACME.example",
    SearchKind.MEMBER_EMAIL: "m1@Acme.EXAMPLE",
    SearchKind.INVOICE: "inv-ACME-1",
    SearchKind.CUSTOMER: "CUS_acme1",
    SearchKind.MESSAGE: "msg_acme1",
}


@pytest.mark.parametrize("kind", SearchKind)
def test_every_kind_finds_its_tenant(storage: Storage, kind: SearchKind) -> None:
    hits = storage.fleet.search(SearchTerms(text=FOUND[kind], kinds=(kind,)), limit=5)
    assert hits[0].tenant.slug == "acme"
    assert hits[0].matched is kind
    assert len(hits) == (2 if kind is SearchKind.NAME else 1)


@pytest.mark.parametrize("fragment", ["%", "___", "ame%", 'am"e', "am'e", "\\", "ame OR zeta", "NEAR(ame)", "-me"])
def test_signs_of_a_pattern_are_letters(storage: Storage, fragment: str) -> None:
    assert not storage.fleet.search(SearchTerms(text=fragment, kinds=(SearchKind.NAME,)), limit=5)


def test_names_that_begin_with_the_fragment_come_first_and_the_order_is_stable(storage: Storage) -> None:
    terms = SearchTerms(text="name 12", kinds=(SearchKind.NAME,))
    first = storage.fleet.search(terms, limit=20)
    assert [hit.tenant.name for hit in first] == sorted(hit.tenant.name for hit in first)
    assert len(first) == 20
    assert storage.fleet.search(terms, limit=20) == first
    inside = storage.fleet.search(SearchTerms(text="ame 12", kinds=(SearchKind.NAME,)), limit=20)
    assert len(inside) == 20
