"""The ways through the work pages that several tests take: forms as a browser sends them back."""

from html.parser import HTMLParser
from typing import Any

from werkzeug.test import TestResponse

from tests.web.cast import Browser, Cast

FRAGMENT = {"HX-Request": "true"}
OVERRIDE = "/t/nordwind/actions/entitlement.override"
SEATS = {"feature": "seats", "value": "300", "until": "2027-03-01"}
CONTRACT = {"reason_code": "CONTRACT_CHANGE", "reason_reference": "CTR-2026-0117", "reason_note": ""}


class _Fields(HTMLParser):
    """Collects what a form would send: inputs, chosen options and texts."""

    def __init__(self, wanted: str) -> None:
        super().__init__()
        self.wanted, self.is_inside, self.found = wanted, False, dict[str, Any]()
        self.select, self.text = "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.is_inside = given.get("action", "") == self.wanted and given.get("method") == "post"
        if not self.is_inside:
            return
        name = given.get("name", "")
        if tag == "input" and name and (given.get("type") not in {"radio", "checkbox"} or "checked" in given):
            self.found[name] = given.get("value", "")
        elif tag == "select":
            self.select = name
            self.found[name] = ""
        elif tag == "option" and "selected" in given:
            self.found[self.select] = given["value"]
        elif tag == "textarea":
            self.text = name
            self.found[name] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.is_inside = False
        elif tag == "textarea":
            self.text = ""

    def handle_data(self, data: str) -> None:
        if self.is_inside and self.text:
            self.found[self.text] += data


def fields(page: TestResponse, action: str) -> dict[str, Any]:
    """Return what the form with this action would send, without its token."""
    parser = _Fields(action)
    parser.feed(page.text)
    assert parser.found, f"no form for {action}"
    return {name: value for name, value in parser.found.items() if name != "csrf_token"}


def opened(cast: Cast, who: str = "support_agent", slug: str = "nordwind") -> Browser:
    """Return the browser of somebody who has just opened a tenant."""
    browser = cast.sign_in(who)
    assert cast.open_tenant(browser, slug).status_code == 303
    return browser


def previewed(browser: Browser, path: str = OVERRIDE, **params: str) -> tuple[TestResponse, dict[str, Any]]:
    """Return the page with the preview, and what its form would send when asked."""
    form = fields(browser.get(path), path)
    page = browser.post(path, {**form, **(params or SEATS), "step": "preview"})
    assert page.status_code == 200, page.text
    return page, {**fields(page, path), "step": "ask"}


def asked(cast: Cast, browser: Browser, **params: str) -> str:
    """Return the address of the request that came of asking for an override."""
    _page, form = previewed(browser, **params)
    answer = browser.post(OVERRIDE, {**form, **CONTRACT})
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def approved(browser: Browser, path: str, *, verdict: str = "approve", **more: str) -> TestResponse:
    """Return the answer to a vote on what the page shows."""
    form = fields(browser.get(path), f"{path}/votes")
    return browser.post(f"{path}/votes", {**form, "verdict": verdict, **more})
