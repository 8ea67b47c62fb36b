"""A run over the fleet is killed at random moments, again and again: it ends as one that nobody killed."""

import random
import shutil
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from console.adapters.fake_stripe.book import FILE
from console.domain.reconciling.findings import ReconciliationId
from console.domain.reconciling.runs import Reconciliation, RunState
from tests.conftest import NewDatabase
from tests.databases import ENGINES, HandClock
from tests.integration.drift_world import account_of, cast, drift_world
from tests.integration.job_kill_world import LEASE, PATIENCE_S, Nursery, check_trail, entries, nursery
from tests.integration.stage import opened_stage, rows
from tests.unit.reconciling.worlds import NOW

KILLS = 6
KINDS = (
    "access_without_billing", "invoice_missing_local", "invoice_status_drift", "payment_unapplied", "refund_failed",
    "sub_missing_remote", "sub_price_drift", "sub_status_drift", "unknown_enum",
)  # fmt: skip
# What a run leaves behind, but for the moments.
STANDS = (
    "SELECT id, kind, tenant, objects, ours, theirs, state, version, resolved_by FROM finding ORDER BY id",
    "SELECT finding, digest, how FROM reconciliation_sighting ORDER BY finding",
    "SELECT kind, id, digest, is_deleted FROM reconciliation_object ORDER BY kind, id",
    "SELECT tenant_id, kind, id, digest, is_deleted FROM plane_billing_object ORDER BY tenant_id, kind, id",
    "SELECT tenant_id, version, inputs_digest, cause FROM plane_effective_set ORDER BY tenant_id",
)


@dataclass(frozen=True, slots=True)
class Ground:
    """A house in which a run waits to begin: where its database is, and the folder with the provider's books."""

    url: str
    folder: Path
    run: ReconciliationId

    def stands(self) -> tuple[str, int]:
        """Return in which state the run is, and how many steps it has made."""
        ((state, version),) = rows(self.url, "SELECT state, version FROM reconciliation WHERE id = ?", self.run)
        return str(state), int(version)

    def ended(self) -> Reconciliation:
        """Return the run, whose trail is whole."""
        with opened_stage(self.url, {}, clock=HandClock(NOW)) as stage:
            check_trail(stage, self.folder)
            with stage.storage.store.read() as unit:
                run = unit.runs.get(self.run)
        assert run is not None
        return run


@pytest.fixture(params=ENGINES)
def grounds(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Ground, Ground]:
    """Build a house whose books are broken, with a run that waits, twice: row for row the same."""
    create: NewDatabase = request.getfixturevalue("pg_database") if request.param == "postgresql" else lambda: ""
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    with drift_world(request.param, first, create, file=first / FILE) as world:
        tenants = cast(24, KINDS)
        world.take_in(tenants)
        world.load_account(account_of(tenants))
        run, url = world.start(), world.stage.url
    shutil.copyfile(first / FILE, second / FILE)
    return Ground(url, first, run), Ground(copied(url, second, create), second, run)


def copied(url: str, folder: Path, create: NewDatabase) -> str:
    """Return the address of a copy of a database to which nobody is connected."""
    if url.startswith("sqlite"):
        shutil.copyfile(url.removeprefix("sqlite:///"), folder / "control.db")
        return f"sqlite:///{folder / 'control.db'}"
    return create(url.partition("@/")[2].partition("?")[0])


def carried_on(ground: Ground, crew: Nursery, until: int | None) -> str:
    """Wait until a run has made so many steps, or None: is over, and return in which state it is then."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        state, steps = ground.stands()
        if state == RunState.DONE if until is None else steps >= until:
            return state
        time.sleep(0.003)
    return crew.complain(f"The run stands still: {ground.stands()}.")


@pytest.mark.slow
def test_it_ends_as_if_nobody_had_killed_it(grounds: tuple[Ground, Ground], tmp_path: Path) -> None:
    whole, killed = grounds
    with nursery(tmp_path) as crew:
        crew.hire(whole.url, whole.folder, NOW)
        carried_on(whole, crew, None)
        crew.dismiss()
        steps = whole.stands()[1]
        found_at = [kill(killed, crew, NOW + number * LEASE, until) for number, until in enumerate(moments(steps))]
        crew.hire(killed.url, killed.folder, NOW + KILLS * LEASE)
        carried_on(killed, crew, None)
    once, again = whole.ended(), killed.ended()
    assert again.findings_digest == once.findings_digest is not None
    assert (again.inputs_digest, again.counts, again.found) == (once.inputs_digest, once.counts, once.found)
    for asked in STANDS:
        assert rows(killed.url, asked) == rows(whole.url, asked), asked
    told = entries(killed.url)
    assert told == entries(whole.url)
    assert len(told) == len(set(told)) > len(KINDS)
    stalled = rows(killed.url, "SELECT count(*) FROM audit_event WHERE action = 'job.stalled'")[0][0]
    assert 0 < stalled <= KILLS
    print(f"\n{steps} steps, killed {KILLS} times while {found_at}, {stalled} times with the run in hand; "  # noqa: T201
          f"{once.counts['seen']} findings, {once.counts['healed']} healed, {len(told)} entries")  # fmt: skip


def moments(steps: int) -> list[int]:
    """Return after which steps a worker is killed: one random moment in each part of the run."""
    dice = random.Random()
    part = (steps - 2) / KILLS
    return [2 + int((number + dice.random()) * part) for number in range(KILLS)]


def kill(ground: Ground, crew: Nursery, at: datetime, until: int) -> str:
    """Let a worker carry the run on to a step, and kill it a little later; return in which state the run was."""
    crew.hire(ground.url, ground.folder, at)
    state = carried_on(ground, crew, until)
    time.sleep(random.Random().uniform(0, 0.03))
    crew.kill()
    return state
