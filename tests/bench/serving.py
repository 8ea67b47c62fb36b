"""Both apps under the same gunicorn, started and stopped by the benchmark; and how long a start takes (W7)."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.callers import Loopback
from tests.bench.floor import THREADS
from tests.bench.tables import Result, Samples, Table, compared
from tests.bench.world import ROOT, World

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


@contextmanager
def served(world: World, command: Callable[[World, int], list[str]], *, path: str) -> Iterator[tuple[int, float]]:
    """Start a server, give its port and the seconds until its first good answer, and stop it."""
    port = _free_port()
    environ = {**os.environ, **world.environ, "SALLYPORT_SERVER__THREADS": str(THREADS)}
    log = world.settings.var / "server.log"
    with log.open("a", encoding="utf-8") as said:
        started = time.perf_counter()
        process = subprocess.Popen(command(world, port), cwd=ROOT, env=environ, stdout=said, stderr=said)
        try:
            spent = _first_answer(process, port, path, started, log)
            yield port, spent
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def start_table(world: World, *, rounds: int) -> Table:
    """Measure process start to first good answer, both in turns."""
    spent: dict[str, list[float]] = {"ours": [], "floor": []}
    for _ in range(rounds):
        with served(world, ours_command, path="/healthz") as (_port, seconds):
            spent["ours"].append(seconds)
        with served(world, floor_command, path="/enter?staff=x") as (_port, seconds):
            spent["floor"].append(seconds)
    ours, floor = (Samples(tuple(spent[side])) for side in ("ours", "floor"))
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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
