"""Laws that the effective set keeps whatever it is made of."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from console.domain.effective_changes import differences, upcoming
from console.domain.effective_set import effective
from console.domain.entitlements import (
    Combining,
    Condition,
    ConditionKind,
    Contract,
    Feature,
    FeatureKind,
    Grant,
    GrantSource,
    Inputs,
    Op,
    PlanVersion,
    Usage,
)
from tests.unit.fakes import NOON

DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
FAR = NOON + 100 * DAY
MOMENTS = st.integers(-4, 4).map(lambda days: NOON + days * DAY)
MAYBE = st.none() | MOMENTS
KEYS = st.sampled_from(["one", "two"])


def feature(key: str) -> st.SearchStrategy[Feature]:
    return st.builds(
        Feature,
        key=st.just(key),
        name=st.just(key),
        kind=st.sampled_from(FeatureKind),
        unit=st.just("units"),
        unit_price_minor=st.just(0),
        currency=st.just("EUR"),
        combining=st.none() | st.sampled_from(Combining),
        default=st.integers(0, 2),
        hard_percent=st.none() | st.sampled_from([0, 100, 150]),
    )


GRANTS = st.builds(
    Grant,
    source=st.sampled_from([source for source in GrantSource if source is not GrantSource.DEFAULT]),
    id=st.sampled_from("abcd"),
    label=st.just("x"),
    feature=KEYS,
    value=st.integers(0, 9),
    starts_at=MOMENTS,
    until=MAYBE,
    ended_at=MAYBE,
    version=st.integers(0, 2),
    op=st.sampled_from(Op),
)
CONTRACTS = st.builds(
    Contract, id=st.sampled_from("abcd"), label=st.just("C"), plan=st.just("p"), version=st.just(1),
    starts_at=MOMENTS, until=MAYBE,
)  # fmt: skip
VERSIONS = st.builds(PlanVersion, plan=st.just("p"), version=st.integers(0, 2), starts_at=MOMENTS, until=MAYBE)
CONDITIONS = st.builds(
    Condition, id=st.sampled_from("abcd"), kind=st.sampled_from(ConditionKind), cause=st.just("x"), starts_at=MOMENTS,
    until=MAYBE,
)  # fmt: skip
USAGE = st.builds(Usage, feature=KEYS, used=st.integers(0, 20), starts_at=MOMENTS, until=MAYBE, as_of=MOMENTS)


def several(of: st.SearchStrategy[object], most: int = 3) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(of, max_size=most).map(tuple)


LAPSING = ("past_due", "canceled", "paused", "unpaid", "incomplete", "incomplete_expired", "some_new_word")
PAID_FOR = frozenset({GrantSource.PLAN, GrantSource.CONTRACT, GrantSource.ADD_ON})
INPUTS = st.builds(
    Inputs,
    features=st.tuples(feature("one"), feature("two")),
    grants=st.lists(GRANTS, max_size=6, unique=True).map(tuple),
    plan_versions=several(VERSIONS),
    contracts=several(CONTRACTS, 2),
    conditions=several(CONDITIONS, 2),
    usage=several(USAGE, 2),
    subscription=st.sampled_from([None, "active", "trialing", *LAPSING]),
)


@given(INPUTS)
def test_the_same_inputs_in_any_order_give_the_same_rows(inputs: Inputs) -> None:
    def turned(values: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(sorted(values, key=repr))

    names = ("grants", "plan_versions", "contracts", "conditions", "usage")
    again = replace(inputs, **{name: turned(getattr(inputs, name)) for name in names})  # type: ignore[arg-type]
    assert [(r.value, r.access, r.soft, r.hard, r.valid_until) for r in effective(inputs, NOON)] == [
        (r.value, r.access, r.soft, r.hard, r.valid_until) for r in effective(again, NOON)
    ]


@given(INPUTS)
def test_nothing_changes_before_the_moment_that_a_row_names(inputs: Inputs) -> None:
    for row in effective(inputs, NOON):
        last = (row.valid_until or FAR) - TICK
        assert row in effective(inputs, last)


@given(INPUTS)
def test_boundaries_only_move_forward_and_end(inputs: Inputs) -> None:
    now = NOON
    for _ in range(80):
        later = [row.valid_until for row in effective(inputs, now) if row.valid_until is not None]
        if not later:
            return
        assert min(later) > now
        now = min(later)
    raise AssertionError("the boundaries of a few ranges do not end")


@given(INPUTS)
def test_every_grant_wins_or_loses_exactly_once(inputs: Inputs) -> None:
    for row in effective(inputs, NOON):
        named = [*row.winners, *(lost.grant for lost in row.losers)]
        mine = [grant for grant in inputs.grants if grant.feature == row.feature.key]
        assert sorted(map(repr, (g for g in named if g.source is not GrantSource.DEFAULT))) == sorted(map(repr, mine))
        assert all(lost.why for lost in row.losers)


@given(INPUTS)
def test_losers_never_matter(inputs: Inputs) -> None:
    for index, row in enumerate(effective(inputs, NOON)):
        lost = {id(each.grant) for each in row.losers}
        alone = effective(replace(inputs, grants=tuple(g for g in inputs.grants if id(g) not in lost)), NOON)[index]
        assert (alone.value, alone.access, alone.winners) == (row.value, row.access, row.winners)


@given(INPUTS, st.integers(-4, 4))
def test_an_end_is_exclusive(inputs: Inputs, days: int) -> None:
    now = NOON + days * DAY
    for row in effective(inputs, now):
        assert all(grant.starts_at <= now and (grant.end is None or now < grant.end) for grant in row.winners)


@given(INPUTS)
def test_what_is_announced_is_what_happens(inputs: Inputs) -> None:
    for each in upcoming(inputs, NOON, most=20):
        before, after = effective(inputs, each.at - TICK), effective(inputs, each.at)
        assert differences(before, after) == each.changes


@given(INPUTS)
def test_a_blocked_tenant_has_nothing(inputs: Inputs) -> None:
    blocked = Condition(id="z", kind=ConditionKind.BLOCKED, cause="x", starts_at=NOON, until=None)
    rows = effective(replace(inputs, conditions=(*inputs.conditions, blocked)), NOON)
    assert [(row.value, row.access, row.winners) for row in rows] == [(0, "denied", ())] * 2


@given(INPUTS, st.sampled_from(LAPSING[1:]), st.integers(-4, 4))
def test_what_is_not_paid_for_gives_nothing_outside_grace(inputs: Inputs, status: str, days: int) -> None:
    now = NOON + days * DAY
    unpaid = replace(inputs, subscription=status)
    for row in effective(unpaid, now):
        is_paid_for = any(grant.source in PAID_FOR for grant in row.winners)
        assert not is_paid_for or (row.grace is not None and row.grace.is_live(now))


@given(INPUTS, st.integers(-4, 4))
def test_past_due_covers_until_its_grace_is_over_and_to_the_tick(inputs: Inputs, days: int) -> None:
    until = NOON + days * DAY
    grace = Condition(id="g", kind=ConditionKind.GRACE, cause="x", starts_at=NOON - 9 * DAY, until=until)
    late = replace(inputs, subscription="past_due", conditions=(grace,))
    for row in effective(late, until):
        assert not any(grant.source in PAID_FOR for grant in row.winners)
    before = effective(late, until - TICK)
    assert all(row.valid_until is not None and row.valid_until <= until for row in before)
    assert [r.value for r in before] == [r.value for r in effective(replace(late, subscription="active"), until - TICK)]


@given(INPUTS)
def test_every_state_that_does_not_cover_says_the_same(inputs: Inputs) -> None:
    rows = [effective(replace(inputs, subscription=status), NOON) for status in LAPSING[1:]]
    assert len({tuple((row.value, row.access, row.valid_until) for row in each) for each in rows}) == 1
