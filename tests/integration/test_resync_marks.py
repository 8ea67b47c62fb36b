"""What a resync marks as gone: what the provider lists no more, asked one by one, and never too much at once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from console.domain.billing.objects import BillingObject
from console.domain.jobs import JobState
from console.usecases.resync_mirror import resync_mirror
from console.usecases.scopes import scope_of_sender
from tests.billing import A_CUSTOMER, A_PAYMENT, A_REFUND, A_SUBSCRIPTION, DAY, told
from tests.databases import NOON
from tests.integration.resync_world import SHARED, World, ids, many_payments, owned, there
from tests.integration.stage import tenant

__all__ = ["there"]


def test_it_marks_what_the_provider_lists_no_more_and_only_that(there: World) -> None:
    kept, gone, spoilt = (replace(A_SUBSCRIPTION, id=f"sub_{n}", customer="cus_acme") for n in ("a", "b", "c"))
    customer = replace(A_CUSTOMER, id="cus_acme")
    there.provider.knows(customer, kept, gone, spoilt)
    there.begin("acme")
    there.work()
    assert {thing for _, thing in there.mirrored("acme")} == {"cus_acme", "sub_a", "sub_b", "sub_c"}
    there.provider.known = [told(customer), told(kept)]
    there.provider.spoilt = frozenset({"sub_c"})
    there.begin("acme", resync="exe_2")
    there.work()
    assert {thing for _, thing in there.mirrored("acme")} == {"cus_acme", "sub_a", "sub_c"}
    counts = there.counts()
    assert (counts["written"], counts["deleted"], counts["unreadable"]) == (2, 1, 1)


def vanished(there: World, slug: str, *things: BillingObject) -> None:
    """Let the provider know a tenant's objects no more."""
    gone = {(told(thing).kind, thing.id) for thing in things or owned(slug)}
    there.provider.known = [each for each in there.provider.known if (each.kind, each.thing.id) not in gone]


def test_a_resync_of_all_marks_what_no_list_names_on_every_plane(there: World) -> None:
    there.provider.knows(*owned("acme"), *owned("globex"), *owned("faraway"))
    there.begin(None)
    there.work()
    for slug in ("acme", "faraway"):
        vanished(there, slug, *(each for each in owned(slug) if each.id.startswith(("sub_", "pi_"))))
    there.begin(None, resync="exe_2")
    there.work()
    for slug in ("acme", "faraway"):
        assert ids(slug) - there.mirrored(slug) == {("subscription", f"sub_1_{slug}"), ("payment", f"pi_1_{slug}")}
    assert there.mirrored("globex") == ids("globex")
    assert there.counts()["deleted"] == 4


def test_a_resync_of_all_marks_nothing_outside_its_bounds(there: World) -> None:
    old, new = (replace(A_PAYMENT, id=f"pi_{n}", customer="cus_acme", created_at=NOON - n * DAY) for n in (9, 1))
    there.provider.knows(replace(A_CUSTOMER, id="cus_acme"), old, new)
    there.begin(None)
    there.work()
    vanished(there, "acme", old, new)
    there.begin(None, since=NOON - 2 * DAY, resync="exe_2")
    there.work()
    assert {thing for _, thing in there.mirrored("acme")} == {"cus_acme", "pi_9"}


def test_a_resync_that_is_stopped_or_falls_silent_marks_nothing(there: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.usecases.resync_mirror._PAGES_AT_ONCE", 1)
    there.provider.knows(*owned("acme"))
    there.begin(None)
    there.work()
    vanished(there, "acme", *(each for each in owned("acme") if each.id.startswith("sub_")))
    there.begin(None, resync="exe_2")
    there.work(rounds=4)
    there.provider.is_silent_for_good = True
    there.work()
    assert there.mirrored("acme") == ids("acme")


def test_where_the_customer_is_gone_too_another_account_may_be_asked_and_nothing_is_marked(there: World) -> None:
    there.provider.knows(*owned("acme"))
    there.begin(None)
    there.work()
    vanished(there, "acme")
    for number, slug in enumerate((None, "acme")):
        there.begin(slug, resync=f"exe_empty{number}")
        there.work()
        assert there.mirrored("acme") == ids("acme")
        assert there.counts()["doubtful"] == len(ids("acme"))


def test_so_much_at_once_is_no_drift_and_is_left_to_people(there: World) -> None:
    some = many_payments("acme", 45)
    there.provider.knows(replace(A_CUSTOMER, id="cus_acme"), *some)
    there.begin(None)
    there.work()
    vanished(there, "acme", *some)
    house = there.stage.house
    few = replace(house.book, reconciliation=replace(house.book.reconciliation, heal_most_findings=30))
    there.stage = replace(there.stage, house=replace(house, book=few))
    there.begin(None, resync="exe_2")
    there.work()
    assert (there.counts()["deleted"], there.counts()["left"] > 0) == (30, True)
    assert len(there.mirrored("acme")) == 16


def test_a_worker_that_dies_while_it_asks_one_by_one_loses_and_marks_nothing_twice(
    there: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.usecases.resync_mirror._PAGES_AT_ONCE", 1)
    some = many_payments("acme", 45)
    there.provider.knows(replace(A_CUSTOMER, id="cus_acme"), *some)
    there.begin(None)
    there.work()
    vanished(there, "acme", *some)
    there.begin(None, resync="exe_2")
    there.work(rounds=9)  # the lists are read, and the first twenty asked for
    now = there.clock.now()
    with there.stage.house.store.write() as unit:
        (job,) = unit.jobs.claim(worker="dies", now=now, until=now + timedelta(seconds=30), limit=1)
    resync_mirror(there.stage.house, job)
    there.clock.pass_by(seconds=31)
    there.provider.now = there.clock.now()
    there.work()
    assert there.mirrored("acme") == {("customer", "cus_acme")}
    assert there.stage.entries("resync.finished") == 2


SMALL = pytest.mark.parametrize("there", ["sqlite"], indirect=True)


def mirror(there: World, slug: str, *things: BillingObject) -> None:
    """Let a tenant's mirror have heard of objects a day ago."""
    house = there.stage.house
    with house.store.write() as unit:
        scope = scope_of_sender(tenant(slug), SHARED, now=house.clock.now())
        for thing in things:
            assert unit.tenant(scope).mirror.put(told(thing, at=NOON - DAY))


@SMALL
def test_what_names_no_customer_is_believed_to_be_gone(there: World) -> None:
    mirror(there, "acme", replace(A_REFUND, customer=None))
    there.begin("acme")
    there.work()
    assert (there.mirrored("acme"), there.counts()["deleted"]) == (set(), 1)


@SMALL
def test_a_customer_that_cannot_be_read_is_known_all_the_same(there: World) -> None:
    mirror(there, "acme", replace(A_PAYMENT, customer="cus_acme"))
    there.provider.spoilt = frozenset({"cus_acme"})
    with_customer = replace(there.stage.house, provider=there.provider)
    there.stage = replace(there.stage, house=with_customer)
    there.begin(None)
    there.work()
    assert {job.state for job in there.jobs()} <= {JobState.SUCCEEDED, JobState.QUEUED}
    assert there.mirrored("acme") == set()


@SMALL
def test_what_belongs_to_another_customer_now_is_written_to_nobody(there: World) -> None:
    mirror(there, "acme", replace(A_PAYMENT, customer="cus_acme"))
    there.provider.knows(replace(A_CUSTOMER, id="cus_acme"), replace(A_PAYMENT, customer="cus_elsewhere"))
    there.begin("acme")
    there.work()
    assert (there.counts()["unmapped"], there.mirrored("acme")) == (
        1, {("customer", "cus_acme"), ("payment", "pi_1")},
    )  # fmt: skip
