"""The sequencer dies between two of its steps: no entry is lost or placed twice, no size has two signed roots."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from console.domain.checkpoints import Note
from console.storage.house import Storage
from console.storage.sequencer import StoredSequencer
from tests.conftest import NewDatabase
from tests.databases import ENGINES, NOON
from tests.integration.cast import STARTED, PaperSigner, PaperSink, house


class Killed(BaseException):
    """The process is gone from here on."""


@pytest.fixture(params=ENGINES)
def storage(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Storage]:
    with house(request.param, tmp_path, pg_database) as opened:
        yield opened


def emit(storage: Storage, often: int) -> None:
    with storage.store.write() as unit:
        for _ in range(often):
            unit.trail.emit(STARTED, at=NOON)


class DyingSigner(PaperSigner):
    """Dies before it signs: nothing is stored yet."""

    def sign(self, message: bytes) -> bytes:
        raise Killed


class DyingSink(PaperSink):
    """Dies before or after the outside has the note."""

    def __init__(self, notes: list[str], *, is_kept: bool) -> None:
        super().__init__(notes)
        self._is_kept = is_kept

    def publish(self, note: str) -> None:
        if self._is_kept:
            super().publish(note)
        raise Killed


STEPS: dict[str, Callable[[Storage, PaperSigner, PaperSink], StoredSequencer]] = {
    "before the signature": lambda storage, signer, sink: storage.sequencer(DyingSigner(key=signer.key), sink),
    "before the outside copy": lambda storage, signer, sink: storage.sequencer(
        signer, DyingSink(sink.notes, is_kept=False)
    ),
    "after the outside copy": lambda storage, signer, sink: storage.sequencer(
        signer, DyingSink(sink.notes, is_kept=True)
    ),
}


@pytest.mark.parametrize("step", list(STEPS))
def test_it_goes_on_where_it_died(storage: Storage, step: str) -> None:
    signer, sink = PaperSigner(), PaperSink()
    sequencer = storage.sequencer(signer, sink)
    for often in (3, 1, 4):
        emit(storage, often)
        with pytest.raises(Killed):
            STEPS[step](storage, signer, sink).run_once()
        emit(storage, 1)
        while sequencer.run_once():
            pass
        found = sequencer.verify()
        assert found.is_sound, found.findings
        assert found.pending == 0
    assert sequencer.verify().sequenced == 3 + 1 + 4 + 3
    told = [Note.parse(note).text for note in sink.notes]
    sizes = [text.split("\n")[1] for text in set(told)]
    assert len(sizes) == len(set(sizes))


def test_a_smaller_step_never_signs_past_what_it_placed(storage: Storage) -> None:
    signer, sink = PaperSigner(), PaperSink()
    emit(storage, 7)
    sequencer = storage.sequencer(signer, sink)
    while sequencer.run_once(limit=2):
        assert sequencer.verify().is_sound
    assert [Note.parse(note).text.split("\n")[1] for note in sink.notes] == ["2", "4", "6", "7"]
