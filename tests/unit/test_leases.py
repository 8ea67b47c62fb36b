"""A lease ends at the first of its limits; what ends it is kept."""

from dataclasses import replace
from datetime import timedelta

from console.domain.ids import LeaseId, StaffId
from console.domain.leases import Lease, LeaseEnd
from tests.unit.fakes import NOON, TENANT, WHY

OPEN = Lease(
    id=LeaseId("lea_1"),
    staff=StaffId("stf_robin"),
    session=None,
    tenant=TENANT,
    reason=WHY,
    opened_at=NOON,
    last_used_at=NOON,
    not_after=NOON + timedelta(minutes=30),
    idle_minutes=20,
)


def test_it_lasts_until_the_earlier_limit() -> None:
    assert OPEN.until == NOON + timedelta(minutes=20)
    used = replace(OPEN, last_used_at=NOON + timedelta(minutes=15))
    assert used.idle_until == NOON + timedelta(minutes=35)
    assert used.until == NOON + timedelta(minutes=30)


def test_use_never_moves_the_absolute_limit() -> None:
    used = replace(OPEN, last_used_at=NOON + timedelta(minutes=29))
    assert used.ended_because(NOON + timedelta(minutes=30)) is LeaseEnd.TIME


def test_what_was_stored_wins_over_the_clock() -> None:
    for end in LeaseEnd:
        ended = replace(OPEN, ended_by=end, ended_at=NOON)
        assert ended.ended_because(NOON) is end
        assert ended.ended_because(NOON + timedelta(days=1)) is end
