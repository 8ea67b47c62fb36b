"""What belongs to no tenant stands in the month in which it counts, and what became of it later in the month after."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from console.domain.billing.objects import BalanceTransaction, BillingObject, ObjectKind, Payout
from console.domain.jobs import JobState
from console.domain.periods import PeriodId, PeriodState
from console.ports.billing import ProviderPage
from console.usecases.outcomes import Ran
from console.usecases.run_jobs import run_due_jobs
from tests.billing import PaperProvider, told
from tests.integration.stage import Stage, behind
from tests.integration.test_period_faults import job, stage, table
from tests.integration.test_periods import NOVEMBER, OCTOBER, ask, closed, prepared, stands

__all__ = ["stage"]


@dataclass
class Account(PaperProvider):
    """A provider that lists what is of no customer, page by page, by when it was made."""

    name: str = "paper"

    def page(
        self,
        kind: ObjectKind,
        *,
        customer: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> ProviderPage:
        assert since is not None
        assert until is not None
        things = [each.thing for each in self.known if each.kind is kind]
        made = [each for each in things if since <= each.created_at < until]  # type: ignore[union-attr]
        start = 0 if after is None else [each.id for each in made].index(after) + 1
        items = tuple(told(each) for each in made[start : start + 1])
        return ProviderPage(items=items, after=items[-1].thing.id if len(made) > start + 1 else None)


def account(day: int, fee: int, *, month: int = 10) -> list[BillingObject]:
    """Return a payout that was made one day and arrives two days later, and a movement with a fee."""
    at = datetime(2026, month, day, 9, tzinfo=UTC)
    return [
        BalanceTransaction(
            id=f"txn_{month}_{day}", category="charge", source=f"ch_{day}", payout=None, currency="EUR",
            amount_minor=1_000, fee_minor=fee, net_minor=1_000 - fee, created_at=at, is_live=True,
        ),
        Payout(
            id=f"po_{month}_{day}", status="paid", currency="EUR", amount_minor=700 + day, is_automatic=day > 9,
            created_at=at, arrives_at=at + timedelta(days=2), is_live=True,
        ),
    ]  # fmt: skip


def test_what_belongs_to_no_tenant_is_in_the_month_in_which_it_counts(stage: Stage) -> None:
    provider = Account()
    provider.knows(
        *account(3, 30), *account(9, 0), *account(30, 40), *account(4, 50, month=11), *account(30, 9, month=9)
    )
    ready = replace(stage, house=behind(stage, provider=provider))
    prepared(ready)
    movements = table(ready, "balance_transactions.csv")
    assert [(row["tenant"], row["id"], row["fee_minor"]) for row in movements] == [
        ("(account)", "txn_10_3", "30"), ("(account)", "txn_10_9", "0"), ("(account)", "txn_10_30", "40"),
    ]  # fmt: skip
    payouts = [(row["id"], row["is_automatic"], row["amount_minor"]) for row in table(ready, "payouts.csv")]
    assert payouts == [("po_10_3", "no", "703"), ("po_10_9", "no", "709"), ("po_9_30", "yes", "730")]
    booked = {
        (row["account"], row["amount_minor"]) for row in table(ready, "journal.csv") if row["tenant"] == "(account)"
    }
    assert {("Expenses:ProviderFees", "30"), ("Assets:Bank", "703"), ("Assets:Bank", "730")} <= booked
    closed(ready)
    prepared(ready, NOVEMBER)
    later = [row["id"] for row in table(ready, "payouts.csv", NOVEMBER)]
    assert later == ["po_10_30", "po_11_4"], "a payout that is on its way when a month ends counts in the next"


def payout(name: str, status: str, arrives: datetime, *, made: datetime | None = None) -> Payout:
    """Return a payout that was made two days before it arrives, unless told otherwise."""
    return Payout(
        id=name, status=status, currency="EUR", amount_minor=500, is_automatic=True,
        created_at=made or arrives - timedelta(days=2), arrives_at=arrives, is_live=True,
    )  # fmt: skip


def payouts_booked(stage: Stage, period: PeriodId) -> dict[tuple[str, str], str]:
    """Return what a month's journal moves into the bank, by object and text."""
    lines = table(stage, "journal.csv", period)
    return {(row["thing"], row["text"]): row["amount_minor"] for row in lines if row["account"] == "Assets:Bank"}


def test_a_payout_of_a_closed_month_is_booked_when_it_is_known_what_became_of_it(stage: Stage) -> None:
    provider, last, december = Account(), datetime(2026, 10, 31, 9, tzinfo=UTC), PeriodId("2026-12")
    made, at_last = last - timedelta(days=5), last + timedelta(days=32)
    provider.knows(
        payout("po_slow", "in_transit", last), payout("po_slower", "pending", last), payout("po_back", "paid", last),
        payout("po_early", "in_transit", last + timedelta(days=2)), payout("po_steady", "paid", last),
        payout("po_gone", "pending", last), payout("po_late", "in_transit", last, made=made),
    )  # fmt: skip
    ready = replace(stage, house=behind(stage, provider=provider))
    prepared(ready)
    closed(ready)
    assert payouts_booked(ready, OCTOBER) == {
        ("po_back", "Payout po_back"): "500", ("po_steady", "Payout po_steady"): "500",
    }  # fmt: skip
    provider.knows(
        payout("po_slow", "paid", last), payout("po_back", "failed", last), payout("po_early", "paid", last),
        payout("po_late", "in_transit", at_last, made=made),
    )  # fmt: skip
    assert prepared(ready, NOVEMBER).files == prepared(ready, NOVEMBER).files
    closed(ready, NOVEMBER)
    assert payouts_booked(ready, NOVEMBER) == {
        ("po_slow", "Payout po_slow (late)"): "500", ("po_early", "Payout po_early (late)"): "500",
        ("po_back", "Payout po_back taken back"): "-500",
    }  # fmt: skip
    assert {row["at"] for row in table(ready, "journal.csv", NOVEMBER)} == {"2026-11-01T00:00:00Z"}
    listed = {row["id"]: row["status"] for row in table(ready, "payouts.csv", NOVEMBER)}
    underway = {"po_slower": "pending", "po_gone": "pending", "po_late": "in_transit"}
    assert listed == {"po_slow": "paid", "po_back": "failed", "po_early": "paid"} | underway
    provider.knows(payout("po_slower", "paid", last), payout("po_late", "paid", at_last, made=made))
    provider.known = [each for each in provider.known if each.thing.id != "po_gone"]
    stage.house.clock.pass_by(seconds=40 * 86_400)  # type: ignore[attr-defined]  # the hand clock
    prepared(ready, december)
    assert payouts_booked(ready, december) == {
        ("po_slower", "Payout po_slower (late)"): "500", ("po_late", "Payout po_late"): "500",
    }  # fmt: skip


def test_a_month_is_not_prepared_on_payouts_that_are_no_longer_what_was_sealed(stage: Stage, tmp_path: Path) -> None:
    ready = replace(stage, house=behind(stage, provider=Account()))
    prepared(ready)
    closed(ready)
    (tmp_path / "exports" / OCTOBER / "payouts.csv").write_text("id,status\n", encoding="utf-8")
    assert isinstance(ask(ready, "prepare", NOVEMBER), Ran)
    for _round in range(3):
        run_due_jobs(ready.house, worker="w1")
        stage.house.clock.pass_by(seconds=1)  # type: ignore[attr-defined]  # the hand clock
    assert (stands(ready, NOVEMBER).state, job(ready).state) == (PeriodState.OPEN, JobState.DEAD)
    assert "payouts of 2026-10 are missing or no longer what was sealed" in str(job(ready).last_error)
