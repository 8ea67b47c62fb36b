"""Months closed by two people over real storage: frozen, sealed, re-balanced by foreign programs, and opened again."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from console.adapters.ledger_folder import LedgerFolder
from console.domain.accounting.journal import Account
from console.domain.billing.canonical_form import Snapshot
from console.domain.billing.money import exponent
from console.domain.billing.objects import Allocation, BillingObject, CreditNote, Invoice, Payment, Refund
from console.domain.decisions import Deny
from console.domain.errors import NotFoundError
from console.domain.ids import ActionKey, ReasonCode
from console.domain.periods import Period, PeriodEvent, PeriodId, PeriodState
from console.domain.reasons import Reason
from console.domain.reconciling.closing import MONEY_KINDS
from console.domain.reconciling.findings import Direction, Finding, FindingId, FindingState, ReconciliationId
from console.domain.requests import Verdict
from console.usecases.outcomes import Proposal, Ran, Waiting
from console.usecases.propose_action import propose_action
from console.usecases.read_periods import TakenFile, take_file
from console.usecases.run_jobs import run_due_jobs
from console.usecases.scopes import directory_row, scope_of_sender
from console.usecases.vote_on_request import vote_on_request
from tests.conftest import NewDatabase
from tests.databases import ENGINES, HandClock
from tests.integration.hledger import hledger
from tests.integration.stage import FAR, Stage, behind, new_urls, opened_stage, settle_in, tenant
from tests.unit.accounting.test_laws import invoice
from tests.web.period_stage import compared

OCTOBER, NOVEMBER = PeriodId("2026-10"), PeriodId("2026-11")
IN_OCTOBER = datetime(2026, 10, 9, 8, tzinfo=UTC)
IN_DECEMBER = datetime(2026, 12, 3, 9, tzinfo=UTC)
CLOSING = Reason(code=ReasonCode("PERIOD_CLOSE"), reference="CLOSE-2026-10")


def paid(bill: Invoice, at: datetime) -> Payment:
    """Return the payment of an invoice."""
    return Payment(
        id=bill.id.replace("in_", "ch_"), customer="cus_1", status="succeeded", currency=bill.currency,
        amount_minor=bill.total_minor, captured_minor=bill.total_minor, refunded_minor=0,
        allocations=(Allocation(invoice=bill.id, amount_minor=bill.total_minor),), paid_at=at, created_at=at,
        is_live=True,
    )  # fmt: skip


def october() -> list[BillingObject]:
    """Return a month of one tenant: two invoices, one paid, part of it sent back with a credit note."""
    first = invoice(1, net=10_000, tax=1_900, at=IN_OCTOBER, currency="EUR", status="paid")
    second = invoice(2, net=7_777, tax=0, at=IN_OCTOBER, currency="JPY", status="open")
    sent_back = IN_OCTOBER + timedelta(days=3)
    return [
        first, second, paid(first, IN_OCTOBER + timedelta(days=1)),
        Refund(id="re_1", payment="ch_1", customer="cus_1", status="succeeded", currency="EUR", amount_minor=2_380,
               reason=None, created_at=sent_back, is_live=True),
        CreditNote(id="cn_1", number="=CN-1", customer="cus_1", invoice="in_1", status="issued", currency="EUR",
                   total_minor=2_380, pre_payment_minor=0, post_payment_minor=2_380, refunded_minor=2_380,
                   credited_minor=0, out_of_band_minor=0, reason=None, issued_at=sent_back, is_live=True),
    ]  # fmt: skip


@pytest.fixture(params=ENGINES)
def stage(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Stage]:
    url, planes = new_urls(request.param, tmp_path, pg_database, far=True)
    with opened_stage(url, planes, clock=HandClock(IN_DECEMBER)) as opened:
        settle_in(opened, ["acme", "zeta"], far=["faraway"])
        house = behind(opened, ledgers=LedgerFolder(tmp_path / "exports"))
        ready = replace(opened, house=house)
        mirror(ready, "acme", october())
        mirror(ready, "faraway", [invoice(9, net=500, tax=0, at=IN_OCTOBER, currency="KWD", status="open")])
        yield ready


def mirror(stage: Stage, slug: str, things: list[BillingObject]) -> None:
    """Let the mirror of a tenant hear of objects."""
    house = stage.house
    with house.store.write() as unit:
        row = directory_row(unit, tenant(slug))
        scope = scope_of_sender(row.id, row.plane, now=house.clock.now())
        snapshots = [Snapshot(thing=each, raw={}, api_version="test", fetched_at=house.clock.now()) for each in things]
        if row.plane == FAR:
            with house.planes.write(scope) as plane:
                for each in snapshots:
                    assert plane.mirror.put(each)
            return
        for each in snapshots:
            assert unit.tenant(scope).mirror.put(each)


def ask(stage: Stage, verb: str, period: PeriodId = OCTOBER, *, who: str = "finance") -> Proposal:
    return propose_action(
        stage.house, stage.actor(who), key=ActionKey(f"period.{verb}"), tenant=None, raw={"period": period},
        reason=CLOSING, mark=None, form_id=stage.form(),
    )  # fmt: skip


def stands(stage: Stage, period: PeriodId = OCTOBER) -> Period:
    with stage.house.store.read() as unit:
        return unit.periods.get(period)


def prepared(stage: Stage, period: PeriodId = OCTOBER, *, who: str = "finance") -> Period:
    """Prepare a period and let the job run to its end."""
    assert isinstance(ask(stage, "prepare", period, who=who), Ran)
    for _round in range(20):
        if not run_due_jobs(stage.house, worker="w1") and stands(stage, period).state is not PeriodState.PREPARING:
            break
        stage.house.clock.pass_by(seconds=1)  # type: ignore[attr-defined]  # the hand clock
    found = stands(stage, period)
    assert found.state is PeriodState.SOFT_CLOSED, found
    return found


def closed(stage: Stage, period: PeriodId = OCTOBER) -> Period:
    """Close a prepared period by two people, after all tenants were compared."""
    compared(stage.house)
    asked = ask(stage, "close", period)
    assert isinstance(asked, Waiting), asked
    stage.approve("finance_lead", asked.request)
    return stands(stage, period)


def file_of(stage: Stage, name: str, period: PeriodId = OCTOBER) -> bytes:
    return b"".join(stage.house.ledgers.read(period, name))


def test_it_closes_a_month_by_two_people_and_seals_what_they_saw(stage: Stage) -> None:
    was = prepared(stage)
    assert (was.tenants, was.prepared_by) == (2, stage.actor("finance").staff)
    done = closed(stage)
    assert (done.state, done.digest, done.files) == (PeriodState.CLOSED, was.digest, was.files)
    assert stage.entries("period.prepared") == 1
    manifest = json.loads(file_of(stage, "manifest.json"))
    assert manifest["digest"] == done.digest
    for said in manifest["files"]:
        assert hashlib.sha256(file_of(stage, said["name"])).hexdigest() == said["sha256"]
    totals = {each["name"]: each["totals_minor"] for each in manifest["files"]}
    assert totals["invoices.csv"] == {"EUR": 11_900, "JPY": 7_777, "KWD": 500}
    assert totals["roll_forward.csv"] == {"JPY": 7_777, "KWD": 500, "EUR": 0}
    assert totals["journal.csv"] == {"EUR": 0, "JPY": 0, "KWD": 0}


def test_a_period_keeps_who_agreed_and_its_manifest_says_it(stage: Stage) -> None:
    prepared(stage)
    asked, agreed = stage.actor("finance"), stage.actor("finance_lead")
    done = closed(stage)
    (close,) = done.agreements
    assert (close.event, close.request) == (PeriodEvent.CLOSE, done.request)
    assert (close.asked_by.staff, [each.staff for each in close.agreed_by]) == (asked.staff, [agreed.staff])
    assert (close.asked_by.name, close.agreed_by[0].name) == (asked.name, agreed.name)
    before = {each.name: each.sha256 for each in done.files}
    run_due_jobs(stage.house, worker="w1")
    manifest = json.loads(file_of(stage, "manifest.json"))
    assert manifest["agreements"] == [close.plain()]
    assert {each["name"]: each["sha256"] for each in manifest["files"]} == before
    assert stage.entries("period.signed") == 1
    waiting = ask(stage, "reopen")
    assert isinstance(waiting, Waiting), waiting
    stage.approve("finance_lead", waiting.request)
    opened = stands(stage)
    assert [each.event for each in opened.agreements] == [PeriodEvent.CLOSE, PeriodEvent.REOPEN]
    assert [each.staff for each in opened.agreements[1].agreed_by] == [agreed.staff]
    run_due_jobs(stage.house, worker="w1")
    told = json.loads(file_of(stage, "manifest.json"))["agreements"]
    assert told == [each.plain() for each in opened.agreements]
    again = prepared(stage)
    assert json.loads(file_of(stage, "manifest.json"))["agreements"] == told
    assert {each.name: each.sha256 for each in again.files} == before, "who agreed moves no digest of what was sealed"


def test_it_writes_the_same_bytes_for_the_same_rows(stage: Stage) -> None:
    first = prepared(stage).files
    stage.house.clock.pass_by(seconds=90_000)  # type: ignore[attr-defined]  # the hand clock
    again = prepared(stage).files
    assert [(each.name, each.sha256) for each in again] == [(each.name, each.sha256) for each in first]


def test_other_programs_find_the_journal_balanced_and_the_same_totals(stage: Stage, tmp_path: Path) -> None:
    prepared(stage)
    wanted = {
        (Account.RECEIVABLE, "JPY"): 7_777, (Account.RECEIVABLE, "KWD"): 500, (Account.TAX, "EUR"): -1_900,
        (Account.CLEARING, "EUR"): 9_520, (Account.CREDITS, "EUR"): 2_380, (Account.REVENUE, "EUR"): -10_000,
        (Account.REVENUE, "JPY"): -7_777, (Account.REVENUE, "KWD"): -500,
    }  # fmt: skip
    journal = tmp_path / "journal.hledger"
    journal.write_bytes(file_of(stage, "journal.hledger"))
    said = subprocess.run(
        [hledger(), "-f", str(journal), "balance", "--flat", "--no-total", "-O", "csv", "--strict"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    found = {}
    for line in said.splitlines()[1:]:
        account, amounts = (part.strip('"') for part in line.split(",", 1))
        for amount in amounts.split(", "):
            figure, currency = amount.split(" ")
            found[Account(account), currency] = int(Decimal(figure.replace(",", "")) * 10 ** exponent(currency))
    assert found == wanted
    beans = tmp_path / "journal.beancount"
    beans.write_bytes(file_of(stage, "journal.beancount"))
    bean_check = [str(Path(sys.executable).with_name("bean-check")), str(beans)]
    checked = subprocess.run(bean_check, capture_output=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, b"")
    beans.write_text(beans.read_text().replace("119.00 EUR", "118.99 EUR", 1))
    assert subprocess.run(bean_check, capture_output=True, check=False).returncode != 0


@pytest.mark.checklist("V1.2.10")
def test_no_spreadsheet_takes_a_text_for_a_formula(stage: Stage) -> None:
    prepared(stage)
    assert b",'=CN-1," in file_of(stage, "credit_notes.csv")


def test_whoever_prepared_it_asks_so_that_another_person_agrees(stage: Stage) -> None:
    prepared(stage, who="finance_lead")
    compared(stage.house)
    answer = ask(stage, "close", who="finance")
    assert not isinstance(answer, Waiting | Ran)
    mine = ask(stage, "close", who="finance_lead")
    assert isinstance(mine, Waiting)
    stage.see("finance_lead", mine.request.id)
    own = vote_on_request(
        stage.house, stage.actor("finance_lead"), request_id=mine.request.id, digest=mine.request.digest,
        verdict=Verdict.APPROVE,
    )  # fmt: skip
    assert isinstance(own, Deny)
    assert stands(stage).state is PeriodState.SOFT_CLOSED


def test_a_month_that_runs_or_stands_on_an_open_one_is_not_prepared(stage: Stage) -> None:
    assert not isinstance(ask(stage, "prepare", PeriodId("2026-12")), Ran)
    prepared(stage)
    assert not isinstance(ask(stage, "prepare", NOVEMBER), Ran)
    closed(stage)
    assert not isinstance(ask(stage, "prepare", PeriodId("2026-09")), Ran)
    assert isinstance(ask(stage, "prepare", NOVEMBER), Ran)


def test_what_comes_late_and_what_changed_is_booked_in_the_next_month(stage: Stage) -> None:
    prepared(stage)
    closed(stage)
    sealed = file_of(stage, "invoices.csv")
    stage.house.clock.pass_by(seconds=60)  # type: ignore[attr-defined]  # the hand clock
    late = invoice(3, net=1_000, tax=0, at=IN_OCTOBER, currency="EUR", status="open")
    voided = invoice(2, net=7_777, tax=0, at=IN_OCTOBER, currency="JPY", status="void")
    mirror(stage, "acme", [late, voided])
    prepared(stage, NOVEMBER)
    assert file_of(stage, "invoices.csv") == sealed
    rolled = {
        (row[0], row[-1]): row
        for row in (line.split(",") for line in file_of(stage, "roll_forward.csv", NOVEMBER).decode().splitlines())
    }
    heads = rolled["tenant", "currency"]
    eur, jpy = rolled["acme", "EUR"], rolled["acme", "JPY"]
    assert (eur[heads.index("opening_minor")], eur[heads.index("invoiced_minor")], eur[-2]) == ("0", "1000", "1000")
    assert (jpy[heads.index("opening_minor")], jpy[heads.index("voided_minor")], jpy[-2]) == ("7777", "-7777", "0")


def test_a_reopened_month_shows_what_differs_before_it_is_closed_again(stage: Stage) -> None:
    prepared(stage)
    first = closed(stage)
    asked = ask(stage, "reopen")
    assert isinstance(asked, Waiting)
    stage.approve("finance_lead", asked.request)
    assert stands(stage).state is PeriodState.REOPENED
    stage.house.clock.pass_by(seconds=60)  # type: ignore[attr-defined]  # the hand clock
    mirror(stage, "acme", [invoice(3, net=1_000, tax=0, at=IN_OCTOBER, currency="EUR", status="open")])
    again = prepared(stage)
    compared(stage.house)
    assert (again.times_reopened, again.previous) == (1, first.files)
    assert again.digest != first.digest
    asked = ask(stage, "close")
    assert isinstance(asked, Waiting)
    (line,) = (each for each in asked.request.preview.changes if each.field == "Invoices")
    assert (line.before, line.after) == (
        "3 rows, 119.00 EUR, 7,777 JPY, 0.500 KWD", "4 rows, 129.00 EUR, 7,777 JPY, 0.500 KWD",
    )  # fmt: skip


def test_a_worker_that_dies_goes_on_where_it_was_to_the_same_digest(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = prepared(stage).digest
    monkeypatch.setattr("console.usecases.prepare_period._SLICE", 1)
    assert isinstance(ask(stage, "prepare"), Ran)
    run_due_jobs(stage.house, worker="w1")
    assert stands(stage).cursor is not None
    for round_ in range(20):
        with stage.house.store.write() as unit:  # the worker takes the job, and is never heard of again
            now = stage.house.clock.now()
            unit.jobs.claim(worker=f"dead{round_}", now=now, until=now + timedelta(seconds=1), limit=4)
        stage.house.clock.pass_by(seconds=5)  # type: ignore[attr-defined]  # the hand clock
        run_due_jobs(stage.house, worker="w2")
        stage.house.clock.pass_by(seconds=400)  # type: ignore[attr-defined]  # the hand clock
        if stands(stage).state is PeriodState.SOFT_CLOSED:
            break
    assert stands(stage).digest == whole


def test_an_altered_file_is_not_handed_out(stage: Stage, tmp_path: Path) -> None:
    prepared(stage)
    taken = take_file(stage.house, stage.actor("finance"), period=OCTOBER, name="journal.csv")
    assert isinstance(taken, TakenFile)
    assert b"".join(taken.pieces) == file_of(stage, "journal.csv")
    assert stage.entries("period.file_read") == 1
    path = tmp_path / "exports" / OCTOBER / "journal.csv"
    path.write_bytes(path.read_bytes().replace(b"11900", b"11901"))
    with pytest.raises(NotFoundError):
        take_file(stage.house, stage.actor("finance"), period=OCTOBER, name="journal.csv")
    assert isinstance(take_file(stage.house, stage.actor("support_lead"), period=OCTOBER, name="journal.csv"), Deny)


def test_it_waits_for_a_reconciliation_and_for_every_finding_that_finance_decides(stage: Stage) -> None:
    prepared(stage)
    assert not isinstance(ask(stage, "close"), Waiting)
    compared(stage.house)
    finding = money_finding(stage)
    assert not isinstance(ask(stage, "close"), Waiting)
    with stage.house.store.write() as unit:
        assert unit.findings.save(replace(finding, state=FindingState.RESOLVED, resolved_at=IN_DECEMBER))
    assert isinstance(ask(stage, "close"), Waiting)


def money_finding(stage: Stage) -> Finding:
    """Store an open finding that only finance may decide."""
    now, run = stage.house.clock.now(), ReconciliationId("rec_test")
    finding = Finding(
        id=FindingId("fnd_test"), kind=min(MONEY_KINDS), tenant=tenant("acme"), objects=("in_1",), differs="", ours="",
        theirs="", at_risk_minor=100, currency="EUR", direction=Direction.WE_LOSE, params={}, evidence={},
        state=FindingState.OPEN, version=1, first_seen_at=now, last_seen_at=now, first_run=run, last_run=run,
    )  # fmt: skip
    with stage.house.store.write() as unit:
        unit.findings.add(finding)
    return finding
