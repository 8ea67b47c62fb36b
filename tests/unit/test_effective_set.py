"""The effective set in worked cases: one sentence each, from plan to blocked, with the chain that explains it."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from console.domain.effective_changes import differences, next_change, upcoming
from console.domain.effective_set import effective, effective_of, without_suspension
from console.domain.entitlements import (
    Access,
    Combining,
    Condition,
    ConditionKind,
    Contract,
    Entitlement,
    Feature,
    FeatureKind,
    Grant,
    GrantSource,
    Inputs,
    Op,
    PlanVersion,
    Usage,
)
from tests.unit.fakes import NOON, SEATS, SSO, grant

DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
CALLS = replace(SEATS, key="calls", name="API calls", kind=FeatureKind.METERED, unit="calls", hard_percent=120)
TIER = replace(
    SEATS, key="tier", name="Support", kind=FeatureKind.CONFIG, unit="", options=("basic", "standard", "priority")
)
PLAN = grant(GrantSource.PLAN, "seats", 10)
ADD_ON = grant(GrantSource.ADD_ON, "seats", 5)
TRIAL = grant(GrantSource.TRIAL, "seats", 30, until=NOON + 5 * DAY)
CONTRACT = Contract(
    id="ctr_1", label="Contract C-1", plan="pro", version=1, starts_at=NOON - 9 * DAY, until=NOON + 9 * DAY
)


def override(op: Op, value: int = 0, **other: object) -> Grant:
    return grant(GrantSource.OVERRIDE, "seats", value, **({"op": op, "id": op.value, "until": NOON + DAY} | other))


def condition(kind: ConditionKind, **other: object) -> Condition:
    base = Condition(id="cnd", kind=kind, cause="unpaid since March", starts_at=NOON - 3 * DAY, until=NOON + 3 * DAY)
    return replace(base, **other)  # type: ignore[arg-type]  # names and types are the dataclass's own


def used(count: int, feature: str = "seats", **other: object) -> Usage:
    base = Usage(feature=feature, used=count, starts_at=NOON - 9 * DAY, until=None, as_of=NOON - DAY)
    return replace(base, **other)  # type: ignore[arg-type]  # names and types are the dataclass's own


def inputs(*grants: Grant, features: tuple[Feature, ...] = (SEATS,), **other: object) -> Inputs:
    return replace(Inputs(features=features, grants=grants), **other)  # type: ignore[arg-type]  # the dataclass's own


def row(given: Inputs, now: datetime = NOON) -> Entitlement:
    return effective(given, now)[0]


def losers(found: Entitlement) -> dict[str, str]:
    return {lost.grant.id: lost.why for lost in found.losers}


@pytest.mark.parametrize(
    ("combining", "value", "winners", "why"),
    [
        (Combining.SUM, 45, ["plan-seats", "trial-seats", "add_on-seats"], ""),
        (Combining.MAX, 30, ["trial-seats"], "the largest counts"),
        (Combining.LAST, 5, ["add_on-seats"], "the latest counts"),
        (Combining.ANY, 1, ["plan-seats", "trial-seats", "add_on-seats"], ""),
    ],
)
def test_it_combines_sources_as_the_feature_declares(
    combining: Combining, value: int, winners: list[str], why: str
) -> None:
    late = replace(ADD_ON, starts_at=NOON - DAY)
    found = row(inputs(PLAN, TRIAL, late, features=(replace(SEATS, combining=combining),)))
    assert (found.value, [winner.id for winner in found.winners]) == (value, winners)
    assert set(losers(found).values()) == ({why} if why else set())


def test_it_says_which_source_of_a_switch_says_off() -> None:
    off, on = grant(GrantSource.PLAN, "sso", 0), grant(GrantSource.ADD_ON, "sso", 1)
    found = row(inputs(off, on, features=(SSO,)))
    assert (found.value, losers(found)) == (1, {"plan-sso": "says off"})
    assert row(inputs(off, features=(SSO,))).winners == (off,)


@pytest.mark.parametrize(
    ("overrides", "value", "winners"),
    [
        ([override(Op.ADD, 7)], 22, ["plan-seats", "add_on-seats", "add"]),
        ([override(Op.GRANT, 7)], 22, ["plan-seats", "add_on-seats", "grant"]),
        ([override(Op.SET, 7), override(Op.ADD, 7)], 7, ["set"]),
        ([override(Op.SET, 7), override(Op.DENY, 0)], 0, ["deny"]),
    ],
)
def test_it_lets_deny_win_over_set_and_set_over_all_else(
    overrides: list[Grant], value: int, winners: list[str]
) -> None:
    found = row(inputs(PLAN, ADD_ON, *overrides))
    assert (found.value, [winner.id for winner in found.winners]) == (value, winners)
    assert found.access is (Access.DENIED if value == 0 else Access.GRANTED)


def test_it_joins_a_grant_by_policy_and_adds_on_top() -> None:
    largest = replace(SEATS, combining=Combining.MAX)
    found = row(inputs(PLAN, override(Op.GRANT, 7), override(Op.ADD, 2), features=(largest,)))
    assert (found.value, losers(found)) == (12, {"grant": "the largest counts"})


def test_it_gives_the_default_only_where_nothing_else_does() -> None:
    feature = replace(SEATS, default=3)
    assert row(inputs(features=(feature,))).value == 3
    assert row(inputs(override(Op.ADD, 2), features=(feature,))).value == 5
    found = row(inputs(PLAN, features=(feature,)))
    assert (found.value, losers(found)) == (10, {"default": "something grants it"})


def test_it_counts_the_version_of_the_plan_that_holds() -> None:
    old, new = replace(PLAN, version=0), replace(PLAN, version=2, value=25)
    versions = (
        PlanVersion(plan="pro", version=0, starts_at=NOON - 90 * DAY, until=None),
        PlanVersion(plan="pro", version=2, starts_at=NOON, until=None),
    )
    found = row(inputs(old, new, plan_versions=versions))
    assert (found.value, losers(found)) == (25, {"plan-seats": "version 2 of the plan holds"})
    assert row(inputs(old, new, plan_versions=versions), NOON - TICK).value == 10


def test_it_lets_a_contract_decide_instead_of_the_plan() -> None:
    signed = grant(GrantSource.CONTRACT, "seats", 40, id="ctr_1", until=CONTRACT.until)
    given = inputs(PLAN, ADD_ON, signed, contracts=(CONTRACT,))
    assert (row(given).value, losers(row(given))["plan-seats"]) == (45, "Contract C-1 decides instead of the plan")
    assert row(given, NOON + 9 * DAY).value == 15
    older = replace(CONTRACT, id="ctr_0", label="Contract C-0", starts_at=NOON - 30 * DAY)
    both = inputs(replace(signed, id="ctr_0", value=90), signed, contracts=(older, CONTRACT))
    assert (row(both).value, losers(row(both))) == (40, {"ctr_0": "Contract C-1 is newer"})


def test_it_takes_everything_away_while_the_tenant_is_blocked() -> None:
    given = inputs(PLAN, override(Op.SET, 90), conditions=(condition(ConditionKind.BLOCKED),))
    found = row(given)
    assert (found.value, found.access, found.winners) == (0, Access.DENIED, ())
    assert set(losers(found).values()) == {"access is blocked: unpaid since March"}
    assert found.valid_until == NOON + DAY
    assert row(given, NOON + 3 * DAY).value == 10
    assert row(without_suspension(given)).value == 90


def test_it_stops_growth_while_the_tenant_may_only_read() -> None:
    frozen = (condition(ConditionKind.READ_ONLY),)
    found = row(inputs(PLAN, conditions=frozen, usage=(used(4),)))
    assert (found.value, found.hard, found.access, found.frozen_by) == (10, 4, Access.GRANTED, frozen[0])
    meter = row(
        inputs(grant(GrantSource.PLAN, "calls", 9), features=(replace(CALLS, hard_percent=0),), conditions=frozen)
    )
    assert meter.hard == 0
    assert row(inputs(grant(GrantSource.PLAN, "sso", 1), features=(SSO,), conditions=frozen)).frozen_by is None


@pytest.mark.parametrize(
    ("status", "graces", "value", "access", "why"),
    [
        ("active", (condition(ConditionKind.GRACE),), 10, Access.GRANTED, None),
        ("past_due", (), 10, Access.GRANTED, None),
        ("past_due", (condition(ConditionKind.GRACE),), 10, Access.GRANTED_IN_GRACE, None),
        ("past_due", (condition(ConditionKind.GRACE, until=NOON),), 0, Access.DENIED,
         "payment is overdue and the grace is over"),
        ("canceled", (), 0, Access.DENIED, "the subscription is cancelled"),
        ("canceled", (condition(ConditionKind.GRACE, until=None),), 10, Access.GRANTED_IN_GRACE, None),
        ("paused", (), 0, Access.DENIED, "the subscription is paused"),
    ],
)  # fmt: skip
def test_it_keeps_what_is_not_paid_for_only_in_grace(
    status: str, graces: tuple[Condition, ...], value: int, access: Access, why: str | None
) -> None:
    found = row(inputs(PLAN, subscription=status, conditions=graces))
    assert (found.value, found.access, losers(found).get("plan-seats")) == (value, access, why)


def test_it_does_not_call_an_override_grace() -> None:
    found = row(
        inputs(PLAN, override(Op.SET, 5), subscription="past_due", conditions=(condition(ConditionKind.GRACE),))
    )
    assert (found.access, found.grace) == (Access.GRANTED, None)


def test_it_keeps_trial_and_override_when_the_subscription_is_cancelled() -> None:
    found = row(inputs(PLAN, ADD_ON, TRIAL, override(Op.ADD, 1), subscription="canceled"))
    assert (found.value, sorted(losers(found))) == (31, ["add_on-seats", "plan-seats"])


@pytest.mark.parametrize(
    ("feature", "count", "access", "percent"),
    [
        (SEATS, 10, Access.GRANTED, 100),
        (SEATS, 11, Access.HARD_EXCEEDED, 110),
        (replace(SEATS, hard_percent=150), 15, Access.SOFT_EXCEEDED, 150),
        (replace(SEATS, hard_percent=150), 16, Access.HARD_EXCEEDED, 160),
        (replace(SEATS, hard_percent=0), 900, Access.SOFT_EXCEEDED, 9_000),
    ],
)
def test_it_holds_use_against_both_limits(feature: Feature, count: int, access: Access, percent: int) -> None:
    found = row(inputs(PLAN, features=(feature,), usage=(used(count),)))
    assert (found.access, found.used_percent) == (access, percent)


def test_it_meters_without_an_end_unless_one_is_declared() -> None:
    given = grant(GrantSource.PLAN, "calls", 100)
    assert row(inputs(given, features=(CALLS,))).hard == 120
    assert row(inputs(given, features=(replace(CALLS, hard_percent=None),))).hard is None


def test_it_knows_use_only_from_when_it_was_counted_to_the_end_of_its_period() -> None:
    given = inputs(PLAN, usage=(used(4, until=NOON + DAY),))
    assert [row(given, at).usage is None for at in (NOON - DAY - TICK, NOON - DAY, NOON + DAY - TICK, NOON + DAY)] == [
        True, False, False, True,
    ]  # fmt: skip
    assert row(given).valid_until == NOON + DAY
    assert row(inputs(usage=(used(4),))).used_percent is None


def test_it_words_and_bounds_an_option() -> None:
    plan = grant(GrantSource.PLAN, "tier", 0)
    found = row(inputs(plan, grant(GrantSource.ADD_ON, "tier", 9, starts_at=NOON), features=(TIER,)))
    assert (TIER.worded(found.value), found.access, found.soft) == ("priority", Access.GRANTED, None)
    assert row(inputs(plan, features=(TIER,))).access is Access.GRANTED


def test_it_answers_for_one_feature_as_for_all() -> None:
    given = inputs(PLAN, features=(SEATS, SSO))
    assert effective_of("seats", given, NOON) == effective(given, NOON)[0]
    assert effective_of("nothing", given, NOON) is None


def test_it_names_only_the_moments_at_which_something_changes() -> None:
    lapsed = override(Op.SET, 10, until=NOON + DAY)
    given = inputs(PLAN, lapsed, TRIAL)
    moments = upcoming(given, NOON, most=5)
    assert [(each.at, each.changes[0].before.value, each.changes[0].after.value) for each in moments] == [
        (NOON + DAY, 10, 40),
        (NOON + 5 * DAY, 40, 10),
    ]
    assert upcoming(given, NOON, most=1) == moments[:1]
    assert upcoming(given, NOON, most=5, boundaries=1) == moments[:1]


def test_it_tells_what_differs_between_two_sets() -> None:
    both = (SEATS, SSO)
    before, after = effective(inputs(PLAN, features=both), NOON), effective(inputs(ADD_ON, features=both), NOON)
    assert [(change.before.value, change.after.value) for change in differences(before, after)] == [(10, 5)]


def test_it_finds_the_next_real_change_of_one_feature() -> None:
    other = grant(GrantSource.TRIAL, "sso", 1, until=NOON + DAY)
    given = inputs(PLAN, TRIAL, other, features=(SEATS, SSO))
    assert (next_change("seats", given, NOON), next_change("sso", given, NOON)) == (NOON + 5 * DAY, NOON + DAY)
    assert next_change("seats", inputs(PLAN), NOON) is None
