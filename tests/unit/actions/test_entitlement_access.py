"""Recalculation, grace, ended coverage and ownership: what each shows, does and refuses."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from console.actions.entitlement import assign_owner, end_coverage, grant_grace, recalculate
from console.domain.effective_store import stored_set
from console.domain.entitlements import Condition, ConditionKind, Grant, GrantSource
from console.domain.workspace import Subscription
from tests.billing import A_PAYMENT, A_REFUND, mirror_of
from tests.unit.fakes import NOON, FakePlane, Unchanged, fault_of, grant, shown, tools

DAY = timedelta(days=1)
GRACE = grant_grace.Params(cause="payment_overdue", until=date(2026, 12, 5))
REFUND = end_coverage.Params(refund="re_1abc")
MINE = assign_owner.Params(override="override-seats")
NOTHING = recalculate.Params()


def subscription(status: str, *, renews_in: timedelta = 9 * DAY) -> Subscription:
    return Subscription(
        plan_key="team", plan_name="Team", status=status, provider_customer="cus_1", seats=3, amount_minor=4_900,
        currency="EUR", started_at=NOON - DAY, renews_at=NOON + renews_in, mirrored_at=NOON,
    )  # fmt: skip


def told(plane: FakePlane) -> FakePlane:
    """Return a plane whose product was told what holds now."""
    plane.stored = stored_set(plane.inputs(), version=4, source_version=plane.entitlement_version, now=NOON - DAY)
    return plane


# --- recalculate ---
def test_it_shows_what_is_stored_beside_what_ought_to_be_without_changing_anything() -> None:
    plane = told(FakePlane(contract=subscription("active")))
    plane.contract = subscription("canceled")
    with Unchanged(plane):
        seen = recalculate.preview(NOTHING, tools(plane))
    assert shown(seen) == {
        "Effective set": ("out of date", "up to date"),
        "Access: Seats": ("10 seats", "0 seats (denied) · the subscription is cancelled"),
    }
    assert seen.warnings == ("The tenant loses one feature, or part of it, at once.",)
    assert seen.fingerprint["stored"] == 4


def test_it_says_that_an_up_to_date_set_stays() -> None:
    plane = told(FakePlane())
    seen = recalculate.preview(NOTHING, tools(plane))
    assert shown(seen) == {"Effective set": ("up to date", "up to date")}
    assert seen.warnings == ("The stored set (version 4) is up to date: nothing will change.",)
    done = recalculate.apply(NOTHING, tools(plane))
    assert (done.sentence, done.changes) == ("Nothing to do: the stored set (version 4) is up to date.", ())


def test_it_says_how_much_was_gained_and_lost_and_leaves_the_writing_to_the_executor() -> None:
    plane = told(FakePlane())
    plane.all_grants = [grant(GrantSource.PLAN, "seats", 12)]
    with Unchanged(plane):
        done = recalculate.apply(NOTHING, tools(plane))
    assert done.sentence == "Access is recalculated: 1 gained, 0 lost; version 5 holds."
    assert recalculate.ACTION.moves_access
    assert recalculate.ACTION.build({}) == NOTHING


# --- grace ---
def test_grace_keeps_what_is_not_paid_for_and_says_what_is_lost_at_its_end() -> None:
    plane = FakePlane(contract=subscription("canceled"))
    with Unchanged(plane):
        seen = grant_grace.preview(GRACE, tools(plane))
    assert shown(seen) == {
        "Grace": (None, "Payment is overdue, until 5 Dec 2026, 00:00 UTC"),
        "Access: Seats": ("0 seats (denied)", "10 seats (granted in grace) · Plan"),
    }
    assert seen.facts == {"days": 14}
    assert seen.warnings == (
        "When it ends, unless it is paid by then: Seats: 10 seats (granted in grace) → 0 seats (denied).",
    )
    grant_grace.apply(GRACE, tools(plane))
    (kept,) = plane.conditions
    assert (kept.kind, kept.id) == (ConditionKind.GRACE, "grace:payment_overdue:CT-2026-0042")


def test_grace_says_so_where_it_changes_nothing() -> None:
    seen = grant_grace.preview(GRACE, tools(FakePlane(contract=subscription("active"))))
    assert list(shown(seen)) == ["Grace"]
    assert seen.warnings == ("As things stand nothing changes when it ends: the tenant has all of it without grace.",)


def test_there_is_one_grace_for_each_cause_and_reference() -> None:
    plane = FakePlane(contract=subscription("canceled"))
    grant_grace.apply(GRACE, tools(plane))
    assert fault_of(grant_grace.preview, GRACE, tools(plane))[0] == "cause"
    plane.conditions = [replace(plane.conditions[0], until=NOON - DAY)]
    assert fault_of(grant_grace.preview, GRACE, tools(plane))[0] == "cause"
    plane.conditions = [replace(plane.conditions[0], id="grace:payment_overdue:OLD-1")]
    assert grant_grace.preview(GRACE, tools(plane)).target_id == "grace:payment_overdue:CT-2026-0042"
    assert fault_of(grant_grace.apply, GRACE, tools(FakePlane(is_raced=True)))[0] == "cause"


@pytest.mark.parametrize(
    ("params", "field"),
    [
        (replace(GRACE, cause="kindness"), "cause"),
        (replace(GRACE, until=date(2026, 11, 21)), "until"),
    ],
)
def test_grace_needs_a_known_cause_and_an_end_to_come(params: grant_grace.Params, field: str) -> None:
    assert fault_of(grant_grace.preview, params, tools(FakePlane()))[0] == field
    assert grant_grace.ACTION.build({"cause": "payment_overdue", "until": date(2026, 12, 5)}) == GRACE
    assert next(each.value for each in grant_grace.choices("cause", tools(FakePlane()))) == "payment_overdue"
    assert grant_grace.choices("until", tools(FakePlane())) == ()


# --- ended coverage ---
def test_it_ends_what_was_paid_back_until_the_next_period_begins() -> None:
    plane = FakePlane(contract=subscription("active"))
    with Unchanged(plane):
        seen = end_coverage.preview(REFUND, tools(plane))
    assert shown(seen) == {
        "Coverage": ("runs", "ended now, paid back with re_1abc"),
        "Access: Seats": ("10 seats", "0 seats (denied) · the coverage ended: paid back with re_1abc"),
    }
    assert "the next period begins on 30 Nov 2026" in seen.customer
    end_coverage.apply(REFUND, tools(plane))
    (ended,) = plane.conditions
    assert (ended.kind, ended.starts_at, ended.until) == (ConditionKind.COVERAGE_ENDED, NOON, NOON + 9 * DAY)


def mirrored(refunded: int, status: str = "succeeded") -> FakePlane:
    """Return a plane whose mirror knows a refund of a payment, of which so much went back."""
    things = (replace(A_PAYMENT, refunded_minor=refunded), replace(A_REFUND, status=status))
    return FakePlane(contract=subscription("active"), mirror=mirror_of(things))


def test_it_ends_no_coverage_that_is_still_paid_for() -> None:
    known = end_coverage.Params(refund="re_1")
    whole = end_coverage.preview(known, tools(mirrored(A_PAYMENT.captured_minor)))
    assert whole.warnings[-1] == "The mirror says that all of payment pi_1 was paid back."
    assert "in part only" in fault_of(end_coverage.preview, known, tools(mirrored(900)))[1]
    assert "is pending" in fault_of(end_coverage.preview, known, tools(mirrored(9_900, "pending")))[1]
    alone = FakePlane(contract=subscription("active"), mirror=mirror_of([A_REFUND]))
    assert "does not know the payment" in end_coverage.preview(known, tools(alone)).warnings[-1]
    assert "does not know this refund" in end_coverage.preview(REFUND, tools(mirrored(9_900))).warnings[-1]


def test_a_coverage_without_a_next_period_has_no_end() -> None:
    plane = FakePlane(contract=subscription("active", renews_in=-DAY))
    end_coverage.apply(REFUND, tools(plane))
    assert plane.conditions[0].until is None
    assert end_coverage.ACTION.build({"refund": "re_1abc"}) == REFUND


def test_one_refund_ends_one_coverage() -> None:
    plane = FakePlane(contract=subscription("active"))
    end_coverage.apply(REFUND, tools(plane))
    for call in (end_coverage.preview, end_coverage.apply):
        assert fault_of(call, REFUND, tools(plane)) == ("refund", "This refund has ended a coverage before.")
    assert fault_of(end_coverage.apply, REFUND, tools(FakePlane(is_raced=True)))[0] == "refund"


def test_there_is_nothing_to_end_where_nothing_paid_gives_anything() -> None:
    plane = FakePlane(contract=subscription("canceled"))
    assert fault_of(end_coverage.preview, REFUND, tools(plane))[0] == "refund"


def test_grace_from_before_does_not_outlive_a_coverage_and_a_later_one_does() -> None:
    earlier = Condition(id="g", kind=ConditionKind.GRACE, cause="Late", starts_at=NOON - DAY, until=NOON + 5 * DAY)
    plane = told(FakePlane(contract=subscription("canceled"), conditions=[earlier]))
    end_coverage.apply(REFUND, tools(plane))
    assert plane.recalculate(cause="test", at=NOON).effects.losses == (
        "Seats: 10 seats (granted in grace) → 0 seats (denied)",
    )
    grant_grace.apply(GRACE, tools(plane))
    assert plane.recalculate(cause="test", at=NOON).effects.gains


# --- ownership ---
def override(**other: object) -> Grant:
    return grant(GrantSource.OVERRIDE, "seats", 20, **({"until": NOON + DAY} | other))


def test_whoever_asks_becomes_the_owner() -> None:
    plane = FakePlane(all_grants=[override(owner="stf_kim")])
    with Unchanged(plane):
        seen = assign_owner.preview(MINE, tools(plane))
    assert shown(seen)["Owner"] == ("stf_kim", "stf_robin")
    assert assign_owner.ACTION.build({"override": "override-seats"}) == MINE
    done = assign_owner.apply(MINE, tools(plane))
    assert (plane.all_grants[0].owner, done.sentence) == ("stf_robin", "Robin owns the override of seats now.")
    assert fault_of(assign_owner.preview, MINE, tools(plane))[1] == "You own this override already."


@pytest.mark.parametrize("gone", [override(until=NOON), override(ended_at=NOON - DAY), override(id="another")])
def test_what_has_ended_has_no_owner(gone: Grant) -> None:
    assert fault_of(assign_owner.preview, MINE, tools(FakePlane(all_grants=[gone])))[0] == "override"


def test_it_offers_what_somebody_else_or_nobody_owns() -> None:
    known = [override(), override(id="b", owner="stf_kim"), override(id="c", owner="stf_robin")]
    found = assign_owner.choices("override", tools(FakePlane(all_grants=known)))
    assert [(each.value, each.current) for each in found] == [
        ("override-seats", "nobody owns it"), ("b", "owner stf_kim"),
    ]  # fmt: skip
    assert assign_owner.choices("x", tools(FakePlane())) == ()
    raced = FakePlane(all_grants=[override()], is_raced=True)
    assert fault_of(assign_owner.apply, MINE, tools(raced))[0] == "override"
