"""What a request says of itself: who asks, which digest it has, which moment is which number."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.ids import PersonKey
from console.domain.requests import FINAL, Event, State, after, legal_events, micros
from tests.unit.proposals import proposal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def test_whoever_drafted_and_whoever_submitted_both_count_as_asking() -> None:
    ghost = PersonKey("local|stf_ghost")
    assert proposal().requesters == {PersonKey("local|stf_robin")}
    assert proposal(drafted_by=ghost).requesters == {PersonKey("local|stf_robin"), ghost}


def test_a_fresh_request_has_the_digest_of_its_content() -> None:
    assert proposal().recomputed_digest() == proposal().digest


def test_the_end_of_the_approval_clock_is_part_of_the_digest() -> None:
    later = replace(proposal(), approve_by=proposal().approve_by + timedelta(microseconds=1))
    assert later.recomputed_digest() != proposal().digest


def test_final_states_accept_nothing() -> None:
    assert {state for state in State if not legal_events(state)} == FINAL
    assert {
        State.EXECUTED,
        State.FAILED,
        State.REJECTED,
        State.CANCELLED,
        State.EXPIRED_PENDING,
        State.EXPIRED_APPROVED,
        State.REVOKED,
    } == FINAL


def test_legal_events_are_those_that_lead_somewhere() -> None:
    for state in State:
        assert legal_events(state) == {event for event in Event if after(state, event) is not None}


@given(st.datetimes(timezones=st.just(UTC)))
def test_microseconds_are_exact_for_every_moment(moment: datetime) -> None:
    assert EPOCH + timedelta(microseconds=micros(moment)) == moment


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        (EPOCH, 0),
        (EPOCH - timedelta(microseconds=1), -1),
        (datetime(1970, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), 0),
        (datetime(2600, 1, 1, 0, 0, 0, 999_999, tzinfo=UTC), 19_880_899_200_999_999),
    ],
)
def test_microseconds_count_from_1970(moment: datetime, number: int) -> None:
    assert micros(moment) == number
