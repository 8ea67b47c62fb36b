"""Recalculating many tenants: which come first, when it stops, and what its digest binds."""

from dataclasses import replace
from datetime import timedelta

import pytest

from console.domain.entitlements import Feature, FeatureKind, GrantSource, Inputs, Op
from console.domain.ids import RunId, TenantId
from console.domain.override_register import carried_over, monthly_cost, registered
from console.domain.recalculations import (
    MORE_LOSSES,
    MOVES,
    TOO_MANY_FAILED,
    PlannedTenant,
    Progress,
    SweepState,
    canaries_of,
    frozen_digest,
    stop_reason,
)
from tests.unit.fakes import NOON, SEATS, SSO, TENANT, grant

DAY = timedelta(days=1)
PLAN = grant(GrantSource.PLAN, "seats", 10)
MORE = grant(GrantSource.OVERRIDE, "seats", 25, id="ovr", until=NOON + 5 * DAY, owner="stf_kim")


def planned(number: int, *, losses: int = 0) -> PlannedTenant:
    return PlannedTenant(
        run=RunId("acc_1"), tenant=TenantId(f"ten_{number:02}"), gains=1, losses=losses, is_first=False, place=number
    )


def test_two_that_lose_and_three_that_do_not_come_first() -> None:
    tenants = [planned(number, losses=number % 2) for number in range(1, 12)]
    assert canaries_of(tenants) == {"ten_01", "ten_03", "ten_02", "ten_04", "ten_06"}
    assert canaries_of([planned(number, losses=1) for number in range(9)]) == {f"ten_{n:02}" for n in range(5)}
    assert canaries_of([]) == frozenset()


@pytest.mark.parametrize(
    ("progress", "because"),
    [
        (Progress(done=100, waiting=5), None),
        (Progress(done=100, held=1), MORE_LOSSES),
        (Progress(done=8, failed=2), None),
        (Progress(done=12, failed=3), None),
        (Progress(done=11, failed=3), TOO_MANY_FAILED),
        (Progress(failed=3), TOO_MANY_FAILED),
    ],
)
def test_it_stops_for_one_unplanned_loss_or_many_failures(progress: Progress, because: str | None) -> None:
    assert stop_reason(progress) == because


def test_its_digest_binds_who_gains_and_loses_in_which_order() -> None:
    tenants = [planned(1), planned(2, losses=1)]
    assert frozen_digest(tenants) == frozen_digest([replace(each, is_canary=True) for each in tenants])
    assert frozen_digest(tenants) != frozen_digest([planned(1), planned(2, losses=2)])
    assert frozen_digest(tenants) != frozen_digest(tenants[:1])


def test_what_is_over_moves_no_more_and_everything_can_come_to_an_end() -> None:
    ends = {state for state, onward in MOVES.items() if not onward}
    assert ends == {SweepState.FINISHED, SweepState.CANCELLED}
    assert all(SweepState.CANCELLED in onward for state, onward in MOVES.items() if state not in ends)


def test_the_register_knows_the_list_price_of_what_is_given_beyond_the_plan() -> None:
    inputs = Inputs(features=(SEATS, SSO), grants=(PLAN, MORE))
    (row,) = registered(inputs, TENANT, NOON)
    assert (row.monthly_minor, row.currency, row.is_redundant, row.is_orphaned) == (15 * 900, "EUR", False, False)
    assert registered(inputs, TENANT, NOON + 5 * DAY) == ()
    assert monthly_cost(replace(MORE, feature="gone"), inputs, NOON) == (0, "")
    switch = Feature(key="sso", name="S", kind=FeatureKind.SWITCH, unit="", unit_price_minor=500, currency="EUR")
    on = grant(GrantSource.OVERRIDE, "sso", 1, id="on")
    assert monthly_cost(on, Inputs(features=(switch,), grants=(on,)), NOON) == (500, "EUR")


def test_an_override_that_lowers_costs_nothing_and_one_without_effect_is_redundant() -> None:
    less = Inputs(features=(SEATS,), grants=(PLAN, replace(MORE, value=4)))
    assert registered(less, TENANT, NOON)[0].monthly_minor == 0
    same = Inputs(features=(SEATS,), grants=(PLAN, replace(MORE, value=10)), subscription="canceled")
    (row,) = registered(replace(same, subscription=None), TENANT, NOON)
    assert row.is_redundant
    assert registered(same, TENANT, NOON)[0].is_orphaned
    deny = Inputs(features=(SEATS,), grants=(PLAN, replace(MORE, op=Op.DENY)))
    assert not registered(deny, TENANT, NOON)[0].is_redundant


def test_an_owner_is_reminded_once_for_each_end() -> None:
    (row,) = registered(Inputs(features=(SEATS,), grants=(PLAN, MORE)), TENANT, NOON)
    assert row.wants_reminder(NOON)
    told = replace(row, reminded_at=NOON)
    assert not told.wants_reminder(NOON)
    assert carried_over(row, None) == row
    assert carried_over(row, told) == told
    assert carried_over(replace(row, owner="stf_lea"), told).wants_reminder(NOON)
    assert not replace(row, owner="").wants_reminder(NOON)
    assert not replace(row, until=None).wants_reminder(NOON)
    assert not row.wants_reminder(NOON - 5 * DAY)


def test_an_owner_is_reminded_once_more_on_the_last_day() -> None:
    (row,) = registered(Inputs(features=(SEATS,), grants=(PLAN, MORE)), TENANT, NOON)
    assert row.until is not None
    told = replace(row, reminded_at=row.until - 6 * DAY)
    assert not told.wants_reminder(row.until - DAY - timedelta(seconds=1))
    assert told.wants_reminder(row.until - DAY)
    last = replace(row, reminded_at=row.until - DAY)
    assert not last.wants_reminder(row.until - timedelta(seconds=1))
    late = replace(row, reminded_at=row.until - DAY / 2)  # heard of only on the last day: once
    assert not late.wants_reminder(row.until - timedelta(seconds=1))
    assert not row.wants_reminder(row.until)
