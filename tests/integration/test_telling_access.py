"""What jobs do to the access of a tenant elsewhere is told once, wherever between two databases they are killed."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from console.adapters.inbound_stripe import PROVIDER, StripeSignatures
from console.domain.billing.objects import Subscription
from console.domain.billing.resyncing import JOB, Progress, key_of
from console.domain.effective_store import StoredSet
from console.domain.entitlements import Grant, GrantSource, Op
from console.domain.ids import ExecutionId, InboundId
from console.domain.inbound import InboundEvent, InboundState
from console.domain.jobs import JobDraft, JobState
from console.usecases.receive_inbound import PROCESS_JOB
from console.usecases.run_jobs import run_due_jobs
from console.usecases.sweep_access import SWEEP_JOB
from console.usecases.tell_access import TELL_JOB
from tests.billing import A_CUSTOMER, A_SUBSCRIPTION, DAY, PaperProvider
from tests.conftest import NewDatabase
from tests.databases import ENGINES, HandClock
from tests.integration.cast import scope
from tests.integration.mortal import Fate, Killed, mortal
from tests.integration.stage import FAR, SEATS, Stage, behind, new_urls, opened_stage, rows, settle_in, tenant

AWAY = tenant("away")
ROUNDS = 40


@dataclass
class World:
    """A tenant on a plane elsewhere, a provider of paper, and workers that die."""

    stage: Stage
    clock: HandClock
    provider: PaperProvider

    def queue(self, kind: str, key: str, payload: Mapping[str, object] | None = None) -> None:
        """Queue a job that nobody in particular wants."""
        with self.stage.storage.store.write() as unit:
            unit.jobs.add(JobDraft(kind=kind, key=key, payload=payload or {}), at=self.clock.now())

    def work(self, fate: Fate) -> bool:
        """Let a worker go on until nothing is left or it dies, then others until nothing is left; True: it died."""
        try:
            self.go_on(fate)
        except Killed:
            self.clock.pass_by(seconds=self.stage.house.book.jobs.lease_seconds + 1)
            self.go_on(Fate(at=0))
            return True
        return False

    def go_on(self, fate: Fate) -> None:
        house = mortal(self.stage.house, fate)
        for _ in range(ROUNDS):
            if not run_due_jobs(house, worker="w1", limit=1):
                return
            self.clock.pass_by(seconds=1)
            self.provider.now = self.clock.now()
        raise AssertionError

    def stored(self) -> StoredSet:
        """Return what the product reads."""
        with self.stage.storage.planes.read(scope(AWAY, plane=FAR, hours=24 * 400)) as plane:
            found = plane.effective_set()
        assert found is not None
        return found

    def override(self, number: int) -> None:
        """Let an override of a day begin, and its set be stored without a word."""
        now = self.clock.now()
        grant = Grant(
            source=GrantSource.OVERRIDE, id=f"ovr_{number}", label="Override", feature="seats", value=500 + number,
            starts_at=now, until=now + DAY, reference="R-1", op=Op.SET, owner="stf_x",
        )  # fmt: skip
        with self.stage.storage.planes.write(scope(AWAY, plane=FAR, hours=24 * 400)) as plane:
            plane.add_override(grant, by="t", at=now)
            plane.recalculate(cause="test", at=now)

    def told(self) -> list[tuple[int, str]]:
        """Return version and cause of what the trail tells of recalculations, oldest first."""
        bodies = rows(self.stage.url, "SELECT body FROM audit_event WHERE action = 'access.recalculated' ORDER BY id")
        entries = [json.loads(body if isinstance(body, str) else bytes(body)) for (body,) in bodies]
        assert {each["tenant"]["id"] for each in entries} <= {AWAY}
        return [(int(each["targets"][0]["name"].removeprefix("version ")), each["facts"]["cause"]) for each in entries]

    def tells(self) -> set[JobState]:
        """Return how the jobs that tell stand."""
        with self.stage.storage.store.read() as unit:
            found = unit.jobs.page(state=None, kind=TELL_JOB, fingerprint=None, tenant=None, before=None, limit=200)
        return {each.state for each in found}


@pytest.fixture(params=ENGINES)
def there(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[World]:
    url, planes = new_urls(request.param, tmp_path, pg_database, far=True)
    clock, provider = HandClock(), PaperProvider()
    with opened_stage(url, planes, clock=clock) as stage:
        settle_in(stage, [], far=["away"])
        ports = {"provider": provider, "inbound_verifiers": {PROVIDER: StripeSignatures(["whsec_away"])}}
        yield World(replace(stage, house=behind(stage, **ports)), clock, provider)


def test_an_end_is_told_once_wherever_the_sweep_is_killed(there: World) -> None:
    number, deaths, told = 0, 0, list[int]()
    while True:
        number += 1
        there.override(number)
        there.clock.pass_by(days=1, seconds=1)
        there.queue(SWEEP_JOB, f"sweep_{number}")
        has_died = there.work(Fate(at=number))
        deaths += has_died
        told.append(there.stored().version)
        assert there.stored().rows[0].value == SEATS, number
        assert there.told() == [(version, SWEEP_JOB) for version in told], number
        if not has_died:
            break
    assert deaths >= 12  # claim, intent, plane, end; and the same of the job that tells
    assert there.tells() == {JobState.SUCCEEDED}


def test_a_subscription_that_moved_is_told_once_wherever_the_resync_is_killed(there: World) -> None:
    number, deaths = 0, 0
    there.provider.knows(replace(A_CUSTOMER, id="cus_away"))
    while True:
        number += 1
        there.provider.knows(subscription("active" if number % 2 else "canceled"))
        resync = f"exe_{number}"
        there.queue(JOB, key_of(resync, 0), Progress(resync=resync).payload())
        has_died = there.work(Fate(at=number))
        deaths += has_died
        assert [version for version, _ in there.told()] == list(range(1, number + 1)), number
        assert there.stored().version == number
        assert there.stage.entries("resync.finished") == number
        if not has_died:
            break
    assert deaths >= 14
    assert {cause.partition(":")[0] for _, cause in there.told()} == {"resync"}
    assert there.tells() == {JobState.SUCCEEDED}


def test_a_subscription_that_moved_is_told_once_wherever_the_work_on_its_event_is_killed(there: World) -> None:
    number, deaths = 0, 0
    there.provider.knows(replace(A_CUSTOMER, id="cus_away"))
    while True:
        number += 1
        there.provider.knows(subscription("active" if number % 2 else "canceled"))
        with there.stage.storage.store.write() as unit:
            unit.inbox.add(event_about_it(there, number))
        there.queue(PROCESS_JOB, f"inbound_{number}", {"event": f"inb_{number}"})
        has_died = there.work(Fate(at=number))
        deaths += has_died
        assert [version for version, _ in there.told()] == list(range(1, number + 1)), number
        assert there.stage.entries("inbound.processed") == number
        if not has_died:
            break
    assert deaths >= 14
    assert {cause.partition(":")[0] for _, cause in there.told()} == {"inbound"}


def event_about_it(there: World, number: int) -> InboundEvent:
    """Return an event that waits in the inbox."""
    now = there.clock.now()
    return InboundEvent(
        id=InboundId(f"inb_{number}"), provider=PROVIDER, account="", is_live=True, event_id=f"evt_{number}",
        event_type="customer.subscription.updated", object_id="sub_away", customer="cus_away", made_at=now,
        received_at=now, payload=b"{}", state=InboundState.RECEIVED,
    )  # fmt: skip


def subscription(status: str) -> Subscription:
    """Return the subscription of the tenant elsewhere in a state."""
    ended = None if status == "active" else A_SUBSCRIPTION.started_at + 2 * DAY
    return replace(A_SUBSCRIPTION, id="sub_away", customer="cus_away", status=status, ended_at=ended)


def test_what_was_given_up_is_never_stored_and_never_told(there: World) -> None:
    there.queue(TELL_JOB, "tell:acc_lost", {"effect": "acc_lost", "cause": "sweep"})
    there.work(Fate(at=0))
    assert there.told() == []
    assert there.tells() == {JobState.DEAD}  # a job of no tenant tells of none
    with there.stage.storage.store.write() as unit:
        payload = {"effect": "acc_lost", "cause": "sweep", "request": None}
        unit.jobs.add(JobDraft(kind=TELL_JOB, key="tell:2", payload=payload, tenant=AWAY), at=there.clock.now())
    there.work(Fate(at=0))
    assert there.told() == []
    with there.stage.storage.planes.read(scope(AWAY, plane=FAR, hours=24 * 400)) as plane:
        assert plane.applied(ExecutionId("acc_lost")) == "abandoned"
