"""Freezes: the two machines, what lies over whom, and which door a question is asked at."""

from dataclasses import replace
from datetime import timedelta

from console.domain.freezes import (
    DRILL_MINUTES,
    TRANSITIONS,
    Door,
    Freeze,
    FreezeEvent,
    FreezeScope,
    FreezeState,
    after,
    door_of,
    narrowest,
)
from console.domain.ids import FreezeId, ReasonCode, StaffId
from console.domain.reasons import Reason
from console.domain.staff import is_vendor
from tests.databases import NOON

EVERYTHING = Freeze(
    id=FreezeId("frz_1"),
    scope=FreezeScope.ALL,
    subject="",
    name="Everything",
    is_drill=False,
    reason=Reason(code=ReasonCode("CONTAINMENT"), reference="INC-1"),
    set_by=StaffId("stf_1"),
    set_at=NOON,
)


def test_it_moves_only_as_its_table_says() -> None:
    legal = {
        (FreezeState.STANDING, FreezeEvent.LIFT): FreezeState.LIFTED,
        (FreezeState.REHEARSING, FreezeEvent.END): FreezeState.REHEARSED,
    }
    assert legal == TRANSITIONS
    for state in FreezeState:
        for event in FreezeEvent:
            assert after(state, event) is legal.get((state, event))


def test_a_freeze_stands_until_it_is_lifted_whatever_the_clock_says() -> None:
    assert EVERYTHING.until is None
    assert EVERYTHING.state_at(NOON + timedelta(days=400)) is FreezeState.STANDING
    assert EVERYTHING.state_at(NOON - timedelta(days=1)) is FreezeState.STANDING
    lifted = replace(EVERYTHING, lifted_at=NOON)
    assert lifted.state_at(NOON) is FreezeState.LIFTED


def test_a_drill_is_over_by_the_clock() -> None:
    drill = replace(EVERYTHING, is_drill=True)
    end = NOON + timedelta(minutes=DRILL_MINUTES)
    assert drill.until == end
    assert drill.state_at(NOON) is FreezeState.REHEARSING
    assert drill.state_at(end - timedelta(milliseconds=1)) is FreezeState.REHEARSING
    assert drill.state_at(end) is FreezeState.REHEARSED
    assert drill.state_at(NOON - timedelta(seconds=1)) is FreezeState.REHEARSED


def test_the_narrowest_freeze_is_the_one_that_is_told() -> None:
    every = [replace(EVERYTHING, id=FreezeId(scope.value), scope=scope) for scope in reversed(FreezeScope)]
    assert narrowest(every) is every[-1]
    assert narrowest(every[:2]) is every[1]
    assert narrowest([]) is None


def test_it_says_what_is_frozen() -> None:
    assert EVERYTHING.sentence == "Everything is frozen"
    assert (
        replace(EVERYTHING, scope=FreezeScope.VENDOR, name="Vendor northwind").sentence == "Vendor northwind is frozen"
    )


def test_every_verb_has_its_door() -> None:
    assert door_of("lease.open") is door_of("tenant.read") is Door.OPENING
    assert door_of("request.vote") is Door.VOTING
    assert door_of("request.execute") is Door.RUNNING
    assert door_of("tenant.suspend") is Door.ASKING
    assert {door.label for door in Door} == {door.label for door in Door if door.label[0].isupper()}


def test_a_vendor_has_a_plain_name() -> None:
    assert [name for name in ("northwind", "a", "acme-2", "a" * 40) if not is_vendor(name)] == []
    assert [name for name in ("", "-a", "a-", "A", "a b", "a" * 41, "ä", "a\n") if is_vendor(name)] == []
