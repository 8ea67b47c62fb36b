"""Reports that wait on disk: told by the next process when theirs is killed, bounded, never by two at a time."""

import json
import multiprocessing
import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sallyport_kit import KitSettings, imported_member_id
from sallyport_kit.console import Console
from sallyport_kit.effects import Effect
from sallyport_kit.errors import ConsoleSilentError, SettingsError
from sallyport_kit.member_news import MemberNews
from sallyport_kit.reports import Reporter
from tests.kit.fake_console import FakeConsole, HandClock, served
from tests.kit.products import settings
from tests.kit.spool_world import spooled, work
from tests.processes import started

KILLS = 3


def reporter(console: FakeConsole, folder: Path, **changes: Any) -> Reporter:  # noqa: ANN401  any setting
    set_so = settings(console, spool=str(folder), **changes)
    return Reporter(set_so, Console(set_so, console))


def put(telling: Reporter, times: int = 1) -> None:
    for _ in range(times):
        assert telling.take_place()
        telling.put("imp_1", method="GET", pattern="/members", effect=Effect.READ, status=200)


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for file in sorted(folder.glob("*.reports")) for line in file.read_text().splitlines()]


def lost(telling: Reporter) -> None:
    """Let a process be gone as kill -9 leaves it: its lock is free, its memory is nobody's."""
    assert telling._spool is not None
    telling._spool.begin()
    telling._queue.clear()
    telling._is_closed = True


def test_whoever_is_killed_leaves_every_answered_request_to_the_next(tmp_path: Path) -> None:
    spool, said = tmp_path / "spool", tmp_path / "said.txt"
    with served(FakeConsole(clock=HandClock(at=time.time()))) as console:
        answered = 0
        for _ in range(KILLS):
            token = console.token(console.start())
            process, heard = started(work, console.address, console.product, str(spool), token, said=said)
            with heard:
                told = [heard.readline().split() for _ in range(40)]
                os.kill(process.pid or 0, signal.SIGKILL)
                told += [line.split() for line in heard.read().splitlines()]
            process.join(20)
            answered += len(told)
            assert {status for _number, status in told} == {"200"}, said.read_text()
        assert console.reports == {}
        assert len(lines(spool)) >= answered
        set_so = spooled(console.address, console.product, str(spool))
        after = Reporter(set_so, Console(set_so, console))
        assert after.flush()
        after.close()
        routes = Counter(each["route"] for each in console.reports.values())
        assert answered <= sum(routes.values()) <= answered + KILLS
        assert console.count("POST /product/reports") <= 2
    assert list(spool.glob("*.reports")) == []


def test_what_was_told_is_not_left_behind(tmp_path: Path) -> None:
    console = FakeConsole()
    telling = reporter(console, tmp_path)
    put(telling, 3)
    assert len(lines(tmp_path)) == 3
    assert telling.flush()
    assert lines(tmp_path) == []
    put(telling)
    lost(telling)
    after = reporter(console, tmp_path)
    assert after.flush()
    assert len(console.reports) == 4
    after.close()
    assert list(tmp_path.iterdir()) == []


def test_it_is_private_and_holds_no_address_of_a_page(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "spool"
    telling = reporter(FakeConsole(), folder)
    put(telling)
    (file,) = folder.iterdir()
    assert (folder.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)
    assert set(lines(folder)[0]) == {"id", "sid", "at", "method", "route", "effect", "outcome", "status"}
    telling.flush()
    telling.close()


def test_nobody_takes_over_what_a_living_process_holds(tmp_path: Path) -> None:
    console = FakeConsole()
    first, second = reporter(console, tmp_path), None
    put(first, 2)
    second = reporter(console, tmp_path)
    assert len(second._queue) == 0
    put(second)
    assert second.flush()
    assert len(console.reports) == 1
    assert first.flush()
    assert len(console.reports) == 3
    first.close()
    second.close()


def test_a_line_that_was_cut_is_left_out_and_the_others_are_told(tmp_path: Path) -> None:
    console = FakeConsole()
    telling = reporter(console, tmp_path)
    put(telling, 3)
    lost(telling)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-9] + b"\n[]\n{}\n\xff\n")
    after = reporter(console, tmp_path)
    assert after.flush()
    assert len(console.reports) == 2
    after.close()


def test_it_holds_no_more_than_it_may(tmp_path: Path) -> None:
    console = FakeConsole()
    telling = reporter(console, tmp_path, most_reports=50)
    for _ in range(40):
        put(telling, 10)
        with telling._changed:
            put_aside = telling._queue.pop()
        assert telling.flush()
        with telling._changed:
            telling._queue.append(put_aside)  # one always waits, so that the file is never empty
            telling._taken += 1
        assert len(lines(tmp_path)) <= 2 * 50
        with telling._changed:
            telling._queue.pop()
            telling._taken -= 1
    telling.close()


def test_what_was_left_behind_takes_places_until_it_is_told(tmp_path: Path) -> None:
    console = FakeConsole()
    telling = reporter(console, tmp_path, most_reports=5)
    put(telling, 5)
    lost(telling)
    after = reporter(console, tmp_path, most_reports=5)
    assert not after.take_place()
    assert after.flush()
    assert after.take_place()
    after.give_back()
    after.close()


def test_a_disk_that_cannot_be_written_refuses_and_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    console = FakeConsole()
    telling = reporter(console, tmp_path)

    def full(_file: int, _content: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        put(telling)
        assert "The spool of reports cannot be written" in caplog.text
        for _ in range(3):
            assert not telling.take_place(), "what cannot be kept must not happen"
    put(telling)
    assert len(lines(tmp_path)) == 2, "what was in memory is on disk now as well"
    assert len(list(tmp_path.iterdir())) == 1
    assert telling.flush()
    assert len(console.reports) == 2
    telling.close()


def _child(telling: Reporter) -> None:
    put(telling)
    os.kill(os.getpid(), signal.SIGKILL)


def test_after_a_fork_each_has_a_file_of_its_own(tmp_path: Path) -> None:
    console = FakeConsole()
    telling = reporter(console, tmp_path)
    put(telling, 2)
    forked = multiprocessing.get_context("fork")
    child = forked.Process(target=_child, args=(telling,))
    child.start()
    child.join(20)
    assert child.exitcode == -signal.SIGKILL
    assert len(lines(tmp_path)) == 3
    assert telling.flush()
    assert len(lines(tmp_path)) == 1, "the child's is the child's"
    after = reporter(console, tmp_path)
    assert after.flush()
    assert len(console.reports) == 3
    after.close()
    telling.close()


def test_it_says_at_the_start_that_its_folder_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(SettingsError, match="spool cannot be used"):
        reporter(FakeConsole(), tmp_path / "file")


def test_it_is_read_from_the_environment() -> None:
    environ = {"SALLYPORT_KIT_CONSOLE": "https://a.example", "SALLYPORT_KIT_PRODUCT": "https://b.example",
               "SALLYPORT_KIT_CLIENT_ID": "c", "SALLYPORT_KIT_CLIENT_SECRET": "s"}  # fmt: skip
    assert KitSettings.from_environ(environ).spool == ""
    assert KitSettings.from_environ(environ | {"SALLYPORT_KIT_SPOOL": "/var/x"}).spool == "/var/x"


def news(console: FakeConsole, folder: Path, **changes: Any) -> MemberNews:  # noqa: ANN401  any setting
    set_so = settings(console, spool=str(folder), report_every_s=3_600.0, **changes)
    return MemberNews(set_so, Console(set_so, console))


def gone(telling: MemberNews) -> None:
    """Let a process be gone as kill -9 leaves it."""
    assert telling._spool is not None
    telling._spool.begin()
    telling._waiting.clear()
    telling._is_closed = True


def test_news_of_a_member_outlive_the_process_that_could_not_tell_them(tmp_path: Path) -> None:
    console = FakeConsole(mood="silent")
    before = news(console, tmp_path)
    assert not before.tell("ev_1", "member.password_reset", tenant="t", member="m")
    assert not before.tell("ev_1", "member.password_reset", tenant="t", member="m")
    gone(before)
    after = news(console, tmp_path)
    assert after.is_waiting("t", "m")
    assert after.is_waiting("t", imported_member_id("t", "m"))
    assert not after.is_waiting("t", "other")
    assert not after.is_waiting("other", "m")
    console.mood = "ok"
    after.close()
    assert [(each["kind"], each["member"]) for each in console.events.values()] == [("member.password_reset", "m")]
    assert not after.is_waiting("t", "m")
    assert list(tmp_path.rglob("*.reports")) == []


def test_nobody_is_acted_for_once_as_much_waits_as_may(tmp_path: Path) -> None:
    console = FakeConsole(mood="silent")
    telling = news(console, tmp_path, most_reports=2)
    for number in range(2):
        telling.tell(f"ev_{number}", "member.deleted", tenant="t", member=f"m{number}")
    with pytest.raises(ConsoleSilentError):
        telling.tell("ev_2", "member.deleted", tenant="t", member="m2")
    assert telling.is_waiting("t", "m2")
    gone(telling)
