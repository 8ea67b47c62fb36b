"""When a database does not answer: a quick OutsideError, nothing half done, and recovery without a restart."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, event, text

from console.domain.errors import OutsideError, TrailUnavailableError
from console.storage.house import Storage
from console.usecases.outcomes import Ran
from tests.conftest import NewDatabase
from tests.databases import ENGINES, NOON, HandClock, opened_storage
from tests.integration.cast import STARTED, PaperSigner, PaperSink, hire, house
from tests.integration.stage import NOTE, OVERRIDE, UNTIL, new_urls, opened_stage, settle_in


def cut_off(storage: Storage) -> None:
    """End every connection of the house from the server's side, and wait until each has ended."""
    with psycopg.connect(storage._settings.database_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_server_that_is_not_there_is_named_within_five_seconds() -> None:
    with opened_storage("postgresql+psycopg://nobody@127.0.0.1:9/none") as storage:
        for reach in (storage.store.ping, storage.check, storage.upgrade):
            began = time.monotonic()
            with pytest.raises(OutsideError) as caught:
                reach()
            assert not caught.value.permanent
            assert time.monotonic() - began < 5
        with pytest.raises(OutsideError), storage.store.write():
            pass


def test_it_recovers_when_connections_were_cut(tmp_path: Path, pg_database: NewDatabase) -> None:
    with house("postgresql", tmp_path, pg_database) as storage:
        hire(storage)
        cut_off(storage)
        storage.store.ping()
        with pytest.raises(OutsideError), storage.store.write() as unit:  # noqa: PT012
            unit.trail.emit(STARTED, at=NOON)
            cut_off(storage)
            unit.throttles.hit("x", "y", at=NOON)
        with pytest.raises(OutsideError), storage.store.write() as unit:  # noqa: PT012
            unit.trail.emit(STARTED, at=NOON)
            cut_off(storage)
        with storage.store.write() as unit:
            unit.trail.emit(STARTED, at=NOON)
        sequencer = storage.sequencer(PaperSigner(), PaperSink())
        assert sequencer.run_once() == 1
        assert sequencer.verify().is_sound


@contextmanager
def cut_at(storage: Storage, number: int) -> Iterator[list[int]]:
    """End the connection on which the statement of this number is about to be run, from the server's side."""
    reached: list[int] = []
    engine = storage._control.writing

    def cut(connection: Connection, _cursor: object, *_statement: object) -> None:
        reached.append(len(reached) + 1)
        if len(reached) == number:
            mine = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
            with psycopg.connect(storage._settings.database_url.replace("+psycopg", ""), autocommit=True) as server:
                server.execute("SELECT pg_terminate_backend(%s, 1000)", [mine])

    event.listen(engine, "before_cursor_execute", cut)
    try:
        yield reached
    finally:
        event.remove(engine, "before_cursor_execute", cut)


@pytest.mark.checklist("V16.5.2")
def test_a_connection_that_is_cut_at_any_statement_is_an_outside_error(
    tmp_path: Path, pg_database: NewDatabase
) -> None:
    """Also where the statement stands in a savepoint or behind the guard, whose own ends meet a dead connection."""
    url, planes = new_urls("postgresql", tmp_path, pg_database)
    with opened_stage(url, planes, clock=HandClock()) as stage:
        settle_in(stage, ["acme"])
        stage.open("support_agent", "acme")
        for number in range(1, 200, 3):
            ask = {"feature": "seats", "value": "300", "until": UNTIL}
            with cut_at(stage.storage, number) as reached:
                try:
                    answer = stage.ask("support_agent", "acme", OVERRIDE, ask)
                except (OutsideError, TrailUnavailableError):
                    answer = None
            assert (answer is None) == (len(reached) >= number)
            if answer is not None:
                break
            assert isinstance(stage.ask("support_agent", "acme", NOTE, {"text": "Called."}), Ran)
        assert number > 20, "it asks more than that"
        assert stage.count("SELECT count(*) FROM request WHERE state = 'pending'") == 1
        assert stage.entries("action.executed") == (number - 1) // 3


def test_a_failed_statement_cannot_be_swallowed_into_a_commit(tmp_path: Path, pg_database: NewDatabase) -> None:
    with house("postgresql", tmp_path, pg_database) as storage:
        hire(storage)
        with pytest.raises(OutsideError), storage.store.write() as unit:  # noqa: PT012
            unit.throttles.hit("x", "y", at=NOON)
            with pytest.raises(Exception, match="duplicate key"):
                unit._session.connection().exec_driver_sql("INSERT INTO staff_role SELECT * FROM staff_role")
        with storage.store.read() as unit:
            assert unit.throttles.count("x", "y", since=NOON) == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_a_unit_rolled_back_on_the_way_keeps_nothing_of_its_rest(
    engine: str, tmp_path: Path, pg_database: NewDatabase
) -> None:
    with house(engine, tmp_path, pg_database) as storage:
        with pytest.raises(RuntimeError, match="rolled back on the way"), storage.store.write() as unit:  # noqa: PT012
            unit.trail.emit(STARTED, at=NOON)
            unit._session.execute(text("SELECT 1"))  # joins the session
            unit._session.rollback()
            with pytest.raises(RuntimeError, match="is over"):
                unit.throttles.hit("x", "y", at=NOON)
            unit._session.execute(text("SELECT 1"))  # begins again
            unit.throttles.hit("x", "y", at=NOON)
        with storage.store.write() as unit:
            assert unit.throttles.count("x", "y", since=NOON) == 0
            unit.trail.emit(STARTED, at=NOON)
        sequencer = storage.sequencer(PaperSigner(), PaperSink())
        assert sequencer.run_once() == 1
        assert sequencer.verify().is_sound


def test_a_file_that_is_no_database_is_an_outside_error(tmp_path: Path) -> None:
    (tmp_path / "c.db").write_text("this is not a database, but long enough to be looked at as one" * 20)
    with opened_storage(f"sqlite:///{tmp_path / 'c.db'}") as storage, pytest.raises(OutsideError):
        storage.store.ping()


def test_a_second_writing_unit_in_one_thread_is_refused_at_once(tmp_path: Path, pg_database: NewDatabase) -> None:
    with house("sqlite", tmp_path, pg_database) as storage, storage.store.write():
        with pytest.raises(RuntimeError, match="open in this thread"), storage.store.write():
            pass
        with storage.store.read():
            pass
