"""The actions on money: what each shows, how far each may go, and what it refuses to guess."""

from dataclasses import replace

import pytest

from console.domain.billing.objects import BillingObject, ObjectKind, Payment
from console.domain.billing.writes import WriteState
from console.domain.decisions import DenyCode
from console.domain.requests import State
from tests.billing import A_CREDIT_NOTE, A_DISPUTE, A_REFUND, A_SUBSCRIPTION, DAY, PAID
from tests.databases import NOON
from tests.integration.money_stage import APPLY, CREDIT, MINE, OPEN, PAYMENT, RECONCILE, REFUND, Till, refund
from tests.integration.till_works import application, credit, refused, shown, till, warned

__all__ = ["till"]

# --- refunds


def test_a_refund_shows_before_and_after_and_what_it_means(till: Till) -> None:
    request = till.ask(REFUND, refund("40.00"))
    assert shown(request)["Refunded of this payment"] == ("0.00 EUR", "40.00 EUR")
    assert shown(request)["Can still be refunded"] == ("99.00 EUR", "59.00 EUR")
    assert "40.00 EUR leaves cash" in warned(request)
    assert "takes nothing away" in warned(request)
    assert request.preview.facts == {"amount_units": 40, "earlier_units": 0}
    assert request.preview.fingerprint["left_minor"] == 9_900
    assert [need.name for need in request.needs] == ["finance_lead"]


def test_a_refund_warns_where_the_whole_period_goes_back_and_access_stays(till: Till) -> None:
    line = replace(PAID.lines[0], period_from=NOON - 21 * DAY, period_until=NOON + 9 * DAY)
    till.knows(replace(PAID, lines=(line,)))
    assert "Access is kept until 30 Nov 2026" in warned(till.ask(REFUND, refund("99.00")))
    assert "takes nothing away" in warned(till.ask(REFUND, refund("98.99")))


def test_a_refund_for_an_ended_subscription_keeps_no_access(till: Till) -> None:
    line = replace(PAID.lines[0], period_from=NOON - 21 * DAY, period_until=NOON + 9 * DAY)
    till.knows(replace(PAID, lines=(line,)), replace(A_SUBSCRIPTION, status="canceled", ended_at=NOON - DAY))
    assert "takes nothing away" in warned(till.ask(REFUND, refund("99.00")))


@pytest.mark.parametrize(
    ("things", "left"),
    [
        ([], "99.00"),
        ([A_REFUND], "90.00"),
        ([replace(A_REFUND, status="failed")], "99.00"),
        ([replace(A_REFUND, status="pending")], "90.00"),
        ([replace(PAYMENT, refunded_minor=1_000), A_REFUND], "89.00"),
        ([replace(A_DISPUTE, amount_minor=5_000)], "49.00"),
        ([replace(A_DISPUTE, amount_minor=5_000, status="won")], "99.00"),
        ([replace(A_DISPUTE, amount_minor=5_000, status="lost")], "49.00"),
        ([replace(A_DISPUTE, amount_minor=5_000, status="some_new_word")], "49.00"),
        ([A_REFUND, A_DISPUTE], "0.00"),
        ([replace(PAYMENT, captured_minor=2_000)], "20.00"),
    ],
)
def test_a_refund_goes_no_further_than_what_is_left(till: Till, things: list[BillingObject], left: str) -> None:
    till.knows(*things)
    field, remedy = refused(till, REFUND, refund("99.01"))
    assert (field, f"At most {left} EUR can be refunded" in remedy) == ("amount", True), remedy


def test_two_requests_cannot_share_what_is_left(till: Till) -> None:
    first, second = till.ask(REFUND, refund("60.00")), till.ask(REFUND, refund("60.00"))
    till.stage.approve("finance_lead", first)
    till.stage.approve("finance_lead", second)
    assert till.stage.now(first.id).state is State.EXECUTED
    assert till.stage.now(second.id).state is State.STALE
    till.run()
    assert till.model.acted() == 1


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (refund("40.00", currency="USD"), "currency"),
        (refund("0"), "amount"),
        (refund("40.001"), "amount"),
        (refund("-5"), "amount"),
        (refund("4e2"), "amount"),
        (refund("40.5", currency="JPY"), "amount"),
        (refund("40.00", payment="pi_none"), "payment"),
        (refund("40.00", payment="in_1"), "payment"),
        ({**refund(), "why": "because"}, "why"),
        ({**refund(), "reason": "x"}, "reason"),
    ],
)
def test_a_refund_refuses_what_does_not_fit(till: Till, raw: dict[str, str], field: str) -> None:
    assert refused(till, REFUND, raw)[0] == field


def test_no_money_moves_for_a_customer_that_is_nobodys_or_everybodys(till: Till) -> None:
    till.knows(replace(PAYMENT, id="pi_9", customer=None), replace(PAYMENT, id="pi_8", customer="cus_other1"))
    assert "not linked" in refused(till, REFUND, refund(payment="pi_9"))[1]
    assert "not linked" in refused(till, REFUND, refund(payment="pi_8"))[1]
    with till.opened("zeta") as plane:
        plane.customers.link(MINE, by="Robin", because="metadata", at=till.clock.now())
    assert "Two tenants claim" in refused(till, REFUND, refund())[1]


def test_a_large_refund_needs_both_leads_and_a_larger_one_is_nobodys(till: Till) -> None:
    till.knows(replace(PAYMENT, captured_minor=9_000_000, amount_minor=9_000_000))
    assert [need.name for need in till.ask(REFUND, refund("1,000.01")).needs] == ["finance_lead", "support_lead"]
    answer = till.stage.ask("finance", "acme", REFUND, refund("50000.01"), reason=RECONCILE)
    assert getattr(answer, "code", None) is DenyCode.CEILING_EXCEEDED


# --- credit notes


def test_a_credit_shows_what_was_paid_before_and_what_was_not(till: Till) -> None:
    till.knows(replace(PAID, status="open", paid_minor=6_000, remaining_minor=3_900))
    request = till.ask(CREDIT, credit("50.00", to="balance", back="11.00"))
    assert shown(request)["Still to be paid"] == ("39.00 EUR", "0.00 EUR")
    assert shown(request)["Credit for the next invoices"] == (None, "11.00 EUR")
    assert "39.00 EUR was not paid yet, 11.00 EUR was paid before" in warned(request)
    assert "waits as credit" in warned(request)


def test_a_credit_outside_the_provider_says_that_somebody_must_pay(till: Till) -> None:
    assert "somebody must pay 10.00 EUR back" in warned(till.ask(CREDIT, credit(to="out_of_band")))


def test_a_credit_goes_no_further_than_the_invoice_and_what_can_go_back(till: Till) -> None:
    till.knows(A_CREDIT_NOTE)
    assert "At most 90.00 EUR can be credited" in refused(till, CREDIT, credit("90.01"))[1]
    till.knows(replace(A_CREDIT_NOTE, status="void"))
    till.ask(CREDIT, credit("99.00"))
    till.knows(replace(A_DISPUTE, amount_minor=9_000))
    assert "only 9.00 EUR can still go back" in refused(till, CREDIT, credit("9.01"))[1]
    till.ask(CREDIT, credit("99.00", to="balance"))


def test_a_credit_is_refused_for_an_invoice_that_is_void_or_of_another_currency(till: Till) -> None:
    assert refused(till, CREDIT, credit(currency="USD"))[0] == "currency"
    till.knows(replace(PAID, status="void"))
    assert refused(till, CREDIT, credit())[0] == "invoice"


def test_a_credit_is_carried_out_and_ties_out(till: Till) -> None:
    request = till.agreed(CREDIT, credit("10.00"))
    till.run()
    note = till.mirrored(ObjectKind.CREDIT_NOTE, str(till.write(request).result_id))
    assert note == till.model.things(ObjectKind.CREDIT_NOTE)[0]
    assert till.mirrored(ObjectKind.PAYMENT, "pi_1") == till.model.thing(ObjectKind.PAYMENT, "pi_1")


def test_a_credit_gives_back_exactly_what_its_preview_says(till: Till) -> None:
    till.knows(replace(PAID, status="open", paid_minor=6_000, remaining_minor=3_900))
    for back in ("", "10.99", "11.01", "50.00"):
        assert refused(till, CREDIT, credit("50.00", back=back)) == (
            "back",
            "Of this credit 11.00 EUR was paid already: give exactly that amount here.",
        )
    assert refused(till, CREDIT, credit("50.00", back="0.001"))[0] == "back"
    assert shown(till.ask(CREDIT, credit("50.00", back="11.00")))["Back to where it was paid from"][1] == "11.00 EUR"


def test_a_mirror_that_knows_less_than_the_provider_lets_no_money_go_back(till: Till) -> None:
    till.knows(replace(PAID, status="open", paid_minor=0, remaining_minor=9_900))
    request = till.agreed(CREDIT, credit("90.00", back=""))
    assert shown(request)["Back to where it was paid from"] == (None, "0.00 EUR")
    till.model.knows(PAID)
    till.run()
    assert till.write(request).state is WriteState.REFUSED
    payment = till.model.thing(ObjectKind.PAYMENT, "pi_1")
    assert isinstance(payment, Payment)
    assert (payment.refunded_minor, till.model.things(ObjectKind.CREDIT_NOTE)) == (0, [])


# --- applying payments


def test_a_payment_pays_no_more_than_is_free_and_owed(till: Till) -> None:
    request = till.ask(APPLY, application())
    assert shown(request)["Not applied of this payment"] == ("50.00 EUR", "0.00 EUR")
    assert shown(request)["Still to be paid"] == ("99.00 EUR", "49.00 EUR")
    assert "49.00 EUR stays to be paid" in warned(request)
    assert "At most 50.00 EUR can be applied" in refused(till, APPLY, application("50.01"))[1]
    till.knows(replace(OPEN, total_minor=3_000, due_minor=3_000, remaining_minor=3_000))
    assert "At most 30.00 EUR can be paid on this invoice" in refused(till, APPLY, application("30.01"))[1]
    assert "in full" in warned(till.ask(APPLY, application("30.00")))


def test_a_payment_never_crosses_customers_currencies_or_states(till: Till) -> None:
    with till.opened() as plane:
        plane.customers.link("cus_acme2", by="Robin", because="metadata", at=till.clock.now())
    till.knows(replace(OPEN, id="in_3", customer="cus_acme2"), replace(OPEN, id="in_4", currency="USD"))
    assert "two customers" in refused(till, APPLY, application(invoice="in_3"))[1]
    assert refused(till, APPLY, application(invoice="in_4"))[0] == "currency"
    assert "is paid" in refused(till, APPLY, application(invoice="in_1"))[1]
    assert "At most 0.00 EUR can be applied" in refused(till, APPLY, application(payment="pi_1"))[1]


def test_a_payment_that_is_on_its_way_to_an_invoice_is_not_free(till: Till) -> None:
    till.agreed(APPLY, application("20.00"))
    assert "At most 30.00 EUR can be applied" in refused(till, APPLY, application("30.01"))[1]
    assert till.ask(APPLY, application("30.00")).preview.fingerprint["owed_minor"] == 7_900
    till.agreed(CREDIT, credit("79.00", to="balance", invoice="in_2", back=""))
    assert "At most 0.00 EUR can be paid" in refused(till, APPLY, application("1.00"))[1]
