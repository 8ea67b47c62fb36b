"""Duplicate subscriptions, links of customers with tenants, and disputes: previews, refusals, what is undone."""

from dataclasses import replace

from console.domain.billing.objects import Allocation, ObjectKind
from console.domain.ids import TenantId
from console.domain.requests import State
from tests.billing import A_CUSTOMER, A_DISPUTE
from tests.integration.money_stage import (
    CANCEL,
    DISPUTE,
    FREE,
    LINK,
    MINE,
    OPEN,
    PAYMENT,
    REFUND,
    SECOND,
    UNLINK,
    Till,
    refund,
)
from tests.integration.stage import CONTRACT, tenant
from tests.integration.till_works import NEW, PRO, duplicate, either, refused, shown, till, warned

__all__ = ["either", "till"]

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
