"""Every order of steps on a period: nothing closes that was not frozen, and nothing closed moves but by reopening."""

from itertools import product

from console.domain.periods import PeriodEvent, PeriodState, after

LONGEST = 7


def walk(moves: tuple[PeriodEvent, ...]) -> list[tuple[PeriodEvent, PeriodState]]:
    """Return the steps that were taken; what is not legal changes nothing."""
    state, taken = PeriodState.OPEN, []
    for event in moves:
        to = after(state, event)
        if to is not None:
            taken.append((event, to))
            state = to
    return taken


def test_no_order_of_steps_closes_what_was_not_frozen() -> None:
    for moves in product(PeriodEvent, repeat=LONGEST):
        events = [event for event, _state in walk(moves)]
        for place, event in enumerate(events):
            if event is PeriodEvent.CLOSE:
                assert events[place - 2 : place] == [PeriodEvent.PREPARE, PeriodEvent.FROZEN]


def test_a_closed_period_moves_only_by_being_reopened_and_then_needs_everything_again() -> None:
    for moves in product(PeriodEvent, repeat=LONGEST):
        events = [event for event, _state in walk(moves)]
        for place, event in enumerate(events[:-1]):
            if event is PeriodEvent.CLOSE:
                assert events[place + 1] is PeriodEvent.REOPEN
            if event is PeriodEvent.REOPEN:
                assert events[place + 1] is PeriodEvent.PREPARE


def test_every_state_can_be_reached_and_left() -> None:
    reached = {state for moves in product(PeriodEvent, repeat=4) for _event, state in walk(moves)}
    assert reached | {PeriodState.OPEN} == set(PeriodState)
    assert all(any(after(state, event) for event in PeriodEvent) for state in PeriodState)
