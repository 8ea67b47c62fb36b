"""Checking a stretch of entries: their bytes, hashes and form, and what each leaves for the next one to follow."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from console.domain.canonical import is_canonical
from console.domain.entry_form import followed
from console.domain.ids import EntryUid
from console.domain.merkle import HASH_BYTES, leaf_hash
from console.ports.sequencer import Finding, FindingKind

# position, event, the leaf at that position, body, the leaf beside the body; a position of None is still to come
EntryRow = tuple[int | None, int, bytes, str | None, bytes | None]

MOST_FINDINGS = 100
_NO_HASH = bytes(HASH_BYTES)


@dataclass(slots=True)
class WriterRun:
    """One writer's entries in a stretch: how the first continues an earlier one, and what the next has to continue."""

    first: int
    before: str | None
    at: int
    place: Mapping[str, Any]
    last: int
    leaf: str


@dataclass(slots=True)
class Stretch:
    """What entries that follow each other hold; small enough to be handed from one process to another.

    Shape: `faults` and `WriterRun.at` name the index of a leaf; `intents` holds (execution, uid of its intent or
    None for its end), in order.
    """

    leaves: list[bytes] = field(default_factory=list)
    faults: list[tuple[int, Finding]] = field(default_factory=list)
    writers: dict[str, WriterRun] = field(default_factory=dict)
    intents: list[tuple[str, EntryUid | None]] = field(default_factory=list)

    def add(self, rows: Iterable[EntryRow], *, due: int) -> int:
        """Check rows in order, the first one due at a position, and return which position is due next.

        Most bodies are of the known form: for them one hash and one pattern say everything, and nothing is parsed.
        """
        leaves, writers = self.leaves, self.writers
        for position, event, placed, body, leaf in rows:
            if position is not None:
                if position != due:
                    self._fault(FindingKind.POSITION_MISSING, f"Position {due} is missing.", {"position": due})
                due = position + 1
            if body is None:
                place = {"position": position, "event": event}
                self._fault(FindingKind.ENTRY_MISSING, f"The entry at position {position} is gone.", place)
                leaves.append(_sized(placed))
                continue
            text = body if type(body) is str else _text_of(body)
            raw = text.encode()
            found = leaf_hash(raw)
            is_kept = found == leaf == placed
            known = followed(raw, text) if is_kept else None
            run = None if known is None or known[3] else writers.get(known[0])
            if run is None or known is None or known[1] != run.last + 1 or known[2] != run.leaf:
                self._look_closer(text, placed, {"position": position, "event": event}, is_kept=is_kept)
            else:
                run.last, run.leaf = known[1], found.hex()
            leaves.append(placed if is_kept else _sized(placed))
        return due

    def _look_closer(self, text: str, placed: bytes, place: dict[str, Any], *, is_kept: bool) -> None:
        """Parse a body: to say what is wrong with it, or to follow what the pattern alone cannot."""
        body = _body(text)
        uid = place["uid"] = body.get("uid")
        if not is_kept:
            self._fault(FindingKind.BODY_CHANGED, f"Entry {uid} is not what was written.", place)
        elif not is_canonical(text.encode()):
            self._fault(FindingKind.NOT_CANONICAL, f"Entry {uid} is not in canonical form.", place)
        elif not _is_sealed(body):
            self._fault(FindingKind.NOT_CANONICAL, "An entry is none that a house of ours writes.", place)
        self._follow_writer(body, placed.hex(), place)
        execution = body.get("execution")
        if execution is None:
            return
        if body.get("kind") == "intent":
            self.intents.append((str(execution), EntryUid(str(uid))))
        elif body.get("kind") == "outcome" or str(body.get("action", "")).startswith("action."):
            self.intents.append((str(execution), None))

    def _follow_writer(self, body: Mapping[str, Any], leaf: str, place: Mapping[str, Any]) -> None:
        try:
            writer, number, before = body["w"]
        except (KeyError, TypeError, ValueError):
            return
        if type(writer) is not str or type(number) is not int:  # reported already: nothing sealed looks like this
            return
        run = self.writers.get(writer)
        if run is None:
            self.writers[writer] = WriterRun(number, before, len(self.leaves), place, number, leaf)
            return
        fault = gap(number, before, last=(run.last, run.leaf), place=place)
        if fault is not None:
            self._record(fault)
        run.last, run.leaf = number, leaf

    def _fault(self, kind: FindingKind, sentence: str, place: Mapping[str, Any]) -> None:
        self._record(Finding(kind=kind, sentence=sentence, **place))

    def _record(self, fault: Finding) -> None:
        if len(self.faults) < MOST_FINDINGS:
            self.faults.append((len(self.leaves), fault))


def gap(number: int, before: str | None, *, last: tuple[int, str | None], place: Mapping[str, Any]) -> Finding | None:
    """Return what is wrong when a writer's entry does not continue that writer's last one."""
    if number <= last[0]:
        sentence = f"Entry {place['uid']} stands after a later one of its writer."
        return Finding(kind=FindingKind.OUT_OF_ORDER, sentence=sentence, **place)
    if number != last[0] + 1 or before != last[1]:
        gone = number - last[0] - 1
        sentence = f"Before entry {place['uid']} {gone or 'some'} of its writer's entries are gone or changed."
        return Finding(kind=FindingKind.WRITER_GAP, sentence=sentence, **place)
    return None


def _sized(leaf: bytes) -> bytes:
    """Return a leaf that a tree can hold: one that was cut or stretched has been reported already."""
    return leaf if len(leaf) == HASH_BYTES else _NO_HASH


def _text_of(value: object) -> str:
    """Return the text of a body that is stored as something else, which SQLite lets happen."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _is_sealed(body: Mapping[str, Any]) -> bool:
    """Return whether a body has what every sealed one has, by which it is found, told and followed."""
    named = (body.get("uid"), body.get("action"))
    is_told = all(isinstance(each, str) and each for each in named) and type(body.get("ts_us")) is int
    return is_told and isinstance(body.get("actor"), dict) and isinstance(body.get("w"), list) and len(body["w"]) == 3


def _body(raw: str) -> dict[str, Any]:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
