"""Reviews: the machine, the draw that nobody chooses, the figures, and the months whose floor is kept."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from console.domain.ids import PersonKey, ReviewId, StaffId
from console.domain.reasons import Effect
from console.domain.reviews import (
    SAMPLED_PERMILLE,
    Coverage,
    Review,
    ReviewEvent,
    ReviewKind,
    ReviewState,
    after,
    is_sampled,
)
from console.usecases.keep_reviews import floor_months
from tests.databases import NOON

REVIEW = Review(
    id=ReviewId("rev_1"),
    kind=ReviewKind.BREAK_GLASS,
    subject="req_1",
    title="Suspend the tenant",
    tenant=None,
    actor=StaffId("stf_1"),
    actor_name="Kwame",
    person=PersonKey("local|1"),
    approvers=frozenset(),
    gainers=frozenset(),
    opened_at=NOON,
    due_at=NOON + timedelta(hours=24),
)


def test_it_is_decided_once_and_for_ever() -> None:
    final = {ReviewState.OK, ReviewState.FLAGGED, ReviewState.WITHDRAWN}
    assert {after(state, event) for state in final for event in ReviewEvent} == {None}
    for state in (ReviewState.DUE, ReviewState.OVERDUE):
        assert {after(state, event) for event in ReviewEvent} == final


def test_it_is_overdue_by_the_clock_alone() -> None:
    assert REVIEW.state_at(REVIEW.due_at - timedelta(microseconds=1)) is ReviewState.DUE
    assert REVIEW.state_at(REVIEW.due_at) is ReviewState.OVERDUE
    assert replace(REVIEW, state=ReviewState.OK).state_at(REVIEW.due_at) is ReviewState.OK


def test_the_draw_is_the_same_for_everybody_who_repeats_it() -> None:
    uids = [f"evt_{number:06d}" for number in range(20_000)]
    for effect in Effect:
        drawn = [uid for uid in uids if is_sampled(uid, effect)]
        assert drawn == [uid for uid in uids if is_sampled(uid, effect)]
        assert abs(len(drawn) * 1_000 / len(uids) - SAMPLED_PERMILLE[effect]) < 15
    assert {uid for uid in uids if is_sampled(uid, Effect.READ)} <= {
        uid for uid in uids if is_sampled(uid, Effect.DANGEROUS)
    }


def test_its_figures_never_divide_by_nothing() -> None:
    assert (Coverage(opened=0, decided=0, overdue=0, flagged=0).percent, REVIEW.kind.label) == (100, "Break-glass")
    some = Coverage(opened=8, decided=6, overdue=1, flagged=2)
    assert (some.percent, some.overdue_percent) == (75, 12)


def test_every_month_gets_its_floor_before_and_after_it_ends() -> None:
    def months(day: int, month: int = 11) -> list[int]:
        return [begin.month for begin, _end in floor_months(datetime(2026, month, day, 9, tzinfo=UTC))]

    assert months(24) == []
    assert months(25) == months(30) == [11]
    assert months(1, 12) == months(3, 12) == [11]
    assert months(4, 12) == []
    assert [begin.year for begin, _ in floor_months(datetime(2027, 1, 2, tzinfo=UTC))] == [2026]
