"""What a person sees and what stays unseen: countdowns, re-masking, two tenants at once, hostile names, going back."""

import re
from itertools import combinations

import pytest
from playwright.sync_api import Page, expect

from console.adapters.demo.companies import FORMULA_NAME, LONG_NAME, RTL_NAME, SCRIPT_NAME, TRAPS
from tests.browser.conftest import Arrive
from tests.browser.looking import overflowing
from tests.browser.navigator import Navigator
from tests.browser.stage import ACME

pytestmark = pytest.mark.browser

A4_PX = 718  # what is left of a sheet between its margins

HOSTILE = [
    company
    for company in TRAPS
    if company.name in {RTL_NAME, LONG_NAME, FORMULA_NAME, SCRIPT_NAME}
    or company.slug in {"foxglove-fern", "little-bobby", "seven-templates", "nandu-oekologie"}
]


def open_tenant(who: Navigator, slug: str, *, minutes: str = "", page: Page | None = None) -> None:
    """Open a tenant, faster than by keyboard."""
    used = page or who.page
    used.goto(f"/tenants/{slug}/lease")
    used.get_by_label("Reference").fill("SUP-4720")
    used.get_by_label("Minutes").fill(minutes)
    used.get_by_role("button", name=re.compile("^Open ")).click()
    used.wait_for_url(f"**/t/{slug}/")


def test_it_masks_a_revealed_address_again_after_a_minute(arrive: Arrive) -> None:
    agent = arrive("support_agent", has_hand_clock=True)
    open_tenant(agent, ACME)
    agent.open(f"/t/{ACME}/members")
    agent.enter(agent.main.get_by_role("link", name="Reveal the e-mail address of Lukas Müller"))
    agent.arrive("Reveal a masked field")
    expect(agent.main).not_to_contain_text("lukas")
    with agent.page.expect_response(lambda answer: answer.request.method == "POST") as shown:
        agent.press("Enter")
    agent.arrive("Revealed to you")
    assert shown.value.headers["refresh"] == f"60; url=/t/{ACME}/members"
    assert "no-store" in shown.value.headers["cache-control"]
    expect(agent.main.locator("[data-remask-seconds]")).to_contain_text("@acme.example")
    agent.page.clock.fast_forward(61_000)
    expect(agent.main.locator("[data-remask-seconds]")).to_have_count(0)
    expect(agent.main).not_to_contain_text("@acme.example")
    expect(agent.main.locator(".masked__shape")).to_have_text("l•••@a•••.example")


def test_it_walks_down_the_members_by_their_own_controls(arrive: Arrive) -> None:
    agent = arrive("support_agent")
    open_tenant(agent, ACME)
    agent.open(f"/t/{ACME}/members")
    rows = agent.main.locator("[data-rows] > tr")
    agent.press("j", "j")
    expect(rows.nth(1).get_by_role("link", name=re.compile("^Reveal the e-mail address"))).to_be_focused()
    agent.press("k")
    expect(rows.nth(0).get_by_role("link", name=re.compile("^Reveal the e-mail address"))).to_be_focused()


def test_it_passes_over_rows_that_lead_nowhere(arrive: Arrive) -> None:
    agent = arrive("support_agent")
    open_tenant(agent, ACME)
    expect(agent.main.locator("[data-rows] [data-copy]").first).to_be_visible()
    agent.press("j")
    expect(agent.main.locator("[data-rows] a[href]").first).to_be_focused()


def test_it_warns_before_a_lease_ends(arrive: Arrive) -> None:
    agent = arrive("support_agent", has_hand_clock=True)
    open_tenant(agent, ACME, minutes="10")
    countdown = agent.page.locator(".tenantbar .countdown:not(.countdown--idle)")
    for forward_s, state in ((0, "calm"), (5 * 60 + 1, "soon"), (4 * 60, "last"), (60, "over")):
        agent.page.clock.fast_forward(forward_s * 1000)
        expect(countdown).to_have_attribute("data-state", state)
    expect(countdown).to_have_text("lease ended")
    expect(agent.page.locator("[data-announce]")).to_have_text("Lease of Acme Robotics: ended")


def test_it_tells_two_tabs_with_two_tenants_apart(arrive: Arrive) -> None:
    agent = arrive("support_agent_2")
    slugs = (ACME, "northwind-trading", "obrien-daughters")
    pages = [agent.page, agent.context.new_page(), agent.context.new_page()]
    for page, slug in zip(pages, slugs, strict=True):
        open_tenant(agent, slug, page=page)
    seen = [_signs(page) for page in pages]
    for one, other in combinations(seen, 2):
        assert one["name"] != other["name"]
        assert one["title"] != other["title"]
        assert (one["hue"] == other["hue"]) == (one["favicon"] == other["favicon"])
    assert len({signs["hue"] for signs in seen}) > 1
    for page, slug in zip(pages, slugs, strict=True):
        page.reload()
        expect(page.locator(".tenantbar__slug")).to_have_text(slug)


def _signs(page: Page) -> dict[str, str]:
    bar = page.locator(".tenantbar")
    hue = re.search(r"hue--[0-9]+", bar.get_attribute("class") or "")
    icon = re.search(r"favicon-[0-9]+", page.locator('link[rel="icon"]').get_attribute("href") or "")
    assert hue is not None
    assert icon is not None
    return {"title": page.title(), "name": bar.locator("bdi").inner_text(), "hue": hue[0], "favicon": icon[0]}


def test_it_shows_nothing_to_the_back_button_after_a_sign_out(arrive: Arrive) -> None:
    agent = arrive("support_agent")
    open_tenant(agent, "northwind-trading-eu")
    agent.open("/t/northwind-trading-eu/members")
    agent.arrive("Members")
    agent.enter(agent.page.get_by_role("button", name=re.compile("account, step-up and theme")))
    agent.enter(agent.page.get_by_role("button", name="Sign out"))
    agent.arrive(re.compile("Sign in|Signed out"))
    for _ in range(2):
        agent.page.go_back()
        expect(agent.heading).to_have_text(re.compile("Sign in|Sign in first|not signed in", re.IGNORECASE))
        expect(agent.page.locator(".tenantbar")).to_have_count(0)
        expect(agent.page.get_by_role("heading", name="Members")).to_have_count(0)


def test_it_puts_on_paper_all_that_a_screen_shows_and_nothing_to_press(arrive: Arrive) -> None:
    agent = arrive("support_agent")
    open_tenant(agent, ACME)
    agent.page.set_viewport_size({"width": A4_PX, "height": 1000})
    agent.page.emulate_media(media="print")
    for tab, column in (("members", "Last seen"), ("entitlements", "Why"), ("jobs", "Queue")):
        agent.open(f"/t/{ACME}/{tab}")
        expect(agent.main.get_by_role("columnheader", name=column)).to_be_visible()
        expect(agent.page.locator(".tenantbar__facts")).to_be_visible()
        expect(agent.page.locator(".button:visible")).to_have_count(0)
        assert overflowing(agent.page) == [], tab


@pytest.mark.checklist("V3.2.2")
def test_it_keeps_hostile_names_inert(arrive: Arrive) -> None:
    lead = arrive("support_lead_2")
    for company in HOSTILE:
        lead.open(f"/search?q={company.slug}")
        expect(lead.main.get_by_role("heading", name=f"Open {company.name}", exact=True)).to_be_visible()
        lead.open(f"/tenants/{company.slug}/lease")
        expect(lead.heading.locator("bdi")).to_have_text(company.name)
        expect(lead.page).to_have_title(re.compile(re.escape(company.name)))
    for slug in ("script-sons", "vereinigte-nordfriesische-deichbau-und-faehrgesellschaft", ACME):
        open_tenant(lead, slug)
        for tab in ("", "members", "entitlements", "notes", "entries"):
            lead.open(f"/t/{slug}/{tab}")
            expect(lead.page.locator(".tenantbar__slug")).to_have_text(slug)
    lead.press("Control+k")
    expect(lead.page.locator("dialog[open]")).to_be_visible()
    lead.type("script")
    expect(lead.page.get_by_role("option", name=re.compile("alert")).first).to_be_visible()
