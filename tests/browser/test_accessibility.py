"""Every page as a person meets it who sees differently, uses a keyboard, or holds a telephone."""

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.gallery import gallery
from tests.browser.looking import HOME_WIDTH, LARGEST_HTML, NARROW_WIDTH, THEMES, overflowing, show_as, violations
from tests.browser.stage import Stage

pytestmark = pytest.mark.browser

LEAST_PAGES = 50
_HAS_NO_RING = """() => {
  const style = getComputedStyle(document.activeElement);
  return style.outlineStyle === "none" && style.boxShadow === "none" && !document.activeElement.matches("body, main");
}"""


def faults_of(page: Page) -> list[str]:
    """Return what is wrong with the page that stands in the browser."""
    found = []
    for theme in THEMES:
        show_as(page, theme=theme, width=HOME_WIDTH)
        found += [f"{theme}: {violation}" for violation in violations(page)]
    show_as(page, theme="light", width=NARROW_WIDTH)
    found += [f"at {NARROW_WIDTH} px: {one}" for one in overflowing(page)]
    show_as(page, theme="light", width=HOME_WIDTH)
    size = len(page.content().encode())
    return [*found, *([f"{size:,} bytes of HTML"] if size > LARGEST_HTML else [])]


def test_it_shows_every_page_to_everybody(chromium: Browser, stage: Stage) -> None:
    faults: list[str] = []
    names = []
    for name, page in gallery(chromium, stage):
        names.append(name)
        faults += [f"{name}: {fault}" for fault in faults_of(page)]
        page.keyboard.press("Tab")
        if page.evaluate(_HAS_NO_RING):
            faults.append(f"{name}: the focus cannot be seen")
    assert len(names) == len(set(names)) >= LEAST_PAGES
    assert not faults, "\n".join(faults)
