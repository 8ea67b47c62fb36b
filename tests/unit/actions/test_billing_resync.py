"""`billing.resync`: the mirror follows the provider, never the other way round."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from console.actions.billing.resync import ACTION, Params, apply, build, choices, preview
from console.domain.billing.canonical_form import Snapshot, digest, kind_of
from console.domain.billing.objects import OF_CUSTOMERS, BillingObject, ObjectKind
from console.domain.errors import OutsideError, UnreadableObjectError
from console.domain.reconciling.reading import resync_params
from console.domain.workspace import Invoice, Subscription
from console.ports.actions import Fault
from tests.billing import (
    A_LINE,
    A_PAYMENT,
    A_REFUND,
    A_SUBSCRIPTION,
    AN_INVOICE,
    ONE_OF_EACH,
    PAID,
    PaperMirror,
    PaperProvider,
    mirror_of,
    told,
)
from tests.unit.fakes import NOON, FakePlane, Unchanged, fault_of, shown, tools

BY_NUMBER = Params(invoice="INV-acme-1")
BY_ID = Params(kind="invoice", object="in_1")
OF_SUBSCRIPTION = Params(kind="subscription", object="sub_1")
OF_REFUND = Params(kind="refund", object="re_1")
OPEN = Invoice(
    number="INV-acme-1",
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
    provider_customer="cus_acme1",
    seats=10,
    amount_minor=9_900,
    currency="EUR",
    started_at=NOON,
    renews_at=NOON,
    mirrored_at=NOON,
)


@dataclass
class Unreadable(PaperProvider):
    """Answers with what nobody can read."""

    name: str = field(default="unreadable")

    def fetch(self, kind: ObjectKind, thing: str) -> Snapshot | None:
        raise UnreadableObjectError(kind=kind.value, id=thing, why="it names no customer")


def plane(mirror: PaperMirror | None = None) -> FakePlane:
    return FakePlane(bills=[OPEN], contract=CONTRACT, mirror=mirror or mirror_of(ONE_OF_EACH))


def provider(*things: object) -> PaperProvider:
    known = PaperProvider()
    known.knows(*things or ONE_OF_EACH)  # type: ignore[arg-type]  # objects of billing, all of them
    return known


@pytest.mark.parametrize("params", [BY_NUMBER, BY_ID])
def test_it_shows_every_field_that_differs_without_changing_anything(params: Params) -> None:
    there = plane()
    with Unchanged(there):
        seen = preview(params, tools(there, provider=provider(PAID)))
    assert seen.sentence == "Resync invoice INV-acme-1: open → paid"
    assert shown(seen) == {
        "Status": ("open", "paid"),
        "Paid": ("0.00 EUR", "99.00 EUR"),
        "Remaining": ("99.00 EUR", "0.00 EUR"),
        "Paid at": (None, "23 Oct 2026, 12:00 UTC"),
        "Mirrored": ("20 Nov 2026, 12:00 UTC", "now"),
    }
    assert "nothing is owed" in seen.customer
    assert (seen.facts, seen.target_type) == ({}, "invoice")


def test_it_binds_the_digests_of_both_sides() -> None:
    seen = preview(BY_ID, tools(plane(), provider=provider(PAID)))
    assert seen.fingerprint == {"object": "invoice:in_1", "mirror": digest(AN_INVOICE), "provider": digest(PAID)}
    other = preview(BY_ID, tools(plane(), provider=provider(AN_INVOICE)))
    assert other.fingerprint["provider"] == other.fingerprint["mirror"]


def test_it_shows_lines_items_amounts_and_periods_each_on_its_own() -> None:
    moved = replace(
        A_SUBSCRIPTION,
        status="past_due",
        items=(replace(A_SUBSCRIPTION.items[0], quantity=9),),
        period_until=NOON + timedelta(days=40),
        ends_at_period_end=True,
    )
    seen = preview(OF_SUBSCRIPTION, tools(plane(), provider=provider(moved)))
    assert shown(seen) == {
        "Status": ("active", "past_due"),
        "Item si_1": ("price price_pro, plan pro, quantity 4", "price price_pro, plan pro, quantity 9"),
        "Period until": ("30 Nov 2026, 12:00 UTC", "31 Dec 2026, 12:00 UTC"),
        "Ends at period end": ("no", "yes"),
        "Mirrored": ("20 Nov 2026, 12:00 UTC", "now"),
    }
    assert seen.customer.startswith("Access follows the subscription: pro, past_due; it goes on.")
    longer = replace(AN_INVOICE, lines=(A_LINE, replace(A_LINE, id="il_2", amount_minor=-100)))
    lines = shown(preview(BY_ID, tools(plane(), provider=provider(longer))))
    assert lines["Line il_2"][0] is None
    assert "amount -1.00 EUR" in str(lines["Line il_2"][1])


def test_it_shows_what_the_product_says_of_an_invoice_that_our_mirror_never_heard_of() -> None:
    seen = preview(BY_NUMBER, tools(plane(PaperMirror()), provider=provider(PAID)))
    assert seen.sentence == "Resync invoice INV-acme-1: open → paid"
    assert shown(seen)["Status"] == ("open", "paid")
    assert shown(seen)["Mirrored"] == ("21 Nov 2026, 09:00 UTC", "now")


@pytest.mark.parametrize("kind", OF_CUSTOMERS)
def test_it_takes_any_kind_of_object_of_the_tenant(kind: ObjectKind) -> None:
    (thing,) = (each for each in ONE_OF_EACH if told(each).kind is kind)
    there = plane(PaperMirror({(ObjectKind.PAYMENT, "pi_1"): told(A_PAYMENT, at=NOON - timedelta(days=1))}))
    params = build({"invoice": "", "kind": kind.value, "object": thing.id})
    known = provider()
    assert preview(params, tools(there, provider=known)).target_id == thing.id
    apply(params, tools(there, provider=known))
    assert there.mirror.get(kind, thing.id) == told(thing)


@pytest.mark.parametrize("thing", ONE_OF_EACH, ids=lambda thing: kind_of(thing).value)
def test_it_takes_what_a_finding_names(thing: BillingObject) -> None:
    known = {field.name for field in ACTION.fields}
    assert set(resync_params(thing)) <= known
    params = build({**dict.fromkeys(known, ""), **resync_params(thing)})
    assert (params.kind, params.object) == (kind_of(thing).value, thing.id)


def test_it_writes_the_snapshot_of_the_provider() -> None:
    there = plane()
    done = apply(BY_NUMBER, tools(there, provider=provider(PAID)))
    assert there.mirror.get(ObjectKind.INVOICE, "in_1") == told(PAID)
    assert done.sentence == "The mirror says paid for INV-acme-1 now."
    assert [change.field for change in done.changes] == ["Status", "Paid", "Remaining", "Paid at"]


def test_it_leaves_a_fresher_answer_alone() -> None:
    there = plane(mirror_of([PAID], at=NOON + timedelta(seconds=1)))
    with Unchanged(there):
        done = apply(BY_ID, tools(there, provider=provider(AN_INVOICE)))
    assert "fresher answer" in done.sentence
    assert done.changes == ()


@pytest.mark.parametrize("is_known", [True, False], ids=["deleted", "never there"])
def test_it_marks_what_the_provider_has_no_more(is_known: bool) -> None:
    there = plane()
    known = PaperProvider(known=[told(A_SUBSCRIPTION, is_deleted=True)] if is_known else [])
    seen = preview(OF_SUBSCRIPTION, tools(there, provider=known))
    after = "deleted at the provider" if is_known else "unknown to the provider"
    assert shown(seen)["At the provider"] == ("active", after)
    apply(OF_SUBSCRIPTION, tools(there, provider=known))
    kept = there.mirror.get(ObjectKind.SUBSCRIPTION, "sub_1")
    assert kept is not None
    assert kept.is_deleted


@pytest.mark.parametrize(
    ("params", "known", "words"),
    [
        (Params(kind="invoice", object="in_9"), provider(), ("object", "has no invoice of this id")),
        (Params(invoice="INV-none"), provider(), ("invoice", "does not know this invoice")),
        (BY_ID, provider(replace(AN_INVOICE, customer="cus_zeta1")), ("object", "customer that is not linked")),
        (BY_NUMBER, provider(replace(AN_INVOICE, customer="cus_zeta1")), ("object", "customer that is not linked")),
        (Params(kind="price", object="price_1"), provider(), ("kind", "belongs to a customer")),
        (BY_ID, Unreadable(), ("object", "cannot be read: it names no customer")),
    ],
    ids=["unknown", "unknown number", "another customer's", "another customer's by number", "a price", "unreadable"],
)
def test_it_names_what_is_no_object_of_this_tenant(
    params: Params, known: PaperProvider, words: tuple[str, str]
) -> None:
    there = plane()
    for function in (preview, apply):
        with Unchanged(there):
            field_named, remedy = fault_of(function, params, tools(there, provider=known))
        assert field_named == words[0]
        assert words[1] in remedy


def test_it_asks_for_a_link_where_the_tenant_has_no_customer() -> None:
    there = plane(replace(mirror_of(ONE_OF_EACH), linked=frozenset()))
    for params, named in ((BY_NUMBER, "invoice"), (BY_ID, "object")):
        assert fault_of(preview, params, tools(there, provider=provider()))[0] == named


def test_it_takes_a_refund_without_a_customer_only_through_a_payment_of_the_tenant() -> None:
    nobodys = replace(A_REFUND, customer=None)
    there = plane(mirror_of([A_PAYMENT]))
    apply(OF_REFUND, tools(there, provider=provider(nobodys)))
    assert there.mirror.get(ObjectKind.REFUND, "re_1") == told(nobodys)
    strange = plane(PaperMirror())
    assert "not linked" in fault_of(apply, OF_REFUND, tools(strange, provider=provider(nobodys)))[1]


@pytest.mark.parametrize("call", [preview, apply])
def test_it_lets_the_silence_of_the_provider_through(call: Callable[..., object]) -> None:
    there = plane()
    with Unchanged(there), pytest.raises(OutsideError):
        call(BY_NUMBER, tools(there, provider=PaperProvider(is_silent=True)))


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({}, "invoice"),
        ({"kind": "invoice"}, "invoice"),
        ({"object": "in_1"}, "kind"),
        ({"object": "in_1", "kind": "payout"}, "kind"),
        ({"object": "in_1", "kind": "invoice", "invoice": "INV-acme-1"}, "invoice"),
    ],
)
def test_it_wants_exactly_one_object_named(values: dict[str, str], wrong: str) -> None:
    with pytest.raises(Fault) as caught:
        build({"invoice": "", "kind": "", "object": "", **values})
    assert caught.value.field == wrong


def test_it_builds_its_parameters_and_offers_the_invoices_and_kinds() -> None:
    assert ACTION.build({"invoice": "INV-acme-1", "kind": "", "object": ""}) == BY_NUMBER
    offered = choices("invoice", tools(plane()))
    assert [(choice.value, choice.current) for choice in offered] == [("INV-acme-1", "mirror: open, provider: paid")]
    assert [choice.value for choice in choices("kind", tools(plane()))] == [kind.value for kind in OF_CUSTOMERS]
    assert choices("other", tools(plane())) == ()
