"""A house with an invented provider, planes near and far, and tenants whose objects are asked for again."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from console.domain.billing.canonical_form import Snapshot
from console.domain.billing.objects import BillingObject, ObjectKind
from console.domain.billing.resyncing import JOB, Progress, key_of, progress_of
from console.domain.errors import UnreadableObjectError
from console.domain.ids import ActionKey, PlaneId, ReasonCode
from console.domain.jobs import Job, JobDraft
from console.domain.reasons import Reason
from console.ports.billing import ProviderPage, Unreadable
from console.usecases.run_jobs import run_due_jobs
from tests.billing import (
    A_CUSTOMER,
    A_PAYMENT,
    ONE_OF_EACH,
    PaperProvider,
    told,
    with_owner,
)
from tests.conftest import NewDatabase
from tests.databases import ENGINES, NOON, HandClock
from tests.integration.stage import FAR, Stage, behind, new_urls, opened_stage, rows, settle_in, tenant

INCIDENT = Reason(code=ReasonCode("INCIDENT_RESPONSE"), reference="INC-2301", note="")


SHARED = PlaneId("shared")


MANY = 330


ALL, ONE, STOP = (ActionKey(f"billing.{verb}") for verb in ("resync_all", "resync_tenant", "cancel_resync"))


@dataclass
class Provider(PaperProvider):
    """Knows much, and cannot spell one invoice."""

    unreadable: tuple[Unreadable, ...] = ()
    spoilt: frozenset[str] = field(default_factory=frozenset)

    def page(self, kind: ObjectKind, **asked: object) -> ProviderPage:
        found = super().page(kind, **asked)  # type: ignore[arg-type]  # the same
        return replace(found, unreadable=self.unreadable if kind is ObjectKind.INVOICE else ())

    def fetch(self, kind: ObjectKind, thing: str) -> Snapshot | None:
        if thing in self.spoilt:
            raise UnreadableObjectError(kind=kind.value, id=thing, why="it names no status")
        return super().fetch(kind, thing)


@dataclass
class World:
    """A stage on which a resync runs."""

    stage: Stage
    clock: HandClock
    provider: Provider

    def begin(self, slug: str | None, *, since: object = None, resync: str = "exe_1") -> None:
        """Queue the first job of a resync, of a tenant or of all."""
        payload = Progress(resync=resync, since=since).payload()  # type: ignore[arg-type]  # a moment or None
        draft = JobDraft(kind=JOB, key=key_of(resync, 0), payload=payload, tenant=tenant(slug) if slug else None)
        with self.stage.house.store.write() as unit:
            unit.jobs.add(draft, at=self.clock.now())

    def work(self, *, rounds: int = 60) -> int:
        """Run jobs until none is due, and return how many were run."""
        done = 0
        for _ in range(rounds):
            ran = run_due_jobs(self.stage.house, worker="w1", limit=1)
            done += ran
            if not ran:
                break
            self.clock.pass_by(seconds=1)
            self.provider.now = self.clock.now()
        return done

    def jobs(self) -> list[Job]:
        """Return the jobs of resyncs, the first one first."""
        with self.stage.house.store.read() as unit:
            found = unit.jobs.page(state=None, kind=JOB, fingerprint=None, tenant=None, before=None, limit=100)
        return sorted(found, key=lambda job: progress_of(job.payload).step)

    def mirrored(self, slug: str) -> set[tuple[str, str]]:
        """Return kind and id of what a tenant's mirror holds and does not call deleted."""
        url = self.stage.urls[FAR] if slug == "faraway" else self.stage.url
        sql = "SELECT kind, id FROM plane_billing_object WHERE tenant_id = ? AND NOT is_deleted"
        return {(kind, thing) for kind, thing in rows(url, sql, tenant(slug))}

    def counts(self) -> dict[str, int]:
        """Return what the last entry of a resync counts."""
        told_of = "SELECT body FROM audit_event WHERE substr(action, 1, 7) = 'resync.' ORDER BY id DESC LIMIT 1"
        body = rows(self.stage.url, told_of)[0][0]
        entry = json.loads(bytes(body) if not isinstance(body, str) else body)
        return {name: value for name, value in entry["facts"].items() if isinstance(value, int)}


@pytest.fixture(params=ENGINES)
def there(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[World]:
    url, planes = new_urls(request.param, tmp_path, pg_database, far=True)
    clock, provider = HandClock(), Provider()
    with opened_stage(url, planes, clock=clock) as stage:
        settle_in(stage, ["acme", "globex"], far=["faraway"])
        yield World(replace(stage, house=behind(stage, provider=provider)), clock, provider)


def owned(slug: str) -> list[BillingObject]:
    """Return one object of each kind of a tenant's customer, with ids of their own."""
    return [
        replace(with_owner(thing, f"cus_{slug}"), id=f"cus_{slug}" if thing is A_CUSTOMER else f"{thing.id}_{slug}")
        for thing in ONE_OF_EACH
    ]


def ids(slug: str) -> set[tuple[str, str]]:
    return {(told(thing).kind.value, thing.id) for thing in owned(slug)}


def many_payments(slug: str, count: int = MANY) -> list[BillingObject]:
    payment = replace(A_PAYMENT, customer=f"cus_{slug}")
    return [replace(payment, id=f"pi_{slug}_{n:04}", created_at=NOON - n * timedelta(minutes=1)) for n in range(count)]
