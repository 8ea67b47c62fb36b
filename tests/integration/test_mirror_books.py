"""The mirror of the provider: the contract of the MirrorBook on both databases, and its races on PostgreSQL."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from console.domain.billing.canonical_form import Snapshot
from console.domain.billing.objects import ObjectKind, Price
from console.domain.errors import BadValueError
from console.domain.ids import TenantId
from console.domain.reconciling.books import side_of
from console.ports.mirror import MirrorBook
from console.ports.planes import TenantPlane
from console.storage import mirror
from console.storage.account_state import move_entitlements
from console.storage.guards import GuardedSession
from console.storage.house import Storage
from tests.billing import (
    A_CREDIT_NOTE,
    A_DISPUTE,
    A_PAYMENT,
    A_REFUND,
    A_SUBSCRIPTION,
    AN_INVOICE,
    ONE_OF_EACH,
    PAID,
    told,
)
from tests.conftest import NewDatabase
from tests.databases import ENGINES, NOON
from tests.integration.cast import ACME, ZETA, house, move_in, scope
from tests.integration.race_world import Meeting

SECOND = timedelta(seconds=1)
INVOICE = ObjectKind.INVOICE
ROUNDS = 40
Planes = Callable[..., AbstractContextManager[TenantPlane]]
A_PRICE = Price(
    id="price_pro", plan="pro", feature=None, currency="EUR", unit_minor=1, interval="month", is_metered=False,
    is_active=True, is_live=True,
)  # fmt: skip


@pytest.fixture(params=ENGINES)
def storage(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Storage]:
    with house(request.param, tmp_path, pg_database) as opened:
        move_in(opened)
        yield opened


@pytest.fixture
def planes(storage: Storage) -> Planes:
    @contextmanager
    def opened(tenant: TenantId = ACME) -> Iterator[TenantPlane]:
        with storage.store.write() as unit:
            yield unit.tenant(scope(tenant))

    return opened


def fill(book: MirrorBook, *snapshots: Snapshot) -> None:
    for each in snapshots or [told(thing) for thing in ONE_OF_EACH]:
        assert book.put(each)


def spoil(storage: Storage, thing: str) -> None:
    """Let the document of one object no longer fit its kind, as an upgrade may leave it."""
    with storage._control.writing.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT set_config('app.tenant', :tenant, true)"), {"tenant": ACME})
        spoilt = text("UPDATE plane_billing_object SET canonical = '{}' WHERE id = :thing")
        connection.execution_options(across_tenants=True).execute(spoilt, {"thing": thing})


def test_every_kind_comes_back_as_the_provider_told_it(planes: Planes) -> None:
    with planes() as plane:
        fill(plane.mirror)
    with planes() as plane:
        for thing in ONE_OF_EACH:
            snapshot = told(thing)
            assert plane.mirror.get(snapshot.kind, thing.id) == snapshot
        assert plane.mirror.side() == side_of(ONE_OF_EACH)
        assert plane.mirror.mirrored_at() == {(told(each).kind, each.id): NOON for each in ONE_OF_EACH}


def test_what_hangs_on_an_object_is_found_by_it(planes: Planes) -> None:
    with planes() as plane:
        fill(plane.mirror)
        book = plane.mirror
        assert [each.thing for each in book.children(INVOICE, "sub_1", limit=9)] == [AN_INVOICE]
        assert [each.thing for each in book.children(ObjectKind.REFUND, "pi_1", limit=9)] == [A_REFUND]
        assert [each.thing for each in book.children(ObjectKind.DISPUTE, "pi_1", limit=9)] == [A_DISPUTE]
        assert [each.thing for each in book.children(ObjectKind.CREDIT_NOTE, "in_1", limit=9)] == [A_CREDIT_NOTE]
        assert book.children(ObjectKind.REFUND, "pi_2", limit=9) == []


def test_a_page_is_full_though_some_documents_no_longer_fit_their_kind(storage: Storage, planes: Planes) -> None:
    made = [replace(A_PAYMENT, id=f"pi_{number}", created_at=NOON - number * SECOND) for number in range(6)]
    with planes() as plane:
        fill(plane.mirror, *(told(each) for each in made))
    for each in ("pi_0", "pi_1", "pi_3"):
        spoil(storage, each)
    with planes() as plane:
        newest = plane.mirror.page(ObjectKind.PAYMENT, before=None, limit=2)
        assert [each.thing.id for each in newest] == ["pi_2", "pi_4"]
        assert [each.thing.id for each in plane.mirror.page(ObjectKind.PAYMENT, before="pi_4", limit=2)] == ["pi_5"]


def test_pages_go_on_where_the_last_one_ended_even_among_equal_moments(planes: Planes) -> None:
    moments = [NOON, NOON, NOON, NOON - SECOND, NOON - 2 * SECOND]
    made = [replace(A_PAYMENT, id=f"pi_{number}", created_at=at) for number, at in enumerate(moments)]
    with planes() as plane:
        fill(plane.mirror, *(told(each) for each in made))
        seen: list[str] = []
        before = None
        while page := plane.mirror.page(ObjectKind.PAYMENT, before=before, limit=2):
            seen += [each.thing.id for each in page]
            before = seen[-1]
        assert seen == ["pi_2", "pi_1", "pi_0", "pi_3", "pi_4"]
        assert plane.mirror.page(ObjectKind.PAYMENT, before="pi_none", limit=2) == ()


def test_an_invoice_is_found_by_its_number_and_the_fresher_one_where_two_bear_it(planes: Planes) -> None:
    with planes() as plane:
        fill(plane.mirror, told(AN_INVOICE), told(replace(AN_INVOICE, id="in_2"), at=NOON - SECOND))
        found = plane.mirror.invoice_of_number("INV-acme-1")
        assert found is not None
        assert found.thing.id == "in_1"
        assert plane.mirror.numbers({"in_1", "in_2", "in_9"}) == {"in_1": "INV-acme-1", "in_2": "INV-acme-1"}
        assert plane.mirror.numbers(()) == {}
        assert plane.mirror.invoice_of_number("INV-acme-9") is None


def test_an_older_answer_never_overwrites_a_newer_one(planes: Planes) -> None:
    with planes() as plane:
        assert plane.mirror.put(told(PAID, at=NOON))
        assert not plane.mirror.put(told(AN_INVOICE, at=NOON - SECOND))
        assert plane.mirror.get(INVOICE, "in_1") == told(PAID)
        assert plane.mirror.put(told(AN_INVOICE, at=NOON + SECOND))
        assert plane.mirror.get(INVOICE, "in_1") == told(AN_INVOICE, at=NOON + SECOND)


def test_what_the_provider_deleted_is_kept_and_marked(planes: Planes) -> None:
    with planes() as plane:
        fill(plane.mirror)
        assert not plane.mirror.mark_deleted(INVOICE, "in_1", at=NOON - SECOND)
        assert plane.mirror.mark_deleted(INVOICE, "in_1", at=NOON + SECOND)
        assert not plane.mirror.mark_deleted(INVOICE, "in_none", at=NOON + SECOND)
        assert plane.mirror.get(INVOICE, "in_1") == told(AN_INVOICE, at=NOON + SECOND, is_deleted=True)
        assert (INVOICE, "in_1") not in plane.mirror.side().objects
        assert plane.mirror.mirrored_at()[INVOICE, "in_1"] == NOON + SECOND


def test_a_subscription_that_changed_moves_what_access_was_computed_from(planes: Planes) -> None:
    def version() -> int:
        return plane.account().entitlement_version

    with planes() as plane:
        first = version()
        plane.mirror.put(told(A_SUBSCRIPTION))
        assert version() == first + 1
        plane.mirror.put(told(A_SUBSCRIPTION, at=NOON + SECOND))
        plane.mirror.put(told(AN_INVOICE))
        assert version() == first + 1
        plane.mirror.put(told(replace(A_SUBSCRIPTION, status="past_due"), at=NOON + SECOND))
        assert version() == first + 2
        plane.mirror.put(told(A_SUBSCRIPTION))  # older, and so without any effect
        assert version() == first + 2
        plane.mirror.mark_deleted(ObjectKind.SUBSCRIPTION, "sub_1", at=NOON + 2 * SECOND)
        assert version() == first + 3


def test_what_belongs_to_no_customer_is_refused(planes: Planes) -> None:
    with planes() as plane, pytest.raises(BadValueError):
        plane.mirror.put(told(A_PRICE))


def test_one_tenants_mirror_is_another_ones_never(planes: Planes) -> None:
    with planes() as plane:
        fill(plane.mirror)
    with planes(ZETA) as plane:
        assert plane.mirror.get(INVOICE, "in_1") is None
        assert plane.mirror.side().objects == {}
        assert not plane.mirror.mark_deleted(INVOICE, "in_1", at=NOON + SECOND)
        assert plane.mirror.put(told(PAID, at=NOON - SECOND))  # its own row, whatever Acme's says
    with planes() as plane:
        assert plane.mirror.get(INVOICE, "in_1") == told(AN_INVOICE)


def test_a_document_that_no_longer_fits_counts_as_not_mirrored_until_it_is_written_anew(
    storage: Storage, planes: Planes
) -> None:
    with planes() as plane:
        fill(plane.mirror)
    spoil(storage, "in_1")
    with planes() as plane:
        assert plane.mirror.get(INVOICE, "in_1") is None
        assert (INVOICE, "in_1") not in plane.mirror.side().objects
        assert plane.mirror.put(told(AN_INVOICE))
        assert plane.mirror.get(INVOICE, "in_1") == told(AN_INVOICE)


def test_of_two_writers_at_once_the_fresher_answer_stays(tmp_path: Path, pg_database: NewDatabase) -> None:
    with house("postgresql", tmp_path, pg_database) as storage:
        move_in(storage)
        for number in range(ROUNDS):
            barrier = threading.Barrier(2)
            invoice = replace(AN_INVOICE, id=f"in_{number}", number=f"N-{number}")
            newer = told(replace(invoice, status="paid"), at=NOON + SECOND)

            def write(snapshot: Snapshot, gate: threading.Barrier = barrier) -> bool:
                with storage.store.write() as unit:
                    plane = unit.tenant(scope(ACME))
                    gate.wait(timeout=10)
                    return plane.mirror.put(snapshot)

            with ThreadPoolExecutor(2) as pool:
                answers = list(pool.map(write, (told(invoice), newer)))
            assert answers[1]
            with storage.store.read() as unit:
                assert unit.tenant(scope(ACME)).mirror.get(INVOICE, invoice.id) == newer


def test_nobody_waits_in_a_circle_where_an_event_and_an_answer_tell_of_one_subscription(
    tmp_path: Path, pg_database: NewDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever cancels a duplicate stores the answer while the provider's event of it is worked off."""
    meeting = Meeting(2, patience_s=0.5)
    with house("postgresql", tmp_path, pg_database) as storage:
        move_in(storage)
        with storage.store.write() as unit:
            fill(unit.tenant(scope(ACME)).mirror, told(A_SUBSCRIPTION))

        def moved(session: GuardedSession) -> None:
            meeting.arrive()
            move_entitlements(session)

        def work_event_off() -> bool:
            with storage.store.write() as unit:
                return unit.tenant(scope(ACME)).mirror.put(
                    told(replace(A_SUBSCRIPTION, status="canceled"), at=NOON + SECOND)
                )

        def settle() -> bool:
            with storage.store.write() as unit:
                plane = unit.tenant(scope(ACME))
                plane.take_turn()
                meeting.arrive()
                return plane.mirror.mark_deleted(ObjectKind.SUBSCRIPTION, A_SUBSCRIPTION.id, at=NOON + 2 * SECOND)

        monkeypatch.setattr(mirror, "move_entitlements", moved)
        with ThreadPoolExecutor(2) as pool:
            doing = [pool.submit(each) for each in (work_event_off, settle)]
            assert doing[1].result()
            doing[0].result()
