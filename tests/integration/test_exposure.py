"""An entry of reading says how many rows somebody was shown, of which classes of field; not how many fit on a page."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from console.domain.canonical import parse_canonical
from console.domain.decisions import Deny
from console.domain.errors import NotFoundError
from console.domain.ids import EndpointId, TenantId
from console.domain.imports import (
    DeliveryRecord,
    InvoiceRecord,
    MemberRecord,
    NoteRecord,
    Record,
    WebhookEndpointRecord,
    endpoint_id_of,
)
from console.domain.product_jobs import ProductJobRecord
from console.domain.staff import Actor
from console.ports.reconciliation import FindingFilter
from console.ports.webhooks import DeliveryFilter
from console.usecases.house import House
from console.usecases.read_access_log import read_customer_page
from console.usecases.read_billing import read_billing
from console.usecases.read_entitlements import read_entitlements
from console.usecases.read_findings import read_findings, read_tenant_findings
from console.usecases.read_impersonations import read_impersonations
from console.usecases.read_operations import JobFilter, read_inbox_events, read_jobs, read_operations
from console.usecases.read_periods import read_periods
from console.usecases.read_product_jobs import read_product_jobs
from console.usecases.read_reconciliation import read_runs
from console.usecases.read_replays import read_replays
from console.usecases.read_tenant import read_members, read_notes, read_overview, read_tenant_entries
from console.usecases.read_webhooks import read_dead_letters, read_deliveries, read_endpoint, read_endpoints
from tests.conftest import NewDatabase
from tests.databases import ENGINES, NOON, HandClock
from tests.integration.stage import Stage, new_urls, opened_stage, rows, settle_in, tenant

ACME, MAIN = tenant("acme"), endpoint_id_of("acme", "main")
MEMBERS, NOTES, DELIVERIES, JOBS, INVOICES = 3, 2, 4, 5, 2


@dataclass(frozen=True)
class Page:
    """How a page is read, and what its entry must tell of it."""

    read: Callable[[House, Actor, TenantId], Any]
    records: Callable[[Any], int]
    fields: tuple[str, ...] = ("business",)


OF_A_TENANT: dict[str, Page] = {
    "overview": Page(
        lambda house, actor, here: read_overview(house, actor, tenant=here),
        lambda page: 1 + INVOICES + DELIVERIES + len(page.entries),
    ),
    "members": Page(
        lambda house, actor, here: read_members(house, actor, tenant=here, after=None),
        lambda _page: MEMBERS,
        ("named",),
    ),
    "notes": Page(
        lambda house, actor, here: read_notes(house, actor, tenant=here, before=None),
        lambda _page: NOTES,
        ("business", "named"),
    ),
    "entries": Page(
        lambda house, actor, here: read_tenant_entries(house, actor, tenant=here, before=None),
        lambda page: len(page.items),
    ),
    "jobs": Page(
        lambda house, actor, here: read_product_jobs(house, actor, tenant=here, state=None, before=None),
        lambda _page: JOBS,
        ("mixed",),
    ),
    "deliveries": Page(
        lambda house, actor, here: read_deliveries(house, actor, tenant=here, which=DeliveryFilter(), before=None),
        lambda _page: DELIVERIES,
    ),
    "webhooks": Page(lambda house, actor, here: read_endpoints(house, actor, tenant=here), lambda _page: 1),
    "endpoint": Page(
        lambda house, actor, here: read_endpoint(house, actor, tenant=here, endpoint=MAIN),
        lambda page: 1 + len(page.keys) + DELIVERIES,
    ),
    "dead letters": Page(lambda house, actor, here: read_dead_letters(house, actor, tenant=here), lambda _page: 0),
    "replays": Page(lambda house, actor, here: read_replays(house, actor, tenant=here), lambda _page: 0),
    "impersonations": Page(
        lambda house, actor, here: read_impersonations(house, actor, tenant=here, before=None), lambda _page: 0
    ),
    "findings": Page(
        lambda house, actor, here: read_tenant_findings(house, actor, tenant=here, state=None, after=None),
        lambda _page: 0,
    ),
    "customer": Page(
        lambda house, actor, here: read_customer_page(house, actor, tenant=here, before=None),
        lambda page: len(page.shown) + len(page.waiting),
    ),
    "billing": Page(
        lambda house, actor, here: read_billing(house, actor, tenant=here), lambda page: len(page.links)
    ),
    "entitlements": Page(
        lambda house, actor, here: read_entitlements(house, actor, tenant=here), lambda page: len(page.entitlements)
    ),
}  # fmt: skip
OF_THE_HOUSE: dict[str, tuple[str, Callable[[House, Actor], Any], Callable[[Any], int]]] = {
    "queues": (
        "engineer",
        read_operations,
        lambda page: len(page.queues) + len(page.failed) + len(page.schedules),
    ),
    "jobs": (
        "engineer",
        lambda house, actor: read_jobs(house, actor, which=JobFilter(), before=None),
        lambda page: len(page.jobs),
    ),
    "inbox": (
        "engineer",
        lambda house, actor: read_inbox_events(house, actor, state=None, event_type=None, before=None),
        lambda page: len(page.events),
    ),
    "findings": (
        "finance",
        lambda house, actor: read_findings(house, actor, wanted=FindingFilter(), after=None),
        lambda page: len(page.findings),
    ),
    "runs": ("finance", lambda house, actor: read_runs(house, actor, tenant=None, before=None), lambda _page: 0),
    "periods": ("finance", read_periods, lambda page: len(page.periods)),
}


@pytest.fixture(params=ENGINES)
def stage(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Stage]:
    url, planes = new_urls(request.param, tmp_path, pg_database)
    with opened_stage(url, planes, clock=HandClock()) as opened:
        settle_in(opened, ["acme"])
        with opened.storage.bulk.write() as bulk:
            bulk.put(list(things()))
        yield opened


def things() -> Iterator[Record]:
    yield WebhookEndpointRecord(tenant="acme", external_id="main", url="https://hooks.acme.example/", created_at=NOON)
    for number in range(MEMBERS):
        yield MemberRecord(
            tenant="acme", external_id=f"m{number}", name=f"Member {number}", email=f"m{number}@acme.example",
            phone=None, role="owner", is_active=True, joined_at=NOON, last_seen_at=None,
        )  # fmt: skip
    for number in range(NOTES):
        yield NoteRecord(tenant="acme", external_id=f"n{number}", author="Lea", text="Called.", at=NOON)
    for number in range(DELIVERIES):
        yield DeliveryRecord(
            tenant="acme", message=f"msg_{number}", endpoint="main", event_type="invoice.paid", outcome="delivered",
            status_code=200, attempts=1, at=NOON,
        )  # fmt: skip
    for number in range(JOBS):
        yield ProductJobRecord(
            tenant="acme", external_id=f"j{number}", job="k", state="failed", attempts=1, created_at=NOON, run_at=NOON
        )
    for number in range(INVOICES):
        yield InvoiceRecord(
            tenant="acme", number=f"A-{number}", status="paid", provider_status="paid", amount_minor=100,
            currency="EUR", issued_at=NOON, due_at=NOON, paid_at=NOON, mirrored_at=NOON,
        )  # fmt: skip


def newest(stage: Stage) -> dict[str, Any]:
    ((body,),) = rows(stage.url, "SELECT body FROM audit_event ORDER BY id DESC LIMIT 1")
    entry = parse_canonical(str(body).encode())
    assert isinstance(entry, dict)
    return entry


@pytest.mark.parametrize("name", OF_A_TENANT)
def test_an_entry_counts_the_rows_of_a_tenant_that_were_shown(stage: Stage, name: str) -> None:
    stage.open("finance", "acme")
    wanted = OF_A_TENANT[name]
    page = wanted.read(stage.house, stage.actor("finance"), ACME)
    assert not isinstance(page, Deny), page
    entry = newest(stage)
    assert (entry["action"], entry["targets"][0]["id"]) == ("tenant.read", name)
    assert entry["exposure"] == {"records": wanted.records(page), "fields": list(wanted.fields)}


@pytest.mark.parametrize("name", OF_THE_HOUSE)
def test_an_entry_counts_the_rows_of_the_house_that_were_shown(stage: Stage, name: str) -> None:
    who, read, records = OF_THE_HOUSE[name]
    page = read(stage.house, stage.actor(who))
    assert not isinstance(page, Deny), page
    entry = newest(stage)
    assert entry["targets"][0]["id"] == name
    assert entry["exposure"]["records"] == records(page)


def test_what_is_not_there_is_not_recorded_as_shown(stage: Stage) -> None:
    stage.open("finance", "acme")
    before = stage.entries("tenant.read")
    with pytest.raises(NotFoundError):
        read_endpoint(stage.house, stage.actor("finance"), tenant=ACME, endpoint=EndpointId("none"))
    assert stage.entries("tenant.read") == before
