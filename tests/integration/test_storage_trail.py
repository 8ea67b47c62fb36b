"""The trail on both databases: append-only, generated columns, sequencing, and verification that names the fault."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, event, text

from console.domain.entries import SYSTEM_ACTOR, EntryDraft, Kind
from console.domain.errors import OutsideError, TrailUnavailableError
from console.domain.ids import EntryUid
from console.domain.merkle import leaf_hash, root_of
from console.ports.sequencer import FindingKind, TrailBrokenError
from console.ports.trail import EntryFilter
from console.storage.engines import open_database, parsed_url
from console.storage.house import Storage
from console.storage.parts import APP
from tests.conftest import NewDatabase
from tests.databases import ENGINES, NOON
from tests.integration.cast import STARTED, PaperSigner, PaperSink, house


@pytest.fixture(params=ENGINES)
def storage(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Storage]:
    with house(request.param, tmp_path, pg_database) as opened:
        yield opened


def emit(storage: Storage, *drafts: EntryDraft) -> list[EntryUid]:
    with storage.store.write() as unit:
        return [unit.trail.emit(draft, at=NOON) for draft in drafts]


def as_owner(storage: Storage, *statements: str) -> None:
    """Do what only somebody with the database itself can do."""
    url = storage._settings.database_url
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(str(parsed_url(url).database))) as raw, raw:
            for statement in statements:
                raw.execute(statement)
        return
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def unlock(storage: Storage) -> list[str]:
    """Return the statements that take the seat belt off."""
    if storage._settings.database_url.startswith("sqlite"):
        tables = ("audit_event", "audit_seq")
        return [f"DROP TRIGGER {table}_no_{event}" for table in tables for event in ("update", "delete")]
    return [f"ALTER TABLE {table} DISABLE TRIGGER ALL" for table in ("audit_event", "audit_seq")]


def test_it_gives_back_what_was_written(storage: Storage) -> None:
    [uid] = emit(storage, STARTED)
    with storage.store.read() as unit:
        entry = unit.reader.one(uid)
        assert entry is not None
        assert entry.leaf == leaf_hash(entry.body)
        assert entry.position is None
        assert unit.reader.page(EntryFilter(action="server.started"), before=None, limit=5) == [entry]
        assert not unit.reader.page(EntryFilter(action="lease.open"), before=None, limit=5)


def test_it_pages_by_row_id(storage: Storage) -> None:
    uids = emit(storage, *[STARTED] * 5)
    with storage.store.read() as unit:
        first = unit.reader.page(EntryFilter(), before=None, limit=2)
        second = unit.reader.page(EntryFilter(), before=first[-1].id, limit=9)
    assert [entry.uid for entry in (*first, *second)] == uids[::-1]


def test_it_keeps_nothing_when_an_entry_fails_even_if_that_is_swallowed(storage: Storage) -> None:
    wrong = EntryDraft(action="not.in_the_catalogue", actor=SYSTEM_ACTOR)
    with pytest.raises(TrailUnavailableError), storage.store.write() as unit:  # noqa: PT012
        unit.throttles.hit("x", "y", at=NOON)
        with pytest.raises(TrailUnavailableError):
            unit.trail.emit(wrong, at=NOON)
    with storage.store.read() as unit:
        assert unit.throttles.count("x", "y", since=NOON) == 0


def test_a_reading_unit_takes_no_entry(storage: Storage) -> None:
    with storage.store.read() as unit, pytest.raises(TrailUnavailableError):
        unit.trail.emit(STARTED, at=NOON)


ATTEMPTS = [
    "UPDATE audit_event SET leaf = leaf",
    "UPDATE audit_event SET action = 'x'",
    "DELETE FROM audit_event",
    "DROP TABLE audit_event",
    "UPDATE audit_seq SET seq = 9",
    "DELETE FROM audit_seq",
    "INSERT INTO audit_seq (seq, event, leaf) VALUES (7, 7, 'x')",
    "DELETE FROM audit_checkpoint",
    "UPDATE request_revision SET digest = 'x'",
]
SQLITE_ATTEMPTS = [
    "REPLACE INTO audit_event SELECT id, body, leaf FROM audit_event",
    "INSERT INTO audit_event (body, leaf) VALUES ('{}', zeroblob(32)) ON CONFLICT DO UPDATE SET leaf = zeroblob(32)",
    "INSERT INTO audit_event (id, body, leaf) VALUES (-5, '{}', zeroblob(32))",
    "DROP TRIGGER audit_event_no_update",
    "DROP INDEX ix_audit_event_actor",
    "ALTER TABLE audit_event RENAME TO x",
    "PRAGMA writable_schema=ON",
    "PRAGMA recursive_triggers=OFF",
    "ATTACH ':memory:' AS other",
    "DELETE FROM sqlite_master",
]
POSTGRESQL_ATTEMPTS = [
    "TRUNCATE audit_event",
    "INSERT INTO audit_event (id, body, leaf) OVERRIDING SYSTEM VALUE VALUES (-5, '{}', sha256(''))",
    "INSERT INTO audit_event (body, leaf, xid) VALUES ('{}', sha256(''), '1')",
    "ALTER TABLE audit_event DISABLE TRIGGER ALL",
    "SET session_replication_role = replica",
    "UPDATE audit_frontier SET size = 0",
]


@pytest.mark.parametrize("engine", ENGINES)
def test_it_is_append_only_for_the_application(engine: str, tmp_path: Path, pg_database: NewDatabase) -> None:
    with house(engine, tmp_path, pg_database) as storage:
        emit(storage, STARTED)
        storage.sequencer(PaperSigner(), PaperSink()).run_once()
        database = open_database(storage._settings.database_url, part=APP)
        for attempt in ATTEMPTS + (SQLITE_ATTEMPTS if engine == "sqlite" else POSTGRESQL_ATTEMPTS):
            with (
                pytest.raises(
                    Exception, match=r"append-only|not authorized|denied|must be owner|generated|may not be modified"
                ),
                database.writing.begin() as connection,
            ):
                connection.execute(text(attempt))
        database.close()


@pytest.mark.parametrize("engine", ENGINES)
def test_its_triggers_stop_even_the_owner(engine: str, tmp_path: Path, pg_database: NewDatabase) -> None:
    attempts = ["UPDATE audit_event SET leaf = leaf", "DELETE FROM audit_event", "DELETE FROM audit_seq"]
    if engine == "sqlite":
        attempts.append("REPLACE INTO audit_event (id, body, leaf) SELECT id, body, leaf FROM audit_event")
    else:
        attempts += ["TRUNCATE audit_event", "SET session_replication_role = replica; DELETE FROM audit_event"]
    with house(engine, tmp_path, pg_database) as storage:
        emit(storage, STARTED)
        storage.sequencer(PaperSigner(), PaperSink()).run_once()
        for attempt in attempts:
            with pytest.raises(Exception, match="append-only"):
                as_owner(storage, attempt)


def test_it_places_every_entry_once_and_publishes_the_root(storage: Storage) -> None:
    uids = emit(storage, *[STARTED] * 7)
    sink = PaperSink()
    sequencer = storage.sequencer(PaperSigner(), sink)
    assert [sequencer.run_once(limit=3) for _ in range(4)] == [3, 3, 1, 0]
    with storage.store.read() as unit:
        entries = [unit.reader.one(uid) for uid in uids]
        checkpoint = unit.reader.latest_checkpoint()
    assert [entry.position for entry in entries if entry] == list(range(7))
    assert checkpoint is not None
    assert checkpoint.root == root_of([entry.leaf for entry in entries if entry])
    assert sink.notes[-1] == checkpoint.note
    assert sequencer.verify().is_sound


def test_it_says_that_nothing_is_proven_where_no_checkpoint_is(storage: Storage) -> None:
    sequencer = storage.sequencer(PaperSigner(), PaperSink())
    for entries in (0, 3):
        emit(storage, *[STARTED] * entries)
        found = sequencer.verify()
        assert [finding.kind for finding in found.findings] == [FindingKind.NOTHING_PROVEN]
        assert (found.is_sound, found.is_unproven) == (False, True)
    as_owner(storage, *unlock(storage), "DELETE FROM audit_event")  # a house that was wiped looks like a new one
    assert not sequencer.verify().is_sound


def test_it_sees_a_wiped_trail_by_its_first_checkpoint(storage: Storage) -> None:
    emit(storage, STARTED)
    sequencer = storage.sequencer(PaperSigner(), PaperSink())
    sequencer.run_once()
    assert sequencer.verify().is_sound
    as_owner(storage, *unlock(storage), *(f"DELETE FROM {table}" for table in ("audit_seq", "audit_event")))
    found = sequencer.verify()
    assert ([finding.kind for finding in found.findings], found.is_unproven) == ([FindingKind.TAIL_MISSING], False)


def test_it_publishes_later_what_the_sink_refused(storage: Storage) -> None:
    emit(storage, STARTED)

    class Refusing(PaperSink):
        def publish(self, note: str) -> None:
            raise OutsideError("full", permanent=False)

    signer, sink = PaperSigner(), PaperSink()
    with pytest.raises(OutsideError):
        storage.sequencer(signer, Refusing()).run_once()
    assert storage.sequencer(signer, sink).run_once() == 0
    assert len(sink.notes) == 1


def test_it_lets_only_one_lead(storage: Storage) -> None:
    emit(storage, STARTED)
    inner: list[int] = []

    class Nested(PaperSink):
        def publish(self, note: str) -> None:
            emit(storage, STARTED)
            inner.append(storage.sequencer(signer, PaperSink()).run_once())
            super().publish(note)

    signer = PaperSigner()
    assert storage.sequencer(signer, Nested()).run_once() == 1
    assert inner == [0]


def test_it_refuses_to_sign_an_entry_that_was_changed(storage: Storage) -> None:
    [uid] = emit(storage, STARTED)
    as_owner(storage, *unlock(storage), "UPDATE audit_event SET body = replace(body, 'started', 'stopped')")
    with pytest.raises(TrailBrokenError, match=uid):
        storage.sequencer(PaperSigner(), PaperSink()).run_once()


@pytest.mark.parametrize(
    ("tampering", "kind", "position"),
    [
        ("UPDATE audit_event SET body = replace(body, 'started', 'stopped') WHERE id = 3", "body_changed", 2),
        ("DELETE FROM audit_event WHERE id = 3", "entry_missing", 2),
        ("DELETE FROM audit_seq WHERE seq = 2", "position_missing", 2),
        ("DELETE FROM audit_seq WHERE seq > 3", "tail_missing", 4),
        (
            "UPDATE audit_seq SET event = CASE event WHEN 2 THEN -3 ELSE -2 END WHERE event IN (2, 3)",
            "entry_missing",
            1,
        ),
    ],
)
def test_it_names_the_first_wrong_entry(storage: Storage, tampering: str, kind: str, position: int) -> None:
    emit(storage, *[STARTED] * 5)
    sequencer = storage.sequencer(PaperSigner(), PaperSink())
    sequencer.run_once()
    assert sequencer.verify().is_sound
    as_owner(storage, *unlock(storage), tampering)
    found = sequencer.verify()
    assert not found.is_sound
    first = found.findings[0]
    assert kind in {finding.kind.value for finding in found.findings}
    assert first.position == position or kind == "tail_missing"


def test_it_catches_somebody_who_rewrites_everything_but_the_outside_copy(storage: Storage) -> None:
    emit(storage, *[STARTED] * 3)
    sequencer = storage.sequencer(PaperSigner(), PaperSink())
    sequencer.run_once()
    with storage.store.read() as unit:
        body = unit.reader.page(EntryFilter(), before=None, limit=1)[0].body
    forged = body.replace(b"started", b"stopped")
    leaf = leaf_hash(forged).hex()
    literal = f"X'{leaf}'" if storage._settings.database_url.startswith("sqlite") else f"'\\x{leaf}'"
    as_owner(
        storage,
        *unlock(storage),
        f"UPDATE audit_event SET leaf = {literal}, body = replace(body, 'started', 'stopped') WHERE id = 3",
        f"UPDATE audit_seq SET leaf = {literal} WHERE seq = 2",
    )
    assert [finding.kind for finding in sequencer.verify().findings] == [FindingKind.ROOT_DIFFERS]


def test_it_sees_an_entry_removed_before_it_was_placed(storage: Storage) -> None:
    for _ in range(3):
        emit(storage, STARTED)
    as_owner(storage, *unlock(storage), "DELETE FROM audit_event WHERE id = 2")
    sequencer = storage.sequencer(PaperSigner(), PaperSink())
    assert FindingKind.WRITER_GAP in {finding.kind for finding in sequencer.verify().findings}
    sequencer.run_once()
    assert FindingKind.WRITER_GAP in {finding.kind for finding in sequencer.verify().findings}


def test_a_rolled_back_entry_leaves_no_gap(storage: Storage) -> None:
    emit(storage, STARTED)
    with pytest.raises(ZeroDivisionError), storage.store.write() as unit:  # noqa: PT012
        unit.trail.emit(STARTED, at=NOON)
        raise ZeroDivisionError
    emit(storage, STARTED)
    sequencer = storage.sequencer(PaperSigner(), PaperSink())
    assert sequencer.run_once() == 2
    assert sequencer.verify().is_sound


def test_it_lists_intents_without_an_outcome(storage: Storage) -> None:
    begun = [
        EntryDraft(action="action.intent", actor=SYSTEM_ACTOR, governed="x.y", execution=f"exe_{number}")
        for number in (1, 2)
    ]
    first, second = emit(storage, *begun)
    emit(
        storage,
        EntryDraft(
            action="action.executed", actor=SYSTEM_ACTOR, kind=Kind.OUTCOME, parent=first, governed="x.y",
            execution="exe_1",
        ),
    )  # fmt: skip
    found = storage.sequencer(PaperSigner(), PaperSink()).verify()
    assert found.dangling_intents == (second,)
    assert found.is_unproven


def test_it_stays_whole_under_many_writers(storage: Storage) -> None:
    sequencer = storage.sequencer(PaperSigner(), PaperSink())
    stop = threading.Event()
    placed: list[int] = []

    def place() -> None:
        while not stop.is_set():
            placed.append(sequencer.run_once(limit=7))

    def write() -> None:
        for _ in range(25):
            emit(storage, STARTED, STARTED)

    leader = threading.Thread(target=place)
    writers = [threading.Thread(target=write) for _ in range(4)]
    leader.start()
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    stop.set()
    leader.join()
    while done := sequencer.run_once():
        placed.append(done)
    found = sequencer.verify()
    assert sum(placed) == found.sequenced == 200
    assert found.is_sound


def test_a_slow_transaction_is_neither_lost_nor_waited_for(tmp_path: Path, pg_database: NewDatabase) -> None:
    with house("postgresql", tmp_path, pg_database) as storage:
        sequencer = storage.sequencer(PaperSigner(), PaperSink())
        with storage.store.write() as slow:
            slow.trail.emit(STARTED, at=NOON)
            emit(storage, STARTED, STARTED)
            assert sequencer.run_once(limit=1) == 1
            assert sequencer.run_once(limit=1) == 1
            assert sequencer.run_once(limit=1) == 0
        emit(storage, STARTED)
        assert [sequencer.run_once() for _ in range(3)] == [2, 0, 0]
        assert sequencer.verify().is_sound


def test_an_entry_is_placed_after_what_its_writer_wrote_before_it(tmp_path: Path, pg_database: NewDatabase) -> None:
    with house("postgresql", tmp_path, pg_database) as storage, ExitStack() as open_units:
        sequencer = storage.sequencer(PaperSigner(), PaperSink())
        early = open_units.enter_context(storage.store.write())
        early._session.execute(text("SELECT pg_current_xact_id()"))  # numbered long before its entry
        emit(storage, STARTED)
        to_come = [1]

        def in_between(_connection: Connection, _cursor: object, statement: str, *_more: object) -> None:
            if "FROM audit_event" in statement and to_come:
                to_come.clear()
                emit(storage, STARTED)
                early.trail.emit(STARTED, at=NOON)
                open_units.close()

        event.listen(sequencer._database.reading, "before_cursor_execute", in_between)
        assert sequencer.run_once() == 2
        assert sequencer.run_once() == 1
        found = sequencer.verify()
        assert found.is_sound, found.findings
