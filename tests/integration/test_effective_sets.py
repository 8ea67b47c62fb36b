"""The effective set that the product reads: kept on every kind of plane, and recalculated by one at a time."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from console.domain.effective_store import Standing, StoredSet
from console.domain.entitlements import Grant, GrantSource, Op
from console.domain.ids import TenantId
from console.domain.tenancy import TenantStatus
from console.ports.planes import TenantPlane
from tests import postgres
from tests.conftest import NewDatabase
from tests.databases import NOON
from tests.integration.plane_houses import KINDS, PlaneHouse, plane_house

T = TypeVar("T")
DAY = timedelta(days=1)
AT_ONCE = 8
ROUNDS = 10


@pytest.fixture(params=KINDS)
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PlaneHouse]:
    names: list[str] = []

    def create(template: str) -> str:
        names.append(f"test_effective_{os.getpid()}_{len(names)}")
        return postgres.create_database(names[-1], template)

    with plane_house(request.param, tmp_path, create) as opened:
        yield opened
    for name in names:
        postgres.drop_database(name)


def added(number: int, *, until: timedelta | None = None) -> Grant:
    """Return an override that adds ten seats."""
    return Grant(
        source=GrantSource.OVERRIDE, id=f"ovr_{number}", label="Override", feature="seats", value=10, starts_at=NOON,
        until=None if until is None else NOON + until, reference="R-1", op=Op.ADD, owner="stf_kim",
    )  # fmt: skip


def seats(stored: StoredSet | None) -> int:
    """Return how many seats a stored set gives."""
    assert stored is not None
    return next(row.value for row in stored.rows if row.feature == "seats")


def kept(house: PlaneHouse, tenant: TenantId) -> StoredSet | None:
    with house.write(tenant) as plane:
        return plane.effective_set()


def test_it_stores_what_the_inputs_give_and_then_leaves_it_alone(house: PlaneHouse) -> None:
    with house.write(house.acme) as plane:
        first = plane.recalculate(cause="test", at=NOON)
        again = plane.recalculate(cause="test", at=NOON + DAY)
    assert (first.is_written, first.standing, seats(first.after)) == (True, Standing.MISSING, 25)
    assert (again.is_written, again.after) == (False, first.after)
    assert kept(house, house.acme) == first.after
    assert kept(house, house.zeta) is None


def test_it_follows_an_override_and_ends_it_at_its_moment(house: PlaneHouse) -> None:
    with house.write(house.acme) as plane:
        plane.recalculate(cause="test", at=NOON)
        plane.add_override(added(1, until=DAY), by="stf_kim", at=NOON)
        more = plane.recalculate(cause="entitlement.override", at=NOON)
    assert (more.effects.gains, more.after.version) == (("Seats: 25 seats → 35 seats",), 2)
    assert more.after.valid_until == NOON + DAY
    with house.write(house.acme) as plane:
        early = plane.recalculate(cause="sweep", at=NOON + DAY - timedelta(microseconds=1))
        over = plane.recalculate(cause="sweep", at=NOON + DAY)
    assert (early.is_written, over.standing, seats(over.after)) == (False, Standing.ENDED, 25)


def test_it_follows_a_suspension(house: PlaneHouse) -> None:
    with house.write(house.acme) as plane:
        plane.recalculate(cause="test", at=NOON)
        plane.set_status(TenantStatus.SUSPENDED, because="Fraud review", version=plane.account().version)
        done = plane.recalculate(cause="tenant.suspend", at=NOON)
    assert done.effects.losses[0] == "Seats: 25 seats → 0 seats (denied)"
    assert done.effects.rows[0].because == "Fraud review"


def test_it_stores_in_place_of_the_version_that_was_read_only(house: PlaneHouse) -> None:
    with house.write(house.acme) as plane:
        first = plane.recalculate(cause="test", at=NOON).after
        other = replace(first, version=2, source_version=9)
        assert not plane.store_effective_set(other, cause="test", expected=None)
        assert not plane.store_effective_set(other, cause="test", expected=7)
        assert plane.store_effective_set(other, cause="test", expected=1)
        assert plane.effective_set() == other


def test_it_has_no_events_of_use_where_nothing_was_used(house: PlaneHouse) -> None:
    with house.write(house.acme) as plane:
        assert plane.usage_events(since=NOON - DAY, limit=10) == []


@pytest.fixture
def served(tmp_path: Path, pg_database: NewDatabase) -> Iterator[PlaneHouse]:
    with plane_house("postgres-shared", tmp_path, pg_database) as opened:
        yield opened


def all_at_once(house: PlaneHouse, work: Callable[[TenantPlane, int], T]) -> list[T]:
    """Let every thread do the work on Acme in a transaction of its own, begun in the same moment."""
    start = threading.Barrier(AT_ONCE, timeout=10)

    def run(number: int) -> T:
        start.wait()
        with house.write(house.acme) as plane:
            return work(plane, number)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(run, range(AT_ONCE)))


def test_recalculations_at_once_have_one_effect(served: PlaneHouse) -> None:
    for number in range(ROUNDS):
        with served.write(served.acme) as plane:
            plane.add_override(added(number), by="stf_kim", at=NOON)
        done = all_at_once(served, lambda plane, _: plane.recalculate(cause="race", at=NOON).is_written)
        assert done.count(True) == 1
    stored = kept(served, served.acme)
    assert stored is not None
    assert (stored.version, seats(stored)) == (ROUNDS, 25 + 10 * ROUNDS)


def test_changes_at_once_are_all_in_the_last_set(served: PlaneHouse) -> None:
    def change(plane: TenantPlane, number: int) -> int:
        plane.add_override(added(number), by="stf_kim", at=NOON)
        return seats(plane.recalculate(cause="race", at=NOON).after)

    assert sorted(all_at_once(served, change)) == [25 + 10 * number for number in range(1, AT_ONCE + 1)]
    assert seats(kept(served, served.acme)) == 25 + 10 * AT_ONCE
