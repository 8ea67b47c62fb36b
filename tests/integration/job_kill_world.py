"""Workers that run jobs until they are killed: a process that stays forks them, so that the next is there at once.

Called as `python -m tests.integration.job_kill_world`. For each line on stdin, one JSON object with the settings of a
house and the moment at which the clock begins, it forks a worker and prints its process id.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from unittest import mock

from console.adapters.checkpoint_folder import CheckpointFolder
from console.adapters.clock import SystemClock
from console.adapters.signing_key import FileSigningKey
from console.app.building import Building, opened_building
from console.app.sending import sending_duties
from console.policy.book import PolicyBook
from console.settings import Settings, load_settings
from console.worker.process import run_until_signalled
from tests.integration.sending_world import settings_of
from tests.integration.stage import ROOT, Stage, book, rows

PATIENCE_S = 120
LEASE = timedelta(seconds=121)  # a little longer than policy's, so that what a killed worker held is free


@dataclass(frozen=True, slots=True)
class GoingClock:
    """A clock that goes as fast as the machine's, from another moment on."""

    ahead: timedelta

    @classmethod
    def starting(cls, at: datetime) -> "GoingClock":
        """Return a clock that says this now."""
        return cls(at - SystemClock().now())

    def now(self) -> datetime:
        """Return the moment."""
        return SystemClock().now() + self.ahead


def in_small_steps(policy: PolicyBook) -> PolicyBook:
    """Return policies under which a run commits often, and heals though every tenant is broken on purpose."""
    rules = replace(policy.reconciliation, page_objects=40, batch_tenants=3, heal_least_tenants=1_000)
    return replace(policy, reconciliation=rules)


@dataclass
class Nursery:
    """The process that forks workers, and those of them that live."""

    process: subprocess.Popen[str]
    folder: Path
    alive: list[int] = field(default_factory=list)

    def hire(self, url: str, folder: Path, at: datetime, **settings: str) -> None:
        """Let a worker begin in a house that keeps everything beside its database in `folder`."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        chosen = settings_of(url, folder) | {
            "SALLYPORT_BILLING__ADAPTER": "demo", "SALLYPORT_JOBS__RUNNERS": "2",
            **{f"SALLYPORT_{name}": value for name, value in settings.items()},
        }  # fmt: skip
        self.process.stdin.write(json.dumps({"settings": chosen, "at": at.isoformat()}) + "\n")
        self.process.stdin.flush()
        self.alive.append(int(self.process.stdout.readline() or self.complain("No worker came.")))

    def kill(self) -> None:
        """Kill the oldest worker with signal 9 and wait until it is gone."""
        self._end(signal.SIGKILL)

    def dismiss(self) -> None:
        """Let every worker come to its end."""
        while self.alive:
            self._end(signal.SIGTERM)

    def complain(self, sentence: str) -> str:
        """Fail with what the workers said."""
        said = (self.folder / "workers.txt").read_text()
        raise AssertionError(f"{sentence}\n{said[-4_000:]}")

    def _end(self, number: int) -> None:
        worker = self.alive.pop(0)
        os.kill(worker, number)
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                os.kill(worker, 0)
            except ProcessLookupError:
                return
            time.sleep(0.005)
        self.complain(f"Worker {worker} lives still.")


@contextmanager
def nursery(folder: Path) -> Iterator[Nursery]:
    """Start the process that forks workers; what they say goes to a file in `folder`."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SALLYPORT_")}
    program = [sys.executable, "-m", "tests.integration.job_kill_world"]
    with (
        (folder / "workers.txt").open("w") as said,
        subprocess.Popen(
            program, cwd=ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True
        ) as process,
    ):
        made = Nursery(process, folder)
        try:
            yield made
            made.dismiss()
        finally:
            for worker in made.alive:
                os.kill(worker, signal.SIGKILL)
            process.kill()


def entries(url: str) -> list[tuple[str, str]]:
    """Return action and target of every entry that is not about the jobs themselves, in order."""
    found = rows(url, "SELECT action, target FROM audit_event WHERE action NOT LIKE 'job.%'")
    return sorted((str(action), str(target)) for action, target in found)


def check_trail(stage: Stage, folder: Path) -> None:
    """Give every entry its place and assert that nothing is missing, doubled or changed."""
    key = FileSigningKey.opened(folder / "trail.key", name="tests/kill/1")
    sequencer = stage.storage.sequencer(key, CheckpointFolder(folder / "checkpoints"))
    while sequencer.run_once():
        pass
    found = sequencer.verify()
    assert found.is_sound, "\n".join(map(str, found.findings))
    assert not found.pending


def work(settings: Settings, at: datetime) -> None:
    """Run jobs as `sallyport worker` does, and nothing else, until killed or told to end."""
    clock = mock.patch("console.app.building.SystemClock", return_value=GoingClock.starting(at))
    with clock, opened_building(settings) as opened:
        run_until_signalled(each for each in sending_duties(_slowed(opened)) if each.name.startswith("run_jobs"))


def _slowed(opened: Building) -> Building:
    return replace(opened, house=replace(opened.house, book=in_small_steps(opened.house.book)))


def main() -> None:
    """Fork workers for as long as somebody asks for them."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    with mock.patch("console.app.building.load_book", return_value=book()):  # read once, not by every worker
        fork_for_each(sys.stdin)


def fork_for_each(lines: Iterable[str]) -> None:
    """Fork a worker for each line."""
    for line in lines:
        worker = os.fork()
        if worker == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            try:
                told = json.loads(line)
                work(load_settings(told["settings"]), datetime.fromisoformat(told["at"]))
            finally:
                os._exit(0)
        sys.stdout.write(f"{worker}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
