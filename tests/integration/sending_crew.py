"""Who sends and who receives where processes are killed: a crew replaced one by one, and a receiver that stays."""

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import IO

from tests.integration.stage import ROOT
from tests.processes import free_port, started


def _cleared() -> dict[str, str]:
    """Return this process's environment without settings of a house."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SALLYPORT_")}


@contextmanager
def receiving(log: Path) -> Iterator[str]:
    """Run a receiver as a process of its own and return its address."""
    program = [sys.executable, "-m", "console.adapters.demo.receiver", "0", str(log)]
    with subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, text=True) as receiver:
        assert receiver.stdout is not None
        try:
            yield receiver.stdout.readline().strip()
        finally:
            receiver.kill()


@dataclass
class Crew:
    """Processes that send, some of which do not live long. Shape: `alive` has the one that lives longest first."""

    environ: dict[str, str]
    folder: Path
    dice: random.Random
    alive: list[tuple[Callable[[], None], ForkServerProcess, IO[str]]] = field(default_factory=list)
    killed: Counter[Callable[[], None]] = field(default_factory=Counter)

    def hire(self, job: Callable[[], None]) -> None:
        said = self.folder / f"{job.__name__}-{len(self.alive)}-{self.killed.total()}.txt"
        own_port = {"SALLYPORT_SERVER__PORT": str(free_port())}
        process, out = started(job, said=said, environ=_cleared() | self.environ | own_port)
        assert out.readline() == "ready\n", said.read_text()
        self.alive.append((job, process, out))

    def replace_eldest(self) -> None:
        """Kill the one that has lived longest and put another in its place."""
        self.hire(self.lose_eldest())

    def dismiss(self) -> None:
        while self.alive:
            self.lose_eldest()

    def lose_eldest(self) -> Callable[[], None]:
        """Kill the one that has lived longest, with every process that it started, and return what it did."""
        job, process, out = self.alive.pop(0)
        assert process.pid is not None
        os.killpg(process.pid, signal.SIGKILL)
        process.join()
        out.close()
        self.killed[job] += 1
        return job
