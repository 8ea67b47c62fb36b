"""The banner in a real browser, against the double of the console: it counts, hears presses, and shows nothing old."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from examples.product.serving import served as product_served
from tests.browser.navigator import PATIENCE_MS
from tests.kit.fake_console import FakeConsole, HandClock, served
from tests.kit.product_stage import Stage, staged
from tests.processes import free_port

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder: Path = tmp_path_factory.mktemp("banner")
    port = free_port()
    console = FakeConsole(product=f"http://127.0.0.1:{port}", clock=HandClock(at=time.time()))
    with served(console), staged(folder, console=console) as stage:
        server = product_served(stage.app, port)
        thread = Thread(target=server.serve_forever, name="product", daemon=True)
        thread.start()
        yield stage
        server.shutdown()
        server.server_close()
        thread.join()


def entered(stage: Stage, browser: Browser, *, has_script: bool = True) -> tuple[Page, str]:
    """Go in by the hand-off page's button; the page's own clock stands still until a test moves it."""
    context = browser.new_context(locale="en-GB", java_script_enabled=has_script)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    if has_script:
        page.clock.install()
    row = stage.console.start(subject="acme-1")
    page.goto(f"{stage.console.product}/sallyport/enter?sid={row.sid}")
    page.get_by_role("button", name="Enter").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Acme Robotics")
    if has_script:
        expect(page).to_have_title(re.compile("^\u25cf "))  # the banner's script runs, and counts from here on
    return page, row.sid


def countdown(page: Page) -> Locator:
    return page.locator("#sallyport-banner [data-countdown]")


def test_it_counts_down_to_the_nearer_end(stage: Stage, chromium: Browser) -> None:
    page, _sid = entered(stage, chromium)
    page.clock.run_for(2_000)
    expect(countdown(page)).to_have_text("(idle: 9 min left)")
    page.clock.run_for(510_000)
    expect(countdown(page)).to_have_text(re.compile(r"\(idle: 1:2\d left\)"))
    page.clock.run_for(2 * 60_000)
    expect(countdown(page)).to_have_text("(ended)")
    page.context.close()


def test_it_hears_a_press_and_not_a_script(stage: Stage, chromium: Browser) -> None:
    page, sid = entered(stage, chromium)
    row = stage.console.rows[sid]
    page.clock.run_for(30_000)
    row.idle_until = int(stage.console.clock.at) + 90
    page.evaluate("document.body.dispatchEvent(new KeyboardEvent('keydown', {bubbles: true}))")
    page.wait_for_timeout(1_100)  # an answer of the console counts for a second
    assert row.idle_until == int(stage.console.clock.at) + 90
    with page.expect_response(re.compile("/sallyport/active")) as heard:
        page.keyboard.press("Shift")
    assert heard.value.status == 204
    assert row.idle_until == int(stage.console.clock.at) + 600
    page.clock.run_for(2_000)
    expect(countdown(page)).to_have_text("(idle: 9 min left)")
    page.context.close()


def test_it_stands_without_script(stage: Stage, chromium: Browser) -> None:
    page, sid = entered(stage, chromium, has_script=False)
    banner = page.get_by_role("complementary", name="Impersonation")
    expect(banner).to_contain_text(re.compile(r"ends at \d\d:\d\d UTC"))
    banner.get_by_role("button", name="Leave").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are yourself again")
    assert stage.console.rows[sid].ended_by == "hand"
    page.context.close()


def test_it_shows_nothing_old_after_the_end(stage: Stage, chromium: Browser) -> None:
    page, sid = entered(stage, chromium)
    page.goto(f"{stage.console.product}/members")
    expect(page.get_by_role("row")).to_have_count(3)
    page.goto(f"{stage.console.product}/billing")
    stage.console.end(sid, "frozen", "Everything is frozen.")
    page.wait_for_timeout(1_100)  # an answer of the console counts for a second
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("This impersonation has ended")
    expect(page.get_by_role("main")).to_contain_text("Everything is frozen.")
    expect(page.get_by_role("row")).to_have_count(0)
    page.context.close()
