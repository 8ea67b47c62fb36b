"""What happened to a tenant lately: dated rows in one order, nothing of the future, what is wrong marked."""

from dataclasses import replace
from datetime import timedelta

from console.domain.ids import EndpointId
from console.domain.tenancy import TenantStatus
from console.domain.webhooks import Endpoint, EndpointState
from console.domain.workspace import Account, Invoice, Subscription
from console.usecases.latest_changes import latest_changes
from tests.unit.fakes import NOON, TENANT

DAY = timedelta(days=1)
ACCOUNT = Account(
    tenant=TENANT, name="Acme", status=TenantStatus.ACTIVE, suspended_because=None, country="DE",
    created_at=NOON - 400 * DAY, version=1, entitlement_version=1,
)  # fmt: skip
SUBSCRIPTION = Subscription(
    plan_key="team", plan_name="Team", status="active", provider_customer="cus_1", seats=3, amount_minor=4_900,
    currency="EUR", started_at=NOON - 90 * DAY, renews_at=NOON + DAY, mirrored_at=NOON,
)  # fmt: skip
INVOICE = Invoice(
    number="A-1", status="paid", provider_status="paid", amount_minor=4_900, currency="EUR", issued_at=NOON - 30 * DAY,
    due_at=NOON - 16 * DAY, paid_at=NOON - 20 * DAY, mirrored_at=NOON,
)  # fmt: skip
ENDPOINT = Endpoint(
    id=EndpointId("whe_1"), url="https://hooks.acme.example/", description="", event_types=(),
    state=EndpointState.ACTIVE, because=None, rate_per_s=5, created_at=NOON - 60 * DAY, version=1,
)  # fmt: skip


def titles(
    *, subscription: Subscription | None = None, invoices: tuple[Invoice, ...] = (),
    endpoints: tuple[Endpoint, ...] = (), most: int = 8,
) -> list[str]:  # fmt: skip
    found = latest_changes(ACCOUNT, subscription, invoices, endpoints, now=NOON, most=most)
    return [f"{'! ' if change.is_trouble else ''}{change.title}" for change in found]


def test_it_joins_account_subscription_invoices_and_endpoints_newest_first() -> None:
    assert titles(subscription=SUBSCRIPTION, invoices=(INVOICE,), endpoints=(ENDPOINT,)) == [
        "Invoice A-1 paid",
        "Invoice A-1 issued",
        "Webhook endpoint added",
        "Subscription to Team began",
        "Became a customer",
    ]


def test_it_says_what_a_subscription_costs_and_what_an_invoice_is_over() -> None:
    found = latest_changes(ACCOUNT, SUBSCRIPTION, (INVOICE,), (), now=NOON, most=8)
    assert [change.text for change in found] == ["49.00 EUR", "49.00 EUR", "3 seats for 49.00 EUR", ""]


def test_it_marks_an_invoice_that_fell_due_unpaid_on_both_sides() -> None:
    owed = replace(INVOICE, status="past_due", provider_status="open", paid_at=None)
    assert titles(invoices=(owed,))[0] == "! Invoice A-1 fell due unpaid"
    assert "! Invoice A-1 fell due unpaid" not in titles(invoices=(replace(owed, provider_status="paid"),))


def test_it_tells_nothing_of_the_future() -> None:
    owed = replace(INVOICE, status="open", provider_status="open", paid_at=None, due_at=NOON + DAY)
    later = replace(SUBSCRIPTION, started_at=NOON + DAY)
    assert titles(subscription=later, invoices=(owed,)) == ["Invoice A-1 issued", "Became a customer"]


def test_it_marks_an_endpoint_that_fails_and_one_that_was_disabled() -> None:
    failing = replace(ENDPOINT, failing_since=NOON - 2 * DAY)
    disabled = replace(
        failing, state=EndpointState.DISABLED, disabled_at=NOON - DAY, because="five days without an answer"
    )
    assert titles(endpoints=(disabled,))[:2] == ["! Webhook endpoint disabled", "! Webhook endpoint began to fail"]
    (newest, *_rest) = latest_changes(ACCOUNT, None, (), (disabled,), now=NOON, most=8)
    assert newest.text == "https://hooks.acme.example/: five days without an answer"


def test_it_keeps_to_what_fits() -> None:
    invoices = tuple(replace(INVOICE, number=f"A-{n}", issued_at=NOON - n * DAY) for n in range(20))
    assert len(titles(invoices=invoices, most=8)) == 8
