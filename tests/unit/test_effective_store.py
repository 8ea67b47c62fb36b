"""The stored effective set: worked cases, and the laws that it keeps whatever it is made of."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.effective_digest import inputs_digest
from console.domain.effective_set import effective
from console.domain.effective_store import (
    UNSAID,
    Direction,
    Standing,
    StoredRow,
    StoredSet,
    direction,
    effects_on,
    recalculation,
    standing,
    stored_rows,
    stored_set,
    what_if,
)
from console.domain.entitlements import Condition, ConditionKind, Feature, FeatureKind, GrantSource, Inputs, Op
from tests.unit.fakes import NOON, SEATS, SSO, grant
from tests.unit.test_effective_laws import FAR, INPUTS, TICK

DAY = timedelta(days=1)
PLAN = Inputs(features=(SEATS, SSO), grants=(grant(GrantSource.PLAN, "seats", 10), grant(GrantSource.PLAN, "sso", 1)))


def stored(inputs: Inputs, *, version: int = 4) -> StoredSet:
    return stored_set(inputs, version=version, source_version=3, now=NOON)


def ending(inputs: Inputs, days: int) -> Inputs:
    more = grant(GrantSource.OVERRIDE, "seats", 15, op=Op.ADD, until=NOON + days * DAY)
    return replace(inputs, grants=(*inputs.grants, more))


def test_it_writes_a_first_set_from_which_nobody_gains_or_loses() -> None:
    done = recalculation(None, PLAN, source_version=3, now=NOON)
    assert (done.is_written, done.standing, done.after.version) == (True, Standing.MISSING, 1)
    assert (done.effects.is_first, done.effects.gains, done.effects.losses) == (True, (), ())
    assert done.after.rows[0] == StoredRow(feature="seats", value=10, access="granted", hard=10)


def test_it_leaves_a_set_alone_that_is_up_to_date() -> None:
    done = recalculation(stored(PLAN), PLAN, source_version=3, now=NOON + DAY)
    assert (done.is_written, done.after, done.standing) == (False, stored(PLAN), Standing.CURRENT)


def test_it_says_what_is_lost_and_why() -> None:
    cancelled = replace(PLAN, subscription="canceled")
    done = recalculation(stored(PLAN), cancelled, source_version=3, now=NOON)
    assert done.standing is Standing.OUTDATED
    assert done.effects.losses == ("Seats: 10 seats → 0 seats (denied)", "Single sign-on: on → off (denied)")
    assert [change.after for change in done.effects.changes()] == [
        "0 seats (denied) · the subscription is cancelled",
        "off (denied) · the subscription is cancelled",
    ]


def test_it_says_what_is_gained() -> None:
    done = recalculation(stored(PLAN), ending(PLAN, 3), source_version=4, now=NOON)
    assert (done.effects.gains, done.effects.losses) == (("Seats: 10 seats → 25 seats",), ())
    assert (done.after.version, done.after.valid_until) == (5, NOON + 3 * DAY)


def test_it_ends_exactly_when_it_said_without_any_event() -> None:
    kept = stored(ending(PLAN, 3))
    inputs = ending(PLAN, 3)
    end = NOON + 3 * DAY
    assert standing(kept, inputs, source_version=3, now=end - TICK) is Standing.CURRENT
    assert standing(kept, inputs, source_version=3, now=end) is Standing.ENDED
    assert recalculation(kept, inputs, source_version=3, now=end).effects.losses == ("Seats: 25 seats → 10 seats",)


def test_it_replaces_a_set_of_an_older_source_or_of_altered_rows() -> None:
    assert recalculation(stored(PLAN), PLAN, source_version=4, now=NOON).is_written
    altered = replace(stored(PLAN), rows=(StoredRow(feature="seats", value=99, access="granted", hard=99),))
    done = recalculation(altered, PLAN, source_version=3, now=NOON)
    assert done.is_written
    assert done.effects.losses == ("Seats: 99 seats → 10 seats",)
    assert done.effects.gains == ("Single sign-on: nothing → on",)


def test_it_takes_a_limit_that_was_not_said_for_what_it_is_now() -> None:
    rows = tuple(replace(row, hard=UNSAID) for row in stored(PLAN).rows)
    assert effects_on(replace(stored(PLAN), rows=rows), PLAN, NOON).rows == ()
    less = replace(rows[0], value=4)
    assert effects_on(replace(stored(PLAN), rows=(less, rows[1])), PLAN, NOON).gains == ("Seats: 4 seats → 10 seats",)


def test_it_names_a_feature_that_the_catalogue_no_longer_has_by_its_key() -> None:
    left = replace(PLAN, features=(SSO,))
    assert effects_on(stored(PLAN), left, NOON).losses == ("seats: 10 → nothing",)


def test_it_previews_a_change_of_inputs_in_words() -> None:
    frozen = Condition(id="f", kind=ConditionKind.READ_ONLY, cause="Unpaid", starts_at=NOON, until=None)
    grace = Condition(id="g", kind=ConditionKind.GRACE, cause="Move of bank", starts_at=NOON, until=NOON + DAY)
    blocked = Condition(id="b", kind=ConditionKind.BLOCKED, cause="Fraud review", starts_at=NOON, until=None)
    overdue = replace(PLAN, subscription="canceled", conditions=(grace,))
    assert what_if(PLAN, replace(PLAN, conditions=(frozen,)), NOON).losses == (
        "Seats: 10 seats → 10 seats (growth stops)",
    )
    kept = what_if(PLAN, overdue, NOON)
    assert (kept.gains, kept.losses) == ((), ())
    assert kept.rows[0].after == "10 seats (granted in grace)"
    assert kept.rows[0].direction is Direction.NEITHER
    gone = what_if(PLAN, replace(PLAN, conditions=(blocked,)), NOON)
    assert [row.because for row in gone.rows] == ["Fraud review"] * 2


@pytest.mark.parametrize(
    ("before", "after", "meaning"),
    [
        (None, StoredRow(feature="x", value=1, access="granted"), Direction.GAIN),
        (StoredRow(feature="x", value=1, access="granted"), None, Direction.LOSS),
        (None, StoredRow(feature="x", value=0, access="denied"), Direction.NEITHER),
        (StoredRow(feature="x", value=5, access="granted", hard=5),
         StoredRow(feature="x", value=9, access="granted", hard=9, is_frozen=True), Direction.LOSS),
        (StoredRow(feature="x", value=5, access="granted", hard=5),
         StoredRow(feature="x", value=5, access="granted"), Direction.GAIN),
    ],
)  # fmt: skip
def test_it_calls_a_change_a_loss_when_any_part_of_it_is_less(
    before: StoredRow | None, after: StoredRow | None, meaning: Direction
) -> None:
    assert direction(before, after) is meaning


def test_it_digests_what_decides_and_nothing_else() -> None:
    renamed = replace(SEATS, name="Places", unit_price_minor=1, owner="somebody")
    assert inputs_digest(replace(PLAN, features=(renamed, SSO))) == inputs_digest(PLAN)
    stricter = replace(SEATS, hard_percent=110)
    assert inputs_digest(replace(PLAN, features=(stricter, SSO))) != inputs_digest(PLAN)
    huge = Feature(
        key="x", name="X", kind=FeatureKind.METERED, unit="", unit_price_minor=0, currency="EUR", default=2**62
    )
    assert inputs_digest(Inputs(features=(huge,)))


@given(INPUTS)
def test_recalculating_twice_is_recalculating_once(inputs: Inputs) -> None:
    first = recalculation(None, inputs, source_version=1, now=NOON)
    again = recalculation(first.after, inputs, source_version=1, now=NOON)
    assert (again.is_written, again.after, again.effects.rows) == (False, first.after, ())


@given(INPUTS)
def test_a_stored_set_holds_to_the_last_moment_before_its_end(inputs: Inputs) -> None:
    kept = stored(inputs)
    last = (kept.valid_until or FAR) - TICK
    assert stored_rows(effective(inputs, last)) == kept.rows
    assert standing(kept, inputs, source_version=3, now=last) is Standing.CURRENT
    if kept.valid_until is not None:
        assert standing(kept, inputs, source_version=3, now=kept.valid_until) is Standing.ENDED


@given(INPUTS)
def test_what_is_stored_never_moves_with_a_count(inputs: Inputs) -> None:
    assert stored(inputs) == stored(replace(inputs, usage=()))
    assert stored_rows(effective(inputs, NOON)) == stored(inputs).rows


@given(INPUTS)
def test_what_lost_is_never_stored(inputs: Inputs) -> None:
    for index, row in enumerate(effective(inputs, NOON)):
        lost = {id(each.grant) for each in row.losers}
        without = replace(inputs, grants=tuple(each for each in inputs.grants if id(each) not in lost))
        assert stored(without).rows[index] == stored(inputs).rows[index]


@given(INPUTS, INPUTS)
def test_a_gain_one_way_is_a_loss_the_other_way(one: Inputs, other: Inputs) -> None:
    other = replace(other, features=one.features)
    there, back = what_if(one, other, NOON), what_if(other, one, NOON)
    assert {row.name for row in there.rows if row.direction is Direction.GAIN} <= {
        row.name for row in back.rows if row.direction is Direction.LOSS
    }
    assert there.rows == () or inputs_digest(one) != inputs_digest(other)


@given(INPUTS, st.permutations([0, 1]))
def test_the_digest_knows_no_order(inputs: Inputs, order: list[int]) -> None:
    turned = replace(
        inputs,
        features=tuple(inputs.features[place] for place in order),
        grants=tuple(reversed(inputs.grants)),
        contracts=tuple(reversed(inputs.contracts)),
    )
    assert inputs_digest(turned) == inputs_digest(inputs)
