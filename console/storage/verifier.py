"""A full pass over the trail: bytes, leaves, positions, writers, intents, and every checkpoint kept outside."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, TextClause, text

from console.domain.canonical import is_canonical
from console.domain.checkpoints import NoteError, Verifier, open_note
from console.domain.ids import EntryUid
from console.domain.merkle import Frontier, leaf_hash
from console.ports.sequencer import Finding, FindingKind, Progress, Verification

_PAGE = 2_000
_MOST_FINDINGS = 100
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode

_PLACED = text(
    """
    SELECT place.seq, place.event, place.leaf AS placed_leaf, event.body, event.leaf FROM audit_seq AS place
    LEFT JOIN audit_event AS event ON event.id = place.event
    WHERE place.seq > :after ORDER BY place.seq LIMIT :page
    """
)
_PENDING = text(
    """
    SELECT event.id AS event, event.body, event.leaf FROM audit_event AS event
    WHERE event.id > :after AND NOT EXISTS (SELECT 1 FROM audit_seq WHERE audit_seq.event = event.id)
    ORDER BY event.id LIMIT :page
    """
)
_TWICE = text("SELECT uid FROM audit_event GROUP BY uid HAVING count(*) > 1 ORDER BY uid LIMIT 1")
_PASSED_SQLITE = text(
    "SELECT count(*) FROM audit_event WHERE id <= (SELECT cursor FROM audit_frontier) "
    "AND NOT EXISTS (SELECT 1 FROM audit_seq WHERE audit_seq.event = audit_event.id)"
)
_PASSED_POSTGRESQL = text(
    "SELECT count(*) FROM audit_event WHERE xid < (SELECT CAST(CAST(low AS text) AS xid8) FROM audit_frontier) "
    "AND NOT EXISTS (SELECT 1 FROM audit_seq WHERE audit_seq.event = audit_event.id)"
)


def verified_trail(
    connection: Connection, *, notes: Sequence[str], verifiers: Iterable[Verifier], progress: Progress
) -> Verification:
    """Return what a full pass found; the connection must see one moment of the database.

    Shape: 1 positions and bytes, 2 entries without a position, 3 duplicates, 4 checkpoints kept outside.
    """
    book = _Findings()
    promised = _Promises(notes, verifiers, book)
    entries = _Entries(book)
    tree = _placed(connection, entries, promised, progress=progress)
    pending = _pending(connection, entries, book)
    twice = connection.execute(_TWICE).scalar()
    if twice is not None:
        book.add(FindingKind.UID_TWICE, f"Entry {twice} is there twice.", uid=twice)
    promised.settle(tree)
    return Verification(
        sequenced=tree.size,
        pending=pending,
        checkpoints=promised.met,
        root=tree.root(),
        findings=tuple(book.found),
        dangling_intents=tuple(entries.intents.values()),
    )


def _placed(connection: Connection, entries: "_Entries", promised: "_Promises", *, progress: Progress) -> Frontier:
    """Check every position in turn: dense, present, unchanged, and the root that was promised at that size."""
    tree = Frontier()
    due = 0
    total = connection.execute(text("SELECT count(*) FROM audit_seq")).scalar_one()
    for row in _pages(connection, _PLACED, "seq"):
        if row.seq != due:
            entries.book.add(FindingKind.POSITION_MISSING, f"Position {due} is missing.", position=due)
        due = row.seq + 1
        tree.append(bytes(row.placed_leaf))
        if row.body is None:
            sentence = f"The entry at position {row.seq} is gone."
            entries.book.add(FindingKind.ENTRY_MISSING, sentence, position=row.seq, event=row.event)
        else:
            entries.check(row, position=row.seq)
        promised.reached(tree, position=row.seq)
        if tree.size % _PAGE == 0:
            progress(tree.size, total)
    progress(tree.size, total)
    return tree


def _pending(connection: Connection, entries: "_Entries", book: "_Findings") -> int:
    """Check what no position covers yet: it follows its writers' counts and does not lie behind the sequencer."""
    pending = 0
    for row in _pages(connection, _PENDING, "event"):
        pending += 1
        entries.check(row, position=None)
    is_postgresql = connection.dialect.name == "postgresql"
    passed = connection.execute(_PASSED_POSTGRESQL if is_postgresql else _PASSED_SQLITE).scalar_one()
    if passed:
        book.add(FindingKind.BACK_DATED, f"{passed} entries lie behind the sequencer without a position.")
    return pending


class _Findings:
    """What was found, first fault first; past a hundred it only counts."""

    def __init__(self) -> None:
        self.found: list[Finding] = []

    def add(
        self,
        kind: FindingKind,
        sentence: str,
        *,
        position: int | None = None,
        event: int | None = None,
        uid: str | None = None,
    ) -> None:
        if len(self.found) < _MOST_FINDINGS:
            named = None if uid is None else EntryUid(uid)
            self.found.append(Finding(kind=kind, sentence=sentence, position=position, event=event, uid=named))


class _Entries:
    """Checks entries one by one, and remembers each writer's last count and each open intent."""

    def __init__(self, book: _Findings) -> None:
        self.book = book
        self._writers: dict[str, tuple[int, str | None]] = {}
        self.intents: dict[str, EntryUid] = {}

    def check(self, row: Row[Any], *, position: int | None) -> None:
        raw = row.body.encode()
        body = _body(row.body)
        uid = body.get("uid")
        place = {"position": position, "event": row.event, "uid": uid}
        leaf = leaf_hash(raw)
        placed = bytes(row.leaf) if position is None else bytes(row.placed_leaf)
        if leaf != bytes(row.leaf) or leaf != placed:
            self.book.add(FindingKind.BODY_CHANGED, f"Entry {uid} is not what was written.", **place)
        elif _encode(body) != row.body and not is_canonical(raw):
            self.book.add(FindingKind.NOT_CANONICAL, f"Entry {uid} is not in canonical form.", **place)
        self._follow_writer(body, placed.hex(), place)
        self._follow_intent(body, str(uid))

    def _follow_writer(self, body: Mapping[str, Any], leaf: str, place: Mapping[str, Any]) -> None:
        try:
            writer, number, before = body["w"]
        except (KeyError, TypeError, ValueError):
            return
        last, last_leaf = self._writers.get(writer, (0, None))
        self._writers[writer] = (number, leaf)
        if number <= last:
            sentence = f"Entry {place['uid']} stands after a later one of its writer."
            self.book.add(FindingKind.OUT_OF_ORDER, sentence, **place)
        elif number != last + 1 or before != last_leaf:
            gone = number - last - 1
            sentence = f"Before entry {place['uid']} {gone or 'some'} of its writer's entries are gone or changed."
            self.book.add(FindingKind.WRITER_GAP, sentence, **place)

    def _follow_intent(self, body: Mapping[str, Any], uid: str) -> None:
        execution = body.get("execution")
        if execution is None:
            return
        if body.get("kind") == "intent":
            self.intents[execution] = EntryUid(uid)
        elif str(body.get("action", "")).startswith("action."):
            self.intents.pop(execution, None)


class _Promises:
    """The checkpoints kept outside: which root was promised at which size."""

    def __init__(self, notes: Sequence[str], verifiers: Iterable[Verifier], book: _Findings) -> None:
        self._book = book
        self._roots: dict[int, bytes] = {}
        self._last_good = 0
        self.met = 0
        known = tuple(verifiers)
        for number, note in enumerate(notes, start=1):
            try:
                checkpoint = open_note(note, known).checkpoint
            except NoteError as refused:
                book.add(FindingKind.NOTE_REFUSED, f"Checkpoint {number} kept outside is not ours: {refused}")
                continue
            if self._roots.setdefault(checkpoint.size, checkpoint.root) != checkpoint.root:
                book.add(FindingKind.ROOT_DIFFERS, f"Two checkpoints of size {checkpoint.size} name different roots.")

    def reached(self, tree: Frontier, *, position: int) -> None:
        promised = self._roots.pop(tree.size, None)
        if promised is None:
            return
        self.met += 1
        if promised == tree.root():
            self._last_good = tree.size
            return
        sentence = f"Something between positions {self._last_good} and {tree.size - 1} differs from the checkpoint."
        self._book.add(FindingKind.ROOT_DIFFERS, sentence, position=position)

    def settle(self, tree: Frontier) -> None:
        larger = [size for size in self._roots if size > tree.size]
        if larger:
            sentence = f"A checkpoint kept outside counts {max(larger)} entries, the database only {tree.size}."
            self._book.add(FindingKind.TAIL_MISSING, sentence, position=tree.size)
        if tree.size and not self.met and not larger:
            self._book.add(FindingKind.NO_OUTSIDE_COPY, "No checkpoint outside vouches for these entries.")


def _pages(connection: Connection, statement: TextClause, column: str) -> Iterator[Row[Any]]:
    after = -1
    while True:
        rows = connection.execute(statement, {"after": after, "page": _PAGE}).all()
        yield from rows
        if len(rows) < _PAGE:
            return
        after = getattr(rows[-1], column)


def _body(raw: str) -> dict[str, Any]:
    try:
        found = json.loads(raw)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
