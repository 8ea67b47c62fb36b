"""What every action on billing and entitlements says beforehand of the tenant's access, and of the books."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from console.domain.billing.objects import Price
from console.domain.changes import AccessEffect, Preview
from console.domain.effective_store import stored_set
from console.domain.entitlements import GrantSource
from console.domain.ids import ActionKey, ReasonCode, RunId
from console.domain.import_entitlements import EntitlementRecord, PlanRecord
from console.domain.reasons import Reason
from console.domain.recalculations import SweepState
from console.ports.actions import Reach
from console.usecases.outcomes import Previewed, Waiting
from console.usecases.prepare_action import preview_action
from console.usecases.propose_action import propose_action
from tests.billing import A_CUSTOMER, A_DISPUTE, A_REFUND, A_SUBSCRIPTION, DAY, NOON, PAID
from tests.conftest import NewDatabase
from tests.databases import ENGINES
from tests.integration.money_stage import MINE, OPEN, RECONCILE, SECOND, Till, opened_till, refund
from tests.integration.stage import CONTRACT, SEATS, registry, tenant
from tests.web.access_stage import sweep_in

NEW = replace(A_CUSTOMER, id="cus_new1", tenant=tenant("acme"))
PRO_SEATS, BASIC_SEATS = 40, 5
INCIDENT = Reason(code=ReasonCode("INCIDENT_RESPONSE"), reference="INC-2301")
SEATS_ROW = "Access: Seats"


@pytest.fixture(params=ENGINES)
def till(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Till]:
    """Yield a tenant that pays for two subscriptions; the newer one, of the smaller plan, decides its access."""
    with opened_till(request.param, tmp_path, pg_database) as opened:
        with opened.stage.storage.bulk.write() as bulk:
            for plan, seats in (("pro", PRO_SEATS), ("basic", BASIC_SEATS)):
                bulk.put([PlanRecord(key=plan, name=plan.title(), amount_minor=9_900, currency="EUR")])
                bulk.put([EntitlementRecord(plan=plan, feature="seats", value=seats)])
        small = replace(SECOND, items=(replace(SECOND.items[0], plan="basic"),))
        opened.pass_by(minutes=1)
        opened.knows(small, A_DISPUTE)
        opened.model.knows(NEW)
        yield opened


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody types, and what has to be there before."""

    raw: Mapping[str, str]
    before: Callable[[Till], Mapping[str, str]] = lambda _till: {}


def an_override(till: Till) -> Mapping[str, str]:
    """Let an override run that the requester does not own."""
    lead = till.stage
    lead.open("support_lead", "acme", CONTRACT)
    request = lead.filed("support_lead", "acme", 50)
    lead.approve("finance_lead", request)
    with till.opened() as plane:
        (override,) = (each for each in plane.grants() if each.source is GrantSource.OVERRIDE)
    return {"override": override.id}


def a_resync(till: Till) -> Mapping[str, str]:
    """Let a resync of everything wait for its turn."""
    house = till.stage.house
    answer = propose_action(
        house, till.stage.actor("engineer"), key=ActionKey("billing.resync_all"), tenant=None, raw={"since": ""},
        reason=INCIDENT, mark=None, form_id=till.stage.form(),
    )  # fmt: skip
    assert isinstance(answer, Waiting), answer
    till.stage.approve("finance_lead", answer.request)
    return {"resync": str(till.stage.now(answer.request.id).execution)}


def a_sweep(state: SweepState) -> Callable[[Till], Mapping[str, str]]:
    """Return what plans a recalculation of two tenants and brings it into a state."""

    def plan(till: Till) -> Mapping[str, RunId]:
        return {"run": sweep_in(till.stage.house, (tenant("acme"), tenant("zeta")), state=state)}

    return plan


def a_won_dispute(till: Till) -> Mapping[str, str]:
    """Let the dispute be over, so that something can be refunded."""
    till.knows(replace(A_DISPUTE, status="won"))
    return {}


def late(till: Till) -> Mapping[str, str]:
    """Let what decides access be past due, so that grace means something."""
    till.knows(replace(SECOND, status="canceled", ended_at=NOON), replace(A_SUBSCRIPTION, status="canceled"))
    return {}


ASKED: Mapping[str, Asked] = {
    "billing.resync": Asked({"kind": "subscription", "object": "sub_2", "invoice": ""}),
    "billing.resync_tenant": Asked({}),
    "billing.resync_all": Asked({"since": ""}),
    "billing.cancel_resync": Asked({}, a_resync),
    "billing.refund": Asked(refund("1.00"), a_won_dispute),
    "billing.issue_credit": Asked(
        {"invoice": "in_2", "amount": "1.00", "back": "", "currency": "EUR", "to": "refund", "why": "order_change"}
    ),
    "billing.apply_payment": Asked({"payment": "pi_2", "invoice": "in_2", "amount": "1.00", "currency": "EUR"}),
    "billing.cancel_duplicate": Asked({"keep": "sub_1", "cancel": "sub_2", "both_paid": "no"}),
    "billing.link_customer": Asked({"customer": NEW.id, "proof": "metadata"}),
    "billing.unlink_customer": Asked({"customer": MINE, "at_provider": "leave"}),
    "billing.note_dispute": Asked({"dispute": "dp_1"}),
    "entitlement.override": Asked({"feature": "seats", "value": "50", "until": "2027-03-01"}),
    "entitlement.end_override": Asked({}, an_override),
    "entitlement.assign_owner": Asked({}, an_override),
    "entitlement.recalculate": Asked({}),
    "entitlement.grant_grace": Asked({"cause": "payment_overdue", "until": "2026-12-05"}, late),
    "entitlement.end_coverage": Asked({"refund": "re_unknown"}),
    "entitlement.plan_recalculation": Asked({"plan": "", "rate_per_s": ""}),
    "entitlement.run_recalculation": Asked({}, a_sweep(SweepState.PLANNED)),
    "entitlement.pause_recalculation": Asked({}, a_sweep(SweepState.RUNNING)),
    "entitlement.resume_recalculation": Asked({}, a_sweep(SweepState.PAUSED)),
    "entitlement.cancel_recalculation": Asked({}, a_sweep(SweepState.PAUSED)),
}
ABOUT_ACCESS = sorted(key for key in registry() if key.startswith(("billing.", "entitlement.")))


def previewed(till: Till, key: str, raw: Mapping[str, str]) -> Preview:
    """Return the preview that finance sees."""
    is_tenants = registry()[ActionKey(key)].reach is Reach.TENANT
    answer = preview_action(
        till.stage.house, till.stage.actor("finance"), key=ActionKey(key), raw=raw, reason=RECONCILE,
        tenant=tenant("acme") if is_tenants else None,
    )  # fmt: skip
    assert isinstance(answer, Previewed), answer
    return answer.preview


def seen(till: Till, key: str, raw: Mapping[str, str] | None = None) -> AccessEffect:
    """Return what a preview says of access."""
    access = previewed(till, key, ASKED[key].raw if raw is None else raw).access
    assert access is not None
    return access


def rows(preview: Preview) -> dict[str, tuple[str | None, str | None]]:
    return {each.field: (each.before, each.after) for each in preview.every_change}


@pytest.mark.parametrize("key", ABOUT_ACCESS)
def test_it_says_what_it_does_to_access(key: str, till: Till) -> None:
    asked = ASKED[key]
    access = previewed(till, key, {**asked.raw, **asked.before(till)}).access
    assert access is not None, "an action on billing or entitlements says what it does to access"
    has_rows = access.sentence.startswith("Access changes ")
    is_none = access.sentence.startswith("No access changes.")
    is_many = access.sentence.startswith(("Nobody can say beforehand", "Access changes as each tenant's turn comes"))
    assert has_rows or is_none or is_many, access.sentence
    assert bool(access.changes) == (has_rows and not is_many)
    assert all(row.before != row.after for row in access.changes)


def test_a_refund_shows_its_effect_on_the_books(till: Till) -> None:
    till.knows(replace(A_DISPUTE, status="needs_response", amount_minor=2_000), replace(A_REFUND, amount_minor=900))
    preview = previewed(till, "billing.refund", refund("10.00"))
    assert list(rows(preview).items())[:4] == [
        ("Captured of this payment", ("99.00 EUR", "99.00 EUR")),
        ("Refunded of this payment", ("9.00 EUR", "19.00 EUR")),
        ("Disputed", ("20.00 EUR", "20.00 EUR")),
        ("Refunds on their way", ("0.00 EUR", "0.00 EUR")),
    ]
    assert rows(preview)["Can still be refunded"] == ("70.00 EUR", "60.00 EUR")


def test_the_end_of_a_duplicate_shows_the_plan_that_decides_afterwards(till: Till) -> None:
    access = seen(till, "billing.cancel_duplicate")
    assert access.sentence.startswith("Access changes once the provider has answered: 1 feature.")
    (row,) = access.changes
    assert (row.field, row.before, row.after) == ("Seats", "5 seats", "40 seats · Pro")
    to_keep = {"keep": "sub_2", "cancel": "sub_1", "both_paid": "no"}
    assert seen(till, "billing.cancel_duplicate", to_keep).sentence.startswith("No access changes.")


def test_what_was_shown_of_a_duplicate_is_what_comes_of_it(till: Till) -> None:
    shown = seen(till, "billing.cancel_duplicate").changes[0]
    till.agreed(ActionKey("billing.cancel_duplicate"), ASKED["billing.cancel_duplicate"].raw)
    till.run()
    with till.opened() as plane:
        stored = plane.effective_set()
    assert stored is not None
    assert (stored.rows[0].value, shown.after) == (PRO_SEATS, "40 seats · Pro")


def test_a_payment_in_full_shows_what_comes_back_with_it(till: Till) -> None:
    till.knows(replace(SECOND, status="canceled", ended_at=NOON), replace(A_SUBSCRIPTION, status="unpaid"))
    owed = replace(OPEN, subscription="sub_1", total_minor=5_000, due_minor=5_000, remaining_minor=5_000)
    till.knows(owed)
    in_full = {"payment": "pi_2", "invoice": "in_2", "amount": "50.00", "currency": "EUR"}
    access = seen(till, "billing.apply_payment", in_full)
    assert [(row.field, row.after) for row in access.changes] == [("Seats", "40 seats · Pro")]
    in_part = {**in_full, "amount": "49.00"}
    assert seen(till, "billing.apply_payment", in_part).sentence.startswith("No access changes. 1.00 EUR stays")
    till.knows(replace(owed, id="in_3", number="INV-acme-3"))
    assert seen(till, "billing.apply_payment", in_full).changes == (), "another invoice is still owed"


def test_a_credit_that_settles_an_invoice_shows_what_comes_back_with_it(till: Till) -> None:
    till.knows(replace(SECOND, status="canceled", ended_at=NOON), replace(A_SUBSCRIPTION, status="unpaid"))
    till.knows(replace(OPEN, subscription="sub_1"))
    whole = {
        "invoice": "in_2", "amount": "99.00", "back": "", "currency": "EUR", "to": "balance", "why": "order_change"
    }  # fmt: skip
    assert [row.after for row in seen(till, "billing.issue_credit", whole).changes] == ["40 seats · Pro"]
    assert seen(till, "billing.issue_credit", {**whole, "amount": "98.00"}).changes == ()


def test_an_unlinked_customer_takes_its_plan_with_it(till: Till) -> None:
    preview = previewed(till, "billing.unlink_customer", ASKED["billing.unlink_customer"].raw)
    assert rows(preview)[SEATS_ROW] == ("5 seats", f"{SEATS} seats · Business")
    assert "at once" in (preview.access.sentence if preview.access else "")


def test_a_link_shows_what_its_subscriptions_give_once_they_are_mirrored(till: Till) -> None:
    newest = replace(A_SUBSCRIPTION, id="sub_9", customer=NEW.id, started_at=NOON - DAY)
    till.model.knows(newest)
    access = seen(till, "billing.link_customer")
    assert access.sentence == "Access changes once its subscriptions are resynced: 1 feature."
    assert [(row.before, row.after) for row in access.changes] == [("5 seats", "40 seats · Pro")]


def test_a_resync_of_a_subscription_shows_what_access_follows(till: Till) -> None:
    till.pass_by(minutes=1)
    till.model.knows(replace(SECOND, status="canceled", ended_at=NOON))
    one, whole = seen(till, "billing.resync"), seen(till, "billing.resync_tenant")
    assert [(row.before, row.after) for row in one.changes] == [("5 seats", "40 seats · Pro")]
    assert whole.changes == one.changes
    assert whole.sentence == "Access changes once it has run: 1 feature."
    of_an_invoice = {"kind": "invoice", "object": "in_1", "invoice": ""}
    assert seen(till, "billing.resync", of_an_invoice).sentence == "No access changes."


def test_it_says_what_the_product_reads_wrong_and_is_put_right_by_it(till: Till) -> None:
    with till.opened() as plane:
        plane.recalculate(cause="test", at=till.clock.now())
        stored = plane.effective_set()
        assert stored is not None
        wrong = stored_set(replace(plane.inputs(), grants=()), version=stored.version + 1, source_version=1, now=NOON)
        assert plane.store_effective_set(wrong, cause="test", expected=stored.version)
    sentence = seen(till, "billing.resync", {"kind": "invoice", "object": "in_1", "invoice": ""}).sentence
    assert sentence.startswith("No access changes. What the product reads is out of date and is brought up to date")
    assert "Seats: 0 seats (denied) → 5 seats" in sentence


def test_a_request_goes_stale_when_what_it_does_to_access_is_no_longer_what_was_shown(till: Till) -> None:
    request = till.ask(ActionKey("billing.cancel_duplicate"), ASKED["billing.cancel_duplicate"].raw)
    with till.stage.storage.bulk.write() as bulk:
        bulk.put([EntitlementRecord(plan="pro", feature="seats", value=41)])
    till.stage.approve("finance_lead", request)
    assert till.stage.now(request.id).state.value == "stale"
    assert till.stage.now(request.id).preview.access == request.preview.access


def test_the_price_of_a_plan_says_nothing_of_access(till: Till) -> None:
    till.model.knows(
        Price(
            id="price_pro", plan="pro", feature=None, currency="EUR", unit_minor=9_900, interval="month",
            is_metered=False, is_active=True, is_live=True,
        )
    )  # fmt: skip
    till.knows(PAID)
    assert seen(till, "billing.note_dispute").sentence.startswith("No access changes. Nothing is taken away")
