"""The machine of a command to the provider, walked exhaustively: it is settled once, and never goes back."""

from itertools import product

import pytest

from console.domain.billing.writes import SETTLED, TRANSITIONS, WriteEvent, WriteState, after

LEGAL = {
    (WriteState.WANTED, WriteEvent.SEND): WriteState.SENT,
    (WriteState.WANTED, WriteEvent.REFUSE): WriteState.REFUSED,
    (WriteState.SENT, WriteEvent.SEND): WriteState.SENT,
    (WriteState.SENT, WriteEvent.SUCCEED): WriteState.DONE,
    (WriteState.SENT, WriteEvent.REFUSE): WriteState.REFUSED,
}


@pytest.mark.parametrize(("state", "event"), list(product(WriteState, WriteEvent)))
def test_it_moves_only_as_written_here(state: WriteState, event: WriteEvent) -> None:
    assert after(state, event) is LEGAL.get((state, event))


def test_every_order_of_six_events_settles_at_most_once_and_never_succeeds_unsent() -> None:
    walked = 0
    for events in product(WriteEvent, repeat=6):
        state, seen = WriteState.WANTED, [WriteState.WANTED]
        for event in events:
            state = after(state, event) or state
            if state is not seen[-1]:
                seen.append(state)
        walked += 1
        assert len([each for each in seen if each in SETTLED]) <= 1
        assert WriteState.DONE not in seen or WriteState.SENT in seen
        assert all(each not in SETTLED for each in seen[:-1])
    assert walked == len(WriteEvent) ** 6


def test_nothing_leads_out_of_a_settled_state() -> None:
    assert not [state for state, _event in TRANSITIONS if state in SETTLED]
