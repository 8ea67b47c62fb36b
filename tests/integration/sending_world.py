"""A world of endpoints and messages on real storage, a receiver that logs, and worker processes that may be killed.

`work` and `serve` are what such a process does, with the settings in its environment, until its group is killed: the
duties of sending, or the whole console with those beside it.
"""

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from console.app import serving
from console.app.building import Building, opened_building
from console.app.sending import sending_duties
from console.domain.ids import SHARED_PLANE, DeliveryId, EndpointId, MessageId, PlaneId, RunId, TenantId
from console.domain.jobs import JobDraft
from console.domain.replays import ItemState, Run, RunItem, RunState, Selector, Wanted, list_digest
from console.domain.retries import WaitRules
from console.domain.webhooks import (
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointKey,
    EndpointState,
    KeyAlgorithm,
    Message,
    MessageKind,
)
from console.ports.planes import TenantPlane
from console.settings import Settings, load_settings
from console.usecases.house import House
from console.usecases.scopes import scope_of_sender, tenant_data
from console.usecases.written_tenant import WrittenTenant, written_tenant
from console.worker.process import run_until_signalled
from tests.integration.stage import Stage, settle_in, tenant

SECRETS = {
    f"SALLYPORT_SECRETS__{name}_KEY": f"{name.lower()}-0123456789abcdefghijklmnopqrstuv"
    for name in ("SESSION", "FINGERPRINT", "SEALING")
}
EVENT = "invoice.paid"
FAST = 10_000
GRACE = timedelta(seconds=3)  # of an outside queue whose worker was killed


def settings_of(url: str, folder: Path, *, engine: str = "own", **webhooks: object) -> dict[str, str]:
    """Return the environment of a house that may send to this machine."""
    chosen: dict[str, object] = {
        "https_only": "false", "allowed_networks": "127.0.0.0/8", "timeout_s": "1.0", "senders": "2",
        "ports": ",".join(["443", *map(str, webhooks.pop("open", ()))]),  # type: ignore[call-overload]  # ports
    } | webhooks  # fmt: skip
    return {
        "SALLYPORT_ENVIRONMENT": "development",
        "SALLYPORT_LOCAL_PASSWORDS": "on",
        "SALLYPORT_VAR": str(folder),
        "SALLYPORT_DATABASE__URL": url,
        "SALLYPORT_JOBS__ENGINE": engine,
        **SECRETS,
        **{f"SALLYPORT_WEBHOOKS__{name.upper()}": str(value) for name, value in chosen.items()},
    }


def hurried(house: House) -> House:
    """Return a house whose waits are short enough for a test, and whose rates nobody feels."""
    sending = replace(
        house.book.sending,
        waits=WaitRules(
            retry_seconds=(1,) * 40,
            retry_spread_percent=50,
            run_retry_seconds=(1, 1),
            slow_seconds=1,
            retry_after_most_percent=200,
        ),
        run_slice_seconds=1,
        breaker_wait_seconds=1,
        breaker_longest_seconds=1,
        tenant_rate_per_second=FAST,
        batch_seconds=2,
        claim_seconds=5,
    )
    return replace(house, book=replace(house.book, sending=sending, jobs=replace(house.book.jobs, lease_seconds=3)))


@contextmanager
def opened_world(settings: Settings) -> Iterator[Building]:
    """Open a house as the composition root does, in a hurry."""
    with opened_building(settings) as building:
        yield replace(building, house=hurried(building.house))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """One tenant with endpoints, and how a test writes to it."""

    house: House
    tenant: TenantId
    plane: PlaneId = SHARED_PLANE

    @contextmanager
    def written(self) -> Iterator[WrittenTenant]:
        scope = scope_of_sender(self.tenant, self.plane, now=self.house.clock.now())
        with written_tenant(self.house, scope) as opened:
            yield opened

    @contextmanager
    def seen(self) -> Iterator[TenantPlane]:
        """Read without taking the turn of those who write."""
        scope = scope_of_sender(self.tenant, self.plane, now=self.house.clock.now())
        with self.house.store.read() as unit, tenant_data(self.house, unit, scope) as plane:
            yield plane

    def endpoint(self, url: str, *, secret: str | None = None, **other: object) -> Endpoint:
        """Add an endpoint with one key: a new one, or one of either kind that a receiver knows already."""
        now = self.house.clock.now()
        endpoint = Endpoint(
            id=EndpointId(self.house.ids.new("whe")), url=url, description="test", event_types=(),
            state=EndpointState.ACTIVE, because=None, rate_per_s=FAST, created_at=now, version=1,
        )  # fmt: skip
        endpoint = replace(endpoint, **other)  # type: ignore[arg-type]  # names and types are the dataclass's own
        keys = self.house.webhook_keys
        made = keys.make(KeyAlgorithm.V1) if secret is None else keys.seal(secret)
        algorithm = KeyAlgorithm.V1 if made.public is None else KeyAlgorithm.V1A
        key = EndpointKey(
            id=self.house.ids.new("whk"), endpoint=endpoint.id, algorithm=algorithm, sealed=made.sealed,
            public=made.public, created_at=now, expires_at=None,
        )  # fmt: skip
        with self.written() as opened:
            opened.plane.webhooks.add_endpoint(endpoint)
            opened.plane.webhooks.add_key(key, older_until=now)
        return endpoint

    def messages(
        self, endpoint: Endpoint, count: int, *, state: DeliveryState = DeliveryState.QUEUED, **other: object
    ) -> list[DeliveryId]:
        """Add messages with one delivery each."""
        now = self.house.clock.now()
        made = []
        with self.written() as opened:
            for number in range(count):
                at = now - timedelta(hours=1) + timedelta(milliseconds=number)
                said = {"number": number, "name": "Zoë", "of": (message_id := MessageId(self.house.ids.new("msg")))}
                message = Message(
                    id=message_id, event_type=EVENT, kind=MessageKind.EVENT,
                    payload=json.dumps(said, ensure_ascii=False).encode(),
                    created_at=at, expires_at=now + timedelta(days=30),
                )  # fmt: skip
                delivery = Delivery(
                    id=DeliveryId(self.house.ids.new("whd")), message=message.id, endpoint=endpoint.id,
                    event_type=EVENT, state=state, created_at=at,
                    due_at=now if state is DeliveryState.QUEUED else None,
                )  # fmt: skip
                delivery = replace(delivery, **other)  # type: ignore[arg-type]  # names and types are its own
                opened.plane.webhooks.add_message(message, [delivery])
                made.append(delivery.id)
        return made

    def planned(
        self,
        deliveries: Mapping[DeliveryId, EndpointId],
        *,
        rate: int = FAST,
        wanted: Wanted = Wanted.FAILED,
        ignores_filters: bool = False,
    ) -> RunId:
        """Freeze a list, as the action that plans a bulk replay does."""
        now = self.house.clock.now()
        run_id = RunId(self.house.ids.new("whr"))
        run = Run(
            id=run_id, state=RunState.PLANNED, digest=list_digest(deliveries), planned=len(deliveries), excluded={},
            selector=Selector(endpoints=(), event_types=(), wanted=wanted, since=now, until=now,
                              ignores_filters=ignores_filters),
            per_endpoint={}, per_type={}, oldest_at=None, newest_at=None, rate_per_s=rate, planned_by="stf_test",
            planned_at=now, expires_at=now + timedelta(days=1), version=1,
        )  # fmt: skip
        with self.written() as opened:
            opened.plane.webhooks.add_run(
                run,
                (
                    RunItem(run=run_id, position=place, delivery=delivery, endpoint=endpoint, state=ItemState.WAITING)
                    for place, (delivery, endpoint) in enumerate(deliveries.items(), start=1)
                ),
            )
        return run_id

    def begun(self, run_id: RunId) -> None:
        """Set a plan going and queue its job, as the approved action does."""
        now = self.house.clock.now()
        with self.written() as opened:
            run = opened.plane.webhooks.run(run_id)
            assert run is not None
            assert opened.plane.webhooks.move_run(run, RunState.RUNNING, at=now, started_at=now)
        draft = JobDraft(kind="webhook.replay", key=f"replay:{run_id}", payload={"run": run_id}, tenant=self.tenant)
        with self.house.store.write() as unit:
            unit.jobs.add(draft, at=now)

    def delivery(self, delivery: DeliveryId) -> Delivery:
        """Return a delivery as it stands."""
        with self.written() as opened:
            found = opened.plane.webhooks.delivery(delivery)
        assert found is not None
        return found

    def stands(self, endpoint: EndpointId) -> Endpoint:
        """Return an endpoint as it stands."""
        with self.written() as opened:
            found = opened.plane.webhooks.endpoint(endpoint)
        assert found is not None
        return found

    def change(self, endpoint: EndpointId, **other: object) -> None:
        """Change an endpoint as staff do."""
        with self.written() as opened:
            found = opened.plane.webhooks.endpoint(endpoint)
            assert found is not None
            after = replace(found, **other)  # type: ignore[arg-type]  # names and types are the dataclass's own
            assert opened.plane.webhooks.change_endpoint(after, version=found.version)

    def outcomes(self, delivery: DeliveryId) -> list[str]:
        """Return how the attempts of a delivery ended, oldest first."""
        with self.written() as opened:
            return [each.outcome.value for each in reversed(opened.plane.webhooks.attempts(delivery, limit=100))]

    def run(self, run_id: RunId) -> Run:
        """Return a run as it stands."""
        with self.seen() as plane:
            found = plane.webhooks.run(run_id)
        assert found is not None
        return found

    def pause(self, run_id: RunId) -> bool:
        """Pause as staff do, and return whether there was anything to pause."""
        with self.written() as opened:
            run = opened.plane.webhooks.run(run_id)
            if run is None or run.state is not RunState.RUNNING:
                return False
            is_paused = opened.plane.webhooks.move_run(run, RunState.PAUSED, at=self.house.clock.now(), because="staff")
            if is_paused:
                opened.plane.webhooks.recall_items(run_id)
            return is_paused

    def resume(self, run_id: RunId) -> None:
        """Resume as staff do."""
        with self.written() as opened:
            run = opened.plane.webhooks.run(run_id)
            if run is not None and run.state is RunState.PAUSED:
                opened.plane.webhooks.move_run(run, RunState.RUNNING, at=self.house.clock.now(), because=None)


def founded(building: Building, url: str, slug: str = "acme") -> Ground:
    """Import one tenant beside the cast."""
    stage = Stage(house=building.house, storage=building.storage, urls={}, url=url)
    settle_in(stage, [slug])
    return Ground(house=building.house, tenant=tenant(slug))


def logged(path: Path) -> list[dict[str, object]]:
    """Return what a receiver wrote down."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def work() -> None:
    """Work until killed."""
    os.setsid()
    with patch("console.app.sending._GRACE", GRACE), opened_world(load_settings(os.environ)) as building:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        run_until_signalled(sending_duties(building))
        time.sleep(0)


def serve() -> None:
    """Serve the console until killed, as `sallyport serve` does, with the waits of a house in a hurry."""
    os.setsid()

    def ready() -> None:
        sys.stdout.write("ready\n")
        sys.stdout.flush()

    with patch("console.app.sending._GRACE", GRACE), patch("console.app.serving.opened_building", opened_world):
        serving.serve(load_settings(os.environ), ready=ready)
