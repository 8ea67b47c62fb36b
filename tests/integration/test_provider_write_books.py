"""Commands, links and holds of a tenant: the contract of the billing books on both databases."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from console.domain.billing.commands import ApplyPayment, RefundPayment
from console.domain.billing.objects import ObjectKind
from console.domain.billing.writes import MalformedCommandError, WriteEvent, WriteState
from console.domain.errors import ConflictError, OutsideError
from console.domain.ids import ExecutionId, PlaneId
from console.domain.reconciling.books import Hold, Link
from console.domain.search_terms import SearchTerms, understood
from console.storage.house import Storage
from console.storage.shape import PLANE_HEADS
from tests.conftest import NewDatabase
from tests.databases import ENGINES, NOON, opened_storage, sqlite_url
from tests.integration.cast import ACME, ZETA, house, move_in, scope
from tests.integration.stage import rows

RUN, NEXT = ExecutionId("exe_1"), ExecutionId("exe_2")
REFUND = RefundPayment(payment="pay_1", amount_minor=500, currency="EUR", reason="requested_by_customer")
HOLD = Hold(
    dispute="dp_1", payment="pay_1", amount_minor=500, currency="EUR", opened_at=NOON, outcome=None, reversals=0,
    plan_at_purchase="team", plan_used="team",
)  # fmt: skip


@pytest.fixture(params=ENGINES)
def storage(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Storage]:
    with house(request.param, tmp_path, pg_database) as opened:
        move_in(opened)
        yield opened


def test_a_command_is_noted_once_for_an_execution_and_comes_back_whole(storage: Storage) -> None:
    with storage.store.write() as unit:
        book = unit.tenant(scope(ACME)).provider_writes
        made = book.want(REFUND, execution=RUN, at=NOON)
        assert book.get(RUN) == made
        assert book.get(NEXT) is None
        with pytest.raises(ConflictError):
            book.want(REFUND, execution=RUN, at=NOON)
        book.want(
            ApplyPayment(payment="pay_2", invoice="in_1", amount_minor=1, currency="EUR"), execution=NEXT, at=NOON
        )
        assert [each.id for each in book.pending("pay_1")] == [RUN]
        assert [each.id for each in book.pending()] == [RUN, NEXT]
        assert [each.id for each in book.recent(limit=1)] == [NEXT]
    with storage.store.read() as unit:
        other = unit.tenant(scope(ZETA)).provider_writes
        assert (other.get(RUN), list(other.pending())) == (None, [])


def test_a_command_moves_by_its_version_and_only_as_its_machine_says(storage: Storage) -> None:
    later = NOON + timedelta(hours=1)
    with storage.store.write() as unit:
        book = unit.tenant(scope(ACME)).provider_writes
        book.lock()
        made = book.want(REFUND, execution=RUN, at=NOON)
        sent = book.move(made, WriteEvent.SEND, at=NOON)
        assert sent is not None
        assert (sent.state, sent.version, sent.sent_at) == (WriteState.SENT, 2, NOON)
        assert book.move(made, WriteEvent.SEND, at=NOON) is None
        again = book.move(sent, WriteEvent.SEND, at=later, error="It did not answer.")
        assert again is not None
        assert (again.sent_at, again.error) == (NOON, "It did not answer.")
        done = book.move(again, WriteEvent.SUCCEED, at=later, result=(ObjectKind.REFUND, "re_1"))
        assert done is not None
        assert (done.settled_at, done.result_kind, done.result_id, done.error) == (
            later, ObjectKind.REFUND, "re_1", None,
        )  # fmt: skip
        assert list(book.pending()) == []
        with pytest.raises(ConflictError):
            book.move(done, WriteEvent.REFUSE, at=later)


@pytest.mark.parametrize(
    "change", ["command = '{}'", "amount_minor = 1", "idempotency_key = 'x'", "subject = 'pay_2'", "currency = 'USD'"]
)
def test_the_database_itself_keeps_what_was_wanted(storage: Storage, change: str) -> None:
    with storage.store.write() as unit:
        unit.tenant(scope(ACME)).provider_writes.want(REFUND, execution=RUN, at=NOON)
    url = storage._settings.database_url
    for statement in (f"UPDATE plane_provider_write SET {change}", "DELETE FROM plane_provider_write"):
        with pytest.raises((DBAPIError, Exception), match="keeps what was written"):
            rows(url, statement)


def test_a_command_that_was_altered_past_the_database_is_not_believed(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "altered.db")
    with opened_storage(url) as storage:
        move_in(storage)
        with storage.store.write() as unit:
            unit.tenant(scope(ACME)).provider_writes.want(REFUND, execution=RUN, at=NOON)
        rows(url, "DROP TRIGGER plane_provider_write_keep")
        rows(url, "UPDATE plane_provider_write SET command = replace(command, '500', '900')")
        with storage.store.read() as unit, pytest.raises(MalformedCommandError):
            unit.tenant(scope(ACME)).provider_writes.get(RUN)


def test_a_link_can_end_and_begin_again(storage: Storage) -> None:
    later = NOON + timedelta(days=1)
    with storage.store.write() as unit:
        book = unit.tenant(scope(ACME)).customers
        assert book.link("cus_1", by="Robin", because="metadata", at=NOON)
        assert not book.link("cus_1", by="Robin", because="metadata", at=later)
        assert book.links() == (Link(customer="cus_1", linked_at=NOON),)
        assert book.unlink("cus_1", at=later)
        assert not book.unlink("cus_1", at=later)
        assert book.links() == ()
        assert book.link("cus_1", by="Robin", because="metadata", at=later)
        assert book.links() == (Link(customer="cus_1", linked_at=later),)


def test_who_links_a_customer_is_seen_across_tenants_and_nothing_else(storage: Storage) -> None:
    for tenant, customers in ((ACME, ("cus_1", "cus_2")), (ZETA, ("cus_1",))):
        with storage.store.write() as unit:
            for customer in customers:
                unit.tenant(scope(tenant)).customers.link(customer, by="Robin", because="metadata", at=NOON)
    assert storage.customer_claims.of(["cus_1", "cus_2", "cus_3"]) == {"cus_1": (ACME, ZETA), "cus_2": (ACME,)}
    with storage.store.write() as unit:
        unit.tenant(scope(ZETA)).customers.unlink("cus_1", at=NOON)
    assert storage.customer_claims.of(["cus_1"]) == {"cus_1": (ACME,)}
    assert storage.customer_claims.of([]) == {}


def test_links_on_a_plane_that_does_not_answer_are_never_taken_for_none(tmp_path: Path) -> None:
    far = tmp_path / "far.db"
    planes = {PlaneId("far"): sqlite_url(far, heads=PLANE_HEADS)}
    with opened_storage(sqlite_url(tmp_path / "control.db"), planes=planes) as storage:
        assert storage.customer_claims.of(["cus_1"]) == {}
        storage.close()
        far.rename(tmp_path / "away.db")
        far.mkdir()
        with pytest.raises(OutsideError):
            storage.customer_claims.of(["cus_1"])


def test_a_tenant_is_found_by_a_customer_that_was_linked(storage: Storage) -> None:
    terms: SearchTerms = understood("cus_LinkedOne")
    for _ in range(2):
        with storage.store.write() as unit:
            unit.directory.link_customer(ACME, "cus_LinkedOne")
    with storage.store.read() as unit:
        assert unit.inbox.tenant_of_customer("cus_LinkedOne") == ACME
    assert [hit.tenant.id for hit in storage.fleet.search(terms, limit=5)] == [ACME]
    for _ in range(2):
        with storage.store.write() as unit:
            unit.directory.unlink_customer(ACME, "cus_LinkedOne")
    assert storage.fleet.search(terms, limit=5) == []


def test_a_hold_moves_only_from_what_was_seen(storage: Storage) -> None:
    lost = replace(HOLD, outcome="lost", reversals=1)
    with storage.store.write() as unit:
        plane = unit.tenant(scope(ACME))
        assert plane.put_hold(HOLD, before=None, at=NOON)
        assert not plane.put_hold(HOLD, before=None, at=NOON)
        assert plane.holds() == (HOLD,)
        assert plane.put_hold(lost, before=HOLD, at=NOON)
        assert not plane.put_hold(lost, before=HOLD, at=NOON)
        assert plane.holds() == (lost,)
    with storage.store.read() as unit:
        assert unit.tenant(scope(ZETA)).holds() == ()
