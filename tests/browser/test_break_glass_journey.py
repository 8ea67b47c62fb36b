"""The fifth journey: production is on fire. Glass is broken, everybody is told, it fires, and somebody else judges it.

With GUARD_SCREENS naming a folder, every page that is looked at is kept there.
"""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Arrive
from tests.browser.looking import HOME_WIDTH, NARROW_WIDTH, THEMES, overflowing, show_as, violations
from tests.browser.navigator import Navigator
from tests.browser.stage import ACME, Stage

pytestmark = pytest.mark.browser

PATIENCE_MS = 60_000


def looked_at(who: Navigator, name: str) -> None:
    """Look at a page in both themes and on both widths: nothing overflows, and axe has no objection."""
    folder = os.environ.get("GUARD_SCREENS", "")
    for theme in THEMES:
        for width in (HOME_WIDTH, NARROW_WIDTH):
            show_as(who.page, theme=theme, width=width)
            if folder:
                who.page.screenshot(path=Path(folder) / f"{name}-{theme}-{width}.png", full_page=True)
            assert violations(who.page) == [], name
            assert overflowing(who.page) == [], name
    show_as(who.page, theme="light", width=HOME_WIDTH)


def broken(on_call: Navigator, stage: Stage) -> str:
    """Open the tenant for break-glass and break it; return the request's address."""
    on_call.open(f"/tenants/{ACME}/lease")
    on_call.choose("Break-glass")
    on_call.fill("Reference", "INC-2301")
    on_call.page.locator("#reason_note").fill("Every request of Acme times out and takes the others with it.")
    on_call.page.locator("#reason_note").press("Enter")
    on_call.arrive("Acme Robotics")
    on_call.open(f"/t/{ACME}/actions/tenant.suspend")
    on_call.page.locator("#because").fill("Acme's importer floods the shared plane.")
    on_call.enter(on_call.main.get_by_role("button", name="Preview", exact=True))
    expect(on_call.main).to_contain_text("They and security are told at once")
    looked_at(on_call, "glass-form")
    on_call.page.locator("#intent").fill(ACME)
    code = on_call.main.get_by_label("One-time code")
    if code.is_visible():
        on_call.fill("One-time code", stage.code("on_call"))
    on_call.enter(on_call.main.get_by_role("button", name="Break glass"))
    on_call.arrive_at_request()
    return on_call.page.url


def test_an_emergency_is_told_fired_and_judged(stage: Stage, arrive: Arrive) -> None:
    on_call, lead, auditor = arrive("on_call"), arrive("support_lead"), arrive("security_auditor")
    address = broken(on_call, stage)
    expect(on_call.main).to_contain_text("Counting down, can still be stopped")
    looked_at(on_call, "glass-counting")
    lead.open("/")
    expect(lead.page.locator("body")).to_contain_text("broke glass (INC-2301)")
    lead.page.get_by_role("link", name=re.compile("broke glass")).first.click()
    expect(lead.main.get_by_role("button", name="Revoke approval")).to_be_visible()
    stage.clock.pass_by(seconds=61)
    for _ in range(30):
        on_call.page.goto(address)
        if on_call.main.get_by_text("Executed", exact=True).first.is_visible():
            break
        on_call.page.wait_for_timeout(1_000)
    expect(on_call.main).to_contain_text("Executed")
    on_call.open(f"/t/{ACME}/members")
    expect(on_call.page.locator("body")).to_contain_text("broke glass here in INC-2301")
    looked_at(on_call, "glass-shadow")
    auditor.go("v", "Reviews")
    looked_at(auditor, "reviews-queue")
    auditor.enter(auditor.main.get_by_role("link", name="Give verdict").first)
    auditor.arrive("Give a verdict")
    auditor.page.locator("#verdict").select_option("ok")
    auditor.page.locator("#because").fill("The flood stands in the incident; suspended for eleven minutes.")
    auditor.enter(auditor.main.get_by_role("button", name="Preview", exact=True))
    expect(auditor.main).to_contain_text("A verdict stands for ever.")
    auditor.page.locator("#reason_reference").fill("REV-2026-11-29")
    code = auditor.main.get_by_label("One-time code")
    if code.is_visible():
        auditor.fill("One-time code", stage.code("security_auditor"))
    auditor.enter(auditor.main.get_by_role("button", name="Give verdict"))
    auditor.arrive(re.compile("^Judge: "))
    auditor.open("/reviews")
    expect(auditor.main).to_contain_text("The flood stands in the incident")
    looked_at(auditor, "reviews-judged")


def test_the_kill_switch_stops_everybody_and_is_rehearsed(stage: Stage, arrive: Arrive) -> None:
    administrator, agent = arrive("administrator"), arrive("support_agent")
    administrator.go("z", "Kill switch")
    looked_at(administrator, "freezes-none")
    administrator.enter(administrator.main.get_by_role("link", name="Rehearse freeze"))
    administrator.arrive("Rehearse a freeze")
    expect(administrator.main.locator(".diff__after").first).to_be_visible()  # it takes nothing: the preview is there
    administrator.page.locator("#reason_reference").fill("INC-2301")
    administrator.enter(administrator.main.get_by_role("button", name="Rehearse freeze"))
    administrator.arrive_at_request()
    for _ in range(30):
        administrator.open("/freezes")
        if "Every place would have refused" in administrator.main.inner_text():
            break
        administrator.page.wait_for_timeout(1_000)
    expect(administrator.main).to_contain_text("Every place would have refused after")
    administrator.enter(administrator.main.get_by_role("link", name="Freeze", exact=True))
    administrator.arrive("Freeze")
    administrator.page.locator("#scope").select_option("all")
    administrator.enter(administrator.main.get_by_role("button", name="Preview", exact=True))
    administrator.page.locator("#reason_reference").fill("INC-2301")
    code = administrator.main.get_by_label("One-time code")
    if code.is_visible():
        administrator.fill("One-time code", stage.code("administrator"))
    administrator.enter(administrator.main.get_by_role("button", name="Freeze", exact=True))
    administrator.arrive_at_request()
    administrator.arrive("Freeze: Everything")
    administrator.open("/freezes")
    looked_at(administrator, "freezes-standing")
    agent.open("/")
    expect(agent.page.locator("body")).to_contain_text("Everything is frozen (INC-2301)")
    looked_at(agent, "home-frozen")
    agent.open(f"/tenants/{ACME}/lease")
    agent.choose("Customer support")
    agent.page.locator("#reason_reference").fill("SUP-48213")
    agent.page.locator("#reason_reference").press("Enter")
    expect(agent.page.locator("body")).to_contain_text("A freeze pauses the opening of tenants")
