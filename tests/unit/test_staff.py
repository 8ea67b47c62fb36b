"""Roles have words, sessions end in four ways."""

from dataclasses import replace
from datetime import timedelta

import pytest

from console.domain.ids import StaffId
from console.domain.staff import Actor, Role, StaffKind
from tests.unit.fakes import NOON, person, session

OPEN = session(StaffId("stf_robin"))
TICK = timedelta(microseconds=1)


def test_it_words_every_role() -> None:
    assert {role.label for role in Role} == {
        "Support agent",
        "Support lead",
        "Finance",
        "Finance lead",
        "Engineer",
        "On-call",
        "Security auditor",
        "Administrator",
    }


def test_a_session_lives_inside_its_limits() -> None:
    assert OPEN.ended_because(NOON, idle_minutes=15) is None


@pytest.mark.parametrize(
    ("late", "idle_minutes", "because"),
    [
        (timedelta(minutes=15) - TICK, 15, None),
        (timedelta(minutes=15), 15, "idle"),
        (timedelta(hours=8) - TICK, 600, None),
        (timedelta(hours=8), 600, "absolute"),
        (timedelta(hours=8), 15, "absolute"),
        (-timedelta(minutes=5), 15, None),
        (-timedelta(minutes=5) - TICK, 15, "absolute"),
        (-timedelta(days=1), 15, "absolute"),
    ],
)
def test_a_session_ends_exactly_at_its_limits(late: timedelta, idle_minutes: int, because: str | None) -> None:
    assert OPEN.ended_because(NOON + late, idle_minutes=idle_minutes) == because


def test_revocation_comes_before_every_clock() -> None:
    revoked = replace(OPEN, revoked_at=NOON)
    assert revoked.ended_because(NOON + timedelta(days=1), idle_minutes=15) == "revoked"
    assert revoked.ended_because(NOON, idle_minutes=15) == "revoked"


def test_an_actor_is_a_person_without_a_second_factor_unless_said_otherwise() -> None:
    robin = person("robin")
    actor = Actor(staff=robin.id, person=robin.person, name=robin.name, email=robin.email, roles=robin.roles)
    assert (actor.kind, actor.stepped_up_at, actor.origin.ip) == (StaffKind.PERSON, None, "")
