"""Time to revoke: from each cause to the product's first refused call, and what a call costs while all stands.

`.venv/bin/python -m tests.bench.revoking [rounds]`: inside one process, SQLite, no cache on the product's side.
"""

import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter_ns

from tests.web.cast import on_stage
from tests.web.product_stage import Kit, entered
from tests.web.test_impersonation_endings import CAUSES, Cause, by_time

ROUNDS = 5
_CALLS = 20
_MS = 1_000_000


def main(rounds: int = ROUNDS) -> None:
    """Print the distribution, one line per cause."""
    _say("what", "p50 ms", "max ms")
    alive: list[float] = []
    every: list[float] = []
    for cause in CAUSES:
        refused = [_measured(cause, alive) for _ in range(rounds)]
        every += refused
        _say(cause.__name__.replace("_", " "), _shown(statistics.median(refused)), _shown(max(refused)))
    _say("all causes", _shown(statistics.median(every)), _shown(max(every)))
    _say("a call while all stands", _shown(statistics.median(alive)), _shown(max(alive)))


def _measured(cause: Cause, alive: list[float]) -> float:
    """Return how long the first call after a cause takes to be refused; calls before it are added to `alive`."""
    with tempfile.TemporaryDirectory(prefix="revoking-") as folder, on_stage(Path(folder) / "cast.db") as cast:
        agent = cast.sign_in("support_agent")
        kit, inside = Kit(cast), entered(cast, agent, minutes=8 if cause is by_time else 30)
        agent.get("/account")
        alive += [_took(lambda: kit.introspect(inside.token), is_active=True) for _ in range(_CALLS)]
        cause(cast, agent, inside)
        return _took(lambda: kit.introspect(inside.token), is_active=False)


def _took(ask: Callable[[], dict[str, object]], *, is_active: bool) -> float:
    began = perf_counter_ns()
    answer = ask()
    took = (perf_counter_ns() - began) / _MS
    if answer["active"] is not is_active:
        raise AssertionError(answer)
    return took


def _shown(ms: float) -> str:
    return f"{ms:.1f}"


def _say(what: str, middle: str, most: str) -> None:
    sys.stdout.write(f"{what:<28}{middle:>10}{most:>10}\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
