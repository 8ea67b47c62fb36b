"""Connections to PostgreSQL: statements stay prepared over rollbacks, and a connection that died is never lent."""

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import DBAPIError

from console.storage import postgres_connections
from console.storage.engines import Part, open_database
from tests.conftest import NewDatabase

_ASKED = "SELECT 41 + 1 WHERE 1 = :one"


@pytest.fixture
def engine(pg_database: NewDatabase) -> Iterator[Engine]:
    database = open_database(pg_database(), part=Part(role=None), pool_size=2)
    with database.writing.begin() as connection:
        connection.execute(text("CREATE TABLE kept (id INT PRIMARY KEY)"))
    yield database.writing
    database.close()


def ask(engine: Engine) -> int:
    """Ask in a transaction of its own that is rolled back, and return which process of the server answered."""
    with engine.connect() as connection:
        assert connection.scalar(text(_ASKED), {"one": 1}) == 42
        return backend(connection)


def backend(connection: Connection) -> int:
    return int(connection.scalar(text("SELECT pg_backend_pid()")) or 0)


def prepared(engine: Engine) -> int:
    """Return how many of the question's kind the server keeps prepared on the connection that is lent next."""
    with engine.connect() as connection:
        known = text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT 41%'")
        return int(connection.scalar(known) or 0)


def kill(engine: Engine, process: int) -> None:
    """End a process of the server, and return when it is gone."""
    address = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [process])


def test_what_is_asked_often_stays_prepared_though_every_unit_rolls_back(engine: Engine) -> None:
    lent = {ask(engine) for _ in range(8)}
    assert (len(lent), prepared(engine)) == (1, 1)


def test_it_stays_prepared_after_a_fault_too(engine: Engine) -> None:
    for _ in range(8):
        ask(engine)
    with engine.connect() as connection, pytest.raises(DBAPIError):
        connection.execute(text("SELECT 1 / 0"))
    assert prepared(engine) == 1


def test_a_rollback_takes_everything_back(engine: Engine) -> None:
    for _ in range(8):
        with engine.connect() as connection:
            connection.execute(text("INSERT INTO kept (id) VALUES (:id)"), {"id": 1})
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM kept")) == 0


def test_a_connection_whose_server_process_ended_is_not_lent(engine: Engine) -> None:
    for _ in range(5):
        before = ask(engine)
        kill(engine, before)
        assert ask(engine) != before


def test_it_asks_the_server_only_about_what_has_rested(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def ping(given: object) -> bool:
        asked.append(given)
        return True

    monkeypatch.setattr(engine.dialect, "do_ping", ping)
    for _ in range(5):
        ask(engine)
    assert asked == []
    monkeypatch.setattr(postgres_connections, "_TRUSTED_S", 0.0)
    ask(engine)
    assert len(asked) == 1


def test_every_connection_of_a_server_that_was_down_is_given_up_at_once(engine: Engine) -> None:
    made: list[object] = []
    event.listen(engine, "connect", lambda given, _record: made.append(given))
    with engine.connect() as one, engine.connect() as other:
        two = {backend(one), backend(other)}
    for process in two:
        kill(engine, process)
    made.clear()
    with engine.connect() as one, engine.connect() as other:
        assert two.isdisjoint({backend(one), backend(other)})
    assert len(made) == 2
