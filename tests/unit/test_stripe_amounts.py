"""Amounts, errors and odd documents of Stripe, one by one."""

from typing import Any

import pytest
import stripe

from console.adapters.stripe.amounts import FractionError, amount, minor
from console.adapters.stripe.calls import LazyCalls, placed
from console.adapters.stripe.client import outside_error
from console.adapters.stripe.mapping import canonical
from console.adapters.stripe.reading import MalformedError
from console.domain.billing.objects import Allocation, Customer, Invoice, ObjectKind, Price, Refund
from console.domain.errors import OutsideError


class Alone:
    """Has nothing beside a document."""

    is_live = True

    def price(self, _price: str) -> dict[str, Any] | None:
        return {"metadata": {"feature": "api_calls"}}

    def tax_rate(self, rate: str) -> dict[str, Any] | None:
        return {"percentage": float(rate), "jurisdiction": f"at {rate}"}

    def allocations(self, _payment: str) -> tuple[Allocation, ...]:
        return ()

    def payout_of(self, _transaction: str) -> str | None:
        return None


@pytest.mark.parametrize(
    ("currency", "said", "iso"),
    [("EUR", 1_234, 1_234), ("JPY", 500, 500), ("ISK", 500, 5), ("UGX", 100_000, 1_000), ("KWD", 5_120, 5_120),
     ("HUF", 1_050, 1_050), ("TWD", 800_045, 800_045), ("ISK", -500, -5)],
)  # fmt: skip
def test_it_knows_the_two_currencies_that_stripe_writes_otherwise(currency: str, said: int, iso: int) -> None:
    assert minor(said, currency) == iso
    assert amount(iso, currency) == said


def test_it_refuses_a_fraction_of_what_a_currency_has() -> None:
    with pytest.raises(FractionError):
        minor(501, "ISK")
    with pytest.raises(MalformedError, match="fraction"):
        canonical(ObjectKind.REFUND, {"id": "re_1", "payment_intent": "pi_1", "status": "succeeded", "currency": "isk",
                                      "amount": 501, "created": 1}, Alone())  # fmt: skip


@pytest.mark.parametrize(
    ("error", "is_permanent"),
    [
        (stripe.IdempotencyError("other parameters", http_status=400), True),
        (stripe.IdempotencyError("in use", http_status=409), False),
        (stripe.CardError("declined", "card", "card_declined", http_status=402), True),
        (stripe.InvalidRequestError("no such", "id", http_status=404), True),
        (stripe.AuthenticationError("no key", http_status=401), True),
        (stripe.PermissionError("not yours", http_status=403), True),
        (stripe.RateLimitError("slowly", http_status=429), False),
        (stripe.APIConnectionError("gone"), False),
        (stripe.APIError("oh", http_status=500), False),
        (stripe.APIError("garbled", http_status=200), False),
    ],
)
def test_it_tells_a_refusal_from_a_failure_that_may_pass(error: object, is_permanent: bool) -> None:
    ours = outside_error(error)
    assert ours.permanent is is_permanent
    assert ("refused" in str(ours)) is is_permanent


def test_it_says_what_to_install_when_the_library_is_missing() -> None:
    def missing() -> Any:  # noqa: ANN401  it never comes back
        raise ModuleNotFoundError("stripe")

    with pytest.raises(OutsideError, match=r"pip install sallyport\[stripe\]") as caught:
        LazyCalls(missing, version="v").found("/v1/customers")
    assert caught.value.permanent


def test_an_id_cannot_lead_to_another_address() -> None:
    assert placed("/v1/customers", "../refunds?x=1#y") == "/v1/customers/..%2Frefunds%3Fx%3D1%23y"


def test_a_three_monthly_price_says_so() -> None:
    document = {"id": "price_1", "currency": "eur", "unit_amount": 900, "active": True,
                "recurring": {"interval": "month", "interval_count": 3, "usage_type": "metered"}}  # fmt: skip
    price = canonical(ObjectKind.PRICE, document, Alone())
    assert isinstance(price, Price)
    assert (price.interval, price.is_metered, price.plan) == ("3_month", True, None)


@pytest.mark.parametrize(
    ("kind", "document", "why"),
    [
        (ObjectKind.PRICE, {"id": "price_1", "currency": "eur", "unit_amount": None}, "tiered"),
        (ObjectKind.PRICE, {"id": "price_1", "currency": "€", "unit_amount": 1}, "no currency"),
        (ObjectKind.CUSTOMER, {"id": "cus_1"}, "created is missing"),
        (ObjectKind.CUSTOMER, {"id": "cus_1", "created": "noon"}, "no whole number"),
        (ObjectKind.CUSTOMER, {"id": "cus_1", "created": -1}, "no moment"),
        (ObjectKind.CUSTOMER, {"created": 1}, "id is missing"),
        (ObjectKind.REFUND, {"id": "re_1", "currency": "eur"}, "payment_intent is missing"),
    ],
)
def test_it_says_what_a_document_lacks(kind: ObjectKind, document: dict[str, Any], why: str) -> None:
    with pytest.raises(MalformedError, match=why):
        canonical(kind, document, Alone())


def invoice(*lines: dict[str, Any], **fields: Any) -> Invoice:  # noqa: ANN401  a document's own
    document = {"id": "in_1", "customer": "cus_1", "status": "open", "currency": "eur", "total": 100, "amount_due": 100,
                "amount_paid": 0, "amount_remaining": 100, "created": 5, "lines": {"data": list(lines)}}  # fmt: skip
    found = canonical(ObjectKind.INVOICE, {**document, **fields}, Alone())
    assert isinstance(found, Invoice)
    return found


def line(**fields: Any) -> dict[str, Any]:  # noqa: ANN401  a document's own
    return {"id": "il_1", "amount": 100, "period": {"start": 1, "end": 2}, **fields}


def test_only_exclusive_tax_is_added() -> None:
    taxes = [{"amount": 19, "tax_behavior": "exclusive"}, {"amount": 7, "tax_behavior": "inclusive"}]
    assert invoice(total_taxes=taxes).tax_minor == 19


def test_several_rates_of_a_line_count_as_their_sum_and_a_broken_hundredth_as_none() -> None:
    def taxed(*rates: str) -> tuple[int, int | None, str | None]:
        taxes = [{"amount": 5, "tax_behavior": "exclusive", "tax_rate_details": {"tax_rate": each}} for each in rates]
        (one,) = invoice(line(taxes=taxes)).lines
        return one.tax_minor, one.tax_basis_points, one.jurisdiction

    assert taxed("4", "2.5") == (10, 650, "at 4 + at 2.5")
    assert taxed("8.875") == (5, None, "at 8.875")


def test_a_metered_line_knows_its_feature_by_its_price() -> None:
    (one,) = invoice(line(pricing={"price_details": {"price": "price_1"}, "unit_amount_decimal": "0.5"})).lines
    assert (one.price, one.feature, one.unit_minor) == ("price_1", "api_calls", None)


def test_credit_of_the_customer_is_what_the_balance_moved() -> None:
    assert invoice(starting_balance=-40, ending_balance=0).balance_applied_minor == 40
    assert invoice(starting_balance=-40, ending_balance=None).balance_applied_minor == 0


def test_it_is_issued_when_it_was_finalised() -> None:
    assert invoice().issued_at.timestamp() == 5
    assert invoice(status_transitions={"finalized_at": 9}).issued_at.timestamp() == 9


def test_what_does_not_say_its_mode_is_of_the_mode_of_the_key() -> None:
    document = {"id": "re_1", "payment_intent": {"id": "pi_1"}, "status": "pending", "currency": "eur", "amount": 5,
                "created": 1, "charge": {"customer": "cus_1"}}  # fmt: skip
    refund = canonical(ObjectKind.REFUND, document, Alone())
    assert isinstance(refund, Refund)
    assert (refund.is_live, refund.payment, refund.customer) == (True, "pi_1", "cus_1")
    customer = canonical(ObjectKind.CUSTOMER, {"id": "cus_1", "created": 1, "livemode": False}, Alone())
    assert isinstance(customer, Customer)
    assert not customer.is_live
