"""The pages of an emergency and of those who watch: break-glass, reviews, signals and the kill switch."""

import re
from collections.abc import Iterator

from playwright.sync_api import Browser, expect

from tests.browser.navigator import Navigator
from tests.browser.shown import Shown, leave
from tests.browser.stage import Stage

_TENANT, _NAME = "obrien-daughters", "O'Brien & Daughters"
_LOOKS = 30


def guarding(browser: Browser, stage: Stage) -> Iterator[Shown]:
    """Show an emergency from the form to its verdict, a signal, and a freeze that is rehearsed and set."""
    on_call, lead, auditor = (Navigator.begin(browser, stage) for _ in range(3))
    on_call.sign_in("on_call")
    lead.sign_in("support_lead")
    auditor.sign_in("security_auditor")
    yield from _breaking(on_call, lead, stage)
    yield from _judging(auditor)
    yield from _watching(auditor)
    for each in (on_call, lead, auditor):
        leave(each)
    yield from _freezing(browser, stage)


def _breaking(on_call: Navigator, lead: Navigator, stage: Stage) -> Iterator[Shown]:
    on_call.open(f"/tenants/{_TENANT}/lease")
    on_call.choose("Break-glass")
    on_call.fill("Reference", "INC-2301")
    on_call.page.locator("#reason_note").fill("Every request of this tenant times out and takes the others with it.")
    on_call.page.locator("#reason_note").press("Enter")
    on_call.arrive(_NAME)
    on_call.open(f"/t/{_TENANT}/actions/tenant.suspend")
    on_call.page.locator("#because").fill("Its importer floods the shared plane.")
    on_call.enter(on_call.main.get_by_role("button", name="Preview", exact=True))
    expect(on_call.main).to_contain_text("They and security are told at once")
    yield "glass-form", on_call.page
    on_call.page.locator("#intent").fill(_TENANT)
    _confirm(on_call, stage, "on_call")
    on_call.enter(on_call.main.get_by_role("button", name="Break glass"))
    on_call.arrive_at_request()
    address = on_call.page.url
    yield "glass-counting", on_call.page
    lead.open("/")
    yield "glass-told", lead.page
    lead.page.get_by_role("link", name=re.compile("broke glass")).first.click()
    expect(lead.main.get_by_role("button", name="Revoke approval")).to_be_visible()
    yield "glass-to-revoke", lead.page
    stage.clock.pass_by(seconds=61)
    for _ in range(_LOOKS):
        on_call.page.goto(address)
        if on_call.main.get_by_text("Executed", exact=True).first.is_visible():
            break
        on_call.page.wait_for_timeout(1_000)
    yield "glass-fired", on_call.page
    on_call.open(f"/t/{_TENANT}/members")
    yield "glass-shadow", on_call.page


def _judging(auditor: Navigator) -> Iterator[Shown]:
    auditor.open("/reviews")
    yield "reviews", auditor.page
    auditor.enter(auditor.main.get_by_role("link", name="Give verdict").first)
    auditor.arrive("Give a verdict")
    auditor.page.locator("#verdict").select_option("flagged")
    auditor.page.locator("#because").fill("Nobody was asked although two leads were there.")
    auditor.enter(auditor.main.get_by_role("button", name="Preview", exact=True))
    expect(auditor.main).to_contain_text("A verdict stands for ever.")
    yield "action-review", auditor.page


def _watching(auditor: Navigator) -> Iterator[Shown]:
    auditor.open("/signals")
    yield "signals", auditor.page
    auditor.main.get_by_role("link", name=re.compile("Protected tenant")).first.click()
    expect(auditor.main).to_contain_text("Jonas Weber")
    yield "signal", auditor.page
    auditor.enter(auditor.main.get_by_role("link", name="Settle").first)
    yield "action-signal", auditor.page


def _freezing(browser: Browser, stage: Stage) -> Iterator[Shown]:
    administrator, frozen = (Navigator.begin(browser, stage) for _ in range(2))
    administrator.sign_in("administrator")
    frozen.sign_in("support_agent_2")
    administrator.open("/freezes")
    yield "freezes-none", administrator.page
    administrator.enter(administrator.main.get_by_role("link", name="Rehearse freeze"))
    expect(administrator.main.locator(".diff__after").first).to_be_visible()
    administrator.page.locator("#reason_reference").fill("INC-2301")
    yield "action-freeze-drill", administrator.page
    administrator.enter(administrator.main.get_by_role("button", name="Rehearse freeze"))
    administrator.arrive_at_request()
    for _ in range(_LOOKS):
        administrator.open("/freezes")
        if "Every place would have refused" in administrator.main.inner_text():
            break
        administrator.page.wait_for_timeout(1_000)
    yield "freezes-rehearsed", administrator.page
    administrator.enter(administrator.main.get_by_role("link", name="Freeze", exact=True))
    administrator.page.locator("#scope").select_option("vendor")
    administrator.page.locator("#subject").fill("harbour-desk")
    administrator.enter(administrator.main.get_by_role("button", name="Preview", exact=True))
    expect(administrator.main.locator(".diff__after").first).to_be_visible()
    administrator.page.locator("#reason_reference").fill("INC-2301")
    yield "action-freeze", administrator.page
    _confirm(administrator, stage, "administrator")
    administrator.enter(administrator.main.get_by_role("button", name="Freeze", exact=True))
    administrator.arrive(re.compile("^Freeze: "))
    administrator.open("/freezes")
    yield "freezes-standing", administrator.page
    frozen.open("/")
    yield "home-frozen", frozen.page
    _thaw(stage)
    administrator.open("/freezes")
    yield "freezes-lifted", administrator.page
    for each in (administrator, frozen):
        leave(each)


def _confirm(person: Navigator, stage: Stage, who: str) -> None:
    code = person.main.get_by_label("One-time code")
    if code.is_visible():
        person.fill("One-time code", stage.code(who))


def _thaw(stage: Stage) -> None:
    """Lift what the walk froze, past the two people whom it takes: what comes after it is another subject."""
    house = stage.building.house
    with house.store.write() as unit:
        for freeze in unit.freezes.standing():
            if freeze.set_by is not None:
                unit.freezes.lift(freeze.id, by=freeze.set_by, at=house.clock.now())
