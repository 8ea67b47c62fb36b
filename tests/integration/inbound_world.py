"""A house that a provider calls, with tenants on planes near and far, and what that provider says."""

import hashlib
import hmac
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from console.adapters.inbound_stripe import StripeSignatures
from console.domain.billing.objects import ObjectKind
from console.domain.imports import InvoiceRecord
from console.domain.inbound import InboundEvent
from console.domain.jobs import Job
from console.domain.staff import Origin
from console.ports.inbound import ListedEvent
from console.usecases.process_inbound import process_inbound
from console.usecases.receive_inbound import NotBelieved, Received, receive_inbound
from tests.billing import AN_INVOICE, PAID, PaperProvider
from tests.conftest import NewDatabase
from tests.databases import ENGINES, NOON, HandClock
from tests.integration.stage import FAR, Stage, behind, new_urls, opened_stage, rows, settle_in, tenant

SECRET = "whsec_0123456789abcdef"


ORIGIN = Origin(request_id="call_1", route="/inbound/<provider>", method="POST", ip="203.0.113.9")


MIRRORED = NOON - timedelta(hours=2)


TYPES = {
    ObjectKind.CUSTOMER: "customer.updated",
    ObjectKind.SUBSCRIPTION: "customer.subscription.updated",
    ObjectKind.INVOICE: "invoice.finalized",
    ObjectKind.PAYMENT: "payment_intent.succeeded",
    ObjectKind.REFUND: "refund.updated",
    ObjectKind.CREDIT_NOTE: "credit_note.created",
    ObjectKind.DISPUTE: "charge.dispute.created",
}


@dataclass
class Provider(PaperProvider):
    """A billing provider that knows objects and events; an invoice of acme is `in_acme`."""

    events: list[ListedEvent] = field(default_factory=list)

    def since(self, at: datetime, *, limit: int, after: str | None = None) -> Sequence[ListedEvent]:
        begin = [event.event_id for event in self.events].index(after) + 1 if after else 0
        return [event for event in self.events[begin:] if event.made_at >= at][:limit]

    def says(self, slug: str, status: str, *, customer: str = "") -> None:
        base = PAID if status == "paid" else AN_INVOICE
        owner = customer or f"cus_{slug}"
        self.knows(replace(base, id=f"in_{slug}", number=f"INV-{slug}-1", customer=owner, status=status))


@dataclass
class World:
    """A stage on which a provider calls."""

    stage: Stage
    clock: HandClock
    provider: Provider

    def call(self, event: dict[str, Any], *, secret: str = SECRET, **headers: str) -> Received | NotBelieved:
        """Let the provider call with a signed event."""
        body = json.dumps(event).encode()
        at = int(self.clock.now().timestamp())
        made = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        signed = {"stripe-signature": f"t={at},v1={made}", **headers}
        return receive_inbound(self.stage.house, provider="stripe", headers=signed, body=body, origin=ORIGIN)

    def jobs(self) -> list[Job]:
        """Return the jobs that wait, claimed."""
        now = self.clock.now()
        with self.stage.house.store.write() as unit:
            return list(unit.jobs.claim(worker="test", now=now, until=now + timedelta(minutes=5), limit=100))

    def work(self) -> None:
        """Process what waits."""
        for job in self.jobs():
            process_inbound(self.stage.house, job)
            with self.stage.house.store.write() as unit:
                unit.jobs.succeed(job, at=self.clock.now())

    def events(self) -> list[InboundEvent]:
        """Return the inbox, newest first."""
        with self.stage.house.store.read() as unit:
            return list(unit.inbox.page(state=None, event_type=None, before=None, limit=100))

    def mirror(self, slug: str) -> str:
        """Return what the mirror says of a tenant's invoice."""
        url = self.stage.urls[FAR] if slug == "faraway" else self.stage.url
        sql = "SELECT status FROM plane_billing_object WHERE tenant_id = ? AND kind = 'invoice' AND id = ?"
        found = rows(url, sql, tenant(slug), f"in_{slug}")
        return str(found[0][0]) if found else "open"


def invoice_paid(customer: str = "cus_acme", thing: str = "in_acme", **other: Any) -> dict[str, Any]:  # noqa: ANN401  an event's fields
    return {
        "id": "evt_1",
        "type": "invoice.paid",
        "created": int(NOON.timestamp()) - 60,
        "livemode": True,
        "data": {"object": {"object": "invoice", "id": thing, "customer": customer, "status": "void"}},
        **other,
    }


def bill(slug: str) -> InvoiceRecord:
    return InvoiceRecord(
        tenant=slug, number=f"INV-{slug}-1", status="open", provider_status="open", amount_minor=49_900,
        currency="EUR", issued_at=MIRRORED - timedelta(days=9), due_at=MIRRORED, paid_at=None, mirrored_at=MIRRORED,
    )  # fmt: skip


@pytest.fixture(params=ENGINES)
def there(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[World]:
    url, planes = new_urls(request.param, tmp_path, pg_database, far=True)
    clock, provider = HandClock(), Provider()
    with opened_stage(url, planes, clock=clock) as stage:
        settle_in(stage, ["acme", "globex"], far=["faraway"])
        with stage.storage.bulk.write() as bulk:
            bulk.put([bill("acme"), bill("globex"), bill("faraway")])
        house = behind(
            stage,
            provider=provider,
            inbound_verifiers={"stripe": StripeSignatures((SECRET,))},
            provider_events={"stripe": provider},
        )
        yield World(replace(stage, house=house), clock, provider)
