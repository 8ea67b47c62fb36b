"""The one search box over real storage: what it finds, and what the trail keeps of what was typed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from console.domain.billing.canonical_form import document
from console.domain.canonical import parse_canonical
from console.domain.decisions import Deny, DenyCode
from console.domain.import_billing import BillingObjectRecord
from console.domain.imports import DeliveryRecord, InvoiceRecord, MemberRecord, Record, TenantRecord, tenant_id_of
from console.domain.tenancy import SearchKind
from console.usecases.search_directory import SearchAnswer, search_directory
from tests.billing import PAID
from tests.conftest import NewDatabase
from tests.databases import ENGINES, NOON, HandClock, TestFingerprints
from tests.integration.stage import Stage, new_urls, opened_stage, rows, settle_in

ADDRESS = "ada.lovelace@acme.example"
AS_TYPED = (
    ADDRESS,
    "Ada.Lovelace@ACME.example",
    f"  <{ADDRESS}> ",
    f"Ada Lovelace {ADDRESS} and bob@zeta.example",
    "ada.lovelace\uff20acme.example",
    "ada.lovelace\ufe6bacme.example",
    "ada.lovelace%40acme.example",
    "ada.lovelace@",
    "@acme.example",
    "INV-1@acme.example",
)


@pytest.fixture(params=ENGINES)
def stage(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Stage]:
    url, planes = new_urls(request.param, tmp_path, pg_database)
    with opened_stage(url, planes, clock=HandClock()) as opened:
        settle_in(opened, ["acme", "zeta"])
        with opened.storage.bulk.write() as bulk:
            bulk.put([tenant_of("Org_77/B", "quiet"), *bills()])
            ada = MemberRecord(
                tenant="acme", external_id="m1", name="Ada Lovelace", email=ADDRESS, phone=None, role="owner",
                is_active=True, joined_at=NOON, last_seen_at=None,
            )  # fmt: skip
            bulk.put([ada])
        yield opened


def tenant_of(external: str, slug: str) -> TenantRecord:
    return TenantRecord(
        external_id=external, slug=slug, name="Quiet Ltd", region="eu", plan="business", status="active",
        tier="shared", plane="shared", domains=(), provider_customer="cst-90017", country="DE", created_at=NOON,
    )  # fmt: skip


def bills() -> Iterator[Record]:
    for number in ("2026-0042", "A1B2C3D4-0001", "RE/2026/17", "RE 2026 18", "90071", "OTHERS"):
        yield InvoiceRecord(
            tenant="Org_77/B", number=number, status="open", provider_status="open", amount_minor=9_900,
            currency="EUR", issued_at=NOON, due_at=NOON, paid_at=None, mirrored_at=NOON,
        )  # fmt: skip
    known = document(replace(PAID, id="in_1MtHbELkdIwHu7ixl4OzzPMv", number="STR-7"))
    yield BillingObjectRecord(tenant="Org_77/B", object="invoice", document=known, fetched_at=NOON)
    yield DeliveryRecord(
        tenant="Org_77/B", message="018f-77aa", endpoint="main", event_type="invoice.paid", outcome="delivered",
        status_code=200, attempts=1, at=NOON,
    )  # fmt: skip


def found(stage: Stage, typed: str, who: str = "support_agent") -> SearchAnswer:
    answer = search_directory(stage.house, stage.actor(who), typed=typed)
    assert isinstance(answer, SearchAnswer), answer
    return answer


def bodies(stage: Stage) -> list[str]:
    return [str(body) for (body,) in rows(stage.url, "SELECT body FROM audit_event ORDER BY id")]


def newest_facts(stage: Stage) -> object:
    (body,) = rows(stage.url, "SELECT body FROM audit_event ORDER BY id DESC LIMIT 1")[0]
    entry = parse_canonical(str(body).encode())
    assert isinstance(entry, dict)
    return entry["facts"]


def test_no_search_leaves_an_address_in_an_entry(stage: Stage) -> None:
    for typed in AS_TYPED:
        found(stage, typed)
        refused = search_directory(stage.house, stage.actor("administrator"), typed=typed)
        assert isinstance(refused, Deny)
    kept = [body.casefold() for body in bodies(stage)]
    assert stage.entries("directory.search") == len(AS_TYPED)
    for part in ("ada.lovelace", "acme.example", "bob"):
        assert not [body for body in kept if part in body]


def test_a_search_that_is_slowed_leaves_no_address_either(stage: Stage) -> None:
    for _ in range(stage.house.book.limits.searches_per_minute):
        found(stage, ADDRESS)
    slowed = search_directory(stage.house, stage.actor("support_agent"), typed=ADDRESS)
    assert isinstance(slowed, Deny)
    assert slowed.code is DenyCode.THROTTLED
    assert not [body for body in bodies(stage) if "lovelace" in body]


def test_who_searched_for_an_address_can_be_asked_by_its_keyed_digest(stage: Stage) -> None:
    (hit,) = found(stage, "Ada.Lovelace@acme.EXAMPLE").hits
    assert (hit.tenant.slug, hit.matched) == ("acme", SearchKind.MEMBER_EMAIL)
    assert newest_facts(stage) == {"query_digest": TestFingerprints().of(ADDRESS), "kinds": "member_email"}


def test_what_names_nobody_is_kept_as_it_was_typed(stage: Stage) -> None:
    found(stage, " Acme GmbH ")
    assert newest_facts(stage) == {"query": "Acme GmbH", "kinds": "name"}


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        ("2026-0042", SearchKind.INVOICE),
        ("a1b2c3d4-0001", SearchKind.INVOICE),
        (" RE/2026/17", SearchKind.INVOICE),
        ("re 2026  18", SearchKind.INVOICE),
        ("90071", SearchKind.INVOICE),
        ("others", SearchKind.INVOICE),
        ("in_1MtHbELkdIwHu7ixl4OzzPMv", SearchKind.INVOICE),
        ("STR-7", SearchKind.INVOICE),
        ("cst-90017", SearchKind.CUSTOMER),
        ("018F-77AA", SearchKind.MESSAGE),
        ("Org_77/B", SearchKind.ID),
        (tenant_id_of("Org_77/B").upper(), SearchKind.ID),
        ("quiet", SearchKind.SLUG),
    ],
)
def test_it_finds_a_tenant_by_any_number_of_its_own(stage: Stage, typed: str, kind: SearchKind) -> None:
    (hit,) = found(stage, typed).hits
    assert (hit.tenant.slug, hit.matched) == ("quiet", kind)


def test_an_id_of_the_company_is_found_as_the_company_writes_it(stage: Stage) -> None:
    assert not found(stage, "org_77/b").hits
    assert not found(stage, "77/B").hits


def test_a_tenant_that_is_found_by_two_keys_is_shown_once(stage: Stage) -> None:
    with stage.storage.bulk.write() as bulk:
        bulk.put([replace(tenant_of("Org_77/B", "quiet"), provider_customer="2026-0042", domains=("2026-0042",))])
    (hit,) = found(stage, "2026-0042").hits
    assert hit.matched is SearchKind.INVOICE


def test_a_number_of_two_tenants_finds_both_in_the_order_of_their_names(stage: Stage) -> None:
    with stage.storage.bulk.write() as bulk:
        bulk.put([replace(bill, tenant="acme") for bill in bills() if isinstance(bill, InvoiceRecord)])
    assert [hit.tenant.slug for hit in found(stage, "2026-0042").hits] == ["acme", "quiet"]
