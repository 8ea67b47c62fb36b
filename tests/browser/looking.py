"""How a page is looked at: themes and sizes, axe-core, what leaves the screen, and how heavy it is."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Page

THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
HOME_WIDTH, MIDDLE_WIDTH, NARROW_WIDTH = 1280, 1024, 390
LARGEST_HTML = 60 * 1024
_AXE = Path(__file__).resolve().parents[1] / "vendor" / "axe.min.js"
# A page may still be about to change when it is looked at; what is wrong stays wrong.
_SETTLE_MS = 300
# Style sheets and media need not be fetched once more: no rule for how a screen is turned runs, and nothing here plays.
# Where something stands is asked only when something is wrong: to name every place is a third of the work.
_RUN_AXE = """async ([rules, selectors]) => (await axe.run(document, {
  resultTypes: ["violations"], preload: false, selectors,
  ...(rules.length ? {runOnly: {type: "rule", values: rules}} : {}),
})).violations"""
COLOURS = ("color-contrast", "link-in-text-block")
_OVERFLOW = """() => {
  const page = document.documentElement, wide = page.clientWidth;
  const isHeld = element => {
    for (let at = element.parentElement; at && at !== page; at = at.parentElement)
      if (getComputedStyle(at).overflowX !== "visible") return true;
    return false;
  };
  if (page.scrollWidth <= wide) return [];
  return [...document.querySelectorAll("body *")]
    .filter(element => element.getBoundingClientRect().right > wide + 1 && !isHeld(element))
    .map(element => `${element.tagName.toLowerCase()}.${element.className}`).slice(0, 5)
    .concat(`document is ${page.scrollWidth} px wide`);
}"""

# What one does stands in sight without pushing a table aside; a link in a row's own text may go on beyond its edge.
_HIDDEN_BY_TABLES = """() => [...document.querySelectorAll(".table-frame")].flatMap(frame => {
  const right = frame.getBoundingClientRect().left + frame.clientLeft + frame.clientWidth;
  return [...frame.querySelectorAll("a, button, input, select")]
    .filter(each => each.checkVisibility() && each.getBoundingClientRect().right > right + 1)
    .map(each => `${each.textContent.trim().slice(0, 40)} in ${frame.getAttribute("aria-label")}`).slice(0, 2);
})"""


@cache
def _axe() -> str:
    return _AXE.read_text(encoding="utf-8")


def show_as(page: Page, *, theme: Literal["light", "dark"], width: int) -> None:
    """Give the page a theme and a width; nothing moves where motion is reduced, so it stands at once."""
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    if page.viewport_size is None or page.viewport_size["width"] != width:
        page.set_viewport_size({"width": width, "height": 900 if width > NARROW_WIDTH else 844})


def violations(page: Page, *, rules: tuple[str, ...] = ()) -> list[str]:
    """Return what axe-core finds on the page as it stands, one line each; empty `rules` are all of them."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_axe())
    found: list[dict[str, Any]] = page.evaluate(_RUN_AXE, [rules, False])
    if found:
        page.wait_for_timeout(_SETTLE_MS)
        found = page.evaluate(_RUN_AXE, [rules, True])
    return [f"{each['id']}: {each['help']} at {_places(each)}" for each in found]


def overflowing(page: Page) -> list[str]:
    """Return what makes the document wider than the screen; empty when nothing does."""
    found: list[str] = page.evaluate(_OVERFLOW)
    return found


def hidden_by_tables(page: Page) -> list[str]:
    """Return controls that stand beyond the edge of a table's frame, where only scrolling it brings them to light."""
    found: list[str] = page.evaluate(_HIDDEN_BY_TABLES)
    return found


def narrowed(page: Page, *widths: int) -> Iterator[int]:
    """Let the page believe that the screen is as wide as each, and spare it the resizing of its window each time."""
    screen = page.context.new_cdp_session(page)
    try:
        for width in widths:
            size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": False}
            screen.send("Emulation.setDeviceMetricsOverride", size)
            assert page.evaluate("innerWidth") == width
            yield width
    finally:
        screen.detach()


def _places(found: dict[str, Any]) -> str:
    return ", ".join(" ".join(map(str, node["target"])) for node in found["nodes"][:3])
