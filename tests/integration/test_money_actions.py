"""The actions on money: what each shows, how far each may go, and what it refuses to guess."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from console.domain.billing.objects import Allocation, BillingObject, ObjectKind, Payment, Price
from console.domain.billing.writes import WriteState
from console.domain.decisions import DenyCode
from console.domain.ids import ActionKey, TenantId
from console.domain.reasons import Reason
from console.domain.requests import Request, State
from console.usecases.outcomes import BadFields
from tests.billing import A_CREDIT_NOTE, A_CUSTOMER, A_DISPUTE, A_REFUND, A_SUBSCRIPTION, DAY, PAID
from tests.conftest import NewDatabase
from tests.databases import ENGINES, NOON
from tests.integration.money_stage import (
    APPLY,
    CANCEL,
    CREDIT,
    DISPUTE,
    FREE,
    LINK,
    MINE,
    OPEN,
    PAYMENT,
    RECONCILE,
    REFUND,
    SECOND,
    UNLINK,
    Till,
    opened_till,
    refund,
)
from tests.integration.stage import CONTRACT, tenant

NEW = replace(A_CUSTOMER, id="cus_new1", name="Acme Two", email="billing@acme.example")
PRO = Price(
    id="price_pro", plan="pro", feature=None, currency="EUR", unit_minor=9_900, interval="month", is_metered=False,
    is_active=True, is_live=True,
)  # fmt: skip


@pytest.fixture
def till(tmp_path: Path) -> Iterator[Till]:
    with opened_till("sqlite", tmp_path, str) as opened:
        yield opened


@pytest.fixture(params=ENGINES)
def either(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Till]:
    with opened_till(request.param, tmp_path, pg_database) as opened:
        yield opened


def credit(
    amount: str = "10.00",
    to: str = "refund",
    invoice: str = "in_1",
    currency: str = "EUR",
    *,
    back: str | None = None,
) -> dict[str, str]:
    """Return what somebody types to credit an invoice, of which everything was paid unless `back` says otherwise."""
    back = amount if back is None else back
    return {
        "invoice": invoice, "amount": amount, "back": back, "currency": currency, "to": to, "why": "order_change"
    }  # fmt: skip


def application(
    amount: str = "50.00", payment: str = "pi_2", invoice: str = "in_2", currency: str = "EUR"
) -> dict[str, str]:
    return {"payment": payment, "invoice": invoice, "amount": amount, "currency": currency}


def duplicate(keep: str = "sub_1", cancel: str = "sub_2", both_paid: str = "no") -> dict[str, str]:
    return {"keep": keep, "cancel": cancel, "both_paid": both_paid}


def refused(till: Till, key: ActionKey, raw: dict[str, str], *, reason: Reason = RECONCILE) -> tuple[str, str]:
    """Return field and remedy of what is wrong."""
    answer = till.stage.ask("finance", "acme", key, raw, reason=reason)
    assert isinstance(answer, BadFields), answer
    return answer.faults[0].field, answer.faults[0].remedy


def shown(request: Request) -> dict[str, tuple[str | None, str | None]]:
    return {each.field: (each.before, each.after) for each in request.preview.every_change}


def warned(request: Request) -> str:
    """Return what is said beside the changes."""
    access = request.preview.access
    assert access is not None
    return " ".join([access.sentence, *request.preview.warnings])


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


# --- duplicates


def test_of_two_subscriptions_one_stays(till: Till) -> None:
    request = till.agreed(CANCEL, duplicate())
    assert "will follow sub_1 (pro x 4" in warned(request)
    assert "99.00 EUR of it is still open" in warned(request)
    assert request.preview.facts == {"both_paid": False}
    assert "being ended already" in refused(till, CANCEL, duplicate())[1]
    till.run()
    assert till.mirrored(ObjectKind.SUBSCRIPTION, "sub_2") == till.model.thing(ObjectKind.SUBSCRIPTION, "sub_2")
    assert "is canceled" in refused(till, CANCEL, duplicate())[1]
    assert is_up_to_date(till)


def test_two_that_were_both_paid_need_a_word_and_two_teams(till: Till) -> None:
    till.knows(replace(OPEN, status="paid", paid_minor=9_900, remaining_minor=0))
    assert refused(till, CANCEL, duplicate())[0] == "both_paid"
    request = till.ask(CANCEL, duplicate(keep="sub_2", cancel="sub_1", both_paid="yes"))
    assert request.preview.facts == {"both_paid": True}
    assert [need.name for need in request.needs] == ["finance_lead", "support_lead"]
    assert "as today" in warned(request)
    assert "99.00 EUR was paid under it" in warned(request)


def test_duplicates_of_two_customers_are_told_apart(till: Till) -> None:
    with till.opened() as plane:
        plane.customers.link("cus_acme2", by="Robin", because="metadata", at=till.clock.now())
    till.knows(replace(SECOND, customer="cus_acme2", items=()))
    request = till.ask(CANCEL, duplicate())
    assert "two customers of the provider" in warned(request)
    assert "no plan of ours" in warned(till.ask(CANCEL, duplicate(keep="sub_2", cancel="sub_1")))


def test_one_subscription_is_no_duplicate_of_itself(till: Till) -> None:
    assert refused(till, CANCEL, duplicate(cancel="sub_1"))[0] == "cancel"
    assert refused(till, CANCEL, duplicate(both_paid="perhaps"))[0] == "both_paid"


# --- links


def link(proof: str = "metadata", customer: str = NEW.id) -> dict[str, str]:
    return {"customer": customer, "proof": proof}


def unlink(at_provider: str = "clear", customer: str = NEW.id) -> dict[str, str]:
    return {"customer": customer, "at_provider": at_provider}


def is_up_to_date(till: Till) -> bool:
    """Return whether what the product reads was computed after the last change of what decides it."""
    with till.opened() as plane:
        stored = plane.effective_set()
        return stored is not None and stored.source_version == plane.account().entitlement_version


def version_of(till: Till) -> int:
    with till.opened() as plane:
        return plane.account().entitlement_version


def found_by(till: Till, customer: str) -> TenantId | None:
    with till.stage.storage.store.read() as unit:
        return unit.inbox.tenant_of_customer(customer)


def test_a_link_is_made_named_found_and_undone(either: Till) -> None:
    till, acme = either, tenant("acme")
    till.model.knows(replace(NEW, tenant=acme))
    before = version_of(till)
    request = till.agreed(LINK, link())
    assert version_of(till) == before + 1
    assert is_up_to_date(till)
    assert "Acme Two (b•••@a•••.example); this tenant is Acme GmbH" in warned(request)
    assert f"This tenant is {MINE} already" in warned(request)
    till.run()
    assert found_by(till, NEW.id) == acme
    assert till.model.thing(ObjectKind.CUSTOMER, NEW.id) == till.mirrored(ObjectKind.CUSTOMER, NEW.id)
    assert "already" in refused(till, LINK, link())[1]
    till.agreed(UNLINK, unlink())
    assert version_of(till) == before + 2
    assert is_up_to_date(till)
    till.run()
    assert found_by(till, NEW.id) is None
    assert till.model.thing(ObjectKind.CUSTOMER, NEW.id) == replace(NEW, tenant=None)
    with till.opened() as plane:
        assert [each.customer for each in plane.customers.links()] == [MINE]


def test_a_link_is_never_made_by_likeness(till: Till) -> None:
    till.model.knows(NEW)
    for proof in ("metadata", "product", "invoice", "document"):
        assert refused(till, LINK, link(proof))[0] == "proof"
    assert refused(till, LINK, link("name"))[0] == "proof"
    assert "no such customer" in refused(till, LINK, link(customer="cus_none"))[1]


def test_a_link_is_proven_by_the_product_an_invoice_or_a_document(till: Till) -> None:
    till.model.knows(replace(NEW, id="cus_acme", email=None), NEW)
    assert refused(till, LINK, link("product", "cus_acme"))[0] == "proof"  # the mirror decides, not the product
    with till.opened() as plane:
        for known in ("sub_1", "sub_2"):
            plane.mirror.mark_deleted(ObjectKind.SUBSCRIPTION, known, at=till.clock.now())
    assert "no address" in warned(till.ask(LINK, link("product", "cus_acme")))
    note = replace(CONTRACT, note=f"Signed for {NEW.id} on 3 May.")
    request = till.ask(LINK, link("document"), reason=note)
    assert request.preview.facts == {"is_documented_only": True}
    assert [need.name for need in request.needs] == ["finance_lead", "support_lead"]
    till.model.knows(replace(OPEN, id="in_9", customer=NEW.id, number=None), replace(OPEN, id="in_8", customer=NEW.id))
    request = till.ask(LINK, link("invoice"))
    assert shown(request)["Because"][1] == "An invoice of the customer bears a number of this tenant"


def test_a_customer_of_another_tenant_is_a_conflict(till: Till) -> None:
    till.model.knows(replace(NEW, tenant=tenant("zeta")))
    assert "mapping conflict" in refused(till, LINK, link("document"))[1]
    till.model.knows(replace(NEW, tenant=tenant("acme")))
    with till.opened("zeta") as plane:
        plane.customers.link(NEW.id, by="Robin", because="metadata", at=till.clock.now())
    assert "mapping conflict" in refused(till, LINK, link())[1]


def test_a_conflict_is_undone_without_taking_the_others_name_away(till: Till) -> None:
    till.model.knows(replace(A_CUSTOMER, tenant=tenant("zeta")))
    with till.opened("zeta") as plane:
        plane.customers.link(MINE, by="Robin", because="metadata", at=till.clock.now())
    assert refused(till, UNLINK, unlink("clear", MINE))[0] == "at_provider"
    request = till.agreed(UNLINK, unlink("leave", MINE))
    assert "Another tenant claims this customer too" in warned(request)
    till.run()
    assert till.model.calls == []
    with till.opened() as plane:
        assert plane.customers.links() == ()


def test_nothing_is_unlinked_that_is_not_linked_or_while_money_moves(till: Till) -> None:
    assert refused(till, UNLINK, unlink(customer="cus_none"))[0] == "customer"
    till.agreed(REFUND, refund())
    assert "on its way" in refused(till, UNLINK, unlink("leave", MINE))[1]


# --- disputes


def dispute(till: Till, status: str) -> None:
    till.pass_by(minutes=1)
    till.knows(replace(A_DISPUTE, status=status))


def test_a_dispute_is_held_reversed_once_and_restored(till: Till) -> None:
    till.model.knows(PRO)
    till.knows(replace(SECOND, items=(replace(SECOND.items[0], plan="starter"),)))
    dispute(till, "needs_response")
    request = till.agreed(DISPUTE, {"dispute": "dp_1"})
    assert shown(request)["On our side"] == (None, "held, nothing taken back")
    assert shown(request)["Plan that the payment bought"] == (None, "pro")
    assert "has starter today; what counts is pro" in warned(request)
    assert "noted already" in refused(till, DISPUTE, {"dispute": "dp_1"})[1]
    dispute(till, "lost")
    till.agreed(DISPUTE, {"dispute": "dp_1"})
    assert "noted already" in refused(till, DISPUTE, {"dispute": "dp_1"})[1]
    with till.opened() as plane:
        hold = plane.holds()[0]
    assert (hold.outcome, hold.reversals, hold.plan_at_purchase, hold.plan_used) == ("lost", 1, "pro", "pro")
    dispute(till, "won")
    till.agreed(DISPUTE, {"dispute": "dp_1"})
    with till.opened() as plane:
        assert (plane.holds()[0].outcome, plane.holds()[0].reversals) == ("won", 0)


def test_a_dispute_that_nobody_understands_is_not_guessed(till: Till) -> None:
    dispute(till, "some_new_word")
    assert "some_new_word" in refused(till, DISPUTE, {"dispute": "dp_1"})[1]


def test_a_dispute_of_a_payment_that_bought_no_plan_says_so(till: Till) -> None:
    till.knows(
        replace(A_DISPUTE, payment="pi_2"), replace(FREE, allocations=(Allocation(invoice="in_7", amount_minor=1),))
    )
    assert "Nobody can tell which plan" in warned(till.ask(DISPUTE, {"dispute": "dp_1"}))


def test_a_request_grows_stale_when_the_mirror_moves(till: Till) -> None:
    request = till.ask(REFUND, refund())
    till.pass_by(minutes=1)
    till.knows(replace(PAYMENT, refunded_minor=100))
    till.stage.approve("finance_lead", request)
    assert till.stage.now(request.id).state is State.STALE
