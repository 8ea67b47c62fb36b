"""Every page as a person meets it who sees differently, uses a keyboard, or holds a telephone."""

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Arrive
from tests.browser.gallery import CHAPTERS
from tests.browser.looking import (
    COLOURS,
    HOME_WIDTH,
    LARGEST_HTML,
    MIDDLE_WIDTH,
    NARROW_WIDTH,
    THEMES,
    hidden_by_tables,
    narrowed,
    overflowing,
    show_as,
    violations,
)
from tests.browser.places import NO_PAGE, SHOWN_IN, place_of, readable
from tests.browser.stage import ACME, Stage

pytestmark = pytest.mark.browser

LEAST_PAGES = {
    "acting": 14,
    "arriving": 25,
    "changing": 24,
    "closing": 12,
    "customer": 6,
    "ending": 15,
    "guarding": 16,
    "reconciling": 24,
    "replaying": 16,
    "ruling": 12,
}
_UNRINGED = """() => {
  const at = document.activeElement, style = getComputedStyle(at);
  // A radio button is drawn by its card, which shows the focus of what it holds.
  const card = getComputedStyle(at.closest("label") ?? at);
  const isSeen = [style, card].some((each) => each.outlineStyle !== "none" || each.boxShadow !== "none");
  return isSeen || at === document.body ? "" : at.outerHTML.slice(0, 120);
}"""


_COVERED = """() => {
  const at = document.activeElement, head = at.closest("tbody")?.closest("table").querySelector("thead th");
  if (!at.closest("main")) return "";
  const bars = [document.querySelector(".masthead"), head].map((each) => each?.getBoundingClientRect());
  const lowest = Math.max(...bars.filter((bar) => bar?.top >= 0).map((bar) => bar.bottom));
  return at.getBoundingClientRect().top + 1 < lowest ? at.outerHTML.slice(0, 120) : "";
}"""


def faults_of(page: Page) -> list[str]:
    """Return what is wrong with the page that stands in the browser."""
    found = []
    for theme in THEMES:
        show_as(page, theme=theme, width=HOME_WIDTH)
        rules = COLOURS if theme == "dark" else ()  # a theme changes nothing else
        found += [f"{theme}: {violation}" for violation in violations(page, rules=rules)]
    found += [f"at {HOME_WIDTH} px: {one}" for one in [*overflowing(page), *hidden_by_tables(page)]]
    for width in narrowed(page, MIDDLE_WIDTH, NARROW_WIDTH):
        found += [f"at {width} px: {one}" for one in overflowing(page)]
    show_as(page, theme="light", width=HOME_WIDTH)
    size = len(page.content().encode())
    return [*found, *([f"{size:,} bytes of HTML"] if size > LARGEST_HTML else [])]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_it_shows_every_page_to_everybody(chromium: Browser, stage: Stage, chapter: str) -> None:
    faults: list[str] = []
    names, seen = [], set()
    for name, page in CHAPTERS[chapter](chromium, stage):
        names.append(name)
        seen.add(place_of(stage, page))
        faults += [f"{name}: {fault}" for fault in faults_of(page)]
    assert len(names) == len(set(names)) >= LEAST_PAGES[chapter]
    assert not faults, "\n".join(faults)
    assert {endpoint for endpoint, where in SHOWN_IN.items() if where == chapter} - seen == set()


def test_every_page_of_the_route_table_is_shown_in_a_chapter(stage: Stage) -> None:
    assert readable(stage.app) == SHOWN_IN.keys() | NO_PAGE.keys()
    assert not SHOWN_IN.keys() & NO_PAGE.keys()
    assert set(SHOWN_IN.values()) <= CHAPTERS.keys()


@pytest.mark.parametrize("width", [HOME_WIDTH, MIDDLE_WIDTH, NARROW_WIDTH])
def test_it_lets_no_bar_cover_what_has_the_focus(arrive: Arrive, width: int) -> None:
    person = arrive("support_agent")
    person.open(f"/tenants/{ACME}/lease")
    person.page.get_by_label("Reference").fill("SUP-4711")
    person.press("Enter")
    person.arrive("Acme Robotics")
    person.page.set_viewport_size({"width": width, "height": 600})
    person.open(f"/t/{ACME}/members")
    person.main.get_by_role("link", name="Act as").last.focus()
    covered = set()
    for _ in range(40):
        person.press("Shift+Tab")
        covered.add(person.page.evaluate(_COVERED))
    assert covered == {""}


def test_it_shows_where_the_focus_is(arrive: Arrive) -> None:
    person = arrive("on_call")
    unringed = set()
    for path in ("/", "/search?q=acme", f"/tenants/{ACME}/lease", "/requests?tab=all", "/account"):
        person.open(path)
        for _ in range(20):
            person.press("Tab")
            unringed.add(person.page.evaluate(_UNRINGED))
    assert unringed == {""}
