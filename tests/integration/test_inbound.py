"""Providers' webhooks from the call to the mirror, on both databases and on a plane elsewhere."""

from dataclasses import replace
from threading import Barrier, Thread
from typing import Any

import pytest

from console.adapters.billing import NoProvider
from console.domain.billing.canonical_form import kind_of
from console.domain.billing.objects import BillingObject, ObjectKind
from console.domain.errors import NotFoundError, OutsideError, UnreadableObjectError
from console.domain.inbound import InboundState
from console.storage.inbox import StoredInbox
from console.usecases.process_inbound import process_inbound
from console.usecases.receive_inbound import NotBelieved, Received, receive_inbound
from console.usecases.strangers import sum_up_strangers
from tests.billing import A_CUSTOMER, A_PAYMENT, ONE_OF_EACH, told, with_owner
from tests.integration.inbound_world import ORIGIN, TYPES, World, invoice_paid, there
from tests.integration.overtaking import overtake
from tests.integration.stage import behind, rows, tenant
from tests.integration.test_inbound_gaps import SMALL

__all__ = ["there"]


def test_it_lets_the_mirror_follow_what_the_provider_says_now(there: World) -> None:
    there.provider.says("acme", "paid")
    assert there.call(invoice_paid()) == Received(is_new=True)
    assert there.mirror("acme") == "open"
    there.work()
    assert there.mirror("acme") == "paid", "not `void`, which the event itself says"
    (event,) = there.events()
    assert (event.state, event.tenant) == (InboundState.PROCESSED, tenant("acme"))
    assert there.stage.entries("inbound.processed") == 1
    assert there.mirror("globex") == "open"


def test_it_reaches_a_plane_elsewhere(there: World) -> None:
    there.provider.says("faraway", "paid")
    there.call(invoice_paid("cus_faraway", "in_faraway"))
    there.work()
    assert there.mirror("faraway") == "paid"
    assert there.events()[0].tenant == tenant("faraway")
    assert there.stage.entries("inbound.processed") == 1


def test_it_keeps_an_event_once(there: World) -> None:
    there.provider.says("acme", "paid")
    assert there.call(invoice_paid()) == Received(is_new=True)
    there.clock.pass_by(minutes=2)
    for headers in ({}, {"webhook-id": "another"}, {"idempotency-key": "third"}):
        assert there.call(invoice_paid(), **headers) == Received(is_new=False)
    there.work()
    assert len(there.events()) == 1
    assert len(there.provider.asked) == 1


def test_it_keeps_an_event_without_an_id_once(there: World) -> None:
    event = {name: value for name, value in invoice_paid().items() if name != "id"}
    assert [there.call(event) for _ in range(3)] == [
        Received(is_new=True), Received(is_new=False), Received(is_new=False),
    ]  # fmt: skip


def test_it_keeps_an_event_once_when_it_comes_twice_at_the_same_moment(there: World) -> None:
    barrier, answers = Barrier(4), list[object]()

    def call() -> None:
        barrier.wait()
        answers.append(there.call(invoice_paid()))

    threads = [Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(repr(answer) for answer in answers) == ["Received(is_new=False)"] * 3 + ["Received(is_new=True)"]
    assert len(there.jobs()) == 1


def test_it_keeps_events_of_accounts_and_modes_apart(there: World) -> None:
    for other in ({}, {"account": "acct_1"}, {"livemode": False}):
        assert there.call(invoice_paid(**other)) == Received(is_new=True)


def test_it_leaves_a_fresher_mirror_alone(there: World) -> None:
    there.provider.says("acme", "open")
    there.call(invoice_paid())
    (job,) = there.jobs()
    late = there.provider.now
    there.clock.pass_by(minutes=1)
    there.provider.now = there.clock.now()
    there.provider.says("acme", "paid")
    there.call(invoice_paid(id="evt_2"))
    there.work()
    assert there.mirror("acme") == "paid"
    there.provider.says("acme", "open")
    there.provider.now = late
    process_inbound(there.stage.house, job)
    assert there.mirror("acme") == "paid"
    assert sorted(str(event.because) for event in there.events()) == ["None", "fresher_mirror"]


@pytest.mark.parametrize(
    ("event", "because"),
    [
        (invoice_paid("cus_nobody"), "unknown_customer"),
        (invoice_paid(thing="in_none"), "unknown_object"),
        (invoice_paid(data={"object": {"customer": "cus_acme"}}), "unknown_object"),
        (invoice_paid(type="charge.failed", data={"object": {"object": "charge", "id": "pi_lost"}}), "no_customer"),
        (invoice_paid("cus_acme", "in_globex"), "other_customer"),
        (invoice_paid(data={"object": {"id": "in_stray"}}), "unknown_customer"),
    ],
)
def test_it_sets_aside_what_belongs_to_nobody(there: World, event: dict[str, Any], because: str) -> None:
    there.provider.says("globex", "paid")
    there.provider.says("stray", "paid", customer="cus_nobody")
    there.provider.knows(replace(A_PAYMENT, id="pi_lost", customer=None))
    there.call(event)
    there.work()
    (kept,) = there.events()
    assert (kept.state, kept.because) == (InboundState.QUARANTINED, because)
    assert there.stage.entries("inbound.quarantined") == 1
    assert (there.mirror("acme"), there.mirror("globex")) == ("open", "open")


@pytest.mark.parametrize("thing", ONE_OF_EACH, ids=lambda thing: kind_of(thing).value)
def test_it_follows_the_provider_in_every_kind_whatever_the_event_says(there: World, thing: BillingObject) -> None:
    """Events of refunds and disputes name no customer: the provider's answer does."""
    owned = with_owner(thing, "cus_acme")
    there.provider.knows(owned)
    there.call(invoice_paid(type=TYPES[kind_of(thing)], data={"object": {"id": owned.id, "amount": 1}}))
    there.work()
    (event,) = there.events()
    assert (event.state, event.tenant, event.because) == (InboundState.PROCESSED, tenant("acme"), None)
    found = rows(there.stage.url, "SELECT kind, id, tenant_id FROM plane_billing_object")
    assert [tuple(row) for row in found] == [(kind_of(thing).value, owned.id, tenant("acme"))]


@pytest.mark.parametrize("kind", ["payout.paid", "price.updated"])
def test_it_leaves_what_belongs_to_the_account_to_the_next_reconciliation(there: World, kind: str) -> None:
    there.call(invoice_paid(type=kind, data={"object": {"id": "po_1"}}))
    there.work()
    (event,) = there.events()
    assert (event.state, event.because) == (InboundState.IGNORED, "of_account")
    assert there.provider.asked == []


def test_it_takes_an_invoice_by_its_number_where_the_event_names_no_id(there: World) -> None:
    there.provider.says("acme", "paid")
    there.call(invoice_paid(data={"object": {"object": "invoice", "number": "INV-acme-1", "customer": "cus_acme"}}))
    there.work()
    assert there.mirror("acme") == "paid"


def test_metadata_never_says_whose_an_object_is(there: World) -> None:
    there.provider.says("acme", "paid", customer="cus_new")
    data = {"object": {"id": "in_acme", "metadata": {"tenant_id": str(tenant("acme"))}}}
    there.provider.knows(replace(A_CUSTOMER, id="cus_new", tenant=str(tenant("acme"))))
    there.call(invoice_paid(data=data))
    there.work()
    assert there.events()[0].because == "unknown_customer"
    assert there.mirror("acme") == "open"


def test_it_never_mirrors_a_customer_that_was_unlinked(there: World) -> None:
    there.provider.says("acme", "paid")
    sql = (
        "INSERT INTO plane_billing_customer (tenant_id, customer, linked_at, linked_by, because, unlinked_at) "
        "VALUES (?, 'cus_acme', 1, 'x', 'x', 2)"
    )
    rows(there.stage.url, sql, tenant("acme"))
    there.call(invoice_paid())
    there.work()
    assert there.events()[0].because == "unlinked_customer"
    assert there.mirror("acme") == "open"


def test_it_marks_what_the_provider_deleted(there: World) -> None:
    gone = replace(A_CUSTOMER, id="cus_acme")
    there.provider.known = [told(gone, is_deleted=True)]
    there.call(invoice_paid(type="customer.deleted", data={"object": {"object": "customer", "id": "cus_acme"}}))
    there.work()
    assert there.events()[0].state is InboundState.PROCESSED
    assert rows(there.stage.url, "SELECT is_deleted FROM plane_billing_object")[0][0] == 1


def test_it_counts_what_nothing_here_handles(there: World) -> None:
    there.call(invoice_paid(type="entitlements.active_entitlement_summary.updated"))
    there.work()
    with there.stage.house.store.read() as unit:
        assert unit.inbox.counts()[InboundState.IGNORED] == 1
    assert there.provider.asked == []


def test_it_leaves_the_event_open_while_the_provider_is_silent(there: World) -> None:
    there.provider.is_silent = True
    there.call(invoice_paid())
    (job,) = there.jobs()
    with pytest.raises(OutsideError):
        process_inbound(there.stage.house, job)
    assert there.events()[0].state is InboundState.RECEIVED
    there.provider.is_silent = False
    there.provider.says("acme", "paid")
    process_inbound(there.stage.house, job)
    process_inbound(there.stage.house, job)
    assert there.stage.entries("inbound.processed") == 1


def test_it_gives_an_event_up_where_nobody_will_ever_answer(there: World) -> None:
    there.call(invoice_paid())
    (job,) = there.jobs()
    house = behind(there.stage, provider=NoProvider())
    with pytest.raises(OutsideError):
        process_inbound(house, job)
    (event,) = there.events()
    assert (event.state, event.because) == (InboundState.FAILED, "not_answered")


def test_it_refuses_strangers_and_counts_a_flood(there: World) -> None:
    most = there.stage.house.book.limits.stranger_entries_per_minute
    for _ in range(most + 5):
        assert isinstance(there.call(invoice_paid(), secret="whsec_guessed_guessed"), NotBelieved)
    assert there.stage.entries("inbound.refused") == most
    there.clock.pass_by(seconds=61)
    sum_up_strangers(there.stage.house)
    assert there.stage.entries("throttle.summed") == 1
    assert there.events() == []
    assert there.jobs() == []
    with pytest.raises(NotFoundError):
        receive_inbound(there.stage.house, provider="paypal", headers={}, body=b"{}", origin=ORIGIN)


def test_it_maps_no_customer_that_two_tenants_claim(there: World) -> None:
    rows(
        there.stage.url,
        "UPDATE directory_key SET value = 'cus_acme' WHERE kind = 'customer' AND value = 'cus_globex'",
    )
    there.provider.says("acme", "paid")
    there.call(invoice_paid())
    there.work()
    assert there.events()[0].because == "unknown_customer"


@SMALL
def test_what_the_provider_tells_and_cannot_be_read_is_set_aside(there: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def garbled(_kind: ObjectKind, thing: str) -> object:
        raise UnreadableObjectError("It names no currency.", kind="invoice", id=thing)

    monkeypatch.setattr(there.provider, "fetch", garbled)
    there.call(invoice_paid())
    there.work()
    (event,) = there.events()
    assert (event.state, event.because) == (InboundState.QUARANTINED, "unreadable_object")
    assert there.mirror("acme") == "open"


@SMALL
def test_an_event_that_another_worker_ended_first_is_told_once(there: World, monkeypatch: pytest.MonkeyPatch) -> None:
    there.provider.says("acme", "paid")
    there.call(invoice_paid())
    overtake(monkeypatch, StoredInbox, "settle")
    there.work()
    assert (there.mirror("acme"), there.stage.entries("inbound.processed")) == ("paid", 0)
