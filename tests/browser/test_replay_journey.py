"""The third journey: an endpoint was down at night; what it missed is planned, approved, sent, paused and proved."""

import re
from collections import Counter

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Arrive
from tests.browser.navigator import Navigator
from tests.browser.stage import Stage

pytestmark = pytest.mark.browser

PATIENCE_MS = 90_000  # a hundred deliveries at ten a second, on a machine that does other things too
PLANNED = re.compile(r"^Replay of \d+ deliveries$")


def figure(who: Navigator, name: str) -> Locator:
    """Return one of the counters that move."""
    return who.main.locator(f'[data-live-value="{name}"]')


def number(who: Navigator, name: str) -> int:
    """Return a counter as it stands."""
    return int(figure(who, name).inner_text().replace(",", ""))


def arrived(stage: Stage) -> Counter[str]:
    """Return how often each message id reached the receiver at Acme's main endpoint."""
    return Counter(line["id"] for line in stage.receiver.log if line["path"] == "/acme/orders")


def open_in_incident(who: Navigator) -> None:
    """Find Acme and open it because of an incident."""
    who.find("acme")
    who.press("j", "Enter")
    who.arrive("Open Acme Robotics")
    expect(who.page.get_by_label("Reference")).to_be_focused()
    who.type("INC-2301")
    who.reach(who.main.locator('input[name="reason_code"]:checked'))
    wanted = who.main.get_by_role("radio", name="Incident response")
    for _ in range(8):
        if wanted.is_checked():
            break
        who.press("ArrowDown")
    assert wanted.is_checked()
    who.enter(who.main.get_by_role("button", name="Open Acme Robotics"))
    who.arrive("Acme Robotics")


def plan(engineer: Navigator) -> str:
    """Plan a replay of what found nobody there, from the dead letters; return its address."""
    engineer.enter(engineer.page.get_by_role("link", name="Webhooks", exact=True))
    engineer.arrive("Webhooks")
    engineer.enter(engineer.main.get_by_role("link", name=re.compile("^Dead letters")))
    engineer.arrive("Dead letters")
    row = engineer.main.get_by_role("row", name=re.compile("Not reachable"))
    engineer.enter(row.get_by_role("link", name="Plan a replay"))
    engineer.arrive("Plan a bulk replay")
    expect(engineer.main.locator(".diff__after").first).to_contain_text("oldest first")
    expect(engineer.main.get_by_role("button", name="Plan replay")).to_be_focused()
    engineer.press("Enter")
    engineer.arrive(PLANNED)
    expect(engineer.main.get_by_role("heading", name="Left out of the plan")).to_be_visible()
    expect(engineer.main.get_by_role("row", name=re.compile("payload has expired"))).to_be_visible()
    return engineer.page.url


def moves_by_itself(who: Navigator) -> None:
    """See what was sent rise, what is left fall, and how fast that goes, on a page that nobody touches."""
    sent, left, rate = number(who, "sent"), number(who, "left"), figure(who, "rate").inner_text()
    expect(figure(who, "sent")).not_to_have_text(f"{sent:,}")
    expect(figure(who, "left")).not_to_have_text(f"{left:,}")
    assert number(who, "sent") > sent
    assert number(who, "left") < left
    expect(figure(who, "rate")).not_to_have_text(rate)  # the page came with the average since the start, or none yet
    expect(figure(who, "rate")).to_have_text(re.compile(r"^\d+\.\d a second$"))


def asks_again(who: Navigator, address: str) -> None:
    """Look at the same replay where no stream is to be had: the page asks every few seconds."""
    page = who.context.new_page()
    page.route("**/events", lambda route: route.fulfill(status=404))
    page.goto(address)
    expect(page.locator("[data-live-note]")).to_have_text("Asks every few seconds.")
    sent = page.locator('[data-live-value="sent"]')
    expect(sent).not_to_have_text(sent.inner_text())
    page.close()


def test_it_replays_a_night_with_approval_and_a_pause_and_proves_it(arrive: Arrive, stage: Stage) -> None:
    engineer, on_call = arrive("engineer"), arrive("on_call")
    open_in_incident(engineer)
    address = plan(engineer)
    planned = int(re.sub(r"\D", "", engineer.heading.inner_text()))
    engineer.enter(engineer.main.get_by_role("link", name="Run replay"))
    engineer.arrive("Run a bulk replay")
    expect(engineer.main.get_by_role("button", name=re.compile("^Ask"))).to_be_focused()
    engineer.press("Enter")
    engineer.arrive(re.compile("in bulk$"))
    assert not arrived(stage), "nothing may leave before somebody else has agreed"

    on_call.go("q", "Requests")
    on_call.press("j", "Enter")
    on_call.arrive(re.compile("in bulk$"))
    expect(on_call.main.locator(".diff__after").filter(has_text="digest")).to_be_visible()
    on_call.enter(on_call.main.get_by_role("button", name="Approve"))
    expect(on_call.main.locator('.stateline__node[data-status="done"]', has_text="Executed")).to_be_visible()

    engineer.open(address)
    engineer.arrive(PLANNED)
    moves_by_itself(engineer)
    asks_again(engineer, address)
    engineer.enter(engineer.main.get_by_role("link", name="Pause replay"))
    engineer.arrive("Pause a bulk replay")
    engineer.press("Enter")
    expect(engineer.main.locator('.stateline__node[data-status="done"]', has_text="Executed")).to_be_visible()
    engineer.enter(engineer.main.get_by_role("link", name="Open what it is about"))
    expect(engineer.main.locator(".stateline__node[aria-current]")).to_contain_text("Paused")
    engineer.page.wait_for_timeout(1_500)  # what was on its way when the pause came
    held = arrived(stage)
    engineer.page.wait_for_timeout(2_500)
    assert arrived(stage) == held
    assert 0 < len(held) < planned

    engineer.enter(engineer.main.get_by_role("link", name="Resume replay"))
    engineer.arrive("Resume a bulk replay")
    engineer.press("Enter")
    engineer.enter(engineer.main.get_by_role("link", name="Open what it is about"))
    proof = engineer.main.get_by_role("heading", name="Proof")
    expect(proof).to_be_visible(timeout=PATIENCE_MS)  # the page turns into the report by itself
    expect(engineer.main.locator(".claims__claim--holds")).to_have_count(4)
    expect(engineer.main.get_by_text(f"{planned} = {planned} sent + 0 skipped, nothing left over.")).to_be_visible()
    witnessed = arrived(stage)
    assert (len(witnessed), set(witnessed.values())) == (planned, {1}), "the receiver's own log: no miss, no duplicate"


def test_it_replays_one_without_any_script(arrive: Arrive) -> None:
    person = arrive("on_call", has_script=False)
    person.open("/tenants/acme-robotics/lease")
    person.main.get_by_role("radio", name="Incident response").check()
    person.main.get_by_label("Reference").fill("INC-2302")
    person.main.get_by_role("button", name="Open Acme Robotics").click()
    person.page.get_by_role("link", name="Webhooks", exact=True).click()
    person.main.get_by_role("link", name="Deliveries", exact=True).click()
    person.main.get_by_role("link", name="Gave up", exact=True).click()
    person.main.get_by_role("row").nth(1).get_by_role("link").first.click()
    person.main.get_by_role("link", name="Resend").click()
    person.main.get_by_role("button", name="Resend").click()
    expect(person.main.locator('.stateline__node[data-status="done"]', has_text="Executed")).to_be_visible()
    person.main.get_by_role("link", name="Open what it is about").click()
    for _ in range(20):
        if person.main.get_by_text("Delivered", exact=True).first.is_visible():
            break
        person.page.wait_for_timeout(500)
        person.page.reload()
    expect(person.main.get_by_text("resent by hand")).to_be_visible()
