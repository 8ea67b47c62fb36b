"""What a run reads: every page of everything, what cannot be read, and what people see of it while it goes on."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from console.domain.billing.canonical_form import document
from console.domain.billing.objects import BalanceTransaction, ObjectKind, Payout
from console.domain.decisions import Deny
from console.domain.errors import NotFoundError, UnreadableObjectError
from console.domain.ids import SHARED_PLANE, Digest
from console.domain.imports import MemberRecord
from console.domain.reconciling.findings import FindingState, ReconciliationId
from console.domain.reconciling.runs import How, Reconciliation, RunState, Staged
from console.storage.findings import StoredFindings
from console.usecases import assemble_books, compare_account
from console.usecases.assemble_books import provider_side
from console.usecases.look_twice import taken_as
from console.usecases.note_findings import Seen, note_seen
from console.usecases.outcomes import BadFields, Waiting
from console.usecases.read_reconciliation import RunPage, glance_at_run, read_run, watch_run
from console.usecases.run_jobs import run_due_jobs
from console.usecases.written_tenant import written_tenant
from tests.billing import A_PAYMENT, A_REFUND, DAY
from tests.integration.overtaking import overtake
from tests.integration.reconciling_fleet import bound, broken
from tests.integration.reconciling_world import BUSINESS, World, customer, subscription, world
from tests.integration.stage import behind, rows, tenant, tenant_records
from tests.integration.test_finding_actions import INVOICE, repairing, unpaid
from tests.integration.test_reconciliation_faults import passing
from tests.reconciling import A_CANDIDATE, A_FINDING, A_RUN
from tests.web.cast import LONG_AGO

WINDOW = timedelta(minutes=10)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[World]:
    with world("sqlite", tmp_path, str) as made:
        yield made


def staged(**other: Any) -> Staged:  # noqa: ANN401  fields of Staged
    base = Staged(
        kind=ObjectKind.REFUND, id="re_1", customer="cus_acme1", digest=Digest("d"), document=document(A_REFUND)
    )
    return replace(base, **other)


def test_what_is_deleted_or_cannot_be_read_is_no_object_and_counts_for_the_digest_all_the_same() -> None:
    half = {name: value for name, value in document(A_REFUND).items() if name != "status"}
    side = provider_side([
        staged(), staged(id="re_2", is_deleted=True), staged(id="re_3", document=half),
        staged(id="re_4", document=None, why="It has no amount."), staged(id="re_5", document=None),
    ])  # fmt: skip
    assert set(side.objects) == {(ObjectKind.REFUND, "re_1")}
    assert {name: bool(why) for (_, name), why in side.unreadable.items()} == {"re_3": True, "re_4": True, "re_5": True}
    assert side.unreadable[ObjectKind.REFUND, "re_4"] == "It has no amount."
    assert side.digests == ("d",) * 5


def test_it_reads_the_whole_catalogue_of_prices_page_by_page(small: World) -> None:
    bound(small, page_objects=1)
    small.provider.knows(*(replace(BUSINESS, id=f"price_{number}", plan=None) for number in range(3)))
    run = small.run()
    assert (run.state, run.counts["pulled.price"], small.kinds()) == (RunState.DONE, 4, [])


def test_a_tenant_that_has_bought_nothing_and_pays_nothing_is_no_finding(small: World) -> None:
    with small.stage.storage.bulk.write() as bulk:
        bulk.put(tenant_records("dust", SHARED_PLANE)[:1])
    small.recalculate("dust")
    run = small.run()
    assert (run.state, run.counts["tenants"], small.kinds()) == (RunState.DONE, 4, [])


def test_it_counts_every_active_member_page_by_page(small: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assemble_books, "_MEMBERS_AT_ONCE", 2)
    with small.stage.storage.bulk.write() as bulk:
        bulk.put([
            MemberRecord(
                tenant="bolt", external_id=f"m{number}", name="Jo", email=f"m{number}@bolt.example", phone=None,
                role="member", is_active=number != 1, joined_at=LONG_AGO, last_seen_at=None,
            )
            for number in range(5)
        ])  # fmt: skip
    with written_tenant(small.house, small.scope("bolt")) as written:
        assert assemble_books._active_members(written.plane) == 4


def test_it_adds_up_every_movement_of_a_payout_page_by_page(small: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare_account, "_MOVEMENTS_AT_ONCE", 1)
    at = small.clock.now() - DAY
    payout = Payout(
        id="po_1", status="paid", currency="EUR", amount_minor=300, is_automatic=True, created_at=at,
        arrives_at=at + DAY, is_live=True,
    )  # fmt: skip
    movements = [
        BalanceTransaction(
            id=f"txn_{number}", category="charge", source=None, payout="po_1", currency="EUR", amount_minor=100,
            fee_minor=0, net_minor=100, created_at=at, is_live=True,
        )
        for number in range(3)
    ]  # fmt: skip
    small.provider.knows(payout, *movements)
    assert (small.run().state, small.kinds()) == (RunState.DONE, [])
    small.provider.knows(replace(movements[2], net_minor=99, amount_minor=99))
    small.run()
    assert [finding.objects for finding in small.findings()] == [("po_1",)]


def test_a_customer_of_nobody_resembles_by_name_only_who_bears_the_very_name(small: World) -> None:
    small.provider.knows(customer("one", tenant=None, name="Acme"), customer("two", tenant=None, name="ACME gmbh"))
    small.run()
    alike = {finding.objects[0]: "by name" in repr(finding.evidence) for finding in small.findings()}
    assert alike == {"cus_one": False, "cus_two": True}


def test_whom_a_customer_resembles_may_be_gone_by_the_time_they_are_looked_up(small: World) -> None:
    class Fleet:
        """The fleet, in which a tenant that is found is gone a moment later."""

        def search(self, *given: Any, **named: Any) -> Sequence[Any]:  # noqa: ANN401  handed on
            found = small.stage.storage.fleet.search(*given, **named)
            if any(hit.tenant.id == tenant("cold") for hit in found):
                rows(small.stage.url, "DELETE FROM directory_key WHERE tenant_id = ?", tenant("cold"))
                rows(small.stage.url, "DELETE FROM directory_tenant WHERE id = ?", tenant("cold"))
            return found

    small.provider.known = [each for each in small.provider.known if "cold" not in each.thing.id]
    small.provider.knows(customer("stray", tenant=None, name="Cold GmbH"))
    small.stage = replace(small.stage, house=behind(small.stage, fleet=Fleet()))
    run = small.run()
    assert run.state is RunState.DONE
    assert "customer_unmapped" in {finding.kind for finding in small.findings()}


def test_what_cannot_be_read_the_second_time_is_said_as_it_is_then(
    small: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetching = small.provider.fetch

    def garbled(kind: ObjectKind, thing: str) -> object:
        if thing == "cus_stray":
            raise UnreadableObjectError("It has no name.", why="the name is missing")
        return fetching(kind, thing)

    small.provider.knows(customer("stray", tenant=None))
    monkeypatch.setattr(small.provider, "fetch", garbled)
    run = small.run()
    assert (run.state, run.counts["looked_twice"], run.counts["vanished"], small.kinds()) == (RunState.DONE, 1, 1, [])


def test_a_passing_state_waits_for_the_run_after(small: World) -> None:
    passing = replace(A_CANDIDATE, settles=True)
    books = type("Books", (), {"now": small.clock.now(), "pending": frozenset()})()
    first = taken_as(passing, books, before=frozenset(), window=timedelta(minutes=10))
    second = taken_as(passing, books, before=frozenset({passing.id}), window=timedelta(minutes=10))
    assert (first.how, second.how) == (How.SETTLING, How.SEEN)


def reader(small: World, who: str = "finance", run: str = "rcn_none") -> dict[str, Any]:
    return {"house": small.house, "actor": small.stage.actor(who), "run": ReconciliationId(run)}


def test_a_run_that_is_not_there_is_not_shown(small: World) -> None:
    for look in (read_run, watch_run, glance_at_run):
        with pytest.raises(NotFoundError):
            look(**reader(small))
    assert small.stage.entries("reconciliation.read") == 0


def test_whoever_lost_the_role_between_two_looks_sees_nothing_more(small: World) -> None:
    run = small.run().id
    assert isinstance(glance_at_run(**reader(small, run=run)), Reconciliation)
    assert isinstance(glance_at_run(**reader(small, "support_agent", run)), Deny)
    assert isinstance(watch_run(**reader(small, "support_agent", run)), Deny)
    assert small.stage.entries("reconciliation.read_refused") == 1, "the first look is recorded, those after it are not"


def test_a_run_says_how_far_it_is_and_whether_it_saw_the_same_as_before(small: World) -> None:
    broken(small)
    seen = [read_run(**reader(small, run=small.run().id)) for _ in range(2)]
    small.provider.knows(subscription("bolt", status="sleepwalking"))
    seen.append(read_run(**reader(small, run=small.run().id)))
    assert [isinstance(page, RunPage) and page.is_same_as_previous for page in seen] == [None, True, False]
    bound(small, batch_tenants=1)
    small.provider.meanwhile = lambda _question: passing(small, seconds=4)
    run, percents = small.start(), list[int]()
    while small.stands(run).is_open:
        page = read_run(**reader(small, run=run))
        assert isinstance(page, RunPage)
        percents.append(page.percent)
        run_due_jobs(small.house, worker="w1")
    assert (percents[0], percents == sorted(percents), max(percents) < 101) == (0, True, True)
    page = read_run(**reader(small, run=run))
    assert isinstance(page, RunPage)
    assert page.percent == 100


def test_a_repair_of_something_else_than_its_finding_is_refused_by_the_field(small: World) -> None:
    finding = unpaid(small)
    small.stage.open("finance", "bolt", INVOICE)
    small.provider.knows(replace(A_PAYMENT, id="pi_other", customer="cus_bolt"))
    small.mirror("bolt", replace(A_PAYMENT, id="pi_other", customer="cus_bolt"))
    answer = repairing(small, finding, payment="pi_other")
    assert isinstance(answer, BadFields)
    assert [(fault.field, "another one" in fault.remedy) for fault in answer.faults] == [("payment", True)]


def test_a_finding_that_moves_while_its_repair_is_asked_for_gets_no_request(
    small: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    finding = unpaid(small)
    small.stage.open("finance", "bolt", INVOICE)
    overtake(monkeypatch, StoredFindings, "save")
    answer = repairing(small, finding)
    assert isinstance(answer, BadFields)
    assert answer.faults[0].remedy == "The finding moved meanwhile; look at it again."
    assert small.stage.count("SELECT count(*) FROM request") == 0
    assert isinstance(repairing(small, finding), Waiting)
    assert next(each for each in small.findings() if each.id == finding.id).state is FindingState.IN_PROGRESS


def noted(small: World, run: str, how: How, *, hours: int = 0) -> list[str]:
    """Note a candidate as a run took it, and return the figures under which it counts."""
    at = small.clock.now() + timedelta(hours=hours)
    seen = [Seen(candidate=A_CANDIDATE, how=how)]
    with small.house.store.write() as unit:
        return sorted(note_seen(unit, replace(A_RUN, id=ReconciliationId(run)), seen, at=at, window=WINDOW).counts)


def test_a_passing_state_is_no_finding_the_first_time_and_stays_one_once_it_is(small: World) -> None:
    assert noted(small, "rcn_1", How.SETTLING) == ["settling"]
    assert small.findings() == []
    assert noted(small, "rcn_2", How.SEEN) == ["in_flight", "opened", "seen"]
    assert noted(small, "rcn_3", How.SETTLING) == ["again", "in_flight", "seen"]
    (finding,) = small.findings()
    assert (finding.state, finding.last_run) == (FindingState.OPEN, "rcn_3")


def test_what_came_back_and_no_entry_tells_when_counts_from_when_it_was_first_seen(small: World) -> None:
    waiting = replace(
        A_FINDING, state=FindingState.IN_FLIGHT, times_reopened=1, first_seen_at=small.clock.now() - timedelta(hours=1)
    )
    with small.house.store.write() as unit:
        unit.findings.add(waiting)
    noted(small, "rcn_2", How.IN_FLIGHT)
    assert [each.state for each in small.findings()] == [FindingState.OPEN]
