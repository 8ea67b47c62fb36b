"""A request uses the same connections from unit to unit: never one that broke, and nothing of one unit in the next."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, select

from console.domain.errors import OutsideError, ScopeError
from console.domain.workspace import Note
from console.storage.guards import ACROSS_TENANTS
from console.storage.house import Storage
from console.storage.sittings import given_back, lent, sitting
from console.storage.tenant_tables import MemberRow
from tests.conftest import NewDatabase
from tests.databases import ENGINES, NOON
from tests.integration.cast import ACME, ANNA, STARTED, hire, house, move_in, scope
from tests.integration.test_storage_outage import cut_off


@pytest.fixture(params=ENGINES)
def storage(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Storage]:
    with house(request.param, tmp_path, pg_database) as opened:
        hire(opened)
        move_in(opened)
        yield opened


def _fetched(storage: Storage) -> list[object]:
    """Return a list that grows with every connection that is fetched from the pool."""
    fetched: list[object] = []
    for engine in {storage._control.reading, storage._control.writing}:
        event.listen(engine, "checkout", lambda raw, *_rest: fetched.append(raw))
    return fetched


def test_units_of_one_sitting_share_a_connection(storage: Storage) -> None:
    fetched = _fetched(storage)
    with sitting():
        for _each in range(3):
            with storage.store.read() as unit:
                assert unit.staff.get(ANNA) is not None
        assert len(fetched) == 1
    with storage.store.read() as unit:
        assert unit.staff.get(ANNA) is not None
    assert len(fetched) == 2
    assert storage._control.reading.pool.checkedout() == 0  # type: ignore[attr-defined]  # a queue's own


def test_a_unit_inside_another_has_a_connection_of_its_own(storage: Storage) -> None:
    with sitting(), storage.store.read() as outer, sitting(), storage.store.read() as inner:
        assert outer._session.connection() is not inner._session.connection()
        assert outer.staff.get(ANNA) == inner.staff.get(ANNA)


def test_what_one_unit_wrote_the_next_one_reads_and_what_it_took_back_none_does(storage: Storage) -> None:
    with sitting():
        with storage.store.write() as unit:
            unit.throttles.hit("x", "kept", at=NOON)
        with pytest.raises(LookupError), storage.store.write() as unit:  # noqa: PT012
            unit.throttles.hit("x", "undone", at=NOON)
            raise LookupError
        with storage.store.read() as unit:
            assert [unit.throttles.count("x", key, since=NOON) for key in ("kept", "undone")] == [1, 0]


def test_no_scope_is_left_open_for_the_next_unit(storage: Storage) -> None:
    with sitting():
        with storage.store.read() as unit:
            unit.tenant(scope(ACME)).account()
        with pytest.raises(ScopeError), storage.store.read() as unit:
            unit._session.scalar(select(MemberRow))


def test_a_connection_that_may_cross_tenants_is_never_handed_on(storage: Storage) -> None:
    engine = storage._control.reading
    with sitting():
        special = lent(engine)
        special.execution_options(**{ACROSS_TENANTS: True})
        given_back(special)
        assert special.closed
        plain = lent(engine)
        assert not plain.get_execution_options()
        given_back(plain)


def test_a_connection_inside_a_transaction_is_never_handed_on(storage: Storage) -> None:
    with sitting():
        open_one = lent(storage._control.reading)
        open_one.begin()
        given_back(open_one)
        assert open_one.closed


def test_a_connection_that_was_cut_is_fetched_anew(tmp_path: Path, pg_database: NewDatabase) -> None:
    with house("postgresql", tmp_path, pg_database) as storage, sitting():
        hire(storage)
        with pytest.raises(OutsideError), storage.store.write() as unit:  # noqa: PT012
            unit.trail.emit(STARTED, at=NOON)
            cut_off(storage)
            unit.throttles.hit("x", "y", at=NOON)
        with storage.store.write() as unit:
            unit.trail.emit(STARTED, at=NOON)


def test_what_a_unit_remembers_of_a_tenant_ends_with_its_first_write(storage: Storage) -> None:
    with storage.store.write() as unit:
        plane = unit.tenant(scope(ACME))
        before = plane.inputs()
        assert plane.inputs() is before
        plane.add_note(Note(id="note_1", author="Anna", text="Called.", at=NOON))
        assert plane.inputs() is not before
        assert plane.inputs() == before
