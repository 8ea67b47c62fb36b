"""Making a demo's folder: once, by one process, shown while it lasts, begun anew where the last attempt broke off."""

import fcntl
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich import console as terminal
from rich import progress

from console.adapters.fake_stripe.book import FILE as PROVIDER_FILE
from console.domain.errors import ConsoleError
from console.settings import Settings
from console.storage.engines import parsed_url

_MADE = "world.txt"
_TOLD_EVERY_S = 15
_UNFINISHED = "unfinished.txt"
_NOTE = "A demo world is being made here. Where this file stays, the next start begins anew.\n"
_BESIDE = ("", "-wal", "-shm", "-journal")


class DemoRefusedError(ConsoleError):
    """The demo world could not be made; the sentence says what refused."""

    code = "demo_refused"


def is_made(settings: Settings) -> bool:
    """Return whether the folder holds a whole world."""
    return (settings.var / _MADE).exists()


@contextmanager
def making(settings: Settings, *, tenants: int) -> Iterator[None]:
    """Hold the folder while its world is made, and note at the end that it is whole.

    Shape: what an attempt left behind that was killed is taken away first; a database that no attempt made stays.
    Raises: DemoRefusedError where another process makes the world of this folder, or just did.
    """
    unfinished = settings.var / _UNFINISHED
    with unfinished.open("a", encoding="utf-8") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = "Another process is making the demo world of this folder; wait until it is done."
            raise DemoRefusedError(message) from None
        if is_made(settings):
            message = "Another process has just made the demo world of this folder; start again."
            raise DemoRefusedError(message)
        if unfinished.stat().st_size:
            _forget(settings)
        elif not any(file.exists() for file in _databases(settings)):
            mark.write(_NOTE)
            mark.flush()
        yield
        (settings.var / _MADE).write_text(f"{tenants} tenants\n", encoding="utf-8")
        unfinished.unlink()


class Shown:
    """Tells what is being done and how far it is: each part a bar on a terminal, elsewhere a line now and then."""

    def __init__(self) -> None:
        """Write to where errors go, so that what is told is no output."""
        self._out = terminal.Console(stderr=True)

    @contextmanager
    def part(self, what: str, *, total: int | None = None) -> Iterator["Part"]:
        """Show one part while it lasts; without a total it only shows that something goes on."""
        bars = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.TaskProgressColumn(),
            progress.TimeElapsedColumn(),
            progress.TimeRemainingColumn(),
            console=self._out,
        )
        with bars:
            task = bars.add_task(what, total=total)
            yield Part(bars, task)
            done = bars.tasks[0].completed or 1
            bars.update(task, description=what, total=done, completed=done)


class Part:
    """One part that is being done."""

    def __init__(self, bars: "progress.Progress", task: "progress.TaskID") -> None:
        self._bars = bars
        self._task = task
        self._told_at = time.monotonic()

    def reached(self, done: int, *, total: int) -> None:
        """Show how far it is."""
        self._bars.update(self._task, completed=done, total=max(done, total))
        if not self._bars.console.is_terminal and time.monotonic() - self._told_at > _TOLD_EVERY_S:
            self._told_at = time.monotonic()
            self._bars.console.print(f"{self._bars.tasks[0].description}: {done:,} of about {max(done, total):,}")

    def turned(self, what: str) -> None:
        """Show that it has come to its end, which takes a while and has no measure."""
        self._bars.update(self._task, description=what, total=None)
        if not self._bars.console.is_terminal:
            self._bars.console.print(what)


def _forget(settings: Settings) -> None:
    for database in _databases(settings):
        for ending in _BESIDE:
            database.with_name(f"{database.name}{ending}").unlink(missing_ok=True)
    if settings.checkpoint_folder.is_relative_to(settings.var):  # of a trail that is gone
        shutil.rmtree(settings.checkpoint_folder, ignore_errors=True)


def _databases(settings: Settings) -> list[Path]:
    """Return the files of the folder that hold a world: control store, planes, and the invented provider's book."""
    urls = [parsed_url(url) for url in (settings.database_url, *settings.plane_urls.values())]
    files = [Path(str(url.database)) for url in urls if url.get_backend_name() == "sqlite"]
    own = [file for file in files if file.is_relative_to(settings.var)]
    return [*own, settings.var / PROVIDER_FILE]
