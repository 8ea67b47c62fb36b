"""The demo's own work gone wrong: events of the provider in every state, and jobs that failed while it was silent."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice

from console.adapters.inbound_stripe import PROVIDER
from console.domain.billing.objects import Invoice
from console.domain.fingerprints import fingerprint_of
from console.domain.ids import InboundId
from console.domain.inbound import InboundEvent, InboundState
from console.domain.jobs import JobDraft
from console.ports.store import ControlUnit
from console.usecases.house import House

_ACCOUNT = "acct_demo"
_LOOKED_AT = 200
_SILENT = "OutsideError: the billing provider did not answer within 5 s"
_STUCK, _DONE, _FETCHED, _STRANGE, _IGNORED = 3, 4, 1, 3, 2


def furnish_operations(house: House, invoices: Iterator[Invoice]) -> None:
    """Fill the inbox and the jobs of a fresh demo; `invoices` are the provider's."""
    now = house.clock.now()
    one_each = {each.customer: each for each in islice(invoices, _LOOKED_AT)}
    known = list(one_each.values())[1:][: _STUCK + _DONE + _FETCHED]  # the first is Acme, whose story is another
    with house.store.write() as unit:
        for number, event in enumerate(_events(house, known, now=now)):
            unit.inbox.add(event)
            if number < _STUCK:
                _fail_job_of(unit, event, now=now)
            else:
                _settle(unit, event, now=now)


def _events(house: House, known: Sequence[Invoice], *, now: datetime) -> Iterator[InboundEvent]:
    """Yield those whose job died, those that were done (one of them fetched by the gap check), and the odd ones."""
    for number, invoice in enumerate(known):
        at = now - timedelta(minutes=95 - 9 * number)
        is_fetched = number >= _STUCK + _DONE
        yield _event(house, number, "invoice.paid", at=at, customer=invoice.customer, object_id=invoice.id,
                     is_fetched=is_fetched)  # fmt: skip
    for number in range(_STRANGE):
        at = now - timedelta(minutes=60 - 13 * number)
        yield _event(house, 100 + number, "invoice.paid", at=at, customer=f"cus_old_shop_{number}",
                     object_id=f"in_old_{number}")  # fmt: skip
    for number in range(_IGNORED):
        yield _event(house, 200 + number, "customer.tax_id.created", at=now - timedelta(minutes=20 + number))


def _event(
    house: House,
    number: int,
    event_type: str,
    *,
    at: datetime,
    customer: str | None = None,
    object_id: str | None = None,
    is_fetched: bool = False,
) -> InboundEvent:
    body = {
        "id": f"evt_demo{number:05d}", "type": event_type, "created": int(at.timestamp()), "livemode": True,
        "data": {
            "object": {
                "object": "invoice", "id": object_id, "customer": customer,
                "customer_email": "billing@customer.example",
            }
        },
    }  # fmt: skip
    return InboundEvent(
        id=InboundId(house.ids.new("inb")),
        provider=PROVIDER,
        account=_ACCOUNT,
        is_live=True,
        event_id=f"evt_demo{number:05d}",
        event_type=event_type,
        object_id=object_id,
        customer=customer,
        made_at=at,
        received_at=at + timedelta(minutes=17 if is_fetched else 0, seconds=2),
        payload=json.dumps(body).encode(),
        state=InboundState.RECEIVED,
        is_fetched=is_fetched,
    )


def _settle(unit: ControlUnit, event: InboundEvent, *, now: datetime) -> None:
    tenant = None if event.customer is None else unit.inbox.tenant_of_customer(event.customer)
    if event.customer is None:
        state, because = InboundState.IGNORED, "no_handler"
    elif tenant is None:
        state, because = InboundState.QUARANTINED, "unknown_customer"
    else:
        state, because = InboundState.PROCESSED, None
    unit.inbox.settle(
        event, state, at=min(now, event.received_at + timedelta(seconds=1)), because=because, tenant=tenant
    )


def _fail_job_of(unit: ControlUnit, event: InboundEvent, *, now: datetime) -> None:
    """Queue the job of an event as the route would, and let it die of a provider that did not answer."""
    at = event.received_at
    draft = JobDraft(
        kind="inbound.process", key=f"inbound:{event.id}", payload={"event": event.id}, queue="inbound", most_attempts=1
    )
    job = unit.jobs.add(draft, at=at)
    held = None if job is None else unit.jobs.claim_one(job, worker="demo", now=now, until=now + timedelta(minutes=1))
    if held is not None:
        failed = fingerprint_of(held.kind, _SILENT)
        unit.jobs.fail(held, error=_SILENT, fingerprint=failed, run_at=None, at=at + timedelta(seconds=6))
