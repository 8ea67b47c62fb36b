"""The worker's loop: duties repeat, fail alone, and stop promptly."""

import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from console.domain.errors import OutsideError
from console.worker.loop import FOLLOWING, INTERVALS, LONGEST_WAIT_S, Duty, Loop, duties, pause_s
from console.worker.process import run_once


class Counted:
    """A duty that counts its rounds and can be told to fail."""

    def __init__(self, fails: Exception | None = None) -> None:
        self.rounds = 0
        self.fails = fails
        self.enough = threading.Event()

    def __call__(self) -> None:
        self.rounds += 1
        if self.rounds >= 3:
            self.enough.set()
        if self.fails is not None:
            raise self.fails


def duty(run: Callable[[], object], every_s: float = 0.01, name: str = "sequence") -> Duty:
    return Duty(name=name, every_s=every_s, run=run)


def test_it_runs_a_duty_again_and_again_and_stops_it() -> None:
    counted = Counted()
    with Loop([duty(counted)]):
        assert counted.enough.wait(5)
    rounds = counted.rounds
    time.sleep(0.05)
    assert counted.rounds == rounds


@pytest.mark.parametrize("fault", [OutsideError("the disk is full", permanent=False), ZeroDivisionError("a bug")])
def test_it_lets_no_failing_duty_stop_another(fault: Exception, caplog: pytest.LogCaptureFixture) -> None:
    failing, healthy = Counted(fault), Counted()
    with Loop([duty(failing), duty(healthy, name="end_overdue")]):
        assert healthy.enough.wait(5)
    assert failing.rounds == 1
    assert "sequence" in caplog.text


def test_it_says_when_a_duty_works_again(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.worker.loop.pause_s", lambda _duty, _failures: 0.01)
    counted = Counted(OutsideError("away", permanent=False))

    def run() -> None:
        if counted.rounds == 2:
            counted.fails = None
        counted()

    with Loop([duty(run)]):
        assert counted.enough.wait(5)
    assert "works again after 2 failures" in caplog.text


def test_it_runs_at_once_when_nudged() -> None:
    ran = threading.Event()
    with Loop([duty(ran.set, every_s=300)]) as loop:
        assert ran.wait(5)
        ran.clear()
        loop.nudge("sequence")
        assert ran.wait(5)
        loop.nudge("unknown")


def test_it_stops_promptly_however_long_the_interval() -> None:
    loop = Loop([duty(lambda: None, every_s=300), duty(Counted(OutsideError("x", permanent=True)), 300, "end_overdue")])
    loop.start()
    began = time.monotonic()
    assert loop.stop() == ()
    assert time.monotonic() - began < 60  # of an interval of 300
    assert loop.wait(0)


def test_it_names_a_duty_that_does_not_come_to_an_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    release = threading.Event()
    loop = Loop([duty(lambda: release.wait(5))])
    loop.start()
    try:
        assert loop.stop(within_s=0.01) == ("sequence",)
        assert "still running" in caplog.text
    finally:
        release.set()
        assert loop.stop() == ()


def test_it_starts_once() -> None:
    with Loop([duty(lambda: None)]) as loop, pytest.raises(RuntimeError):
        loop.start()


def test_it_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    with Loop(duties(dict.fromkeys(INTERVALS, lambda: None))):
        assert threading.active_count() == before + len(INTERVALS)
    assert threading.active_count() == before


def test_it_waits_twice_as_long_after_each_failure_up_to_a_minute() -> None:
    often, seldom = duty(lambda: None, 0.2), duty(lambda: None, 300)
    assert [pause_s(often, failures) for failures in (1, 2, 3, 4)] == [1, 2, 4, 8]
    assert pause_s(often, 50) == LONGEST_WAIT_S
    assert pause_s(seldom, 3) == 300


def test_it_ends_the_worker_at_a_signal() -> None:
    program = (
        "from console.worker.loop import Duty\n"
        "from console.worker.process import run_until_signalled\n"
        "said = []\n"
        "run = lambda: said or said.append(print('ready', flush=True))\n"
        "late = run_until_signalled([Duty(name='sequence', every_s=0.01, run=run)])\n"
        "print('late', late, flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=10)[0] == "late ()\n"
    assert process.returncode == 0


def test_it_runs_each_duty_once_and_lets_faults_through() -> None:
    counted = Counted()
    run_once([duty(counted), duty(counted)])
    assert counted.rounds == 2
    with pytest.raises(OutsideError):
        run_once([duty(Counted(OutsideError("away", permanent=False)))])


def test_a_duty_that_keeps_on_runs_at_once_while_it_finds_work() -> None:
    left = [True, True, True]
    is_done = threading.Event()

    def work() -> bool:
        if left:
            return left.pop()
        is_done.set()
        return False

    with Loop([Duty(name="send", every_s=60.0, run=work, keeps_on=True)]):
        assert is_done.wait(5.0)  # four rounds, though the interval is a minute
    assert left == []


def test_a_duty_that_waits_by_itself_is_told_to_stop() -> None:
    told = threading.Event()
    with Loop([Duty(name="queue", every_s=1.0, run=lambda: told.wait(30.0), stop=told.set)]) as loop:
        assert loop.stop(within_s=5.0) == ()
    assert told.is_set()


def test_a_duty_that_rests_leaves_the_machine_to_others_between_its_rounds() -> None:
    began, ended = list[float](), list[float]()

    def work() -> bool:
        began.append(time.monotonic())
        time.sleep(0.02)
        ended.append(time.monotonic())
        return True

    with Loop([Duty(name="watch", every_s=60.0, run=work, keeps_on=True, rests=3.0)]) as loop:
        while len(ended) < 4:
            time.sleep(0.01)
        asked = time.monotonic()
        assert loop.stop() == ()
    assert time.monotonic() - asked < 30  # of an interval of 60
    gaps = [begin - end for end, begin in zip(ended, began[1:], strict=False)]
    assert all(gap >= 0.055 for gap in gaps)


def test_what_follows_the_trail_keeps_on_and_rests() -> None:
    found = {each.name: each for each in duties(dict.fromkeys(INTERVALS, lambda: None))}
    assert {name for name, each in found.items() if each.keeps_on} == FOLLOWING
    assert all((each.rests > 1) is each.keeps_on for each in found.values())


def test_running_once_empties_what_keeps_on() -> None:
    left = [1, 2, 3]
    counted = Counted()
    run_once(
        [
            Duty(name="send", every_s=1.0, run=lambda: left.pop() if left else 0, keeps_on=True),
            duty(counted),
        ]
    )
    assert (left, counted.rounds) == ([], 1)
