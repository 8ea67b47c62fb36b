"""The contract of a tenant plane, on every kind of plane, product schema mapped by views included."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from console.domain.billing.objects import ObjectKind
from console.domain.effective_set import effective_of
from console.domain.entitlements import FeatureKind, Grant, GrantSource
from console.domain.errors import ConflictError, NotFoundError, OutsideError, ScopeError
from console.domain.ids import ExecutionId, MemberId, TenantId
from console.domain.product_jobs import ProductJob, ProductJobState
from console.domain.tenancy import TenantStatus
from console.domain.workspace import Note
from console.ports.webhooks import DeliveryFilter
from console.storage.billing_tables import BillingCustomerRow
from console.storage.tenant_plane import StoredTenantPlane
from tests import postgres
from tests.billing import A_SUBSCRIPTION, PAID, told
from tests.conftest import NewDatabase
from tests.databases import NOON, HandClock
from tests.integration.plane_houses import KINDS, OTHER, PlaneHouse, plane_house


@pytest.fixture(scope="module", params=KINDS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlaneHouse]:
    names: list[str] = []

    def create(template: str) -> str:
        names.append(f"test_planes_{os.getpid()}_{len(names)}")
        return postgres.create_database(names[-1], template)

    with plane_house(request.param, tmp_path_factory.mktemp("planes"), create) as opened:
        yield opened
    for name in names:
        postgres.drop_database(name)


@pytest.fixture
def house(built: PlaneHouse) -> PlaneHouse:
    built.forget_what_was_written()
    return built


def override(number: str, value: int) -> Grant:
    return Grant(
        source=GrantSource.OVERRIDE,
        id=number,
        label="Contract amendment",
        feature="seats",
        value=value,
        starts_at=NOON,
        until=NOON + timedelta(days=3),
        reference="CON-1",
    )


def test_it_reads_the_account_and_what_it_pays_for(house: PlaneHouse) -> None:
    with house.write(house.acme) as plane:
        account, subscription = plane.account(), plane.subscription()
    assert (account.tenant, account.name) == (house.acme, "Acme Größe Ltd")
    assert (account.status, account.country, account.version) == (TenantStatus.ACTIVE, "DE", 1)
    assert account.created_at == NOON - timedelta(days=100)
    assert subscription is not None
    assert (subscription.plan_key, subscription.plan_name, subscription.seats) == ("pro", "Pro", 4)
    assert (subscription.amount_minor, subscription.currency) == (9_900, "EUR")
    assert subscription.mirrored_at == NOON - timedelta(hours=1)


def test_it_pages_members_in_order_of_id(house: PlaneHouse) -> None:
    with house.write(house.acme) as plane:
        first = plane.members(after=None, limit=3)
        rest = plane.members(after=first[-1].id, limit=9)
        assert [plane.member_count(most=most) for most in (3, 99)] == [3, 4]
        assert plane.member(first[0].id) == first[0]
    ids = [member.id for member in (*first, *rest)]
    assert ids == sorted(ids)
    assert len(ids) == 4
    assert first[0].id == house.first_member
    assert {member.email for member in (*first, *rest)} == {f"M{number}@acme.example" for number in range(4)}
    assert [member.phone for member in (*first, *rest) if member.role == "admin"] == ["+49 30 1234"]
    assert sum(member.is_active for member in (*first, *rest)) == 3


def test_it_reads_invoices_deliveries_and_features(house: PlaneHouse) -> None:
    with house.write(house.acme) as plane:
        assert [invoice.number for invoice in plane.invoices(limit=9)] == ["INV-acme-1", "INV-acme-2"]
        assert [invoice.amount_minor for invoice in plane.invoices(limit=1)] == [9_900]
        assert plane.invoice("INV-zeta-1") is None
        [delivery] = plane.webhooks.deliveries(DeliveryFilter(), before=None, limit=5)
        assert (delivery.message, delivery.state, delivery.last_status) == ("msg_acme1", "exhausted", 500)
        seats, sso = plane.features()
        assert (seats.key, seats.kind, seats.unit_price_minor) == ("seats", FeatureKind.LIMIT, 500)
        assert (sso.kind, sso.is_paid) == (FeatureKind.SWITCH, False)


def test_it_reads_the_jobs_of_the_product_newest_first(house: PlaneHouse) -> None:
    with house.write(house.acme) as plane:
        found = plane.product_jobs(state=None, before=None, limit=9)
        assert [job.attempts for job in found] == [4, 3, 2, 1, 0]
        assert [job.state for job in found[:3]] == ["queued", "running", "failed"]
        failed = found[2]
        assert (failed.kind, failed.queue, failed.last_error) == ("export", "default", "acme is full")
        assert (failed.created_at, failed.finished_at) == (NOON - timedelta(hours=3), NOON)
        assert (found[0].run_at, found[0].finished_at) == (NOON - timedelta(hours=1), None)
        walked: list[ProductJob] = []
        before = None
        while page := plane.product_jobs(state=None, before=before, limit=2):
            walked += page
            before = page[-1].id
        assert walked == found


def test_it_filters_the_jobs_of_the_product_by_state(house: PlaneHouse) -> None:
    with house.write(house.acme) as plane:
        done = plane.product_jobs(state=ProductJobState.SUCCEEDED, before=None, limit=9)
        assert [job.attempts for job in done] == [1, 0]
        assert plane.product_jobs(state=ProductJobState.SUCCEEDED, before=done[0].id, limit=9) == done[1:]
        assert [job.attempts for job in plane.product_jobs(state=ProductJobState.FAILED, before=None, limit=9)] == [2]
        assert plane.product_jobs(state=ProductJobState.FAILED, before=done[0].id, limit=9) == []


def test_the_jobs_of_another_tenant_are_neither_listed_nor_a_place_to_go_on_from(house: PlaneHouse) -> None:
    with house.write(house.zeta) as plane:
        theirs = plane.product_jobs(state=None, before=None, limit=9)
        assert {job.last_error for job in theirs} == {None, "zeta is full"}
    with house.write(house.acme) as plane:
        mine = plane.product_jobs(state=None, before=None, limit=9)
        assert len(mine) == len(theirs) == 5
        assert not {job.id for job in mine} & {job.id for job in theirs}
        assert not plane.product_jobs(state=None, before=theirs[0].id, limit=9)


def test_it_says_where_an_entitlement_comes_from(house: PlaneHouse) -> None:
    with house.write(house.acme) as plane:
        plane.add_override(override("ovr_1", 40), by="Anna", at=NOON)
        grants = plane.grants("seats")
        assert [(grant.source, grant.label, grant.value) for grant in grants] == [
            (GrantSource.PLAN, "Pro", 5),
            (GrantSource.ADD_ON, "Crew pack \u00d7 2", 20),
            (GrantSource.OVERRIDE, "Contract amendment", 40),
        ]
        assert grants[1].id == house.add_on_id
        assert plane.grants("sso") == []
        assert plane.grants() == grants
        found = effective_of("seats", plane.inputs(), NOON)
        assert found is not None
        assert found.value == 40
        assert plane.account().entitlement_version == 2


def test_it_ends_an_override_once(house: PlaneHouse) -> None:
    with house.write(house.acme) as plane:
        plane.add_override(override("ovr_1", 40), by="Anna", at=NOON)
        assert not plane.end_override("ovr_2", at=NOON)
        assert plane.end_override("ovr_1", at=NOON)
        assert not plane.end_override("ovr_1", at=NOON)
        assert plane.account().entitlement_version == 3
        assert plane.grants("seats")[-1].ended_at == NOON


def test_it_does_not_end_what_has_run_out(house: PlaneHouse) -> None:
    with house.write(house.acme) as plane:
        plane.add_override(override("ovr_1", 40), by="Anna", at=NOON)
        assert not plane.end_override("ovr_1", at=NOON + timedelta(days=3))


def test_it_keeps_notes_newest_first(house: PlaneHouse) -> None:
    with house.write(house.acme) as plane:
        for number in (1, 2):
            at = NOON + timedelta(minutes=number)
            plane.add_note(Note(id=f"nte_{number}", author="Anna", text=f"\u05e9 =cmd {number}", at=at))
    with house.write(house.acme) as plane:
        assert [note.id for note in plane.notes(before=None, limit=5)] == ["nte_2", "nte_1"]
        assert [note.id for note in plane.notes(before="nte_2", limit=5)] == ["nte_1"]
        assert not plane.notes(before="nte_1", limit=5)
        assert not plane.notes(before="nte_9", limit=5)
    with house.write(house.zeta) as plane:
        assert not plane.notes(before=None, limit=5)
        assert not plane.notes(before="nte_2", limit=5)


def test_a_status_set_here_wins_and_is_fenced_by_the_version(house: PlaneHouse) -> None:
    with house.write(house.acme) as plane:
        assert not plane.set_status(TenantStatus.SUSPENDED, because="fraud", version=2)
        assert plane.set_status(TenantStatus.SUSPENDED, because="fraud", version=1)
        assert not plane.set_status(TenantStatus.CLOSED, because=None, version=1)
        account = plane.account()
    assert (account.status, account.suspended_because, account.version) == (TenantStatus.SUSPENDED, "fraud", 2)
    with house.write(house.zeta) as plane:
        assert plane.account().status is TenantStatus.ACTIVE


def test_it_shows_an_invoice_as_the_fresher_mirror_knows_it(house: PlaneHouse) -> None:
    older, fresher = NOON - timedelta(hours=2), NOON
    with house.write(house.acme) as plane:
        of_product = plane.invoice("INV-acme-1")
        plane.mirror.put(told(PAID, at=older))
        assert plane.invoice("INV-acme-1") == of_product, "the product heard of it later"
        plane.mirror.put(told(PAID, at=fresher))
        invoice = plane.invoice("INV-acme-1")
        assert invoice is not None
        assert (invoice.status, invoice.provider_status, invoice.paid_at) == ("paid", "paid", PAID.paid_at)
        assert invoice.mirrored_at == fresher
        assert plane.invoices(limit=9)[0] == invoice
        assert [each.number for each in plane.invoices(limit=9)] == ["INV-acme-1", "INV-acme-2"]
    with house.write(house.zeta) as plane:
        assert [each.status for each in plane.invoices(limit=9)] == ["open", "open"]


def test_it_shows_an_invoice_that_only_our_mirror_has_heard_of(house: PlaneHouse) -> None:
    new = replace(PAID, id="in_9", number="INV-acme-9", issued_at=NOON)
    with house.write(house.acme) as plane:
        plane.mirror.put(told(new))
        assert [each.number for each in plane.invoices(limit=2)] == ["INV-acme-9", "INV-acme-1"]
        alone = plane.invoice("INV-acme-9")
        assert alone is not None
        assert (alone.status, alone.amount_minor, alone.paid_at) == ("paid", 9_900, PAID.paid_at)
        plane.mirror.mark_deleted(ObjectKind.INVOICE, "in_9", at=NOON)
        assert plane.invoice("INV-acme-9") is None
        assert [each.number for each in plane.invoices(limit=2)] == ["INV-acme-1", "INV-acme-2"]


def test_access_is_computed_from_what_the_fresher_mirror_knows_of_the_subscription(house: PlaneHouse) -> None:
    item = replace(A_SUBSCRIPTION.items[0], plan="big", quantity=70)
    grown = replace(A_SUBSCRIPTION, status="past_due", items=(item,), period_until=NOON + timedelta(days=70))
    with house.write(house.acme) as plane:
        of_product = plane.subscription()
        plane.mirror.put(told(replace(grown, id="sub_x", customer="cus_stranger", started_at=NOON)))
        plane.mirror.put(told(grown, at=NOON - timedelta(hours=2)))
        assert plane.subscription() == of_product, "of somebody else, and older than the product's"
        plane.mirror.put(told(grown))
        shown = plane.subscription()
        assert shown is not None
        assert (shown.plan_key, shown.plan_name, shown.status, shown.seats) == ("big", "big", "past_due", 70)
        assert (shown.renews_at, shown.mirrored_at) == (grown.period_until, NOON)
        assert plane.inputs().subscription == "past_due"
        assert [each for each in plane.inputs().grants if each.source is GrantSource.PLAN] == []
        assert [each for each in plane.grants() if each.source is GrantSource.PLAN] == []
        plane.mirror.put(told(A_SUBSCRIPTION))
        assert [each.id for each in plane.grants() if each.source is GrantSource.PLAN] == ["pro"]


def test_of_several_subscriptions_the_newest_that_goes_on_decides(house: PlaneHouse) -> None:
    ended = replace(A_SUBSCRIPTION, id="sub_2", status="canceled", started_at=NOON, ended_at=NOON)
    with house.write(house.acme) as plane:
        plane.mirror.put(told(ended))
        assert plane.inputs().subscription == "canceled"
        plane.mirror.put(told(replace(A_SUBSCRIPTION, status="trialing")))
        assert plane.inputs().subscription == "trialing"
        plane.mirror.mark_deleted(ObjectKind.SUBSCRIPTION, "sub_1", at=NOON)
        assert plane.inputs().subscription == "canceled"


def test_a_customer_is_the_tenants_while_a_link_says_so(house: PlaneHouse) -> None:
    def link(customer: str, *, until: datetime | None, at: datetime = NOON) -> dict[str, object]:
        return {"customer": customer, "linked_at": at, "linked_by": "x", "because": "x", "unlinked_at": until}

    with house.write(house.acme) as plane:
        assert isinstance(plane, StoredTenantPlane)
        assert plane.mirror.customers() == {"cus_acme1"}, "the product's own"
        plane._session.put(BillingCustomerRow, **link("cus_more", until=None))
        plane._session.put(BillingCustomerRow, **link("cus_old", until=NOON))
        assert plane.mirror.customers() == {"cus_acme1", "cus_more"}
        plane._session.put(BillingCustomerRow, **link("cus_acme1", until=NOON))
        assert plane.mirror.customers() == {"cus_more"}
        plane.mirror.put(told(replace(A_SUBSCRIPTION, status="past_due")))
        assert plane.inputs().subscription == "active", "what was unlinked counts no more"
        plane._session.put(BillingCustomerRow, **link("cus_acme1", until=None, at=NOON + timedelta(seconds=1)))
        assert plane.inputs().subscription == "past_due"
    with house.write(house.zeta) as plane:
        assert plane.mirror.customers() == {"cus_zeta1"}


def test_it_records_an_execution_once(house: PlaneHouse) -> None:
    execution = ExecutionId("exe_1")
    with house.write(house.acme) as plane:
        assert plane.applied(execution) is None
        plane.mark_applied(execution, outcome="applied", at=NOON)
    with house.write(house.acme) as plane:
        assert plane.applied(execution) == "applied"
        with pytest.raises(ConflictError):
            plane.mark_applied(execution, outcome="abandoned", at=NOON)
        assert plane.applied(execution) == "applied"
    with house.write(house.zeta) as plane, pytest.raises(ConflictError):
        plane.mark_applied(execution, outcome="applied", at=NOON)


def test_nothing_stays_of_a_unit_that_fails(house: PlaneHouse) -> None:
    with pytest.raises(ZeroDivisionError), house.write(house.acme) as plane:  # noqa: PT012
        plane.mark_applied(ExecutionId("exe_1"), outcome="applied", at=NOON)
        plane.set_status(TenantStatus.CLOSED, because=None, version=1)
        raise ZeroDivisionError
    with house.write(house.acme) as plane:
        assert plane.applied(ExecutionId("exe_1")) is None
        assert plane.account().version == 1


def test_one_tenant_never_sees_another(house: PlaneHouse) -> None:
    with house.write(house.zeta) as plane:
        other = plane.members(after=None, limit=9)
    with house.write(house.acme) as plane:
        mine = plane.members(after=None, limit=99)
        assert len(mine) == len(other) == 4
        assert all(plane.member(member.id) is None for member in other)
        assert plane.member(MemberId("%")) is None
    with house.write(TenantId("ten_nobody")) as plane:
        assert not plane.members(after=None, limit=9)
        assert plane.subscription() is None
        with pytest.raises(NotFoundError):
            plane.account()


def test_it_refuses_a_scope_that_has_expired(tmp_path: Path, pg_database: NewDatabase) -> None:
    clock = HandClock()
    with plane_house("sqlite-other-file", tmp_path, pg_database, clock=clock) as house:
        clock.pass_by(hours=1)
        with pytest.raises(ScopeError), house.write(house.acme):
            pass


def test_a_plane_that_is_gone_is_an_outside_error(tmp_path: Path, pg_database: NewDatabase) -> None:
    with plane_house("sqlite-other-file", tmp_path, pg_database) as house:
        for database in house.storage._databases:
            database.close()
        (tmp_path / "plane.db").unlink()
        (tmp_path / "plane.db").mkdir()
        with pytest.raises(OutsideError) as caught, house.write(house.acme):
            pass
        assert not caught.value.permanent
        assert not house.storage.planes.shares_control(OTHER)
