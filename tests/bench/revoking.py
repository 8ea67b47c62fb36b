"""How long an end takes to arrive: from each cause in the console to the first refused request in the product."""

import random
import tempfile
import time
from pathlib import Path

from tests.bench.tables import Result, Samples, Table
from tests.kit.real import real
from tests.web.cast import on_stage
from tests.web.test_impersonation_endings import CAUSES, Cause, by_time

_AIM_MS = 1_000
_NAP_S = 0.01
_PATIENCE_S = 10.0


def table(*, rounds: int) -> Table:
    """Measure each cause a few times, each time at another moment of the second for which an answer counts."""
    dice = random.Random(7)
    spent = {cause: Samples(tuple(_revoked(cause, dice.random()) for _ in range(rounds))) for cause in CAUSES}
    everything = Samples(tuple(each for samples in spent.values() for each in samples.seconds))
    lines = [_line(CAUSES[cause].value, cause.__name__.replace("_", " "), samples) for cause, samples in spent.items()]
    return Table(
        title="Time to revoke: the console's cause to the product's first refusal, answers cached for a second",
        heads=("item", "what", "p50 ms", "slowest ms", "aim"),
        results=(*lines, _line("all", f"{len(everything.seconds)} ends", everything)),
        note="Product and console in one process, SQLite; the product is asked again every 10 ms.",
    )


def _revoked(cause: Cause, later: float) -> float:
    """Return how long one end took. Units: seconds; `later` is when in its second the cause happens."""
    with (
        tempfile.TemporaryDirectory() as folder,
        on_stage(Path(folder) / "cast.db") as cast,
        real(cast, monotonic=time.monotonic) as stage,
    ):
        agent = cast.sign_in("support_agent")
        entered, browser = stage.enter(agent, minutes=8 if cause is by_time else 30)
        if browser.open("/members").status != 200:
            message = f"{cause.__name__}: the impersonation never began"
            raise RuntimeError(message)
        time.sleep(later)
        browser.open("/members")
        cause(cast, agent, entered)
        began = time.perf_counter()
        while browser.open("/members").status == 200:
            if time.perf_counter() - began > _PATIENCE_S:
                message = f"{cause.__name__}: still in after {_PATIENCE_S:g} s"
                raise RuntimeError(message)
            time.sleep(_NAP_S)
        return time.perf_counter() - began


def _line(key: str, what: str, samples: Samples) -> Result:
    slowest = max(samples.seconds) * 1_000
    met = "met" if samples.p50 <= _AIM_MS else "MISSED"
    return Result(key=key, cells=(what, f"{samples.p50:.0f}", f"{slowest:.0f}", f"p50 <= {_AIM_MS} {met}"))
