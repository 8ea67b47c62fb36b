"""A month whose preparation goes wrong is open again and sealed nothing."""

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from console.adapters.ledger_folder import LedgerFolder
from console.domain.accounting.period_books import PeriodBooks
from console.domain.errors import OutsideError
from console.domain.ids import PlaneId
from console.domain.jobs import Job, JobState
from console.domain.periods import Period, PeriodId, PeriodState
from console.domain.tenancy import DirectoryRow
from console.ports.periods import LedgerDraft
from console.storage.periods import StoredPeriods
from console.usecases import prepare_period as writer
from console.usecases.house import House
from console.usecases.outcomes import Ran
from console.usecases.prepare_period import PREPARE_JOB, give_period_up, prepare_period
from console.usecases.prepare_period import _write as writing
from console.usecases.run_jobs import run_due_jobs
from tests.billing import A_DISPUTE
from tests.conftest import NewDatabase
from tests.databases import ENGINES, HandClock
from tests.integration.overtaking import overtake
from tests.integration.stage import Stage, behind, new_urls, opened_stage, rows, settle_in, tenant, tenant_records
from tests.integration.test_periods import (
    IN_DECEMBER,
    IN_OCTOBER,
    OCTOBER,
    ask,
    file_of,
    mirror,
    october,
    prepared,
    stands,
)


class Ledgers(LedgerFolder):
    """A shelf at which something happens while the files of a month are begun."""

    meanwhile: Callable[[], object] = staticmethod(lambda: None)

    @contextmanager
    def writing(self, period: PeriodId) -> Iterator[LedgerDraft]:  # type: ignore[override]  # what the port says
        with super().writing(period) as draft:
            self.meanwhile()
            yield draft


@pytest.fixture(params=ENGINES)
def stage(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Stage]:
    url, planes = new_urls(request.param, tmp_path, pg_database, far=True)
    with opened_stage(url, planes, clock=HandClock(IN_DECEMBER)) as opened:
        settle_in(opened, ["acme", "zeta"], far=["faraway"])
        ready = replace(opened, house=behind(opened, ledgers=Ledgers(tmp_path / "exports")))
        mirror(ready, "acme", october())
        yield ready


def begun(stage: Stage, *, rounds: int = 0) -> Job:
    """Begin to prepare October, let its job run some rounds, and return the job."""
    assert isinstance(ask(stage, "prepare"), Ran)
    for _ in range(rounds):
        run_due_jobs(stage.house, worker="w1")
        stage.house.clock.pass_by(seconds=1)  # type: ignore[attr-defined]  # the hand clock
    return job(stage)


def job(stage: Stage) -> Job:
    """Return the newest job that prepares a month."""
    with stage.house.store.read() as unit:
        found = unit.jobs.page(state=None, kind=PREPARE_JOB, fingerprint=None, tenant=None, before=None, limit=1)
    return found[0]


def failed(stage: Stage, because: str) -> Period:
    """Let the job run: it is dead for a reason, its month is open again, and nothing of it was sealed."""
    run_due_jobs(stage.house, worker="w1")
    dead = job(stage)
    assert (dead.state, because in (dead.last_error or "")) == (JobState.DEAD, True), dead
    assert stage.entries("period.prepared") == 0
    return stands(stage)


def table(stage: Stage, name: str, period: PeriodId = OCTOBER) -> list[dict[str, str]]:
    """Return the rows of a sealed file."""
    return list(csv.DictReader(file_of(stage, name, period).decode().splitlines()))


def test_a_dispute_stands_in_its_own_file(stage: Stage) -> None:
    mirror(stage, "acme", [replace(A_DISPUTE, opened_at=IN_OCTOBER)])
    prepared(stage)
    (row,) = table(stage, "disputes.csv")
    assert (row["tenant"], row["id"], row["amount_minor"]) == ("acme", "dp_1", "9900")


def test_a_month_that_is_prepared_already_is_not_prepared_again_by_the_same_job(stage: Stage) -> None:
    was = prepared(stage)
    prepare_period(stage.house, job(stage))
    assert (stands(stage), stage.entries("period.prepared")) == (was, 1)


def test_nothing_is_given_up_once_it_is_sealed(stage: Stage) -> None:
    was = prepared(stage)
    give_period_up(stage.house, job(stage))
    assert (stands(stage), stage.entries("period.gave_up")) == (was, 0)


@pytest.mark.parametrize("rounds", [0, 1])
def test_whoever_is_overtaken_gives_up(stage: Stage, monkeypatch: pytest.MonkeyPatch, rounds: int) -> None:
    begun(stage, rounds=rounds)
    overtake(monkeypatch, StoredPeriods, "save")
    was = failed(stage, "Somebody else moved the period.")
    assert (was.state, was.cursor, stage.entries("period.gave_up")) == (PeriodState.OPEN, None, 1)


def test_what_was_altered_between_freezing_and_writing_is_not_sealed(stage: Stage) -> None:
    begun(stage, rounds=1)
    rows(stage.url, "UPDATE plane_period_set SET closing = '{\"JPY\": 1}' WHERE period = ?", OCTOBER)
    assert failed(stage, "What was frozen is not what is written.").state is PeriodState.OPEN


def test_a_shelf_that_takes_nothing_opens_the_month_again_and_says_so(stage: Stage) -> None:
    def full() -> None:
        raise OutsideError("There is no room on the shelf.", permanent=True)

    begun(stage, rounds=1)
    stage.house.ledgers.meanwhile = full  # type: ignore[attr-defined]
    was = failed(stage, "There is no room on the shelf.")
    assert (was.state, was.digest, stage.entries("period.gave_up")) == (PeriodState.OPEN, None, 1)
    stage.house.ledgers.meanwhile = lambda: None  # type: ignore[attr-defined]
    assert prepared(stage).tenants == 1


def test_who_comes_while_the_files_are_written_is_not_even_looked_at(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(stage, rounds=1)
    last, looked, looking = str(stands(stage).cursor), list[str](), writer._frozen
    late = next(slug for slug in map("late{}".format, range(99)) if tenant(slug) > last)

    def arrives() -> None:
        with stage.storage.bulk.write() as bulk:
            bulk.put(tenant_records(late, PlaneId("shared")))

    def noting(house: House, job: Job, period: Period, row: DirectoryRow) -> PeriodBooks | None:
        looked.append(row.slug)
        return looking(house, job, period, row)

    stage.house.ledgers.meanwhile = arrives  # type: ignore[attr-defined]
    monkeypatch.setattr(writer, "_frozen", noting)
    run_due_jobs(stage.house, worker="w1")
    was = stands(stage)
    assert (was.state, was.tenants) == (PeriodState.SOFT_CLOSED, 1)
    assert ("acme" in looked, late in looked) == (True, False)


def test_a_long_preparation_keeps_its_job(stage: Stage) -> None:
    begun(stage, rounds=1)
    stage.house.ledgers.meanwhile = lambda: stage.house.clock.pass_by(seconds=61)  # type: ignore[attr-defined]
    run_due_jobs(stage.house, worker="w1")
    assert (stands(stage).state, job(stage).state) == (PeriodState.SOFT_CLOSED, JobState.SUCCEEDED)


def test_a_preparation_that_another_worker_took_over_seals_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(stage, rounds=1)

    def slow(draft: LedgerDraft, tenant: str, books: PeriodBooks) -> None:
        writing(draft, tenant, books)
        now = stage.house.clock.pass_by(seconds=121)  # type: ignore[attr-defined]  # the hand clock
        with stage.house.store.write() as unit:
            assert unit.jobs.claim(worker="w2", now=now, until=now + timedelta(seconds=120), limit=4)

    monkeypatch.setattr(writer, "_write", slow)
    run_due_jobs(stage.house, worker="w1")
    assert (stands(stage).state, stage.entries("period.prepared")) == (PeriodState.PREPARING, 0)
    assert (job(stage).state, job(stage).worker) == (JobState.RUNNING, "w2")
