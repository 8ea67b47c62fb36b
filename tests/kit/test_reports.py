"""The kit's reports by themselves: in the background, in batches, again until they are taken."""

import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from sallyport_kit import (
    Effect,
)
from sallyport_kit.console import Console
from sallyport_kit.reports import Reporter
from tests.kit.fake_console import FakeConsole
from tests.kit.products import settings

# Reports


def put(reporter: Reporter, times: int = 1) -> None:
    for _ in range(times):
        assert reporter.take_place()
        reporter.put("imp_1", method="GET", pattern="/members", effect=Effect.READ, status=200)


@pytest.fixture
def told() -> Iterator[tuple[FakeConsole, Reporter]]:
    console = FakeConsole()
    set_so = settings(console, report_every_s=0.02)
    reporter = Reporter(set_so, Console(set_so, console))
    yield console, reporter
    console.mood = "ok"
    reporter.close()


def waited_for(console: FakeConsole, count: int) -> None:
    until = time.monotonic() + 10
    while len(console.reports) < count:
        assert time.monotonic() < until, len(console.reports)
        time.sleep(0.01)


def test_it_reports_in_the_background_in_batches(told: tuple[FakeConsole, Reporter]) -> None:
    console, reporter = told
    put(reporter, 1_300)
    waited_for(console, 1_300)
    assert 3 <= console.count("POST /product/reports") <= 20


def test_it_tries_again_until_the_console_takes_them(told: tuple[FakeConsole, Reporter]) -> None:
    console, reporter = told
    console.mood = "silent"
    put(reporter, 3)
    time.sleep(0.1)
    assert console.reports == {}
    console.mood = "ok"
    assert reporter.flush()
    assert len(console.reports) == 3


def test_it_says_when_reports_are_left_untold(
    told: tuple[FakeConsole, Reporter], caplog: pytest.LogCaptureFixture
) -> None:
    console, reporter = told
    console.mood = "silent"
    put(reporter, 3)
    assert not reporter.flush(within_s=0)
    assert "3 reports of impersonated requests are left untold" in caplog.text


def test_it_finds_the_one_report_that_cannot_be_read_and_tells_the_others(told: tuple[FakeConsole, Reporter]) -> None:
    console, reporter = told
    console.mood = "silent"
    put(reporter, 40)
    with reporter._changed:
        console.unreadable = {reporter._queue[17]["id"]}
    console.mood = "ok"
    assert reporter.flush()
    assert (len(console.reports), reporter.not_taken) == (39, 1)


def test_it_loses_no_report_among_threads(told: tuple[FakeConsole, Reporter]) -> None:
    console, reporter = told
    with ThreadPoolExecutor(8) as pool:
        for _ in range(8):
            pool.submit(put, reporter, 200)
    assert reporter.flush()
    waited_for(console, 1_600)


def _report_in_a_child(reporter: Reporter, answer: "multiprocessing.Queue[object]") -> None:
    answer.put((len(reporter._queue), reporter._thread is None))


def test_it_leaves_the_parents_reports_to_the_parent_after_a_fork() -> None:
    console = FakeConsole()
    set_so = settings(console)
    reporter = Reporter(set_so, Console(set_so, console))
    put(reporter, 2)
    forked = multiprocessing.get_context("fork")
    answer = forked.Queue()
    child = forked.Process(target=_report_in_a_child, args=(reporter, answer))
    child.start()
    assert answer.get(timeout=20) == (0, True)
    child.join(20)
    reporter.close()
    assert len(console.reports) == 2
