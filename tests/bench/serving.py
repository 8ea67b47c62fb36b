"""Both apps under the same gunicorn, started and stopped by the benchmark; and how long a start takes (W7)."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.callers import Loopback
from tests.bench.floor import THREADS
from tests.bench.tables import Result, Samples, Table, compared
from tests.bench.world import ROOT, World
from tests.processes import free_port

_PATIENCE_S = 60.0
_NAP_S = 0.005
START_AIM = 3.0


def floor_command(world: World, port: int) -> list[str]:
    """Return how the floor is started."""
    key = world.settings.secrets.fingerprint_key.get_secret_value()
    return [
        sys.executable, "-m", "tests.bench.floor", "--address", world.address, "--fingerprint-key", key,
        "--port", str(port),
    ]  # fmt: skip


def ours_command(_world: World, port: int) -> list[str]:
    """Return how the console is started."""
    return [str(Path(sys.executable).parent / "sallyport"), "serve", "--port", str(port)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A server that answers. Units: `started_in` seconds from process start to first good answer."""

    port: int
    process: int
    started_in: float

    def cpu(self) -> float:
        """Return the processor time of the server and its workers. Units: seconds."""
        return cpu_seconds(self.process)


def cpu_seconds(parent: int) -> float:
    """Return the processor time of a process and its children. Units: seconds, in steps of a clock tick."""
    ticks = 0
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        if parent in {int(fields[1]), int(status.parent.name)}:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def served(world: World, command: Callable[[World, int], list[str]], *, path: str) -> Iterator["Served"]:
    """Start a server, give where it listens once it answers, and stop it."""
    port = free_port()
    # A variable of the test tools would stop the start: the console refuses every setting that it does not know.
    others = {name: value for name, value in os.environ.items() if not name.startswith("SALLYPORT_")}
    # Whatever is installed, the code that is measured is the code beside this file.
    own = {"SALLYPORT_SERVER__THREADS": str(THREADS), "PYTHONDONTWRITEBYTECODE": "", "PYTHONPATH": str(ROOT)}
    environ = {**others, **world.environ, **own}
    log = world.settings.var / "server.log"
    with log.open("a", encoding="utf-8") as said:
        started = time.perf_counter()
        process = subprocess.Popen(command(world, port), cwd=ROOT, env=environ, stdout=said, stderr=said)
        try:
            spent = _first_answer(process, port, path, started, log)
            yield Served(port=port, process=process.pid, started_in=spent)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def start_table(world: World, *, rounds: int) -> Table:
    """Measure process start to first good answer, both in turns; the first of each compiles and is not counted."""
    spent: dict[str, list[float]] = {"ours": [], "floor": []}
    for _ in range(rounds + 1):
        with served(world, ours_command, path="/healthz") as ours_server:
            spent["ours"].append(ours_server.started_in)
        with served(world, floor_command, path="/enter?staff=x") as floor_server:
            spent["floor"].append(floor_server.started_in)
    ours, floor = (Samples(tuple(spent[side][1:])) for side in ("ours", "floor"))
    return Table(
        title="Start",
        heads=("item", "what", "ours p50/p99 ms", "floor p50/p99", "ratio", "aim"),
        results=(
            Result(key="W7", cells=("process start to first good answer", *compared(ours, floor, aim=START_AIM))),
        ),
    )


def _first_answer(process: subprocess.Popen[bytes], port: int, path: str, started: float, log: Path) -> float:
    while time.perf_counter() - started < _PATIENCE_S:
        if process.poll() is not None:
            break
        try:
            if Loopback(port).send("GET", path).status == 200:
                return time.perf_counter() - started
        except OSError:
            time.sleep(_NAP_S)
    message = f"The server did not answer; its words:\n{log.read_text(encoding='utf-8')[-3_000:]}"
    raise RuntimeError(message)
