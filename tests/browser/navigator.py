"""A person at a real browser who never touches the mouse, and what the browser complained about meanwhile."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Locator,
    Page,
    Request,
    expect,
    sync_playwright,
)

from tests.browser.chromium import launch_options
from tests.browser.stage import Stage

PATIENCE_MS = 20_000  # two shared cores may be slow; a page that never comes still fails
_FARTHEST_TABS = 150
_REFUSED = re.compile(r"^Failed to load resource: the server responded with a status of 4(01|03|04|09|22)")
_IS_FOCUSED = "element => element === document.activeElement"
_FOCUSED_NAME = "() => document.activeElement.name || document.activeElement.textContent.trim().slice(0, 40)"

expect.set_options(timeout=PATIENCE_MS)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium; dates are typed in the order of the browser's own language, which is therefore fixed."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options(), env={**os.environ, "LANGUAGE": "en_US"})
        yield browser
        browser.close()


@dataclass
class Complaints:
    """What went wrong in a browser without anybody seeing it: errors, policy violations and dialogs."""

    heard: list[str] = field(default_factory=list)

    def listen(self, context: BrowserContext) -> None:
        """Hear every page of a context, those that are still to come too."""
        context.on("console", self._console)
        context.on("dialog", self._dialog)
        context.on("weberror", lambda error: self.heard.append(f"error: {error.error}"))
        context.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        # A page that answers 403, 404 or 422 is logged as a failed resource, and is what some walks are about.
        is_page = _REFUSED.search(message.text) and "/static/" not in message.location.get("url", "")
        if message.type in {"error", "warning"} and not is_page:
            self.heard.append(f"{message.type}: {message.text} (at {message.location.get('url')})")

    def _dialog(self, dialog: Dialog) -> None:
        self.heard.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _request(self, request: Request) -> None:
        if "csp-report" in request.url:
            self.heard.append(f"violation reported: {request.post_data}")


@dataclass
class Navigator:
    """One person in a browser context of their own; `presses` counts every key and every text typed."""

    stage: Stage
    context: BrowserContext
    page: Page
    complaints: Complaints
    who: str = ""
    presses: int = 0

    @classmethod
    def begin(cls, browser: Browser, stage: Stage, *, has_script: bool = True, width: int = 1280) -> "Navigator":
        """Open a fresh browser context and its first page."""
        context = browser.new_context(
            base_url=stage.address, locale="en-GB", timezone_id="UTC", java_script_enabled=has_script,
            viewport={"width": width, "height": 900}, reduced_motion="reduce",
        )  # fmt: skip
        context.set_default_timeout(PATIENCE_MS)
        complaints = Complaints()
        complaints.listen(context)
        return cls(stage=stage, context=context, page=context.new_page(), complaints=complaints)

    def end(self) -> None:
        """Close the browser context and demand that nothing was complained about."""
        self.context.close()
        assert not self.complaints.heard, "\n".join(self.complaints.heard)

    @property
    def heading(self) -> Locator:
        """Return the heading of the page."""
        return self.page.get_by_role("heading", level=1)

    @property
    def rail(self) -> Locator:
        """Return the rail of places."""
        return self.page.get_by_role("navigation", name="Places")

    @property
    def main(self) -> Locator:
        """Return the main column."""
        return self.page.get_by_role("main")

    def open(self, path: str) -> None:
        """Type an address into the browser."""
        self.page.goto(path)

    def press(self, *keys: str) -> None:
        """Press keys one after another; on a page that is still being read, what listens for them has not begun."""
        for key in keys:
            self.presses += 1
            self.page.wait_for_load_state("domcontentloaded")
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Type a text where the caret is, in place of what stands there."""
        self.press("Control+A")
        self.presses += 1
        self.page.keyboard.type(text)

    def reach(self, wanted: Locator) -> None:
        """Press Tab until something has the focus, and demand that the focus shows."""
        handle = wanted.element_handle()
        for _ in range(_FARTHEST_TABS):
            if handle.evaluate(_IS_FOCUSED):
                return
            self.press("Tab")
        stopped = self.page.evaluate(_FOCUSED_NAME)
        message = f"{wanted} cannot be reached by Tab; the focus stands at {stopped!r}"
        raise AssertionError(message)

    def skip(self) -> None:
        """Go past what every page begins with, by its first link, as whoever works by keyboard does."""
        self.press("Tab")
        expect(self.page.get_by_role("link", name="Skip to content")).to_be_focused()
        self.press("Enter")

    def enter(self, wanted: Locator) -> None:
        """Reach a link or button and press Enter on it."""
        self.reach(wanted)
        self.press("Enter")

    def fill(self, label: str, text: str) -> None:
        """Reach a field by its label and type into it."""
        self.reach(self.main.get_by_label(label))
        self.type(text)

    def fill_day(self, label: str, day: str) -> None:
        """Reach a date field and type a day, given as 2027-03-31, in the order that the browser asks for."""
        self.reach(self.main.get_by_label(label))
        year, month, date = day.split("-")
        self.presses += 1
        self.page.keyboard.type(f"{month}{date}{year}")

    def choose(self, label: str) -> None:
        """Reach a group of radio buttons and move to the one whose label begins with a text."""
        wanted = self.main.get_by_role("radio", name=label)
        name = wanted.get_attribute("name")
        group = self.main.locator(f'input[type="radio"][name="{name}"]')
        is_any_checked = group.locator("xpath=self::*[@checked]").count() > 0
        self.reach(group.locator("xpath=self::*[@checked]").first if is_any_checked else group.first)
        for _ in range(group.count()):
            if wanted.is_checked():
                return
            self.press("ArrowDown")
        message = f"no arrow leads to {label!r}"
        raise AssertionError(message)

    def arrive(self, heading: str | re.Pattern[str]) -> None:
        """Wait until a page with this heading is there."""
        expect(self.heading).to_have_text(heading)

    def arrive_at_request(self) -> None:
        """Wait until the page of a request is there, where what was asked for has been written."""
        self.page.wait_for_url(re.compile("/requests/"))

    def sign_in(self, who: str) -> None:
        """Sign in from the door's page, the caret being where it should be."""
        person = self.stage.people[who]
        self.who = who
        self.open("/")
        self.arrive("Sign in")
        expect(self.page.get_by_label("Work e-mail")).to_be_focused()
        self.type(person.email)
        self.press("Tab")
        self.type(person.password)
        self.press("Tab")
        self.type(self.stage.code(who))
        self.press("Enter")
        self.arrive("Your work")

    def find(self, text: str) -> None:
        """Search with `/` from anywhere."""
        self.press("/")
        expect(self.page.locator("[data-search]")).to_be_focused()
        self.type(text)
        self.press("Enter")
        self.arrive("Find a tenant")

    def go(self, letter: str, heading: str | re.Pattern[str]) -> None:
        """Go to a place of the rail with `g` and its letter."""
        self.press("g", letter)
        self.arrive(heading)
