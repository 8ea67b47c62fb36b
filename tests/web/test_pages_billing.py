"""The billing page of an opened tenant: how far the provider has come with collecting what is owed."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from console.domain.billing.objects import Allocation, BillingObject
from console.domain.ids import SHARED_PLANE
from console.domain.tenancy import ScopeBasis, TenantScope
from console.usecases.scopes import NO_REASON, SYSTEM
from tests.billing import A_CREDIT_NOTE, A_PAYMENT, AN_INVOICE, DAY, NOON, PAID, told
from tests.web.cast import Cast
from tests.web.money_stage import bank
from tests.web.walks import opened
from tests.web.world import TENANTS

PAID_BUT_LOCKED_OUT = {"reason_code": "BILLING_RECONCILIATION", "reason_reference": "INV-2026-004711"}
PAGE = "/t/nordwind/billing"


def owing(cast: Cast, attempts: int, *, again: bool) -> None:
    """Let the mirror hold an invoice that was tried so often."""
    bank(cast, "nordwind")
    mine = replace(AN_INVOICE, id="in_nordwind2", customer="cus_nordwind", subscription="sub_nordwind2")
    mirrored(cast, replace(mine, attempts=attempts, next_attempt_at=cast.clock.now() + 3 * DAY if again else None))


def mirrored(cast: Cast, *things: BillingObject) -> None:
    """Let the mirror hold these as well."""
    now = cast.clock.now()
    scope = TenantScope(
        tenant=TENANTS["nordwind"], plane=SHARED_PLANE, staff=SYSTEM, basis=ScopeBasis.JOB, reason=NO_REASON,
        not_after=now + timedelta(minutes=5),
    )  # fmt: skip
    with cast.house.store.write() as unit:
        for thing in things:
            unit.tenant(scope).mirror.put(told(thing, at=now + timedelta(seconds=1)))


def years_of_billing(cast: Cast) -> None:
    """Let the mirror hold more of everything than a page shows; ids are as long as a provider's."""
    bank(cast, "nordwind")
    for number in range(30):
        made = NOON - number * DAY
        paid = replace(PAID, id=f"in_1NordwindLogistik{number:04}", number=f"INV-2026-{number:06}", issued_at=made)
        payment = replace(
            A_PAYMENT, id=f"pi_3NordwindLogistik{number:04}", created_at=made, paid_at=made,
            allocations=(Allocation(invoice=paid.id, amount_minor=1),),
        )  # fmt: skip
        note = replace(A_CREDIT_NOTE, id=f"cn_3NordwindLogistik{number:04}", invoice=paid.id)
        mirrored(cast, *(replace(each, customer="cus_nordwind") for each in (paid, payment, note)))


@pytest.mark.parametrize(
    ("again", "sentence", "state"),
    [(True, "tried 2 times, again on", "Tried again"), (False, "tried 2 times, never", "Given up")],
)
def test_it_says_how_far_collecting_has_come(cast: Cast, again: bool, sentence: str, state: str) -> None:
    owing(cast, 2, again=again)
    page = opened(cast).get(PAGE)
    assert page.status_code == 200
    assert "Collecting what is owed" in page.text
    assert sentence in page.text
    assert state in page.text


def test_it_leads_from_each_payment_and_invoice_to_what_may_be_done_about_it(cast: Cast) -> None:
    bank(cast, "nordwind")
    finance = cast.sign_in("finance")
    assert finance.post("/tenants/nordwind/lease", PAID_BUT_LOCKED_OUT).status_code == 303
    text = finance.get(PAGE).text
    refund = "/t/nordwind/actions/billing.refund?payment=pi_nordwind1&amp;currency=EUR"
    assert refund in text
    assert "billing.issue_credit?invoice=in_nordwind1&amp;currency=EUR" in text
    assert "Copy pi_nordwind1" in text
    page = finance.get(refund.replace("&amp;", "&"))
    assert 'value="pi_nordwind1"' in page.text
    assert 'value="EUR"' in page.text


def test_it_offers_no_refund_to_somebody_who_may_not_ask_for_one(cast: Cast) -> None:
    bank(cast, "nordwind")
    text = opened(cast).get(PAGE).text
    assert "billing.resync?kind=invoice&amp;object=in_nordwind2" in text
    assert "billing.refund" not in text


def test_it_names_the_invoice_of_a_payment_by_its_number(cast: Cast) -> None:
    bank(cast, "nordwind")
    mirrored(cast, replace(PAID, id="in_nordwind1", number="INV-2026-000001", customer="cus_nordwind"))
    assert "pays INV-2026-000001" in opened(cast).get(PAGE).text


def turned(cast: Cast, table: str, by: str) -> list[str]:
    """Return the rows of a table on all pages of a tenant with years of billing, each page of which is light."""
    years_of_billing(cast)
    finance = cast.sign_in("finance")
    assert finance.post("/tenants/nordwind/lease", PAID_BUT_LOCKED_OUT).status_code == 303
    seen, path = list[str](), f"{PAGE}?before=in_1NordwindLogistik0003&payments=pi_3NordwindLogistik0003"
    assert finance.get(path).status_code == 200
    path = PAGE
    while path:
        text = finance.get(path).text
        assert len(text.encode()) < 60_000
        rows = text.partition(f"{table}, newest first")[2].partition("</table>")[0]
        seen += rows.split("<tr>")[2:]
        after = re.search(rf'href="(/t/nordwind/billing\?{by}=[^"]+)"', text)
        path = after[1] if after else ""
    return seen


def test_it_stays_light_and_turns_the_invoices_page_by_page(cast: Cast) -> None:
    seen = [each for row in turned(cast, "Invoices", "before") for each in re.findall(r'data-copy="(INV[^"]+)"', row)]
    assert [each for each in seen if each.startswith("INV-2026-")] == [f"INV-2026-{number:06}" for number in range(30)]


def test_it_turns_the_payments_page_by_page_and_leads_from_each_to_its_refund(cast: Cast) -> None:
    rows = [row for row in turned(cast, "Payments", "payments") if "pi_3Nordwind" in row]
    assert len(rows) == 30
    for number, row in enumerate(rows):
        payment = f"pi_3NordwindLogistik{number:04}"
        assert f'data-copy="{payment}"' in row
        assert f"pays INV-2026-{number:06}" in row
        assert f"/t/nordwind/actions/billing.refund?payment={payment}&amp;currency=EUR" in row


def test_whoever_turns_one_list_stays_where_they_were_in_the_other(cast: Cast) -> None:
    years_of_billing(cast)
    finance = cast.sign_in("finance")
    assert finance.post("/tenants/nordwind/lease", PAID_BUT_LOCKED_OUT).status_code == 303
    text = finance.get(f"{PAGE}?before=in_1NordwindLogistik0003&payments=pi_3NordwindLogistik0005").text
    links = re.findall(r'rel="next" href="([^"]+)"', text)
    assert len(links) == 2
    assert "payments=pi_3NordwindLogistik0005" in links[0]
    assert "before=in_1NordwindLogistik0003" in links[1]
    assert "pi_3NordwindLogistik0006" in text


def test_it_says_nothing_of_collecting_where_nothing_was_tried_in_vain(cast: Cast) -> None:
    bank(cast, "nordwind")
    assert "Collecting what is owed" not in opened(cast).get(PAGE).text
