"""The entitlements page in a browser: the slide to another day, the way back, and nothing that axe objects to."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Arrive
from tests.browser.looking import HOME_WIDTH, NARROW_WIDTH, THEMES, overflowing, show_as, violations
from tests.browser.stage import ACME

pytestmark = pytest.mark.browser


def test_it_travels_in_time_by_slide_and_by_stop_and_comes_back(arrive: Arrive) -> None:
    agent = arrive("support_agent")
    page, body = agent.page, agent.page.locator("body")
    agent.open(f"/tenants/{ACME}/lease")
    agent.choose("Contract change")
    agent.fill("Reference", "CTR-2026-0117")
    agent.press("Enter")
    agent.arrive("Acme Robotics")
    agent.open(f"/t/{ACME}/entitlements")
    expect(body).to_contain_text("In grace")
    expect(body).to_contain_text("85 % used")
    page.locator("#days").fill("30")
    page.get_by_role("button", name="Show that day").click()
    expect(body).to_contain_text("You are looking at another moment")
    expect(body).to_contain_text("payment is overdue and the grace is over")
    for theme in THEMES:
        for width in (HOME_WIDTH, NARROW_WIDTH):
            show_as(page, theme=theme, width=width)
            assert violations(page) == []
            assert overflowing(page) == []
    show_as(page, theme="light", width=HOME_WIDTH)
    page.get_by_role("link", name="Back to now").click()
    expect(body).not_to_contain_text("You are looking at another moment")
    page.locator(".stops__at").first.click()
    expect(body).to_contain_text("You are looking at another moment")
