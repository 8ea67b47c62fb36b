"""Somebody holds the database itself: whatever they change, verification finds it and names the first wrong entry."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from console.domain.checkpoints import Checkpoint, Verifier, signed
from console.domain.merkle import Frontier, leaf_hash
from console.ports.sequencer import FindingKind, Sequencer, Verification
from console.storage.house import Storage
from tests.conftest import NewDatabase
from tests.databases import ENGINES, HandClock
from tests.integration.cast import PaperSigner, PaperSink
from tests.integration.stage import NOTE, Stage, new_urls, opened_stage, rows, settle_in

VICTIM = 4  # the position that is attacked


@dataclass
class Trail:
    """A trail of real entries, its sequencer, and the copies outside; no trigger stands in the way any more."""

    stage: Stage
    signer: PaperSigner = field(default_factory=PaperSigner)
    sink: PaperSink = field(default_factory=PaperSink)

    @property
    def storage(self) -> Storage:
        return self.stage.storage

    @property
    def sequencer(self) -> Sequencer:
        return self.storage.sequencer(self.signer, self.sink)

    @property
    def is_sqlite(self) -> bool:
        return self.stage.url.startswith("sqlite")

    def sql(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        return rows(self.stage.url, statement, *values)

    def body(self, position: int) -> str:
        found = self.sql(
            "SELECT body FROM audit_event JOIN audit_seq ON audit_seq.event = audit_event.id WHERE seq = ?", position
        )
        return str(found[0][0])

    def event(self, position: int) -> int:
        return int(str(self.sql("SELECT event FROM audit_seq WHERE seq = ?", position)[0][0]))

    def uid(self, position: int) -> str:
        return str(json.loads(self.body(position))["uid"])

    def size(self) -> int:
        return int(str(self.sql("SELECT count(*) FROM audit_seq")[0][0]))

    def rewrite(self, position: int, body: str, *, leaf: bool = False, place: bool = False) -> None:
        """Change an entry, and what was derived from it as far as wanted."""
        event = self.event(position)
        self.sql("UPDATE audit_event SET body = ? WHERE id = ?", body, event)
        hashed = leaf_hash(body.encode())
        if leaf:
            self.sql("UPDATE audit_event SET leaf = ? WHERE id = ?", hashed, event)
        if place:
            self.sql("UPDATE audit_seq SET leaf = ? WHERE seq = ?", hashed, position)

    def rebuild(self) -> None:
        """Make places, frontier and checkpoints of the database fit again: everything but the copies outside."""
        places = self.sql("SELECT event, tenant, leaf FROM audit_seq ORDER BY seq")
        self.sql("DELETE FROM audit_seq")
        self.sql("DELETE FROM audit_checkpoint")
        tree = Frontier()
        for event, tenant, leaf in places:
            place = (tree.append(bytes(leaf)), event, tenant, leaf)  # type: ignore[call-overload]
            self.sql("INSERT INTO audit_seq (seq, event, tenant, leaf) VALUES (?, ?, ?, ?)", *place)
        hashes = json.dumps([each.hex() for each in tree.hashes])
        self.sql("UPDATE audit_frontier SET size = ?, hashes = ?, published_size = ?", tree.size, hashes, tree.size)

    def note(self, size: int, root: bytes, signer: PaperSigner | None = None) -> str:
        """Return a checkpoint of one's own making."""
        by = signer or self.signer
        return signed(Checkpoint(self.signer.name, size, root), by.name, public_key=by.public_key, sign=by.sign)


@pytest.fixture(params=ENGINES)
def trail(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Trail]:
    url, planes = new_urls(request.param, tmp_path, pg_database)
    with opened_stage(url, planes, clock=HandClock()) as stage:
        settle_in(stage, ["acme", "zeta"])
        made = Trail(stage)
        stage.open("support_agent", "acme")
        for number in range(3):
            stage.ask("support_agent", "acme", NOTE, {"text": f"Note {number}."})
        made.sequencer.run_once()
        stage.approve("finance_lead", stage.filed("support_agent", "acme", 300))
        made.sequencer.run_once()
        assert made.size() >= 10
        assert len(made.sink.notes) == 2
        unlock(made)
        assert made.sequencer.verify().is_sound
        yield made


def unlock(trail: Trail) -> None:
    """Take every seat belt off, as the owner of a database can."""
    tables = ("audit_event", "audit_seq", "audit_checkpoint")
    if trail.is_sqlite:
        for (name,) in trail.sql("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'audit_%'"):
            trail.sql(f"DROP TRIGGER {name}")
        return
    for table in tables:
        trail.sql(f"ALTER TABLE {table} DISABLE TRIGGER ALL")


def edit(trail: Trail) -> None:
    trail.rewrite(VICTIM, trail.body(VICTIM).replace("Note", "Nope").replace("allow", "deny"))


def edit_with_its_hash(trail: Trail) -> None:
    trail.rewrite(VICTIM, trail.body(VICTIM).replace("allow", "deny"), leaf=True)


def swap_its_tenant(trail: Trail) -> None:
    body = json.loads(trail.body(VICTIM))
    trail.rewrite(VICTIM, trail.body(VICTIM).replace(body["tenant"]["id"], "ten_somebody_else"))


def flip_one_bit(trail: Trail) -> None:
    raw = bytearray(trail.body(VICTIM).encode())
    raw[raw.index(b'"facts"') + 1] ^= 1
    trail.rewrite(VICTIM, raw.decode())


def make_it_another_shape(trail: Trail) -> None:
    body = json.loads(trail.body(VICTIM))
    body.update(w=["wri", "many", []], execution=["exe"])
    trail.rewrite(VICTIM, json.dumps(body))


def make_it_no_entry(trail: Trail) -> None:
    trail.rewrite(VICTIM, json.dumps({"uid": trail.uid(VICTIM)}))


def cut_its_placed_hash(trail: Trail) -> None:
    trail.sql("UPDATE audit_seq SET leaf = ? WHERE seq = ?", b"short", VICTIM)


def change_its_hash(trail: Trail) -> None:
    trail.sql("UPDATE audit_event SET leaf = ? WHERE id = ?", bytes(32), trail.event(VICTIM))


def change_its_placed_hash(trail: Trail) -> None:
    trail.sql("UPDATE audit_seq SET leaf = ? WHERE seq = ?", bytes(32), VICTIM)


def delete(trail: Trail) -> None:
    trail.sql("DELETE FROM audit_event WHERE id = ?", trail.event(VICTIM))


def delete_with_its_place(trail: Trail) -> None:
    delete(trail)
    trail.sql("DELETE FROM audit_seq WHERE seq = ?", VICTIM)


def point_at_another(trail: Trail) -> None:
    first, second = trail.event(VICTIM), trail.event(VICTIM + 1)
    trail.sql("UPDATE audit_seq SET event = -1 WHERE seq = ?", VICTIM)
    trail.sql("UPDATE audit_seq SET event = ? WHERE seq = ?", first, VICTIM + 1)
    trail.sql("UPDATE audit_seq SET event = ? WHERE seq = ?", second, VICTIM)


NAMED: dict[Callable[[Trail], None], FindingKind] = {
    edit: FindingKind.BODY_CHANGED,
    edit_with_its_hash: FindingKind.BODY_CHANGED,
    swap_its_tenant: FindingKind.BODY_CHANGED,
    flip_one_bit: FindingKind.BODY_CHANGED,
    make_it_another_shape: FindingKind.BODY_CHANGED,
    make_it_no_entry: FindingKind.BODY_CHANGED,
    cut_its_placed_hash: FindingKind.BODY_CHANGED,
    change_its_hash: FindingKind.BODY_CHANGED,
    change_its_placed_hash: FindingKind.BODY_CHANGED,
    delete: FindingKind.ENTRY_MISSING,
    delete_with_its_place: FindingKind.POSITION_MISSING,
    point_at_another: FindingKind.BODY_CHANGED,
}


@pytest.mark.parametrize("attack", NAMED, ids=lambda attack: attack.__name__)
def test_it_names_the_entry_that_somebody_with_rows_changed(trail: Trail, attack: Callable[[Trail], None]) -> None:
    uid = trail.uid(VICTIM + 1 if attack is point_at_another else VICTIM)
    attack(trail)
    first = trail.sequencer.verify().findings[0]
    assert (first.kind, first.position) == (NAMED[attack], VICTIM)
    if NAMED[attack] is FindingKind.BODY_CHANGED:
        assert first.uid == uid


def rewrite_everywhere(trail: Trail) -> None:
    trail.rewrite(VICTIM, trail.body(VICTIM).replace("allow", "deny"), leaf=True, place=True)
    trail.rebuild()


def loosen_its_form(trail: Trail) -> None:
    trail.rewrite(VICTIM, trail.body(VICTIM).replace(",", ", ", 1), leaf=True, place=True)
    trail.rebuild()


def delete_everywhere(trail: Trail) -> None:
    delete_with_its_place(trail)
    trail.rebuild()


def reorder_everywhere(trail: Trail) -> None:
    first, second = trail.event(VICTIM), trail.event(VICTIM + 1)
    trail.sql("UPDATE audit_seq SET seq = -1 WHERE event = ?", first)
    trail.sql("UPDATE audit_seq SET seq = ? WHERE event = ?", VICTIM, second)
    trail.sql("UPDATE audit_seq SET seq = ? WHERE event = ?", VICTIM + 1, first)
    trail.rebuild()


def cut_the_tail(trail: Trail) -> None:
    trail.sql("DELETE FROM audit_event WHERE id IN (SELECT event FROM audit_seq WHERE seq >= ?)", trail.size() - 3)
    trail.sql("DELETE FROM audit_seq WHERE seq >= ?", trail.size() - 3)
    trail.rebuild()


def cut_the_tail_and_go_on(trail: Trail) -> None:
    size = trail.size()
    cut_the_tail(trail)
    for number in range(4):
        trail.stage.ask("support_agent", "acme", NOTE, {"text": f"As if nothing had been {number}."})
    Trail(trail.stage, trail.signer, PaperSink()).sequencer.run_once()
    assert trail.size() > size


def begin_anew(trail: Trail) -> None:
    trail.sql("DELETE FROM audit_seq")
    trail.sql("DELETE FROM audit_event")
    trail.rebuild()


EVERYWHERE: dict[Callable[[Trail], None], set[FindingKind]] = {
    rewrite_everywhere: {FindingKind.WRITER_GAP},
    loosen_its_form: {FindingKind.NOT_CANONICAL},
    delete_everywhere: {FindingKind.WRITER_GAP},
    reorder_everywhere: {FindingKind.WRITER_GAP, FindingKind.OUT_OF_ORDER},
    cut_the_tail: {FindingKind.TAIL_MISSING},
    cut_the_tail_and_go_on: {FindingKind.ROOT_DIFFERS, FindingKind.WRITER_GAP},
    begin_anew: {FindingKind.TAIL_MISSING},
}


@pytest.mark.parametrize("attack", EVERYWHERE, ids=lambda attack: attack.__name__)
def test_it_catches_who_rewrites_the_whole_database_by_the_copies_outside(
    trail: Trail, attack: Callable[[Trail], None]
) -> None:
    size = trail.size()
    attack(trail)
    found = trail.sequencer.verify()
    assert found.findings[0].kind in EVERYWHERE[attack], found.findings
    kinds = {finding.kind for finding in found.findings}
    outside = FindingKind.TAIL_MISSING if trail.size() < size else FindingKind.ROOT_DIFFERS
    assert outside in kinds, found.findings
    if attack is loosen_its_form:
        assert found.findings[0].position == VICTIM
    if attack in {rewrite_everywhere, delete_everywhere, reorder_everywhere}:
        assert found.findings[0].position in {VICTIM, VICTIM + 1}


def test_it_sees_an_entry_that_is_put_in_behind_the_sequencer(trail: Trail) -> None:
    body = trail.body(VICTIM).replace(trail.uid(VICTIM), "ent_forged").replace("allow", "deny")
    columns = "(id, body, leaf)" if trail.is_sqlite else "(id, body, leaf, xid) OVERRIDING SYSTEM VALUE"
    values = "(?, ?, ?)" if trail.is_sqlite else "(?, ?, ?, '3')"
    trail.sql(f"INSERT INTO audit_event {columns} VALUES {values}", -5, body, leaf_hash(body.encode()))
    assert FindingKind.BACK_DATED in kinds_of(trail.sequencer.verify())


def test_it_sees_an_entry_that_is_there_twice(trail: Trail) -> None:
    if trail.is_sqlite:  # a unique key cannot be taken off a table there, so the table is another
        columns = "id INTEGER PRIMARY KEY, body TEXT, leaf BLOB, uid TEXT AS (json_extract(body, '$.uid')), tenant TEXT"
        trail.sql(f"CREATE TABLE copied ({columns})")
        trail.sql("INSERT INTO copied (id, body, leaf) SELECT id, body, leaf FROM audit_event")
        trail.sql("DROP TABLE audit_event")
        trail.sql("ALTER TABLE copied RENAME TO audit_event")
    else:
        trail.sql("ALTER TABLE audit_event DROP CONSTRAINT uq_audit_event_uid")
    body = trail.body(VICTIM)
    trail.sql("INSERT INTO audit_event (body, leaf) VALUES (?, ?)", body, leaf_hash(body.encode()))
    trail.sequencer.run_once()
    assert FindingKind.UID_TWICE in kinds_of(trail.sequencer.verify())


def test_it_sees_an_entry_that_is_taken_out_before_the_sequencer_came(trail: Trail) -> None:
    trail.stage.ask("support_agent", "acme", NOTE, {"text": "Of this nobody shall know."})
    newest = trail.sql("SELECT id, uid FROM audit_event ORDER BY id DESC LIMIT 2")
    trail.sql("DELETE FROM audit_event WHERE id = ?", newest[1][0])
    first = trail.sequencer.verify().findings[0]
    assert (first.kind, first.uid) == (FindingKind.WRITER_GAP, newest[0][1])


def test_it_believes_no_note_of_another_key(trail: Trail) -> None:
    forger = PaperSigner()
    root = trail.sequencer.verify().root
    trail.sink.notes[:] = [trail.note(trail.size(), root, forger)]
    assert kinds_of(trail.sequencer.verify()) >= {FindingKind.NOTE_REFUSED}


@pytest.mark.parametrize("place", ["text", "signature", "empty"])
def test_it_believes_no_note_that_was_touched(trail: Trail, place: str) -> None:
    note = trail.sink.notes[-1]
    lines = note.split("\n")
    if place == "text":
        lines[1] = str(int(lines[1]) - 1)
    elif place == "signature":
        lines[-2] = lines[-2][:-6] + ("AAAA" if not lines[-2].endswith("AAAA==") else "BBBB") + lines[-2][-2:]
    trail.sink.notes[-1] = "" if place == "empty" else "\n".join(lines)
    assert FindingKind.NOTE_REFUSED in kinds_of(trail.sequencer.verify())


def test_it_sees_two_signed_roots_of_one_size(trail: Trail) -> None:
    """A split view: the key itself signed another past for somebody else."""
    trail.sink.notes.append(trail.note(trail.size(), bytes(32)))
    assert FindingKind.ROOT_DIFFERS in kinds_of(trail.sequencer.verify())


def test_a_root_that_was_replaced_in_the_database_changes_nothing_outside(trail: Trail) -> None:
    trail.sql("UPDATE audit_checkpoint SET root = ?, note = 'forged'", bytes(32))
    assert trail.sequencer.verify().is_sound


def test_without_any_copy_outside_it_does_not_say_that_all_is_well(trail: Trail) -> None:
    trail.sink.notes.clear()
    assert kinds_of(trail.sequencer.verify()) == {FindingKind.NO_OUTSIDE_COPY}


def test_a_lawful_change_of_the_key_does_not_alarm(trail: Trail) -> None:
    old, new = trail.signer, PaperSigner()

    def fits(signature: bytes, message: bytes) -> bool:
        return old.verify(message, signature)

    known = Verifier(old.name, old.public_key, fits)
    trail.stage.ask("support_agent", "acme", NOTE, {"text": "Under the new key."})
    renewed = trail.storage.sequencer(new, trail.sink, old_keys=(known,))
    assert renewed.run_once() > 0
    assert renewed.verify().is_sound
    assert FindingKind.NOTE_REFUSED in kinds_of(trail.storage.sequencer(new, trail.sink).verify())


def kinds_of(found: Verification) -> set[FindingKind]:
    """Return the kinds of findings."""
    return {finding.kind for finding in found.findings}
