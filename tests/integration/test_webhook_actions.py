"""Governed actions on webhooks over real storage, on both databases and on a plane elsewhere."""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from console.adapters.webhook_keys import SealedWebhookKeys
from console.domain.decisions import Deny, DenyCode
from console.domain.ids import ActionKey, EndpointId, RunId
from console.domain.imports import DeliveryRecord, Record, WebhookEndpointRecord, delivery_id_of, endpoint_id_of
from console.domain.jobs import Job
from console.domain.reasons import Reason
from console.domain.replays import ItemState, RunState, list_digest
from console.domain.requests import Request
from console.domain.webhooks import DeliveryState, EndpointState
from console.ports.webhooks import WebhookBook
from console.usecases.execute_request import execute_request
from console.usecases.hold_deliveries import hold_deliveries
from console.usecases.job_outcomes import Again, Done
from console.usecases.outcomes import Proposal, Ran, Waiting
from console.usecases.run_jobs import run_due_jobs
from console.usecases.scopes import directory_row, scope_of_sender
from tests.conftest import NewDatabase
from tests.databases import ENGINES, NOON, HandClock
from tests.integration.stage import Stage, behind, book, by_hand, new_urls, opened_stage, rows, settle_in, tenant
from tests.web.cast import PEOPLE

INCIDENT = Reason(code="INCIDENT_RESPONSE", reference="INC-2041")  # type: ignore[arg-type]  # a code as text
RANGE = {"since": "2026-11-21 00:00", "until": "2026-11-21 12:00"}
FAILED = 6
RUN = ActionKey("webhook.run_replay")


def hook(slug: str) -> EndpointId:
    return endpoint_id_of(slug, "main")


def webhooks(slug: str, failed: int = FAILED) -> list[Record]:
    """Return an endpoint whose first deliveries failed, a minute apart."""
    return [
        WebhookEndpointRecord(
            tenant=slug, external_id="main", url=f"https://hooks.{slug}.example/in",
            created_at=NOON - timedelta(days=30),
        ),
        *(
            DeliveryRecord(
                tenant=slug, message=f"msg_{slug}{number:04d}", endpoint="main", event_type="invoice.paid",
                outcome="failed", status_code=503, attempts=8, at=NOON - timedelta(hours=2, minutes=-number),
                created_at=NOON - timedelta(hours=3, minutes=-number), payload='{"type":"invoice.paid"}',
            )
            for number in range(failed)
        ),
    ]  # fmt: skip


@pytest.fixture(params=ENGINES)
def stage(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Stage]:
    url, planes = new_urls(request.param, tmp_path, pg_database, far=True)
    with opened_stage(url, planes, clock=HandClock(), policy=by_hand(book(), RUN)) as opened:
        settle_in(opened, ["acme"], far=["faraway"])
        with opened.storage.bulk.write() as bulk:
            bulk.put(webhooks("acme"))
            bulk.put(webhooks("faraway"))
        yield opened


def ask(stage: Stage, slug: str, verb: str, raw: Mapping[str, str], *, who: str = "engineer") -> Proposal:
    with stage.house.store.read() as unit:
        is_open = unit.leases.open_on(PEOPLE[who].id, tenant(slug)) is not None
    if not is_open:
        stage.open(who, slug, INCIDENT)
    return stage.ask(who, slug, ActionKey(f"webhook.{verb}"), raw, reason=INCIDENT)


def ran(stage: Stage, slug: str, verb: str, raw: Mapping[str, str]) -> Ran:
    answer = ask(stage, slug, verb, raw)
    assert isinstance(answer, Ran), answer
    return answer


def planned(stage: Stage, slug: str) -> RunId:
    return RunId(str(ran(stage, slug, "plan_replay", RANGE).applied.made))


def approved(stage: Stage, slug: str, run: RunId) -> Request:
    answer = ask(stage, slug, "run_replay", {"run": run})
    assert isinstance(answer, Waiting), answer
    stage.approve("on_call", answer.request)
    return answer.request


@contextmanager
def opened(stage: Stage, slug: str) -> Iterator[WebhookBook]:
    """Open a tenant's webhooks as the sender would, for writing."""
    with stage.house.store.read() as unit:
        plane = directory_row(unit, tenant(slug)).plane
    scope = scope_of_sender(tenant(slug), plane, now=stage.house.clock.now())
    if stage.house.planes.shares_control(plane):
        with stage.house.store.write() as unit:
            yield unit.tenant(scope).webhooks
    else:
        with stage.house.planes.write(scope) as there:
            yield there.webhooks


def jobs(stage: Stage, kind: str) -> list[Job]:
    with stage.house.store.read() as unit:
        found = unit.jobs.page(state=None, kind=kind, fingerprint=None, tenant=None, before=None, limit=50)
        return list(found)


@pytest.mark.parametrize("slug", ["acme", "faraway"])
def test_it_plans_approves_and_runs_a_replay(stage: Stage, slug: str) -> None:
    run = planned(stage, slug)
    ids = [delivery_id_of(slug, f"msg_{slug}{number:04d}", "main") for number in range(FAILED)]
    with opened(stage, slug) as there:
        stored = there.run(run)
        assert stored is not None
        assert [item.delivery for item in there.items(run, state=None, after=0, limit=50)] == ids
        assert stored.digest == there.frozen_digest(run) == list_digest(ids)
    request = approved(stage, slug, run)
    assert jobs(stage, "webhook.replay") == []
    answer = execute_request(stage.house, stage.actor("engineer"), request_id=request.id)
    assert isinstance(answer, Ran), answer
    with opened(stage, slug) as there:
        stored = there.run(run)
        assert stored is not None
        assert stored.state is RunState.RUNNING
    (job,) = jobs(stage, "webhook.replay")
    assert (job.key, job.tenant, job.actor, job.request) == (
        f"replay:{run}", tenant(slug), PEOPLE["engineer"].id, request.id,
    )  # fmt: skip
    assert json.loads(json.dumps(dict(job.payload))) == {"run": run}


def test_it_starts_a_run_once_although_two_approved_it(stage: Stage) -> None:
    run = planned(stage, "acme")
    first, second = approved(stage, "acme", run), approved(stage, "acme", run)
    assert isinstance(execute_request(stage.house, stage.actor("engineer"), request_id=first.id), Ran)
    answer = execute_request(stage.house, stage.actor("engineer"), request_id=second.id)
    assert isinstance(answer, Deny)
    assert answer.code is DenyCode.PRECONDITION_STALE
    assert len(jobs(stage, "webhook.replay")) == 1


def test_it_runs_nothing_when_the_address_moved_after_the_approval(stage: Stage) -> None:
    run = planned(stage, "acme")
    request = approved(stage, "acme", run)
    with opened(stage, "acme") as there:
        endpoint = there.endpoint(hook("acme"))
        assert endpoint is not None
        moved = replace(endpoint, url="https://elsewhere.example/in")
        assert there.change_endpoint(moved, version=endpoint.version)
    answer = execute_request(stage.house, stage.actor("engineer"), request_id=request.id)
    assert not isinstance(answer, Ran), answer
    assert jobs(stage, "webhook.replay") == []


def test_it_closes_the_books_of_a_plan_that_never_ran(stage: Stage) -> None:
    run = planned(stage, "acme")
    ran(stage, "acme", "cancel_replay", {"run": run})
    run_due_jobs(stage.house, worker="w", limit=10)
    with opened(stage, "acme") as there:
        stored = there.run(run)
    assert stored is not None
    assert (stored.left, stored.skipped_by) == (0, {"cancelled": FAILED})
    assert stage.entries("replay.cancelled") == 1


def test_it_steers_a_run_from_its_plan_to_its_end(stage: Stage) -> None:
    run = planned(stage, "acme")
    request = approved(stage, "acme", run)
    execute_request(stage.house, stage.actor("engineer"), request_id=request.id)
    with opened(stage, "acme") as there:
        waiting = there.items(run, state=ItemState.WAITING, after=0, limit=2)
        assert len(there.release_items(run, waiting, at=NOON)) == 2
    ran(stage, "acme", "pause_replay", {"run": run})
    with opened(stage, "acme") as there:
        assert len(there.items(run, state=ItemState.WAITING, after=0, limit=50)) == FAILED, "recalled"
    ran(stage, "acme", "resume_replay", {"run": run})
    ran(stage, "acme", "cancel_replay", {"run": run})
    with opened(stage, "acme") as there:
        stored = there.run(run)
    assert stored is not None
    assert stored.state is RunState.CANCELLED


@pytest.mark.parametrize("slug", ["acme", "faraway"])
def test_it_lets_waiting_deliveries_follow_their_endpoint(stage: Stage, slug: str) -> None:
    first = delivery_id_of(slug, f"msg_{slug}0000", "main")
    for verb, state in (("resend", DeliveryState.QUEUED), ("pause_endpoint", DeliveryState.HELD)):
        ran(stage, slug, verb, {"delivery": first} if verb == "resend" else {"endpoint": hook(slug)})
        with opened(stage, slug) as there:
            found = there.delivery(first)
        assert found is not None
        assert found.state is state
    (job,) = jobs(stage, "webhook.hold")
    assert (job.tenant, dict(job.payload)) == (tenant(slug), {"endpoint": hook(slug)})
    assert isinstance(hold_deliveries(stage.house, replace(job, lease_until=NOON + timedelta(minutes=1))), Done)
    ran(stage, slug, "enable_endpoint", {"endpoint": hook(slug), "recover": "no"})
    with opened(stage, slug) as there:
        found = there.delivery(first)
    assert found is not None
    assert found.state is DeliveryState.QUEUED


def test_it_holds_thousands_slice_by_slice(stage: Stage) -> None:
    late = [
        DeliveryRecord(
            tenant="acme", message=f"msg_late{number:05d}", endpoint="main", event_type="invoice.paid",
            outcome="pending", status_code=503, attempts=1, at=NOON, created_at=NOON, payload="{}",
            due_at=NOON + timedelta(hours=1),
        )
        for number in range(2_300)
    ]  # fmt: skip
    with stage.storage.bulk.write() as bulk:
        bulk.put(late)
    ran(stage, "acme", "disable_endpoint", {"endpoint": hook("acme")})
    counted = "SELECT count(*) FROM plane_webhook_delivery WHERE state = 'suppressed' AND reason = 'endpoint_disabled'"
    assert stage.count(counted) == 1_000
    (job,) = jobs(stage, "webhook.hold")
    leased = replace(job, lease_until=NOON + timedelta(minutes=1))
    assert isinstance(hold_deliveries(stage.house, leased), Again)
    assert isinstance(hold_deliveries(stage.house, leased), Done)
    assert stage.count(counted) == 2_300


def test_it_plans_the_recovery_together_with_enabling(stage: Stage) -> None:
    with opened(stage, "acme") as there:
        endpoint = there.endpoint(hook("acme"))
        assert endpoint is not None
        down = replace(
            endpoint, state=EndpointState.DISABLED, because="failing", failing_since=NOON - timedelta(hours=4),
            disabled_at=NOON - timedelta(hours=1), failures_in_row=21,
        )  # fmt: skip
        assert there.change_endpoint(down, version=endpoint.version)
    answer = ran(stage, "acme", "enable_endpoint", {"endpoint": hook("acme"), "recover": "plan"})
    assert f"{FAILED} deliveries" in " ".join(answer.request.preview.warnings)
    with opened(stage, "acme") as there:
        run = there.run(RunId(str(answer.applied.made)))
        endpoint = there.endpoint(hook("acme"))
    assert run is not None
    assert endpoint is not None
    assert (run.planned, run.state, endpoint.state) == (FAILED, RunState.PLANNED, EndpointState.ACTIVE)


def test_it_keeps_a_secret_nowhere_but_sealed(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    stage = replace(stage, house=behind(stage, webhook_keys=SealedWebhookKeys("k" * 40)))
    answers = [
        ran(stage, "acme", "rotate_secret", {"endpoint": hook("acme"), "algorithm": algorithm})
        for algorithm in ("v1", "v1a")
    ]
    secrets = [value for answer in answers for value in answer.applied.shown.values()]
    assert secrets[0].startswith("whsec_")
    assert secrets[1].startswith("whpk_"), "of a pair only the public half is ever shown"
    core = secrets[0].removeprefix("whsec_")
    assert core not in caplog.text
    assert core not in repr([answer.request for answer in answers])
    for table in ("audit_event", "request", "request_revision", "plane_webhook_key", "plane_webhook_endpoint", "job"):
        found = rows(stage.url, f"SELECT * FROM {table}")
        stored = repr([[bytes(cell) if isinstance(cell, memoryview) else cell for cell in row] for row in found])
        assert core not in stored, table
        assert "whsk_" not in stored, table
    with opened(stage, "acme") as there:
        keys = there.keys(hook("acme"), now=NOON)
        assert [key.algorithm.value for key in keys][:2] == ["v1a", "v1"]
        assert keys[0].expires_at is None
        assert keys[1].expires_at == NOON + timedelta(hours=24)


def test_it_runs_no_follow_up_of_somebody_who_left(stage: Stage) -> None:
    ran(stage, "acme", "pause_endpoint", {"endpoint": hook("acme")})
    with stage.house.store.write() as unit:
        unit.staff.set_active(PEOPLE["engineer"].id, is_active=False, at=NOON)
    run_due_jobs(stage.house, worker="w", limit=10)
    assert stage.entries("job.refused") == 1
    (job,) = jobs(stage, "webhook.hold")
    assert job.state.value == "dead"
