"""The pure lease machine: each limit to the microsecond, a clock that jumps back, and every short order of moves."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import product

import pytest

from console.domain.leases import Lease, LeaseEnd
from tests.unit.fakes import NOON
from tests.unit.test_leases import OPEN

TICK = timedelta(microseconds=1)


def used(minutes: float) -> Lease:
    return replace(OPEN, last_used_at=NOON + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("lease", "limit", "because"),
    [
        (OPEN, NOON + timedelta(minutes=20), LeaseEnd.IDLE),
        (used(5), NOON + timedelta(minutes=25), LeaseEnd.IDLE),
        (used(10), NOON + timedelta(minutes=30), LeaseEnd.TIME),
        (used(29), NOON + timedelta(minutes=30), LeaseEnd.TIME),
    ],
    ids=["idle from the start", "idle since its use", "both limits at once", "absolute"],
)
def test_it_ends_exactly_at_its_limit(lease: Lease, limit: datetime, because: LeaseEnd) -> None:
    assert lease.until == limit
    assert lease.ended_because(limit - TICK) is None
    assert lease.ended_because(limit) is because
    assert lease.ended_because(limit + TICK) is because


def test_it_ends_when_the_clock_jumps_to_before_its_opening() -> None:
    assert OPEN.ended_because(NOON) is None
    assert OPEN.ended_because(NOON - TICK) is LeaseEnd.TIME
    assert used(5).ended_because(NOON - timedelta(days=1)) is LeaseEnd.TIME


@dataclass
class Walk:
    """One lease with the clock, and what a use case would store; `open_since_ever` is the oracle's view."""

    lease: Lease = OPEN
    now: datetime = NOON
    last_use: datetime = NOON
    is_over: bool = False
    faults: list[str] = field(default_factory=list)

    def wait(self, **duration: float) -> None:
        self.now += timedelta(**duration)

    def use(self) -> None:
        """Use the lease as scopes.lease_on does, and hold the answer against the oracle."""
        limits = NOON <= self.now < NOON + timedelta(minutes=30) and self.now < self.last_use + timedelta(minutes=20)
        because = self.lease.ended_because(self.now)
        if (because is None) is not (limits and not self.is_over):
            self.faults.append(f"{because} at {self.now}")
        if because is None:
            self.lease = replace(self.lease, last_used_at=self.now)
            self.last_use = self.now
        else:
            self.end(because)

    def end(self, by: LeaseEnd) -> None:
        """Store an end; the first one stays."""
        if self.lease.ended_by is None:
            self.lease = replace(self.lease, ended_by=by, ended_at=self.now)
        elif self.lease.ended_because(self.now) is not self.lease.ended_by:
            self.faults.append("the end changed")
        self.is_over = True


MOVES: dict[str, Callable[[Walk], None]] = {
    "use": Walk.use,
    "five minutes": lambda walk: walk.wait(minutes=5),
    "almost idle": lambda walk: walk.wait(minutes=20, microseconds=-1),
    "a tick": lambda walk: walk.wait(microseconds=1),
    "an hour": lambda walk: walk.wait(hours=1),
    "an hour back": lambda walk: walk.wait(hours=-1),
    "by hand": lambda walk: walk.end(LeaseEnd.HAND),
    "sign-out": lambda walk: walk.end(LeaseEnd.SIGN_OUT),
    "revoked": lambda walk: walk.end(LeaseEnd.REVOKED),
}


def test_no_order_of_moves_opens_a_lease_again_or_stretches_a_limit() -> None:
    for moves in product(MOVES, repeat=4):
        walk = Walk()
        for move in (*moves, "use"):
            MOVES[move](walk)
        assert walk.faults == [], moves
