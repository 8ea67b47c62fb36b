"""Whose votes count: read live, with the roles held now and when the request was filed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import cast

import pytest

from console.domain.ids import Digest, PersonKey, StaffId
from console.domain.requests import Verdict, Vote
from console.domain.staff import Role, StaffKind, StaffMember
from console.ports.store import ControlUnit
from console.usecases.eligibility import Tally, can_be_met, eligible_names, seats_held, tally
from tests.unit.fakes import NOON, FakeStaffBook, person
from tests.unit.proposals import LEADS, MONEY, proposal, vote

LEAD, TREASURER = person("lea", Role.SUPPORT_LEAD), person("tom", Role.FINANCE_LEAD)
ASKED = proposal()


@dataclass
class DatedStaffBook(FakeStaffBook):
    """The staff, with the moments from which late roles are held."""

    late: dict[tuple[str, Role], datetime] = field(default_factory=dict)

    def eligible(self, roles: Collection[Role]) -> Sequence[StaffMember]:
        return [
            member
            for member in self.members
            if member.is_active and member.kind is StaffKind.PERSON and member.roles & set(roles)
        ]

    def granted_since(self, staff: StaffId, roles: Collection[Role]) -> datetime | None:
        member = self.get(staff)
        since = [
            self.late.get((staff, role), NOON - timedelta(days=1))
            for role in roles
            if member is not None and role in member.roles
        ]
        return min(since, default=None)


@dataclass
class Unit:
    """The one book that eligibility reads."""

    staff: DatedStaffBook


def unit(*members: StaffMember, late: dict[tuple[str, Role], datetime] | None = None) -> ControlUnit:
    return cast("ControlUnit", Unit(DatedStaffBook(list(members), late or {})))


def counted(there: ControlUnit, *votes: Vote) -> Tally:
    return tally(there, ASKED, votes)


def test_it_counts_votes_of_people_with_a_seat() -> None:
    both = vote("lea", ASKED), vote("tom", ASKED)
    found = counted(unit(LEAD, TREASURER), *both)
    assert (found.counted, found.void, found.missing) == (both, frozenset(), ())


def test_it_says_what_is_missing() -> None:
    assert counted(unit(LEAD, TREASURER)).missing == (LEADS, MONEY)
    assert counted(unit(LEAD, TREASURER), vote("lea", ASKED)).missing == (MONEY,)


def test_it_measures_votes_against_other_needs_when_policy_asks_for_more() -> None:
    two = replace(LEADS, count=2)
    assert tally(unit(LEAD), ASKED, [vote("lea", ASKED)], [two]).missing == (LEADS,)


@pytest.mark.parametrize(
    "member",
    [
        replace(LEAD, roles=frozenset()),
        replace(LEAD, roles=frozenset({Role.FINANCE})),
        replace(LEAD, is_active=False),
        replace(LEAD, kind=StaffKind.SERVICE),
        replace(LEAD, kind=StaffKind.OPERATOR),
        person("somebody_else"),
    ],
    ids=["no role", "another role", "deactivated", "service account", "operator", "gone"],
)
def test_it_voids_the_vote_of_who_lost_the_seat(member: StaffMember) -> None:
    found = counted(unit(member, TREASURER), vote("lea", ASKED), vote("tom", ASKED))
    assert [known.staff for known in found.counted] == ["stf_tom"]
    assert (found.void, found.missing) == (frozenset({StaffId("stf_lea")}), (LEADS,))


@pytest.mark.parametrize(("late_us", "counts"), [(0, True), (1, False)])
def test_it_counts_only_roles_held_when_the_request_was_filed(late_us: int, counts: bool) -> None:
    late = {("stf_lea", Role.SUPPORT_LEAD): NOON + timedelta(microseconds=late_us)}
    there = unit(LEAD, TREASURER, late=late)
    assert bool(counted(there, vote("lea", ASKED)).counted) is counts
    assert bool(seats_held(there, ASKED, LEAD, ASKED.needs)) is counts
    assert can_be_met(there, ASKED) is counts
    assert eligible_names(there, ASKED, LEADS) == (("Lea",) if counts else ())


@pytest.mark.parametrize(
    "wrong",
    [
        vote("lea", replace(ASKED, digest=Digest("0" * 64))),
        vote("lea", ASKED, person=ASKED.requester_person),
    ],
    ids=["another digest", "the requester in a second account"],
)
def test_it_voids_votes_on_something_else_or_by_who_asks(wrong: Vote) -> None:
    assert counted(unit(LEAD), wrong).void == {"stf_lea"}


@pytest.mark.parametrize(
    "ignored",
    [
        vote("lea", ASKED, voided_because="revised"),
        vote("lea", ASKED, revision=0),
        vote("lea", ASKED, verdict=Verdict.REJECT),
    ],
    ids=["void", "an older revision", "a rejection"],
)
def test_it_leaves_votes_alone_that_say_nothing_about_this_revision(ignored: Vote) -> None:
    found = counted(unit(LEAD), ignored)
    assert (found.counted, found.void, len(found.missing)) == ((), frozenset(), 2)


def test_one_person_in_two_groups_counts_once() -> None:
    both = replace(LEAD, roles=LEAD.roles | TREASURER.roles)
    assert len(counted(unit(both), vote("lea", ASKED)).missing) == 1
    assert not can_be_met(unit(both), ASKED)
    assert can_be_met(unit(both, TREASURER), ASKED)


def test_a_request_can_be_met_only_by_others() -> None:
    assert can_be_met(unit(LEAD, TREASURER), ASKED)
    assert not can_be_met(unit(LEAD), ASKED)
    own = replace(TREASURER, person=ASKED.requester_person)
    assert not can_be_met(unit(LEAD, own), ASKED)
    drafted = proposal(drafted_by=PersonKey("local|stf_tom"))
    assert not can_be_met(unit(LEAD, TREASURER), drafted)
    assert eligible_names(unit(LEAD, own), ASKED, MONEY) == ()


def test_a_request_without_needs_has_no_seats() -> None:
    free = proposal(needs=())
    assert can_be_met(unit(), free)
    assert seats_held(unit(LEAD), free, LEAD, ()) == frozenset()


def test_it_names_the_electorate_in_order() -> None:
    zoe = person("zoe", Role.SUPPORT_LEAD)
    assert eligible_names(unit(zoe, LEAD, TREASURER), ASKED, LEADS) == ("Lea", "Zoe")
