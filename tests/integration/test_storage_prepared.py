"""Statements that go to the driver as text: the same values, rows, refusals and events as SQLAlchemy's own way."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, bindparam, event, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from console.storage.control_tables import NoticeRow
from console.storage.prepared import Kept, Prepared, PreparedInsert
from console.storage.rows import table_of
from console.storage.types import UnstorableTextError
from tests.conftest import NewDatabase
from tests.databases import ENGINES, NOON
from tests.integration.cast import house

_NOTICES = table_of(NoticeRow)
_OF = Prepared(select(_NOTICES).where(_NOTICES.c.id.in_(bindparam("ids", expanding=True))).order_by(_NOTICES.c.id))


@pytest.fixture(params=ENGINES)
def connection(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Connection]:
    with house(request.param, tmp_path, pg_database) as opened, opened._control.writing.connect() as held:
        held.begin()
        yield held
        held.rollback()


def _notice(number: int, **other: object) -> dict[str, object]:
    plain = {"id": f"not_{number}", "to_staff": "stf_1", "kind": "approved", "sentence": "Bärbel said “yes”; 100 %"}
    return {**plain, "path": "/", "at": NOON + timedelta(microseconds=number), **other}


def test_it_gives_back_what_was_put_in(connection: Connection) -> None:
    insertion = PreparedInsert(_NOTICES)
    assert [insertion.run(connection, _notice(number)) for number in range(3)] == [1, 1, 1]
    rows = _OF.rows(connection, {"ids": ["not_2", "not_0", "no such"]})
    assert [(row.id, row.at, row.sentence) for row in rows] == [
        ("not_0", NOON, "Bärbel said “yes”; 100 %"),
        ("not_2", NOON + timedelta(microseconds=2), "Bärbel said “yes”; 100 %"),
    ]
    assert rows[0].read_at is None
    assert [row.id for row in _OF.rows(connection, {"ids": ["not_1"]})] == ["not_1"]
    assert _OF.rows(connection, {"ids": []}) == []


def test_it_counts_the_rows_that_a_change_touched(connection: Connection) -> None:
    PreparedInsert(_NOTICES).run(connection, _notice(1))
    read = Prepared(update(_NOTICES).where(_NOTICES.c.id == bindparam("its_id")).values(read_at=bindparam("moment")))
    assert read.run(connection, {"its_id": "not_1", "moment": NOON}) == 1
    assert read.run(connection, {"its_id": "not_2", "moment": NOON}) == 0
    assert _OF.rows(connection, {"ids": ["not_1"]})[0].read_at == NOON


def test_a_forgiving_insert_leaves_the_row_that_is_there(connection: Connection) -> None:
    forgiving = PreparedInsert(_NOTICES, is_forgiving=True)
    assert forgiving.run(connection, _notice(1)) == 1
    assert forgiving.run(connection, _notice(1, sentence="Another.")) == 0
    assert _OF.rows(connection, {"ids": ["not_1"]})[0].sentence.startswith("Bärbel")


def test_it_raises_what_sqlalchemy_raises(connection: Connection) -> None:
    insertion = PreparedInsert(_NOTICES)
    insertion.run(connection, _notice(1))
    with pytest.raises(IntegrityError), connection.begin_nested():
        insertion.run(connection, _notice(1))
    with pytest.raises(UnstorableTextError):
        insertion.run(connection, _notice(2, sentence="NUL \x00"))
    with pytest.raises(DBAPIError), connection.begin_nested():
        Prepared(select(_NOTICES.c.id, bindparam("x").op("no such operator")(1))).rows(connection, {"x": 1})


def test_listeners_of_the_engine_see_it(connection: Connection) -> None:
    seen: list[str] = []

    def watch(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(connection.engine, "before_cursor_execute", watch)
    _OF.rows(connection, {"ids": ["not_1"]})
    event.remove(connection.engine, "before_cursor_execute", watch)
    assert [sql.split()[0] for sql in seen] == ["SELECT"]


def test_a_kept_row_is_made_once_and_anew_when_anything_in_it_changed(connection: Connection) -> None:
    made: list[str] = []

    def sentence(row: NoticeRow) -> str:
        made.append(row.id)
        return f"{row.id}: {row.sentence} {row.read_at}"

    kept = Kept(sentence)
    for number in (1, 2):
        PreparedInsert(_NOTICES).run(connection, _notice(number))
    first = _OF.kept(connection, {"ids": ["not_1", "not_2"]}, kept)
    assert _OF.kept(connection, {"ids": ["not_2", "not_1"]}, kept) == first
    assert made == ["not_1", "not_2"]
    read = Prepared(update(_NOTICES).where(_NOTICES.c.id == bindparam("its_id")).values(read_at=bindparam("moment")))
    read.run(connection, {"its_id": "not_1", "moment": NOON})
    changed = _OF.kept(connection, {"ids": ["not_1", "not_2"]}, kept)
    assert changed[0] != first[0]
    assert changed[1] is first[1]
    assert made == ["not_1", "not_2", "not_1"]
