"""A month that is closed, opened and signed in the same moment, on a real PostgreSQL."""

import json
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from console.adapters.ledger_folder import LedgerFolder
from console.domain.ids import Digest
from console.domain.jobs import Job
from console.domain.periods import Agreement, PeriodId
from console.usecases.outcomes import Waiting
from console.usecases.seal_period import seal_period
from tests.conftest import NewDatabase
from tests.databases import HandClock
from tests.integration.stage import Stage, behind, new_urls, opened_stage, settle_in
from tests.integration.test_periods import IN_DECEMBER, ask, closed, file_of, mirror, october, prepared, stands

PATIENCE_S = 0.5


class SlowLedger(LedgerFolder):
    """The real shelf; whoever signs first takes so long that the next one is done, or is known to wait."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.signing, self._done = threading.Event(), threading.Event()

    def sign(self, period: PeriodId, agreements: Sequence[Agreement]) -> Digest:
        """Sign, the first one late."""
        if self.signing.is_set():
            digest = super().sign(period, agreements)
            self._done.set()
            return digest
        self.signing.set()
        self._done.wait(PATIENCE_S)
        return super().sign(period, agreements)


@pytest.fixture
def stage(tmp_path: Path, pg_database: NewDatabase) -> Iterator[Stage]:
    url, planes = new_urls("postgresql", tmp_path, pg_database)
    with opened_stage(url, planes, clock=HandClock(IN_DECEMBER)) as opened:
        settle_in(opened, ["acme"])
        ready = replace(opened, house=behind(opened, ledgers=SlowLedger(tmp_path / "exports")))
        mirror(ready, "acme", october())
        yield ready


def signing(stage: Stage) -> Job:
    """Claim the newest job that writes who agreed into the manifest."""
    now = stage.house.clock.now()
    with stage.house.store.write() as unit:
        (job,) = unit.jobs.claim(worker="w1", now=now, until=now.replace(hour=now.hour + 1), limit=9)
    return job


def test_a_manifest_names_everybody_who_agreed_though_two_workers_sign_it_at_once(stage: Stage) -> None:
    prepared(stage)
    closed(stage)
    close = signing(stage)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(seal_period, stage.house, close)
        assert isinstance(stage.house.ledgers, SlowLedger)
        assert stage.house.ledgers.signing.wait(10)
        waiting = ask(stage, "reopen")
        assert isinstance(waiting, Waiting), waiting
        stage.approve("finance_lead", waiting.request)
        second = pool.submit(seal_period, stage.house, signing(stage))
        first.result()
        second.result()
    told = json.loads(file_of(stage, "manifest.json"))["agreements"]
    assert told == [each.plain() for each in stands(stage).agreements]
    assert len(told) == 2
