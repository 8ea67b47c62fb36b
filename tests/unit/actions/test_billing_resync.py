"""`billing.resync`: the mirror follows the provider, never the other way round."""

from datetime import timedelta

import pytest

from console.actions.billing.resync import ACTION, Params, apply, choices, preview
from console.domain.errors import OutsideError
from console.domain.workspace import Invoice, Subscription
from console.ports.billing import ProviderInvoice
from tests.unit.fakes import NOON, FakeBilling, FakePlane, Unchanged, fault_of, shown, tools

THE = Params(invoice="INV-1")
OPEN = Invoice(
    number="INV-1",
    status="open",
    provider_status="paid",
    amount_minor=9_900,
    currency="EUR",
    issued_at=NOON - timedelta(days=20),
    due_at=NOON - timedelta(days=5),
    paid_at=None,
    mirrored_at=NOON - timedelta(hours=3),
)
CONTRACT = Subscription(
    plan_key="team",
    plan_name="Team",
    status="active",
    provider_customer="cus_acme",
    seats=10,
    amount_minor=9_900,
    currency="EUR",
    renews_at=NOON,
    mirrored_at=NOON,
)
PAID = ProviderInvoice(number="INV-1", status="paid", amount_minor=9_900, currency="EUR", paid_at=NOON)
PROVIDER = FakeBilling({("cus_acme", "INV-1"): PAID})


def plane() -> FakePlane:
    return FakePlane(bills=[OPEN], contract=CONTRACT)


def test_it_shows_mirror_and_provider_without_changing_anything() -> None:
    there = plane()
    with Unchanged(there):
        seen = preview(THE, tools(there, billing=PROVIDER))
    assert shown(seen) == {"Status in the mirror": ("open", "paid"), "Mirrored": ("2026-11-21 09:00 UTC", "now")}
    assert seen.fingerprint == {"invoice": "INV-1", "mirror": "open", "provider": "paid"}
    assert (seen.facts, seen.target_type, seen.target_id) == ({}, "invoice", "INV-1")


def test_it_writes_the_answer_of_the_provider() -> None:
    there = plane()
    done = apply(THE, tools(there, billing=PROVIDER))
    (bill,) = there.bills
    assert (bill.status, bill.paid_at, bill.mirrored_at) == ("paid", NOON, NOON)
    assert done.sentence == "The mirror says paid for INV-1 now."


@pytest.mark.parametrize(
    ("there", "billing", "words"),
    [
        (FakePlane(contract=CONTRACT), PROVIDER, "invoice of this tenant"),
        (FakePlane(bills=[OPEN]), PROVIDER, "invoice of this tenant"),
        (plane(), FakeBilling(), "does not know this invoice"),
    ],
    ids=["no invoice", "no subscription", "unknown to the provider"],
)
def test_it_names_the_invoice_as_wrong(there: FakePlane, billing: FakeBilling, words: str) -> None:
    with Unchanged(there):
        for function in (preview, apply):
            field, remedy = fault_of(function, THE, tools(there, billing=billing))
            assert field == "invoice"
            assert words in remedy


def test_it_lets_the_silence_of_the_provider_through() -> None:
    class Silent(FakeBilling):
        def invoice(self, *, customer: str, number: str) -> ProviderInvoice | None:
            raise OutsideError(permanent=False)

    there = plane()
    with Unchanged(there), pytest.raises(OutsideError):
        apply(THE, tools(there, billing=Silent()))


def test_it_builds_its_parameters_and_offers_the_invoices() -> None:
    assert ACTION.build({"invoice": "INV-1"}) == THE
    offered = choices("invoice", tools(plane()))
    assert [(choice.value, choice.current) for choice in offered] == [("INV-1", "mirror: open, provider: paid")]
    assert choices("other", tools(plane())) == ()
