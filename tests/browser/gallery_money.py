"""The pages of finance in a walk: reconciliation, findings, billing, accounting periods and the access desk."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

from playwright.sync_api import Browser, expect

from console.domain.ids import RequestId
from console.domain.periods import Agreement, PeriodEvent, PeriodId, PeriodState, Signer, period_id
from console.domain.reconciling.findings import ReconciliationId
from console.usecases.run_reconciliation import new_run
from tests.browser.navigator import Navigator
from tests.browser.shown import Shown, leave
from tests.browser.stage import Stage

_LET_STAND = "Payment without invoice"
_INVOICE = "INV-2026-004711"
_A_WHILE_MS = 300
_A_MONTH = timedelta(days=30)


def reconciling(browser: Browser, stage: Stage) -> Iterator[Shown]:
    """Show a run from its asking to what was decided about a finding."""
    finance, lead = Navigator.begin(browser, stage), Navigator.begin(browser, stage)
    finance.sign_in("finance")
    lead.sign_in("finance_lead")
    yield from _nothing_yet(finance)
    yield from _queue(finance)
    yield from _of_the_account(finance)
    yield from _of_a_tenant(finance, lead)
    yield from _goes_on(finance)
    for each in (finance, lead):
        leave(each)


def closing(browser: Browser, stage: Stage) -> Iterator[Shown]:
    """Show a month that is prepared, and the access desk with a recalculation that was planned."""
    finance, lead = Navigator.begin(browser, stage), Navigator.begin(browser, stage)
    finance.sign_in("finance")
    lead.sign_in("finance_lead")
    yield from _month(finance)
    yield from _desk(lead)
    for each in (finance, lead):
        leave(each)


def reconcile(finance: Navigator) -> None:
    """Ask for a run over all tenants, and stay on the overview until it is over."""
    finance.open("/reconciliation")
    rows = finance.main.get_by_role("row", name=re.compile("All tenants.*Done"))
    before = rows.count()
    finance.enter(finance.main.get_by_role("link", name="Reconcile", exact=True).first)
    finance.arrive("Reconcile all tenants")
    finance.fill("Reference", _INVOICE)
    finance.press("Enter")
    finance.arrive("Reconciliation")
    reload_until(finance, "/reconciliation", lambda: rows.count() > before)


def reload_until(who: Navigator, path: str, is_there: Callable[[], bool]) -> None:
    """Open a page again and again until it shows something; what goes on elsewhere takes its seconds."""
    for _ in range(100):
        who.open(path)
        if is_there():
            return
        who.page.wait_for_timeout(_A_WHILE_MS)
    message = f"{path} does not come to show what was waited for"
    raise AssertionError(message)


def _nothing_yet(finance: Navigator) -> Iterator[Shown]:
    yield "home-finance-empty", finance.page
    finance.open("/reconciliation")
    yield "reconciliation-none", finance.page
    finance.open("/reconciliation/findings")
    yield "findings-none", finance.page
    finance.open("/actions/reconciliation.start")
    yield "action-reconcile", finance.page
    reconcile(finance)
    yield "reconciliation", finance.page
    finance.main.get_by_role("row", name=re.compile("All tenants")).get_by_role("link").click()
    finance.arrive("Run over all tenants")
    yield "reconciliation-run", finance.page


def _queue(finance: Navigator) -> Iterator[Shown]:
    for name, query in (
        ("findings", ""), ("findings-filtered", "?state=open&kind=dispute_won"), ("findings-no-match", "?state=waived"),
        ("findings-errors", "?state=odd&age=x"),
    ):  # fmt: skip
        finance.open(f"/reconciliation/findings{query}")
        yield name, finance.page
    finance.open("/")
    yield "home-finance", finance.page


def _of_the_account(finance: Navigator) -> Iterator[Shown]:
    finance.open("/reconciliation/findings")
    finance.main.get_by_role("link", name="Unknown events").click()
    finance.arrive("Unknown events")
    yield "finding-of-the-account", finance.page
    finance.main.get_by_role("link", name="Take").click()
    finance.arrive("Take a finding")
    yield "action-take-finding", finance.page
    finance.main.get_by_label("Reference").fill(_INVOICE)
    finance.press("Enter")
    finance.arrive("Unknown events")
    yield "finding-taken", finance.page


def _of_a_tenant(finance: Navigator, lead: Navigator) -> Iterator[Shown]:
    """Show the billing of the tenant whose payment has no invoice, and what is decided about it."""
    finance.open("/reconciliation/findings")
    finance.main.get_by_role("link", name=_LET_STAND).click()
    finance.main.get_by_role("link", name=re.compile("^Open ")).first.click()
    finance.arrive(re.compile("^Open "))
    finance.choose("Billing reconciliation")
    finance.fill("Reference", _INVOICE)
    finance.press("Enter")
    slug = finance.page.locator(".tenantbar__slug").inner_text()
    for name, path in (
        ("tenant-billing", "billing"), ("action-refund", "actions/billing.refund"),
        ("action-issue-credit", "actions/billing.issue_credit"),
        ("action-link-customer", "actions/billing.link_customer"), ("tenant-findings", "findings"),
    ):  # fmt: skip
        finance.open(f"/t/{slug}/{path}")
        yield name, finance.page
    finance.main.get_by_role("link", name=_LET_STAND).click()
    finance.arrive(_LET_STAND)
    yield "finding-of-a-tenant", finance.page
    yield from _waived(finance, lead, finance.page.url)


def _waived(finance: Navigator, lead: Navigator, address: str) -> Iterator[Shown]:
    waive(finance)
    yield "action-waive-finding", finance.page
    finance.press("Enter")
    finance.arrive(re.compile("^Let it stand until"))
    request = finance.page.url
    lead.page.goto(request)
    yield "request-waiver-to-approve", lead.page
    lead.main.get_by_role("button", name="Approve").click()
    expect(lead.main.get_by_role("button", name="Approve")).to_have_count(0)
    finance.page.goto(address)
    yield "finding-waived", finance.page


def waive(finance: Navigator) -> None:
    """Begin to waive the finding that stands in the browser, as far as the preview, the caret in the reference."""
    finance.enter(finance.main.get_by_role("link", name="Waive"))
    finance.arrive("Waive a finding")
    finance.fill_day("Until", (finance.stage.clock.now() + _A_MONTH).strftime("%Y-%m-%d"))
    finance.fill("Explanation", "The customer was asked; the answer is due within the month.")
    finance.enter(finance.main.get_by_role("button", name="Preview", exact=True))
    expect(finance.main.locator(".diff__after").first).to_be_visible()
    finance.fill("Reference", _INVOICE)


def _goes_on(finance: Navigator) -> Iterator[Shown]:
    """Show a run that goes on: one that waits, and that no job will ever carry."""
    house = finance.stage.building.house
    run = new_run(house, ReconciliationId("rcn_shown"), tenant=None, by=None, request=None)
    with house.store.write() as unit:
        assert unit.runs.add(run)
    finance.open("/reconciliation")
    yield "reconciliation-goes-on", finance.page
    finance.main.get_by_role("link", name="Follow it").click()
    finance.arrive("Run over all tenants")
    yield "reconciliation-run-goes-on", finance.page


def _month(finance: Navigator) -> Iterator[Shown]:
    finance.open("/reconciliation/periods")
    yield "periods", finance.page
    finance.main.get_by_role("row").nth(1).get_by_role("link").click()
    expect(finance.main.get_by_role("heading", name="Until it is closed")).to_be_visible()
    yield "period-not-prepared", finance.page
    address, month = finance.page.url, finance.page.url.rpartition("/")[2]
    finance.main.get_by_role("link", name="Prepare close").click()
    finance.arrive("Prepare a period's close")
    yield "action-prepare-period", finance.page
    finance.main.get_by_label("Reference").fill(f"CLOSE-{month}")
    finance.press("Enter")
    expect(finance.main.get_by_role("heading", name="Until it is closed")).to_be_visible()
    reload_until(finance, address, finance.main.get_by_role("link", name="Close period").is_visible)
    yield "period-prepared", finance.page
    finance.main.get_by_role("link", name="Close period").click()
    finance.arrive("Close a period")
    yield "action-close-too-early", finance.page
    finance.open("/reconciliation/periods")
    yield "periods-one-prepared", finance.page
    _close(finance.stage, period_id(month))
    finance.page.goto(address)
    yield "period-closed", finance.page


def _close(stage: Stage, month: PeriodId) -> None:
    """Close a prepared month past its checklist and the person who agrees: the other findings are another walk."""
    house = stage.building.house
    now = house.clock.now()
    with house.store.write() as unit:
        prepared = unit.periods.get(month)
        finance, lead = (unit.staff.by_email(stage.people[who].email) for who in ("finance", "finance_lead"))
        assert finance is not None
        assert lead is not None
        agreed = Agreement(
            event=PeriodEvent.CLOSE, at=now, request=RequestId("req_gallery"),
            asked_by=Signer(staff=finance.id, name=finance.name),
            agreed_by=(Signer(staff=lead.id, name=lead.name),),
        )  # fmt: skip
        closed = replace(prepared, state=PeriodState.CLOSED, closed_by=lead.id, closed_at=now, agreements=(agreed,))
        assert unit.periods.save(closed)


def _desk(lead: Navigator) -> Iterator[Shown]:
    for name, path in (("access", ""), ("access-all", "?which=all"), ("recalculations-none", "/recalculations")):
        lead.open(f"/access{path}")
        yield name, lead.page
    lead.main.get_by_role("link", name="Plan recalculation").click()
    lead.arrive("Plan a recalculation of many tenants")
    expect(lead.main.locator(".diff__after").first).to_be_visible()
    yield "action-plan-recalculation", lead.page
    lead.choose("Contract change")
    lead.fill("Reference", "CTR-2026-0117")
    lead.press("Enter")
    lead.arrive("Recalculation of all tenants")
    reload_until(lead, lead.page.url, lead.main.get_by_role("heading", name="Where it stands").is_visible)
    yield "recalculation", lead.page
    lead.open("/access/recalculations")
    yield "recalculations", lead.page
