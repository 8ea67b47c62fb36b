"""The effective value of a feature, who decides it, who loses and why, and when it changes."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.effective_set import effective_of
from console.domain.entitlements import Entitlement, Feature, Grant, GrantSource, Inputs
from tests.unit.fakes import NOON, SEATS, SSO, STORAGE, grant

PLAN = grant(GrantSource.PLAN, "seats", 10)
ADD_ON = grant(GrantSource.ADD_ON, "seats", 5)
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)


def effective(feature: Feature, grants: list[Grant], now: datetime) -> Entitlement:
    found = effective_of(feature.key, Inputs(features=(feature,), grants=tuple(grants)), now)
    assert found is not None
    return found


def override(value: int = 50, **other: object) -> Grant:
    return grant(GrantSource.OVERRIDE, "seats", value, **({"starts_at": NOON - DAY} | other))


def why(grants: list[Grant], now: datetime = NOON) -> dict[str, str]:
    return {loser.grant.id: loser.why for loser in effective(SEATS, grants, now).losers}


def test_it_adds_add_ons_to_the_plan() -> None:
    found = effective(SEATS, [PLAN, ADD_ON], NOON)
    assert (found.value, found.winners, found.losers, found.valid_until) == (15, (PLAN, ADD_ON), (), None)


def test_it_gives_nothing_where_nothing_is_granted() -> None:
    found = effective(SEATS, [], NOON)
    assert (found.value, found.winners, found.losers, found.valid_until) == (0, (), (), None)


def test_it_ignores_other_features() -> None:
    assert effective(STORAGE, [PLAN], NOON).value == 0


def test_it_lets_a_live_override_decide_alone() -> None:
    found = effective(SEATS, [PLAN, ADD_ON, override()], NOON)
    assert (found.value, [winner.id for winner in found.winners]) == (50, ["override-seats"])
    assert why([PLAN, ADD_ON, override()]) == {
        "plan-seats": "replaced by the override",
        "add_on-seats": "replaced by the override",
    }


def test_it_lets_an_override_take_away() -> None:
    assert effective(SEATS, [PLAN, override(0)], NOON).value == 0


def test_it_prefers_the_newest_override_and_breaks_ties_by_id() -> None:
    older = override(20, id="a", starts_at=NOON - 2 * DAY)
    newer, twin = override(30, id="b"), override(40, id="c")
    assert effective(SEATS, [twin, older, newer], NOON).value == 40
    assert why([twin, older, newer]) == {"a": "replaced by a newer override", "b": "replaced by a newer override"}


@pytest.mark.parametrize(
    ("lost", "because"),
    [
        (override(starts_at=NOON + TICK), "not started yet"),
        (override(until=NOON), "expired"),
        (override(ended_at=NOON), "ended by hand"),
        (override(until=NOON, ended_at=NOON), "ended by hand"),
        (override(until=NOON - DAY), "ended before it began"),
    ],
)
def test_it_says_why_a_grant_does_not_count(lost: Grant, because: str) -> None:
    assert effective(SEATS, [PLAN, lost], NOON).value == 10
    assert why([PLAN, lost]) == {"override-seats": because}


def test_it_counts_a_grant_from_its_start_to_before_its_end() -> None:
    limited = override(starts_at=NOON, until=NOON + DAY)
    values = [effective(SEATS, [PLAN, limited], NOON + at).value for at in (-TICK, 0 * DAY, DAY - TICK, DAY)]
    assert values == [10, 50, 50, 10]
    stopped = override(starts_at=NOON, ended_at=NOON + DAY)
    assert stopped.is_live(NOON + DAY - TICK)
    assert not stopped.is_live(NOON + DAY)


def test_it_caps_a_switch_at_on() -> None:
    twice = [grant(GrantSource.PLAN, "sso", 1), grant(GrantSource.ADD_ON, "sso", 1)]
    assert effective(SSO, twice, NOON).value == 1


def test_it_says_when_the_value_may_next_change() -> None:
    future = override(id="later", starts_at=NOON + 3 * DAY)
    assert effective(SEATS, [PLAN, future], NOON).valid_until == NOON + 3 * DAY
    limited = override(until=NOON + DAY)
    assert effective(SEATS, [PLAN, future, limited], NOON).valid_until == NOON + DAY


def test_it_knows_what_is_sold() -> None:
    assert SEATS.is_paid
    assert not STORAGE.is_paid


MOMENTS = st.integers(-3, 3).map(lambda days: NOON + days * DAY)
GRANTS = st.lists(
    st.builds(
        Grant,
        source=st.sampled_from(GrantSource),
        id=st.uuids().map(str),
        label=st.just("x"),
        feature=st.sampled_from(["seats", "storage"]),
        value=st.integers(0, 9),
        starts_at=MOMENTS,
        until=st.none() | MOMENTS,
        ended_at=st.none() | MOMENTS,
    ),
    max_size=5,
)


@given(GRANTS)
def test_every_grant_of_the_feature_wins_or_loses_exactly_once(grants: list[Grant]) -> None:
    found = effective(SEATS, grants, NOON)
    named = [winner.id for winner in found.winners] + [loser.grant.id for loser in found.losers]
    assert sorted(named) == sorted(known.id for known in grants if known.feature == "seats")


@given(GRANTS)
def test_the_value_does_not_depend_on_the_order_of_grants(grants: list[Grant]) -> None:
    shuffled = sorted(grants, key=lambda known: known.id)
    assert effective(SEATS, grants, NOON).value == effective(SEATS, shuffled, NOON).value


@given(GRANTS)
def test_the_value_holds_until_the_moment_that_is_named(grants: list[Grant]) -> None:
    found = effective(SEATS, grants, NOON)
    until = found.valid_until or NOON + 100 * DAY
    assert effective(SEATS, grants, until - TICK).value == found.value


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [(1, "seats", "1 seat"), (2, "seats", "2 seats"), (0, "seats", "0 seats"), (1, "endpoints", "1 endpoint"),
     (1, "GB", "1 GB"), (1, "access", "1 access"), (12_000, "", "12,000")],
)  # fmt: skip
def test_it_words_one_of_a_unit_in_the_singular(value: int, unit: str, said: str) -> None:
    assert replace(SEATS, unit=unit).worded(value) == said


def test_it_words_a_switch_as_on_or_off() -> None:
    assert (SSO.worded(1), SSO.worded(0)) == ("on", "off")
