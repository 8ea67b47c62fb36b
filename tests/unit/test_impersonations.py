"""What keeps an impersonation alive: every combination of what it rests on, and its clocks to the microsecond."""

from dataclasses import fields, replace
from datetime import timedelta
from itertools import product

import pytest

from console.domain.ids import ImpersonationId, LeaseId, MemberId, ReasonCode, SessionKey, StaffId, TenantId
from console.domain.impersonations import (
    Impersonation,
    ImpersonationEnd,
    Mode,
    Standing,
    ended_because,
    shown_name,
)
from console.domain.reasons import Reason, ReferenceVerdict
from console.domain.staff import Role
from tests.databases import NOON

ROW = Impersonation(
    id=ImpersonationId("imp_1"),
    staff=StaffId("stf_1"),
    session=SessionKey("key"),
    lease=LeaseId("lea_1"),
    tenant=TenantId("ten_1"),
    member=MemberId("mem_1"),
    mode=Mode.READ,
    reason=Reason(code=ReasonCode("CUSTOMER_SUPPORT"), reference="ZD-1"),
    request=None,
    widened_by=None,
    started_at=NOON,
    last_used_at=NOON,
    not_after=NOON + timedelta(minutes=30),
    idle_minutes=10,
)
FIRM = Standing(
    is_staff_active=True,
    is_role_held=True,
    is_session_live=True,
    is_lease_open=True,
    ticket=ReferenceVerdict.OPEN,
    tenant_allows=True,
    is_member_reset=False,
    is_frozen=False,
)
# In this order, which is written down a second time here: whose fault it is comes before what merely ran out.
BROKEN = (
    ({"is_staff_active": False}, ImpersonationEnd.DEACTIVATED),
    ({"is_frozen": True}, ImpersonationEnd.FROZEN),
    ({"is_role_held": False}, ImpersonationEnd.ROLE_LOST),
    ({"tenant_allows": False}, ImpersonationEnd.OPTED_OUT),
    ({"is_member_reset": True}, ImpersonationEnd.MEMBER_RESET),
    ({"ticket": ReferenceVerdict.CLOSED}, ImpersonationEnd.TICKET_CLOSED),
    ({"is_session_live": False}, ImpersonationEnd.SIGN_OUT),
    ({"is_lease_open": False}, ImpersonationEnd.LEASE_END),
)
SOON = NOON + timedelta(minutes=1)


def test_it_walks_every_combination_of_what_it_rests_on() -> None:
    alive = 0
    for broken in product((False, True), repeat=len(BROKEN)):
        hit = [pair for pair, is_broken in zip(BROKEN, broken, strict=True) if is_broken]
        standing = FIRM
        for changed, _word in hit:
            standing = replace(standing, **changed)  # type: ignore[arg-type]  # fields of Standing
        answer = ended_because(ROW, standing, SOON)
        assert answer is (hit[0][1] if hit else None)
        alive += answer is None
    assert alive == 1
    assert len(BROKEN) == len(fields(Standing))


@pytest.mark.parametrize("verdict", ReferenceVerdict)
def test_only_an_open_ticket_or_none_that_could_be_asked_keeps_it(verdict: ReferenceVerdict) -> None:
    is_kept = ended_because(ROW, replace(FIRM, ticket=verdict), SOON) is None
    assert is_kept is (verdict in {ReferenceVerdict.OPEN, ReferenceVerdict.UNCHECKED})


@pytest.mark.parametrize(
    ("after", "used", "word"),
    [
        (timedelta(0), timedelta(0), None),
        (-timedelta(microseconds=1), timedelta(0), ImpersonationEnd.TIME),
        (timedelta(minutes=10) - timedelta(microseconds=1), timedelta(0), None),
        (timedelta(minutes=10), timedelta(0), ImpersonationEnd.IDLE),
        (timedelta(minutes=30) - timedelta(microseconds=1), timedelta(minutes=29), None),
        (timedelta(minutes=30), timedelta(minutes=29), ImpersonationEnd.TIME),
        (timedelta(minutes=31), timedelta(minutes=1), ImpersonationEnd.TIME),
    ],
)
def test_its_clocks_hold_to_the_microsecond(after: timedelta, used: timedelta, word: ImpersonationEnd | None) -> None:
    row = replace(ROW, last_used_at=NOON + used)
    assert row.clock_end(NOON + after) is word
    assert ended_because(row, FIRM, NOON + after) is word


def test_a_written_end_is_never_replaced() -> None:
    nothing = replace(FIRM, is_staff_active=False, is_lease_open=False)
    for word in ImpersonationEnd:
        assert ended_because(replace(ROW, ended_by=word), nothing, NOON + timedelta(days=1)) is word


def test_it_ends_at_the_earlier_of_its_clocks() -> None:
    assert ROW.until == ROW.idle_until == NOON + timedelta(minutes=10)
    assert replace(ROW, last_used_at=NOON + timedelta(minutes=25)).until == ROW.not_after


def test_every_ending_has_a_sentence_and_every_mode_a_scope() -> None:
    assert all(word.sentence.endswith(".") for word in ImpersonationEnd)
    assert [mode.scope for mode in Mode] == ["read", "read write"]


@pytest.mark.parametrize(
    ("name", "roles", "shown"),
    [
        ("Dana Kowalski", {Role.SUPPORT_AGENT}, "Dana K., support"),
        ("Ana de la Cruz", {Role.SUPPORT_LEAD}, "Ana C., support"),
        ("Prince", {Role.FINANCE}, "Prince, finance"),
        ("Yuki Tanabe", {Role.ON_CALL}, "Yuki T., engineering"),
        ("  ", set(), "Staff, staff"),
    ],
)
def test_a_customer_reads_a_first_name_and_a_team(name: str, roles: set[Role], shown: str) -> None:
    assert shown_name(name, frozenset(roles)) == shown
