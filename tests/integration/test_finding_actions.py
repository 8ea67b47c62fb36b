"""Findings in people's hands: taken, explained, waived by two, read under the lease of their own tenant only."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from console.domain.decisions import Deny, DenyCode
from console.domain.errors import NotFoundError
from console.domain.ids import ActionKey, ReasonCode
from console.domain.reasons import Reason
from console.domain.reconciling.findings import Finding, FindingId, FindingState, digest_of
from console.domain.reconciling.runs import RunState
from console.domain.requests import State
from console.ports.reconciliation import FindingFilter
from console.usecases.execute_request import execute_request
from console.usecases.keep_time import end_overdue
from console.usecases.outcomes import BadFields, Proposal, Ran, Waiting
from console.usecases.propose_action import propose_action
from console.usecases.read_findings import (
    FindingPage,
    FindingsPage,
    TenantFindings,
    count_findings,
    read_account_finding,
    read_findings,
    read_tenant_finding,
    read_tenant_findings,
)
from console.usecases.read_reconciliation import RunPage, RunsPage, read_run, read_runs
from tests.billing import A_PAYMENT, AN_INVOICE
from tests.databases import ENGINES
from tests.integration.reconciling_world import World, customer, subscription, world
from tests.integration.stage import by_hand, tenant

INVOICE = Reason(code=ReasonCode("BILLING_RECONCILIATION"), reference="INV-2026-004711")
NOTE = "Paid by bank transfer, see the contract."
WAIVE = ActionKey("finding.waive")


@pytest.fixture(params=ENGINES)
def fleet(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    create = request.getfixturevalue("pg_database") if request.param == "postgresql" else str
    with world(request.param, tmp_path, create) as made:
        yield made


def found(fleet: World) -> Finding:
    """Return a finding on Bolt that nothing heals."""
    fleet.provider.knows(subscription("bolt", status="dreaming"))
    fleet.run()
    (finding,) = fleet.findings()
    return finding


def asked(fleet: World, who: str, key: str, raw: Mapping[str, str], *, slug: str | None = None) -> Proposal:
    """Ask for an action on the control store, or on a tenant that is open."""
    return propose_action(
        fleet.house, fleet.stage.actor(who), key=ActionKey(key), tenant=None if slug is None else tenant(slug),
        raw=raw, reason=INVOICE, mark=None, form_id=fleet.stage.form(),
    )  # fmt: skip


def test_somebody_takes_it_says_what_it_is_and_opens_it_again(fleet: World) -> None:
    finding = found(fleet)
    for key, raw, state in (
        ("finding.take", {}, FindingState.IN_PROGRESS),
        ("finding.leave", {}, FindingState.OPEN),
        ("finding.explain", {"note": NOTE}, FindingState.EXPLAINED),
        ("finding.reopen", {}, FindingState.OPEN),
    ):
        answer = asked(fleet, "finance", key, {"finding": finding.id, **raw})
        assert isinstance(answer, Ran), answer
        assert [each.state for each in fleet.findings()] == [state]
    assert isinstance(asked(fleet, "finance", "finding.leave", {"finding": finding.id}), BadFields)
    assert isinstance(asked(fleet, "support_agent", "finding.take", {"finding": finding.id}), Deny)


def test_two_people_let_it_stand_and_the_trail_tells_of_the_digest(fleet: World) -> None:
    finding = found(fleet)
    raw = {"finding": finding.id, "until": "2027-01-31", "note": NOTE}
    waiting = asked(fleet, "finance", "finding.waive", raw)
    assert isinstance(waiting, Waiting), waiting
    whose = [each.after for each in waiting.request.preview.changes if each.field == "Tenant"]
    assert whose == ["Bolt GmbH (bolt)"], "who approves must know whose finding it is"
    fleet.stage.approve("finance_lead", waiting.request)
    (waived,) = fleet.findings()
    assert (waived.state, waived.explanation) == (FindingState.WAIVED, NOTE)
    done = fleet.stage.now(waiting.request.id)
    assert (done.state, waived.waived_by) == (State.EXECUTED, done.execution)
    assert digest_of(finding) in str(done.preview.fingerprint)
    fleet.run()
    assert [each.state for each in fleet.findings()] == [FindingState.WAIVED]


def test_a_waiver_of_what_is_of_no_tenant_says_so(fleet: World) -> None:
    fleet.provider.knows(customer("stray", tenant=None))
    fleet.run()
    (stray,) = (each for each in fleet.findings() if each.tenant is None)
    waiting = asked(fleet, "finance", "finding.waive", {"finding": stray.id, "until": "2027-01-31", "note": NOTE})
    assert isinstance(waiting, Waiting), waiting
    assert [each.after for each in waiting.request.preview.changes if each.field == "Tenant"] == ["no tenant"]


def test_an_approval_falls_on_what_was_seen_or_not_at_all(fleet: World) -> None:
    finding = found(fleet)
    fleet.stage = replace(fleet.stage, house=replace(fleet.stage.house, book=by_hand(fleet.house.book, WAIVE)))
    raw = {"finding": finding.id, "until": "2027-01-31", "note": NOTE}
    waiting = asked(fleet, "finance", "finding.waive", raw)
    assert isinstance(waiting, Waiting), waiting
    fleet.stage.approve("finance_lead", waiting.request)
    fleet.provider.knows(subscription("bolt", status="sleepwalking"))
    fleet.run()  # the finding says something else now
    execute_request(fleet.house, fleet.stage.actor("finance"), request_id=waiting.request.id)
    assert fleet.stage.now(waiting.request.id).state is State.STALE
    assert [each.state for each in fleet.findings()] == [FindingState.OPEN]


def test_values_are_shown_under_the_lease_of_its_own_tenant_only(fleet: World) -> None:
    finding = found(fleet)
    finance = fleet.stage.actor("finance")
    shut = read_tenant_finding(fleet.house, finance, tenant=tenant("bolt"), finding=finding.id)
    assert isinstance(shut, Deny)
    assert shut.code is DenyCode.NO_LEASE
    fleet.stage.open("finance", "acme", INVOICE)
    with pytest.raises(NotFoundError):
        read_tenant_finding(fleet.house, finance, tenant=tenant("acme"), finding=finding.id)
    with pytest.raises(NotFoundError):
        read_account_finding(fleet.house, finance, finding=finding.id)
    fleet.stage.open("finance", "bolt", INVOICE)
    page = read_tenant_finding(fleet.house, finance, tenant=tenant("bolt"), finding=finding.id)
    assert isinstance(page, FindingPage)
    assert (page.finding.theirs, page.digest) == (finding.theirs, digest_of(finding))
    assert page.history
    listed = read_tenant_findings(fleet.house, finance, tenant=tenant("bolt"), state=None, after=None)
    assert isinstance(listed, TenantFindings)
    assert [each.id for _line, each in listed.findings] == [finding.id]


def test_the_queue_shows_no_value_of_a_tenant(fleet: World) -> None:
    finding = found(fleet)
    fleet.provider.knows(customer("stray", tenant=None))
    fleet.run()
    finance = fleet.stage.actor("finance")
    page = read_findings(fleet.house, finance, wanted=FindingFilter(), after=None)
    assert isinstance(page, FindingsPage)
    assert {line.id for line in page.findings} == {each.id for each in fleet.findings()}
    assert finding.theirs not in repr(page)
    mine = read_findings(fleet.house, finance, wanted=FindingFilter(tenant=tenant("bolt")), after=None)
    assert isinstance(mine, FindingsPage)
    assert [line.id for line in mine.findings] == [finding.id]
    assert isinstance(
        read_findings(fleet.house, fleet.stage.actor("security_auditor"), wanted=FindingFilter(), after=None), Deny
    )
    (stray,) = (each for each in fleet.findings() if each.tenant is None)
    assert isinstance(read_account_finding(fleet.house, finance, finding=stray.id), FindingPage)


def test_home_counts_what_is_mine_and_what_is_nobodys(fleet: World) -> None:
    finding = found(fleet)
    finance = fleet.stage.actor("finance")
    with fleet.stage.storage.store.read() as unit:
        counts = count_findings(fleet.house, unit, finance)
    assert counts is not None
    assert (counts.mine, counts.nobodys) == (0, 1)
    asked(fleet, "finance", "finding.take", {"finding": finding.id})
    with fleet.stage.storage.store.read() as unit:
        counts = count_findings(fleet.house, unit, finance)
        assert count_findings(fleet.house, unit, fleet.stage.actor("support_agent")) is None
    assert counts is not None
    assert (counts.mine, counts.nobodys) == (1, 0)


def test_finance_starts_a_run_sees_it_and_cancels_it(fleet: World) -> None:
    answer = asked(fleet, "finance", "reconciliation.start", {})
    assert isinstance(answer, Ran), answer
    fleet.provider.answers = 2
    fleet.work()  # the provider falls silent in the middle
    page = read_runs(fleet.house, fleet.stage.actor("finance"), tenant=None, before=None)
    assert isinstance(page, RunsPage)
    (run,) = page.runs
    assert (run.started_by, run.state, page.running) == (
        fleet.stage.actor("finance").staff, RunState.PULLING, run,
    )  # fmt: skip
    assert isinstance(asked(fleet, "finance", "reconciliation.start", {}), BadFields)
    assert isinstance(asked(fleet, "finance", "reconciliation.cancel", {"run": run.id}), Ran)
    fleet.provider.answers = None
    fleet.clock.pass_by(minutes=5)
    fleet.work()
    shown = read_run(fleet.house, fleet.stage.actor("security_auditor"), run=run.id)
    assert isinstance(shown, RunPage)
    assert (shown.run.state, fleet.stage.entries("reconciliation.cancelled")) == (RunState.CANCELLED, 1)


def test_finance_starts_a_run_over_an_opened_tenant(fleet: World) -> None:
    fleet.stage.open("finance", "bolt", INVOICE)
    fleet.provider.knows(subscription("bolt", status="past_due"))
    fleet.provider.now = fleet.clock.pass_by(minutes=1)
    answer = asked(fleet, "finance", "reconciliation.start_tenant", {}, slug="bolt")
    assert isinstance(answer, Ran), answer
    fleet.work()
    assert fleet.kinds() == [("sub_status_drift", tenant("bolt"), "resolved")]
    assert {each[2] for each in fleet.provider.asked if each[0] == "page"} <= {"", "cus_bolt"}


def unpaid(fleet: World) -> Finding:
    """Return the finding that a payment of Bolt's has paid for nothing, beside an invoice that is open."""
    invoice = replace(AN_INVOICE, id="in_bolt", customer="cus_bolt", subscription="sub_bolt", number="INV-bolt-1")
    payment = replace(A_PAYMENT, id="pi_bolt", customer="cus_bolt")
    fleet.provider.knows(invoice, payment)
    fleet.mirror("bolt", invoice, payment)
    fleet.run()
    return next(each for each in fleet.findings() if each.kind == "payment_without_invoice")


def repairing(fleet: World, finding: Finding, **other: str) -> Proposal:
    """Ask to apply the payment, from the page of a finding."""
    raw = {"payment": "pi_bolt", "invoice": "in_bolt", "amount": "99.00", "currency": "EUR", **other}
    return propose_action(
        fleet.house, fleet.stage.actor("finance"), key=ActionKey("billing.apply_payment"), tenant=tenant("bolt"),
        raw=raw, reason=INVOICE, mark=None, form_id=fleet.stage.form(), finding=finding.id,
    )  # fmt: skip


def test_a_repair_is_bound_to_its_finding_which_waits_for_it(fleet: World) -> None:
    finding = unpaid(fleet)
    fleet.stage.open("finance", "bolt", INVOICE)
    page = read_tenant_finding(fleet.house, fleet.stage.actor("finance"), tenant=tenant("bolt"), finding=finding.id)
    assert isinstance(page, FindingPage)
    assert page.repair is not None
    assert (page.repair.action, page.repair.params["payment"], page.repair.may_ask) == (
        "billing.apply_payment", "pi_bolt", True,
    )  # fmt: skip
    waiting = repairing(fleet, finding)
    assert isinstance(waiting, Waiting), waiting
    bound = waiting.request.preview.fingerprint
    assert (bound["repairs"], bound["repairs_digest"]) == (finding.id, digest_of(finding))
    stands = next(each for each in fleet.findings() if each.id == finding.id)
    assert (stands.state, stands.repair, stands.owner) == (
        FindingState.IN_PROGRESS, waiting.request.id, fleet.stage.actor("finance").staff,
    )  # fmt: skip
    fleet.run()  # it still stands, and so does its request
    assert next(each for each in fleet.findings() if each.id == finding.id).repair == waiting.request.id
    fleet.clock.pass_by(days=1)  # nobody approves it
    fleet.run()
    end_overdue(fleet.house)
    fleet.run()
    stands = next(each for each in fleet.findings() if each.id == finding.id)
    assert (stands.state, stands.repair, stands.owner) == (FindingState.OPEN, None, None)


def test_a_repair_of_another_thing_or_another_tenant_is_none(fleet: World) -> None:
    fleet.provider.knows(subscription("acme", status="dreaming"))
    finding = unpaid(fleet)
    fleet.stage.open("finance", "bolt", INVOICE)
    for wrong in (
        repairing(fleet, replace(finding, id=FindingId("fnd_none"))),
        repairing(fleet, finding, currency="USD"),
        repairing(fleet, next(each for each in fleet.findings() if each.kind != finding.kind)),
    ):
        assert isinstance(wrong, BadFields), wrong
    fleet.change(finding, state=FindingState.RESOLVED)
    assert isinstance(repairing(fleet, finding), BadFields)
