"""Every query of a page has an index that serves it: EXPLAIN on both databases, over rows enough to matter."""

import os
import sqlite3
from collections.abc import Iterator

import psycopg
import pytest

from console.domain.entries import SYSTEM_ACTOR, EntryDraft, Writer, seal_body
from console.domain.merkle import leaf_hash
from console.domain.product_jobs import ProductJobRecord
from console.domain.search_terms import SearchTerms, understood
from console.domain.tenancy import SearchKind
from console.storage.engines import parsed_url
from console.storage.house import Storage
from console.storage.types import stored_micros
from tests.billing import ONE_OF_EACH, told
from tests.databases import ENGINES, NOON, opened_storage, postgres_url, sqlite_url
from tests.integration.cast import ACME, hire, move_in, request, scope
from tests.integration.plan_reads import PLANE_READS, READS
from tests.integration.plan_watch import watched
from tests.postgres import create_database, drop_database

MANY = 3_000


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
