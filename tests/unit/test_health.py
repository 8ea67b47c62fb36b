"""The overview says what is wrong with a tenant, the worst first, and which action mends it."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from console.domain.ids import DeliveryId, EndpointId, MessageId
from console.domain.tenancy import TenantStatus
from console.domain.webhooks import Delivery, DeliveryState
from console.domain.workspace import Invoice
from console.usecases.health import Symptom, Weight, symptoms
from tests.unit.actions.test_billing_resync import CONTRACT, OPEN
from tests.unit.fakes import NOON, FakePlane

HEALTHY = FakePlane().account()
PAID = replace(OPEN, status="paid")
OVERDUE = replace(OPEN, provider_status="open")


def delivery(outcome: str, at: datetime = NOON) -> Delivery:
    return Delivery(
        id=DeliveryId("dlv_1"), message=MessageId("msg_1"), endpoint=EndpointId("ep_1"), event_type="a",
        state=DeliveryState.EXHAUSTED if outcome == "failed" else DeliveryState.DELIVERED, created_at=at, due_at=None,
        attempts=1,
    )  # fmt: skip


def found(*invoices: Invoice, deliveries: tuple[str, ...] = ()) -> list[Symptom]:
    told = [delivery(outcome) for outcome in deliveries]
    return list(symptoms(HEALTHY, CONTRACT, invoices, told, now=NOON))


def test_it_reassures_when_nothing_is_wrong() -> None:
    (only,) = found(PAID, deliveries=("ok", "ok", "ok", "failed"))
    assert (only.weight, only.title, only.action) == (Weight.OK, "Healthy", None)
    assert symptoms(HEALTHY, None, (), (), now=NOON)[0].weight is Weight.OK


def test_it_finds_a_payment_that_the_mirror_missed() -> None:
    (only,) = found(OPEN)
    assert (only.weight, only.action, only.params) == (Weight.STOP, "billing.resync", (("invoice", "INV-acme-1"),))
    assert (
        "INV-acme-1 is paid at the provider; our mirror still says open since 21 Nov 2026, 09:00 UTC" in only.sentence
    )


def test_it_counts_unpaid_invoices_past_their_day() -> None:
    later = replace(OVERDUE, number="INV-2", due_at=NOON + timedelta(days=1))
    more = [replace(OVERDUE, number=f"INV-{number}", status="past_due") for number in range(3, 7)]
    (only,) = found(OVERDUE, later, *more)
    assert (only.weight, only.title) == (Weight.WARN, "Overdue")
    assert only.sentence == "5 unpaid past their due day: INV-acme-1, INV-3, INV-4."


@pytest.mark.parametrize(("hours", "is_stale"), [(24, False), (25, True)])
def test_it_notices_a_silent_mirror(hours: int, is_stale: bool) -> None:
    silent = replace(CONTRACT, mirrored_at=NOON - timedelta(hours=hours))
    titles = [symptom.title for symptom in symptoms(HEALTHY, silent, (), (), now=NOON)]
    assert titles == (["Mirror stale"] if is_stale else ["Healthy"])


def test_it_notices_failing_webhooks_from_a_third_on() -> None:
    (only,) = found(deliveries=("failed", "ok", "ok"))
    assert only.sentence == "1 of the last 3 deliveries failed."


@pytest.mark.parametrize(("because", "words"), [("Unpaid since May.", "Unpaid since May."), (None, "no reason was")])
def test_it_puts_a_suspension_first(because: str | None, words: str) -> None:
    suspended = replace(HEALTHY, status=TenantStatus.SUSPENDED, suspended_because=because)
    told = symptoms(suspended, CONTRACT, (OPEN, OVERDUE), [delivery("failed")], now=NOON)
    assert [symptom.title for symptom in told] == ["Suspended", "Paid, but locked out", "Overdue", "Webhooks failing"]
    assert told[0].action == "tenant.resume"
    assert words in told[0].sentence
