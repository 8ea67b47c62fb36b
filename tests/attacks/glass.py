"""Break-glass for attacks, through the pages."""

from tests.attacks.door import Door
from tests.web.cast import Browser

WHY = {"reason_code": "BREAK_GLASS", "reason_reference": "INC-2301", "reason_note": "Everybody is locked out."}
FIELDS = {"because": "The tenant floods everybody."}
SUSPEND_KESTREL = "/t/kestrel/actions/tenant.suspend"


def inside(door: Door, slug: str, browser: Browser | None = None) -> Browser:
    """Return the browser of the on-call engineer with a tenant open for break-glass."""
    browser = browser or door.enter("on_call")
    door.open(browser, slug, **WHY)
    return browser


def smash(door: Door, browser: Browser, slug: str) -> dict[str, str]:
    """Return the form that the preview page would send, without the slug that has to be typed."""
    return door.preview(browser, f"/t/{slug}/actions/tenant.suspend", FIELDS, **WHY)


def broken(door: Door, browser: Browser, slug: str) -> str:
    """Break glass and return the request's id."""
    form = smash(door, browser, slug)
    answer = browser.post(f"/t/{slug}/actions/tenant.suspend", {**form, "intent": slug})
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"].rpartition("/")[2]
