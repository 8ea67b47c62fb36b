"""The fourth journey: a month ends; what disagrees is repaired, or waived by two people, and the month is closed.

Left alone, a run repairs by itself what is safe, and leaves no safe button to press. The first run therefore goes by
the rules of a company that leaves every repair to people; the second goes by the demo's own.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Arrive
from tests.browser.gallery_money import reconcile, reload_until, waive
from tests.browser.looking import violations
from tests.browser.navigator import Navigator
from tests.browser.stage import Stage

pytestmark = pytest.mark.browser

REASON = "INV-2026-004711"
SAFE = "Invoice missing here"
LET_STAND = "Payment without invoice"


@contextmanager
def leaving_repairs_to_people(stage: Stage) -> Iterator[None]:
    """Let no run repair anything by itself: every finding counts as one that came back too often."""
    book = stage.building.house.book
    rules = book.reconciliation
    object.__setattr__(book, "reconciliation", replace(rules, heal_most_returns=0))
    yield
    object.__setattr__(book, "reconciliation", rules)


def open_the_tenant(who: Navigator) -> None:
    """Give the reason for which the tenant of the finding is opened, where the console asks for it."""
    who.enter(who.main.get_by_role("link", name=re.compile("^Open ")).first)
    who.arrive(re.compile("^Open "))
    who.choose("Billing reconciliation")
    who.fill("Reference", REASON)
    who.press("Enter")
    expect(who.page.locator(".tenantbar")).to_be_visible()


def open_finding(who: Navigator, title: str) -> None:
    """Go from the queue to a finding, through its tenant's lease, and on from the tenant's billing."""
    who.go("c", "Reconciliation")
    who.enter(who.main.get_by_role("link", name=title))
    who.arrive("Findings")
    who.press("j", "Enter")
    expect(who.heading).not_to_have_text("Findings")
    open_the_tenant(who)
    who.enter(who.page.get_by_role("link", name="Billing", exact=True))
    who.arrive("Billing")
    who.enter(who.main.get_by_role("link", name=title))
    who.arrive(title)


def agrees(lead: Navigator, heading: re.Pattern[str]) -> None:
    """Open what waits longest for this person, and approve it."""
    lead.go("q", "Requests")
    lead.press("j", "Enter")
    lead.arrive(heading)
    lead.enter(lead.main.get_by_role("button", name="Approve"))
    expect(lead.main.locator('.stateline__node[data-status="done"]', has_text="Executed")).to_be_visible()


def let_one_stand(finance: Navigator, lead: Navigator) -> None:
    """Waive for a month what no button mends; it needs the finance lead, like everything that moves money."""
    open_finding(finance, LET_STAND)
    there = finance.page.url
    finance.open(f"/reconciliation/findings/{there.rpartition('/')[2]}")  # where a step leads back to
    expect(finance.page).to_have_url(there)
    expect(finance.main.locator(".sides__side")).to_have_count(2)
    waive(finance)
    finance.press("Enter")
    finance.arrive(re.compile("^Let it stand until"))
    agrees(lead, re.compile("^Let it stand until"))


def repair_what_is_safe(finance: Navigator) -> None:
    """Press the one safe button of a finding; nobody else has to agree."""
    open_finding(finance, SAFE)
    assert violations(finance.page) == []
    finance.enter(finance.main.locator(".button--primary"))
    finance.arrive("Resync with the billing provider")
    expect(finance.main.locator(".diff__after").first).to_be_visible()
    finance.enter(finance.main.get_by_role("button", name="Resync"))
    expect(finance.main.locator('.stateline__node[data-status="done"]', has_text="Executed")).to_be_visible()


def repaired_by_itself(finance: Navigator) -> int:
    """Return how many findings the newest run repaired by itself, as its page says."""
    finance.go("c", "Reconciliation")
    finance.enter(finance.main.get_by_role("row", name=re.compile("All tenants.*Done")).first.get_by_role("link"))
    finance.arrive("Run over all tenants")
    return int(finance.main.locator('[data-live-value="healed"]').inner_text())


def test_it_ends_a_month_with_two_people(arrive: Arrive, stage: Stage) -> None:
    finance, lead = arrive("finance"), arrive("finance_lead")
    with leaving_repairs_to_people(stage):
        reconcile(finance)
    expect(finance.main.get_by_role("row", name=re.compile(f"{LET_STAND}.*35.09 EUR"))).to_be_visible()
    expect(finance.main.get_by_role("row", name=re.compile(f"{SAFE}.*Safe repair"))).to_be_visible()
    assert repaired_by_itself(finance) == 0
    repair_what_is_safe(finance)
    let_one_stand(finance, lead)

    reconcile(finance)
    for decided in (SAFE, "Finance, two people", "Safe repair"):
        expect(finance.main.get_by_text(decided)).to_have_count(0)
    assert repaired_by_itself(finance) > 0

    prepare_and_ask(finance)
    agrees(lead, re.compile("^Close "))
    lead.enter(lead.main.get_by_role("link", name="Open what it is about"))
    expect(lead.main.get_by_text("Closed", exact=True)).to_be_visible()
    expect(lead.main.locator(".checks__line--done")).to_have_count(6)
    assert violations(lead.page) == []
    takes_sealed_file(lead, "invoices.csv")


def prepare_and_ask(finance: Navigator) -> None:
    """Prepare the last month and ask for its close."""
    finance.go("c", "Reconciliation")
    finance.enter(finance.main.get_by_role("link", name="Periods"))
    finance.arrive("Accounting periods")
    finance.press("j", "Enter")
    expect(finance.main.get_by_role("heading", name="Until it is closed")).to_be_visible()
    address, month = finance.page.url, finance.page.url.rpartition("/")[2]
    finance.enter(finance.main.get_by_role("link", name="Prepare close"))
    finance.arrive("Prepare a period's close")
    finance.fill("Reference", f"CLOSE-{month}")
    finance.press("Enter")
    expect(finance.main.get_by_role("heading", name="Until it is closed")).to_be_visible()
    reload_until(finance, address, finance.main.get_by_role("link", name="Close period").is_visible)
    finance.enter(finance.main.get_by_role("link", name="Close period"))
    finance.arrive("Close a period")
    finance.fill("Reference", f"CLOSE-{month}")
    finance.press("Enter")
    finance.arrive(f"Close {month}")
    expect(finance.main.get_by_role("button", name="Approve")).to_be_disabled()  # who prepared it can't agree to it


def takes_sealed_file(who: Navigator, name: str) -> None:
    """Take a file of the closed month, and demand that it is the one that was sealed."""
    row = who.main.get_by_role("row", name=re.compile(f"^{re.escape(name)}"))
    sealed = row.locator("[data-copy]").get_attribute("data-copy")
    with who.page.expect_download() as taken:
        who.enter(row.get_by_role("link", name=name))
    content = taken.value.path().read_bytes()
    assert hashlib.sha256(content).hexdigest() == sealed
    assert content.count(b"\n") > 1
