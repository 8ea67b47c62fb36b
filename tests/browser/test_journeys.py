"""Journeys of whole people in browsers of their own: the main job, and the customer who paid and is locked out."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Locator, expect

from console.adapters.demo.companies import SCRIPT_NAME
from tests.browser.conftest import Arrive
from tests.browser.navigator import Navigator
from tests.browser.stage import LOCKED_OUT_INVOICE

pytestmark = pytest.mark.browser

FIFTY = re.compile(r"^Seats: .* → 50 seats until")


def open_acme(who: Navigator, *, ticket: str) -> None:
    """Give the reason, the caret being where it belongs, and be on the overview of Acme."""
    expect(who.page.get_by_label("Reference")).to_be_focused()
    who.type(ticket)
    who.press("Enter")
    who.arrive("Acme Robotics")


def seats_of(who: Navigator) -> Locator:
    """Return the row of the seats on the page of entitlements."""
    return who.main.get_by_role("row", name=re.compile("^Seats"))


def executed(who: Navigator) -> Locator:
    """Return the last state of a request's diagram, once it is reached."""
    return who.main.locator('.stateline__node[data-status="done"]', has_text="Executed")


def sixty_days_on(who: Navigator) -> str:
    """Return a day two months from now."""
    return (who.stage.clock.now() + timedelta(days=60)).strftime("%Y-%m-%d")


def ask_for_fifty_seats(agent: Navigator, *, contract: str) -> None:
    """Walk the four steps of an override, from the entitlements of the open tenant."""
    agent.enter(seats_of(agent).get_by_role("link", name="Override"))
    agent.arrive("Override a limit")
    agent.fill("New value", "50")
    agent.fill_day("Until", sixty_days_on(agent))
    agent.enter(agent.main.get_by_role("button", name="Preview", exact=True))
    expect(agent.main.locator(".diff__before").first).to_contain_text("20 seats")
    expect(agent.main.locator(".diff__after").first).to_contain_text("50 seats")
    agent.choose("Contract change")
    agent.fill("Reference", contract)
    agent.press("Enter")
    agent.arrive(FIFTY)


def test_it_gives_acme_fifty_seats_by_keyboard_with_two_people(arrive: Arrive) -> None:
    agent = arrive("support_agent")
    agent.find("acme")
    agent.press("j", "Enter")
    agent.arrive("Open Acme Robotics")
    open_acme(agent, ticket="SUP-4711")
    agent.enter(agent.page.get_by_role("link", name="Entitlements"))
    agent.arrive("Entitlements")
    ask_for_fifty_seats(agent, contract="CTR-2026-0117")
    expect(agent.main.locator(".stateline__node[aria-current]")).to_contain_text("Waiting")

    lead = arrive("finance_lead")
    expect(lead.page.get_by_role("link", name="Requests 1 waiting")).to_be_visible()
    lead.go("q", "Requests")
    lead.press("j", "Enter")
    lead.arrive(FIFTY)
    expect(lead.main.locator(".diff__before").first).to_contain_text("20 seats")
    expect(lead.main.locator(".diff__after").first).to_contain_text("50 seats")
    expect(lead.main.get_by_text("The customer will notice")).to_be_visible()
    lead.enter(lead.main.get_by_role("button", name="Approve"))
    expect(executed(lead)).to_be_visible()
    expect(lead.rail.get_by_role("link", name="Requests", exact=True)).to_be_visible()

    agent.go("h", "Your work")
    agent.enter(agent.main.get_by_role("link", name=FIFTY).first)
    expect(executed(agent)).to_be_visible()
    agent.enter(agent.main.get_by_role("link", name="Acme Robotics").first)
    agent.arrive("Acme Robotics")
    agent.enter(agent.page.get_by_role("link", name="Entitlements"))
    expect(seats_of(agent).get_by_role("cell").first).to_contain_text("50 seats")
    expect(seats_of(agent)).to_contain_text("CTR-2026-0117")
    agent.enter(agent.page.get_by_role("link", name="Entries"))
    agent.arrive("Entries")
    expect(agent.main).to_contain_text("ran “Override a limit” on Acme Robotics")

    auditor = arrive("security_auditor")
    auditor.go("r", "Trail")
    for told in (
        "opened Acme Robotics",
        "previewed “Override a limit” on Acme Robotics",
        "asked for “Override a limit” on Acme Robotics",
        "voted for “Override a limit” on Acme Robotics",
        "completed the approval of “Override a limit” on Acme Robotics",
        "ran “Override a limit” on Acme Robotics",
    ):
        expect(auditor.main.get_by_role("link", name=told, exact=True).first).to_be_visible()
    auditor.enter(auditor.main.get_by_role("link", name="ran “Override a limit” on Acme Robotics").first)
    expect(auditor.heading).to_contain_text("ran “Override a limit”")
    expect(auditor.main.locator(".diff__after").first).to_contain_text("50")


def test_it_lets_a_customer_in_who_paid_from_nothing_but_the_invoice(arrive: Arrive) -> None:
    agent = arrive("support_agent_2")
    agent.presses = 0
    agent.find(LOCKED_OUT_INVOICE)
    open_acme(agent, ticket="SUP-4712")
    expect(agent.main.get_by_role("heading", name="Paid, but locked out")).to_be_visible()
    expect(agent.main).to_contain_text(f"{LOCKED_OUT_INVOICE} is paid at the provider; our mirror still says past due")
    agent.skip()
    agent.enter(agent.main.get_by_role("link", name="Resync invoice"))
    agent.arrive("Resync with the billing provider")
    expect(agent.main.locator(".diff__after").first).to_contain_text("Paid", ignore_case=True)
    agent.press("Enter")
    expect(executed(agent)).to_be_visible()
    agent.skip()
    agent.enter(agent.main.get_by_role("link", name="Acme Robotics").first)
    agent.arrive("Acme Robotics")
    expect(agent.main.get_by_text("Paid, but locked out")).to_have_count(0)
    expect(agent.main.locator(".symptom h2")).to_have_text(["Webhooks disabled"])  # true, but not the matter
    assert agent.presses <= 20, f"{agent.presses} keys and texts from the invoice number to a tenant let in"


def test_it_does_the_main_job_without_any_script(arrive: Arrive) -> None:
    agent = arrive("support_lead", has_script=False)
    agent.open("/search?q=script-sons")
    agent.main.get_by_label("Reference").fill("SUP-4713")
    agent.main.get_by_role("button", name=f"Open {SCRIPT_NAME}").click()
    agent.arrive(SCRIPT_NAME)
    agent.page.get_by_role("link", name="Entitlements").click()
    seats_of(agent).get_by_role("link", name="Override").click()
    agent.main.get_by_label("New value").fill("80")
    agent.main.get_by_label("Until").fill(sixty_days_on(agent))
    agent.main.get_by_role("button", name="Preview", exact=True).click()
    expect(agent.main.locator(".diff__after").first).to_contain_text("80 seats")
    agent.main.get_by_role("radio", name="Contract change").check()
    agent.main.get_by_label("Reference").fill("CTR-2026-0118")
    agent.main.get_by_role("button", name="Preview again").click()
    agent.main.get_by_role("button", name="Ask").last.click()
    agent.arrive(re.compile("→ 80 seats until"))

    lead = arrive("finance_lead_2", has_script=False)
    lead.page.get_by_role("link", name="Requests 1 waiting").click()
    lead.main.get_by_role("link", name=re.compile("80 seats")).click()
    lead.main.get_by_role("button", name="Approve").click()
    expect(executed(lead)).to_be_visible()

    agent.page.reload()
    expect(executed(agent)).to_be_visible()
    agent.main.get_by_role("link", name=SCRIPT_NAME).first.click()
    agent.page.get_by_role("link", name="Entitlements").click()
    expect(seats_of(agent).get_by_role("cell").first).to_contain_text("80 seats")
