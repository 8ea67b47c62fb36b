"""Writers of one SQLite file take turns, in one process and in several; nobody starves beside one that never rests."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from console.domain.errors import OutsideError
from console.storage.turns import FairLock, Turnstile
from tests.processes import started

HELD_S = 0.03


def write_for_ever(folder: str) -> None:
    """Take one turn after another, with nothing between two of them; the log grows by a byte with each."""
    lock = FairLock(Turnstile(Path(folder) / "turn"))
    with Path(folder, "log").open("ab", buffering=0) as log:
        while True:
            with lock.turn():
                if not log.tell():
                    sys.stdout.write("ready\n")
                    sys.stdout.flush()
                log.write(b".")
                time.sleep(HELD_S)


def hold(folder: str) -> None:
    """Take one turn and keep it."""
    with FairLock(Turnstile(Path(folder) / "turn")).turn():
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        time.sleep(600)


@contextmanager
def beside(work: object, folder: Path) -> Iterator[None]:
    """Let another process do this work meanwhile, and kill it in the middle."""
    assert callable(work)
    process, out = started(work, str(folder), said=folder / "said.txt")
    try:
        assert out.readline() == "ready\n", (folder / "said.txt").read_text()
        yield
    finally:
        process.kill()
        process.join()
        out.close()


@pytest.fixture
def lock(tmp_path: Path) -> FairLock:
    """Return this process's lock."""
    return FairLock(Turnstile(tmp_path / "turn"))


def test_threads_take_turns_in_the_order_of_asking(lock: FairLock) -> None:
    order: list[int] = []

    def write(number: int) -> None:
        with lock.turn():
            order.append(number)

    with lock.turn():
        writers = []
        for number in range(5):
            writers.append(threading.Thread(target=write, args=(number,)))
            writers[-1].start()
            while len(lock._waiting) <= number:
                time.sleep(0.001)
    for each in writers:
        each.join()
    assert order == [0, 1, 2, 3, 4]


def test_a_process_that_never_rests_lets_others_in(tmp_path: Path, lock: FairLock) -> None:
    log = tmp_path / "log"
    overtaken = []
    with beside(write_for_ever, tmp_path):
        for _turn in range(12):
            asked = log.stat().st_size
            with lock.turn():
                overtaken.append(log.stat().st_size - asked)
                time.sleep(HELD_S)
    # By turns: neither does it overtake again and again, nor is it overtaken; a busy machine shuffles some.
    assert sum(each in {1, 2} for each in overtaken) > len(overtaken) / 2, overtaken
    with lock.turn():  # what a killed process held is free
        pass


def test_who_gets_no_turn_in_time_is_told_that_the_database_is_busy(
    tmp_path: Path, lock: FairLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.storage.turns._LONGEST_WAIT_OUTSIDE_S", 0.05)
    with beside(hold, tmp_path):
        for _again in range(2):  # who was refused has left nothing locked behind
            with pytest.raises(OutsideError, match="busy"), lock.turn():
                pass
    with lock.turn():
        pass


def test_where_its_file_cannot_be_made_writers_do_without(tmp_path: Path) -> None:
    with FairLock(Turnstile(tmp_path / "nowhere" / "turn")).turn():
        pass
    assert list(tmp_path.iterdir()) == []
