"""Webhooks, jobs and events of providers on the stage of the web tests: an outage at Nordwind, and what it left."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.domain.ids import SHARED_PLANE, DeliveryId, InboundId, JobId, RunId, TenantId
from console.domain.imports import (
    DeliveryAttemptRecord,
    DeliveryRecord,
    Record,
    WebhookEndpointRecord,
    delivery_id_of,
    endpoint_id_of,
)
from console.domain.inbound import InboundEvent, InboundState
from console.domain.jobs import JobDraft, Schedule
from console.domain.replays import ItemState, Run, RunItem, RunState, Selector, Wanted, list_digest
from console.domain.tenancy import ScopeBasis, TenantScope
from console.usecases.scopes import NO_REASON, SYSTEM
from tests.databases import NOON
from tests.web.cast import PEOPLE, Browser, Cast
from tests.web.world import NORDWIND, SLUGS, TENANTS

MISSED = 60
DOWN_FROM = NOON - timedelta(hours=10)
MAIN = endpoint_id_of(NORDWIND, "main")
SECRET_EMAIL = "contact7@nordwind.example"
SECRET_TOKEN = "whsec_verysecretindeed"
INCIDENT = {"reason_code": "INCIDENT_RESPONSE", "reason_reference": "INC-2041", "reason_note": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What the outage left behind: deliveries that gave up, oldest first, one that arrived, a job and an event."""

    failed: tuple[DeliveryId, ...]
    arrived: DeliveryId
    job: JobId
    event: InboundId


def outage(external: str = NORDWIND) -> list[Record]:
    """Return what the outage of one endpoint left, as an import would bring it."""
    slug = SLUGS[external]
    records: list[Record] = [
        WebhookEndpointRecord(
            tenant=external, external_id="old", url=f"https://old.{slug}.example/hooks", state="disabled",
            created_at=NOON - timedelta(days=30), failing_since=NOON - timedelta(days=8), description="Old shop",
        )
    ]  # fmt: skip
    for number in range(MISSED):
        at = DOWN_FROM + timedelta(minutes=2 * number)
        message = f"msg_{slug}miss{number:03d}"
        body = {"type": "invoice.created", "data": {"billed_to": {"email": f"contact{number}@{slug}.example"}}}
        is_early = number < MISSED // 2
        records += [
            DeliveryRecord(
                tenant=external, message=message, endpoint="main", event_type="invoice.created", outcome="failed",
                status_code=503 if is_early else None, failure=None if is_early else "timeout", attempts=2,
                at=at + timedelta(seconds=5), created_at=at, payload=json.dumps(body),
            ),
            DeliveryAttemptRecord(
                tenant=external, message=message, endpoint="main", number=1, at=at, took_ms=41,
                status_code=503 if is_early else None, failure=None if is_early else "timeout",
                error="the first try failed",
            ),
        ]  # fmt: skip
    return records


def furnish(cast: Cast) -> Left:
    """Bring the outage, a dead job and a quarantined event onto the stage."""
    with cast.storage.bulk.write() as bulk:
        bulk.put(outage())
    ids = tuple(delivery_id_of(NORDWIND, f"msg_nordwindmiss{number:03d}", "main") for number in range(MISSED))
    return Left(
        failed=ids,
        arrived=delivery_id_of(NORDWIND, "msg_nordwind1", "main"),
        job=dead_job(cast),
        event=quarantined(cast),
    )


def dead_job(cast: Cast, *, key: str = "replay:run_lost") -> JobId:
    """Return a job that failed as often as it may, with secrets among its arguments."""
    now = cast.clock.now()
    payload = {"run": "run_lost", "nested": [{"api_key": SECRET_TOKEN, "list": [{"authorization": SECRET_TOKEN}]}]}
    draft = JobDraft(kind="webhook.replay", key=key, payload=payload, tenant=TENANTS["nordwind"],
                     actor=PEOPLE["engineer"].id, most_attempts=1)  # fmt: skip
    with cast.house.store.write() as unit:
        job = unit.jobs.add(draft, at=now)
        assert job is not None
        (claimed,) = unit.jobs.claim(worker="w", now=now, until=now + timedelta(minutes=1), limit=1)
        assert unit.jobs.fail(claimed, error="There is no such replay.", fingerprint="f00d", run_at=None, at=now)
        unit.jobs.put_schedule(
            Schedule(id="gaps", kind="inbound.find_gaps", every_s=900, next_at=now + timedelta(minutes=3), is_on=True)
        )
    return job


def quarantined(cast: Cast) -> InboundId:
    """Return an event of a provider that belongs to nobody we know."""
    now, event = cast.clock.now(), InboundId(cast.house.ids.new("inb"))
    body = {"type": "invoice.paid", "data": {"object": {"customer": "cus_unknown", "customer_email": SECRET_EMAIL}}}
    with cast.house.store.write() as unit:
        kept = InboundEvent(
            id=event, provider="stripe", account="acct_1", is_live=True, event_id="evt_1", event_type="invoice.paid",
            object_id="INV-x", customer="cus_unknown", made_at=now, received_at=now,
            payload=json.dumps(body).encode(), state=InboundState.RECEIVED,
        )  # fmt: skip
        assert unit.inbox.add(kept)
        assert unit.inbox.settle(kept, InboundState.QUARANTINED, at=now, because="unknown_customer", tenant=None)
    return event


def planned_run(cast: Cast, left: Left, *, state: RunState = RunState.PLANNED, count: int = 4) -> RunId:
    """Return a run over the first deliveries that gave up, moved on to a state, its first item sent where it ran."""
    now, run = cast.clock.now(), RunId(cast.house.ids.new("run"))
    chosen = left.failed[:count]
    planned = Run(
        id=run, state=RunState.PLANNED,
        selector=Selector(endpoints=(MAIN,), event_types=(), wanted=Wanted.FAILED, since=DOWN_FROM, until=NOON),
        digest=list_digest(chosen), planned=count, excluded={"payload_expired": 3}, per_endpoint={str(MAIN): count},
        per_type={"invoice.created": count}, oldest_at=DOWN_FROM, newest_at=NOON, rate_per_s=2,
        planned_by=PEOPLE["engineer"].id, planned_at=now, expires_at=now + timedelta(hours=24), version=1,
    )  # fmt: skip
    items = [
        RunItem(run=run, position=place, delivery=each, endpoint=MAIN, state=ItemState.WAITING)
        for place, each in enumerate(chosen, start=1)
    ]
    with cast.house.store.write() as unit:
        book = unit.tenant(scope(TENANTS["nordwind"], now)).webhooks
        book.add_run(planned, items)
        if state is RunState.PLANNED:
            return run
        assert book.move_run(planned, RunState.RUNNING, at=now, started_at=now)
        assert book.settle_item(run, chosen[0], state=ItemState.SENT, tries=1, reason=None)
        if state in {RunState.FINISHED, RunState.CANCELLED}:
            for each in chosen[1:]:
                assert book.settle_item(run, each, state=ItemState.SKIPPED, tries=3, reason="gave_up")
        if state is not RunState.RUNNING:
            moved = book.run(run)
            assert moved is not None
            assert book.move_run(moved, state, at=now, because="five failures in a row", finished_at=now)
    return run


def release(cast: Cast, run: RunId) -> None:
    """Hand everything that waits in a run to the sender."""
    now = cast.clock.now()
    with cast.house.store.write() as unit:
        book = unit.tenant(scope(TENANTS["nordwind"], now)).webhooks
        waiting = book.items(run, state=ItemState.WAITING, after=0, limit=100)
        assert book.release_items(run, waiting, at=now)


def scope(tenant: TenantId, now: datetime) -> TenantScope:
    """Return a scope as a job would have it."""
    return TenantScope(
        tenant=tenant, plane=SHARED_PLANE, staff=SYSTEM, basis=ScopeBasis.JOB, reason=NO_REASON,
        not_after=now + timedelta(minutes=5),
    )  # fmt: skip


def open_for_incident(cast: Cast, who: str = "engineer", slug: str = "nordwind") -> Browser:
    """Return the browser of somebody who has just opened a tenant because of an incident."""
    browser = cast.sign_in(who)
    browser.get(f"/tenants/{slug}/lease")
    answer = browser.post(f"/tenants/{slug}/lease", {**INCIDENT, "minutes": ""})
    assert answer.status_code == 303, answer.text
    return browser
