"""The demo world: the same for the same seed, unique where it must be, full of traps; and its staff."""

import json
import stat
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pyotp
import pytest

from console.adapters.demo.generator import PLANES, DemoWorld, demo_world
from console.adapters.demo.provider_world import ProviderWorld as Filling
from console.adapters.demo.staff import (
    DemoFileError,
    demo_environ,
    demo_staff,
    kept_keys,
    kept_staff,
    write_demo_file,
)
from console.adapters.demo.webhooks import EXPIRED, FLAPPED, MISSED, OUTAGE_HOURS, UNSUBSCRIBED, outage_began
from console.adapters.passwords import Argon2Passwords
from console.domain.billing.canonical_form import kind_of as kind_of_thing
from console.domain.billing.objects import BalanceTransaction, BillingObject, Invoice, ObjectKind, Payout, Price
from console.domain.import_billing import BillingObjectRecord
from console.domain.import_entitlements import OverrideRecord, PlanVersionRecord
from console.domain.import_fields import kind_of, row_of, rules_of
from console.domain.import_rows import validate_row
from console.domain.imports import WebhookEndpointRecord
from console.domain.search_terms import understood
from console.domain.staff import Role
from console.domain.tenancy import SearchKind
from console.settings import load_settings
from tests.integration.provider_worlds import NOON, ProviderWorld, world_in_process

NOW = datetime(2026, 11, 19, 16, 0, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def world() -> DemoWorld:
    return demo_world(300, now=NOW)


@pytest.fixture(scope="module")
def small() -> DemoWorld:
    return demo_world(60, now=NOW)


def filled(provided: ProviderWorld, world: DemoWorld) -> None:
    """Fill the invented provider with a world."""
    filling = Filling(provided.fake)
    for books in world.books():
        filling.take(books)
    filling.close(world)


@pytest.fixture
def provided(tmp_path: Path, small: DemoWorld) -> Iterator[ProviderWorld]:
    with world_in_process(tmp_path / "provider.sqlite3") as made:
        filled(made, small)
        yield made


def test_the_same_seed_makes_the_same_world(world: DemoWorld) -> None:
    assert list(world.records()) == list(demo_world(300, now=NOW).records())
    assert list(world.records()) != list(demo_world(300, seed=7, now=NOW).records())


def test_a_stream_alone_is_the_same_as_within_the_world(world: DemoWorld) -> None:
    whole = {
        kind: [each for each in world.records() if kind_of(each) == kind] for kind in ("member", "invoice", "note")
    }
    assert whole["member"] == list(world.members())
    assert whole["invoice"] == list(world.invoices())
    assert whole["note"] == list(world.notes())


def test_the_first_tenants_do_not_depend_on_how_many_follow() -> None:
    assert list(islice(demo_world(50, now=NOW).tenants(), 20)) == list(islice(demo_world(90, now=NOW).tenants(), 20))


@pytest.mark.parametrize(
    ("tenants", "members"), [(1, None), (1, 5), (2, 1), (40, 0), (40, 7), (40, 400), (300, 12_345)]
)
def test_the_number_of_members_is_exact(tenants: int, members: int | None) -> None:
    world = demo_world(tenants, members, now=NOW)
    assert sum(1 for _ in world.members()) == (tenants * 10 if members is None else members)


def test_every_record_is_one_that_an_import_would_take(world: DemoWorld) -> None:
    for record in world.records():
        row = row_of(record)
        assert validate_row(1, {name: row[name] for name in row if name != "kind"}, kind=kind_of(record)) == record


def test_nothing_refers_to_what_is_still_to_come(world: DemoWorld) -> None:
    known: dict[str, set[object]] = {"tenant": set(), "plan": set(), "feature": set(), "add_on": set()}
    for record in world.records():
        kind = kind_of(record)
        for name, names in known.items():
            if name in rules_of(kind):
                assert getattr(record, name) in names, record
        if kind in known:
            known[kind].add(getattr(record, "external_id", None) or getattr(record, "key", None))


def test_names_that_must_be_unique_are(world: DemoWorld) -> None:
    for stream in (
        (each.slug for each in demo_world(40_000, now=NOW).tenants()),
        (each.provider_customer for each in world.tenants()),
        (each.number for each in world.invoices()),
        ((each.tenant, each.message, each.endpoint) for each in world.deliveries()),
        ((each.tenant, each.email) for each in world.members()),
    ):
        names = list(stream)
        assert len(names) == len(set(names))


def test_no_moment_lies_ahead_except_renewals_ends_and_announced_plans(world: DemoWorld) -> None:
    ahead = {"renews_at", "until", "due_at", "valid_until"}
    for record in world.records():
        if isinstance(record, PlanVersionRecord):
            continue
        for name in rules_of(kind_of(record)):
            value = getattr(record, name)
            if isinstance(value, datetime) and name not in ahead:
                assert value <= NOW, record


@pytest.mark.parametrize("now", [NOW, NOW.replace(hour=14, minute=3), NOW.replace(hour=0), NOW.replace(day=1, hour=3)])
def test_the_first_journey_is_waiting_at_acme(now: datetime, tmp_path: Path) -> None:
    world = demo_world(3, now=now)
    acme = next(world.tenants())
    assert (acme.slug, acme.domains, acme.plan, acme.name) == (
        "acme-robotics",
        ("acme.example",),
        "pro",
        "Acme Robotics",
    )
    invoice = next(world.invoices())
    assert (invoice.status, invoice.provider_status, invoice.paid_at) == ("past_due", "paid", None)
    assert (invoice.mirrored_at.hour, invoice.mirrored_at.minute) == (14, 2)
    assert invoice.due_at < invoice.mirrored_at < now
    assert SearchKind.INVOICE in understood(invoice.number).kinds
    assert invoice.number.endswith("-000017")
    assert next(world.subscriptions()).status == "past_due"
    with world_in_process(tmp_path / "provider.sqlite3") as provided:
        filled(provided, world)
        found = provided.provider.invoice_of_number(customer=acme.provider_customer, number=invoice.number)
    assert found is not None
    answer = found.thing
    assert isinstance(answer, Invoice)
    assert answer.status == "paid"
    assert answer.paid_at is not None
    assert invoice.mirrored_at < answer.paid_at <= now


@pytest.mark.parametrize("now", [NOW, NOW.replace(hour=5, minute=10), NOW.replace(hour=0), NOW.replace(day=1, hour=3)])
def test_the_third_journey_is_waiting_at_acme(now: datetime) -> None:
    world = demo_world(1, now=now, receiver="http://127.0.0.1:1")
    assert next(each.url for each in world.webhooks() if isinstance(each, WebhookEndpointRecord)) == (
        "http://127.0.0.1:1/acme/orders"
    )
    began = outage_began(now)
    assert (began.hour, began.minute) == (2, 0)
    ended = began + timedelta(hours=OUTAGE_HOURS)
    assert ended < now
    within = [each for each in world.deliveries() if began <= (each.created_at or each.at) < ended]
    failed = [each for each in within if each.outcome == "failed"]
    assert (len(failed), len(within) - len(failed)) == (MISSED, FLAPPED)
    assert all(each.at < ended and each.payload for each in failed)
    assert {each.failure for each in failed} == {None, "connect", "timeout"}
    assert sum(each.event_type == "project.archived" for each in failed) == UNSUBSCRIBED
    assert sum(each.payload_until is not None for each in failed) == EXPIRED


def test_the_second_journey_is_waiting_at_acme(world: DemoWorld) -> None:
    rows = map(row_of, world.catalogue())
    assert [row["value"] for row in rows if (row.get("plan"), row.get("feature")) == ("pro", "seats")] == [20]
    assert sum(1 for each in world.members() if each.tenant == "crm-000001") == 20
    raised = [each.tenant for each in world.overrides()] + [each.tenant for each in world.subscription_add_ons()]
    assert raised
    assert "crm-000001" not in raised


def test_the_traps_are_there(world: DemoWorld) -> None:
    tenants = list(world.tenants())
    names = [each.name for each in tenants]
    assert any("\u0590" <= letter <= "\u06ff" for name in names for letter in name)
    assert max(len(name) for name in names) == 60
    assert any(ord(letter) > 0x1F300 for name in names for letter in name)
    assert any(name.startswith("=cmd|") for name in names)
    assert any("<script>" in name for name in names)
    assert any("'" in name for name in names)
    assert Counter(names)["Northwind Trading"] == 2
    assert {each.status for each in tenants} == {"active", "trial", "suspended", "closed"}
    assert {each.tier for each in tenants} == {"shared", "regional", "dedicated"}
    assert {each.plane for each in tenants} == {"shared", *PLANES}
    assert {each.region for each in tenants} == {"us", "eu", "ap"}
    people = [each.name for each in world.members() if each.tenant == "crm-000001"]
    assert len(people) > len(set(people))
    assert max(map(len, people)) == 60


def test_it_streams_in_constant_memory() -> None:
    def peak(tenants: int) -> int:
        world = demo_world(tenants, now=NOW)
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        for _ in islice(world.records(), 4_000):
            pass
        return tracemalloc.get_traced_memory()[1] - before

    tracemalloc.start()
    try:
        peak(50)
        assert peak(3_000) < 300_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("wrong", [{"tenants": 0}, {"members": -1}, {"now": NOW.replace(tzinfo=None)}])
def test_a_world_without_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="at least one tenant"):
        demo_world(**{"now": NOW, **wrong})  # type: ignore[arg-type]


# --- staff --------------------------------------------------------------------------------------------------------


def test_there_is_somebody_for_every_role_and_two_where_two_must_vote() -> None:
    counted = Counter(each.role for each in demo_staff())
    assert set(counted) == set(Role)
    twice = {Role.SUPPORT_AGENT, Role.SUPPORT_LEAD, Role.FINANCE_LEAD, Role.ADMINISTRATOR}
    assert {role for role, count in counted.items() if count == 2} == twice
    assert len({each.email for each in demo_staff()}) == 12


@pytest.mark.checklist("V6.3.2")
def test_demo_secrets_are_made_for_each_folder_and_kept(tmp_path: Path) -> None:
    people = kept_staff(tmp_path)
    assert {each.password for each in people}.isdisjoint(each.password for each in kept_staff(tmp_path))
    file = write_demo_file(tmp_path, people, address="http://127.0.0.1:8000")
    assert kept_staff(tmp_path) == people
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    told = json.loads(file.read_text("utf-8"))
    assert told["address"] == "http://127.0.0.1:8000"
    assert told["staff"]["finance_lead"]["email"] == "henrik.dahl@sallyport.example"
    assert set(told["staff"]["support_agent_2"]) == {
        "role", "name", "email", "password", "totp_secret", "vendor",
    }  # fmt: skip


def test_demo_people_can_sign_in() -> None:
    rules = Argon2Passwords(memory_kib=64, rounds=1, lanes=1)
    for each in demo_staff(seed=1):
        assert rules.fault(each.password, email=each.email) is None
        assert len(pyotp.TOTP(each.totp_secret).now()) == 6
    assert demo_staff(seed=1) == demo_staff(seed=1)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"staff": {"a": {"role": "king"}}}', '{"staff": []}'])
def test_a_broken_demo_file_says_how_to_begin_anew(tmp_path: Path, text: str) -> None:
    (tmp_path / "demo.json").write_text(text)
    with pytest.raises(DemoFileError, match="remove the folder"):
        kept_staff(tmp_path)
    (tmp_path / "demo-keys.json").write_text(text)
    with pytest.raises(DemoFileError, match="remove the folder"):
        kept_keys(tmp_path)


def test_the_demo_starts_with_settings_of_its_own(tmp_path: Path) -> None:
    first = load_settings(demo_environ(tmp_path, port=8123, planes=PLANES))
    again = load_settings(demo_environ(tmp_path, port=8123, planes=PLANES))
    assert first.secrets == again.secrets
    assert (first.environment, first.server.port, set(first.plane_urls)) == ("demo", 8123, set(PLANES))
    assert stat.S_IMODE((tmp_path / "demo-keys.json").stat().st_mode) == 0o600


# --- the invented provider ----------------------------------------------------------------------------------------


def test_provider_and_books_are_of_one_mind_about_every_object(provided: ProviderWorld, small: DemoWorld) -> None:
    wanted = {(each.id, type(each)): each for books in small.books() for each in (*books.provider, *books.transactions)}
    found: dict[tuple[str, type], BillingObject] = {}
    for kind in ObjectKind:
        after = None
        while True:
            page = provided.provider.page(kind, after=after)
            assert page.unreadable == ()
            found |= {(each.thing.id, type(each.thing)): each.thing for each in page.items}
            after = page.after
            if after is None:
                break
    assert {name for name in wanted if found.get(name) != wanted[name]} == set()
    assert {cls for _, cls in found.keys() - wanted.keys()} == {Price, Payout}
    contents = Counter[str | None]()
    for each in found.values():
        if isinstance(each, BalanceTransaction):
            contents[each.payout] += each.net_minor
    assert {each.id: each.amount_minor for each in found.values() if isinstance(each, Payout)} == {
        name: net for name, net in contents.items() if name is not None
    }


def test_the_provider_goes_on_as_it_began_when_time_passes(provided: ProviderWorld, small: DemoWorld) -> None:
    """Renewals are taxed, use is counted and billed, changes are prorated, and customers are entitled to their plan."""
    provided.fake.book.set("clock", str(int((NOW - NOON).total_seconds())))
    provided.clock.at = NOW
    live = [each for each in small.books() if each.subscription.status == "active" and each.subscription.amount_minor]
    rated = next(each for each in live if any(_is_taxed(thing) for thing in each.provider))
    customer = rated.subscription.provider_customer
    (told,) = _listed(provided, "subscriptions", customer=customer, status="active")
    keys = {each["lookup_key"] for each in _listed(provided, "entitlements/active_entitlements", customer=customer)}
    assert {"seats", "api_calls"} <= keys
    plan = next(each for each in told["items"]["data"] if each["price"]["metadata"].get("plan"))
    params = {"items": [{"id": plan["id"], "quantity": plan["quantity"] + 5}]}
    provided.calls.post(f"/v1/subscriptions/{told['id']}", params, key=provided.key())
    provided.pass_by(days=(datetime.fromtimestamp(plan["current_period_end"], tz=UTC) - provided.clock.now()).days + 2)
    renewed = _listed(provided, "invoices", customer=customer)[0]
    lines = renewed["lines"]["data"]
    assert renewed["number"].startswith("FS-")
    assert all(each["taxes"] for each in lines)
    assert renewed["total"] > renewed["subtotal"]
    changed = [each for each in lines if (each["parent"].get("invoice_item_details") or {}).get("proration")]
    assert len(changed) == 2
    (use,) = [each for each in lines if "api_calls" in each["pricing"]["price_details"]["price"]]
    since = datetime.fromtimestamp(use["period"]["start"], tz=UTC)
    assert use["quantity"] == sum(each.quantity for each in rated.usage_events if since <= each.at) > 0


def _is_taxed(thing: BillingObject) -> bool:
    return isinstance(thing, Invoice) and thing.tax_minor > 0


def _listed(provided: ProviderWorld, path: str, **params: str) -> list[dict[str, Any]]:
    found = provided.calls.found(f"/v1/{path}", params)
    assert found is not None
    return list(found["data"])


def test_the_mirror_of_the_world_is_what_its_books_say(small: DemoWorld) -> None:
    wanted = {(each.id, kind_of_thing(each)) for books in small.books() for each in books.mirror}
    records = [each for each in small.records() if isinstance(each, BillingObjectRecord)]
    assert {(each.document["id"], ObjectKind(each.object)) for each in records} == wanted
    assert all(each.fault() is None for each in records)


def test_most_overrides_have_an_owner_who_works_here() -> None:
    staff = {person.name: f"stf_{person.key}" for person in demo_staff(1)}
    records = demo_world(300, now=NOW, staff=staff).records()
    owners = [record.owner for record in records if isinstance(record, OverrideRecord)]
    here = [owner for owner in owners if owner in staff.values()]
    assert len(set(here)) > 2
    assert len(owners) / 2 < len(here) < len(owners)
    assert set(owners) - set(here) <= {"", "Sanna Lindqvist"}


def test_histories_are_plausible(world: DemoWorld) -> None:
    for invoice in world.invoices():
        assert invoice.issued_at < invoice.due_at
        assert (invoice.paid_at is not None) == (invoice.status == "paid")
    for override in world.overrides():
        assert override.until is not None
        assert override.until - override.starts_at <= timedelta(days=400)
    statuses = Counter(invoice.status for invoice in world.invoices())
    assert statuses["paid"] > 0.5 * sum(statuses.values())
    assert {"open", "past_due", "void"} <= set(statuses)


@pytest.mark.parametrize("now", [NOW, NOW.replace(hour=0)])
def test_an_export_has_failed_and_an_import_is_stuck_at_acme(now: datetime) -> None:
    world = demo_world(40, now=now)
    acme = next(world.tenants()).external_id
    jobs = list(world.product_jobs())
    mine = {job.external_id.removeprefix(f"{acme}-job-"): job for job in jobs if job.tenant == acme}
    assert (mine["export"].job, mine["export"].state) == ("export.members", "failed")
    assert "507" in (mine["export"].last_error or "")
    assert (mine["import"].state, mine["import"].finished_at) == ("running", None)
    assert now - mine["import"].run_at > timedelta(hours=6)
    assert mine["next"].state == "queued"
    assert len({(job.tenant, job.external_id) for job in jobs}) == len(jobs)
    assert 1 < len({job.tenant for job in jobs}) < 40
    assert all((job.finished_at is None) == (job.state in {"queued", "running"}) for job in jobs)
