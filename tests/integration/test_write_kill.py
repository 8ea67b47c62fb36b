"""kill -9 between sent and done, over and over: whatever the moment, one refund and one entry of each kind."""

import pickle
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.domain.billing.objects import ObjectKind, Payment
from console.domain.billing.writes import WriteState
from tests.billing_writer import ModelProvider
from tests.conftest import NewDatabase
from tests.databases import ENGINES
from tests.integration.money_stage import REFUND, Till, opened_till, refund
from tests.integration.write_kill_world import run
from tests.processes import started


@pytest.fixture(params=ENGINES)
def till(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Till]:
    with opened_till(request.param, tmp_path, pg_database) as opened:
        yield opened


def run_in_a_process(till: Till, file: Path, *, dies: str) -> int | None:
    """Let another process run what is due, and return how it ended."""
    told = {"url": till.stage.url, "file": str(file), "now": till.clock.now().isoformat(), "dies": dies}
    said = file.with_suffix(".said")
    process, out = started(run, told, said=said)
    with out:
        process.join()
    assert "Traceback" not in said.read_text(), said.read_text()
    return process.exitcode


@pytest.mark.slow
def test_it_refunds_once_however_often_it_is_killed(till: Till, tmp_path: Path) -> None:
    file = tmp_path / "provider.pickle"
    request = till.agreed(REFUND, refund("40.00"))
    file.write_bytes(pickle.dumps(till.model))
    for dies in ("before", "after"):
        assert run_in_a_process(till, file, dies=dies) == -signal.SIGKILL
        assert (till.write(request).state, till.entries()) == (WriteState.SENT, {"asked": 1})
        till.pass_by(hours=1)
    assert run_in_a_process(till, file, dies="") == 0
    model: ModelProvider = pickle.loads(file.read_bytes())  # noqa: S301  our own
    payment = model.thing(ObjectKind.PAYMENT, "pi_1")
    assert isinstance(payment, Payment)
    assert (payment.refunded_minor, model.acted()) == (4_000, 1)
    assert (till.write(request).state, till.entries()) == (WriteState.DONE, {"asked": 1, "written": 1})
