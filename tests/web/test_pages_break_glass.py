"""Journey 5 through the pages: an emergency, told to everybody, stopped or fired, and its shadow afterwards."""

import re
from html import unescape

import pytest

from console.domain.requests import State
from console.usecases.run_jobs import run_due_jobs
from tests.web.cast import PEOPLE, TENANTS, Browser, Cast

PATH = "/t/nordwind/actions/tenant.suspend"
WHY = {"reason_code": "BREAK_GLASS", "reason_reference": "INC-2301", "reason_note": "Everybody is locked out."}
FIELDS = {"because": "The tenant floods everybody."}
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


def inside(cast: Cast) -> Browser:
    """Return the browser of the on-call engineer, with the tenant open for break-glass."""
    browser = cast.sign_in("on_call")
    browser.get("/tenants/nordwind/lease")
    answer = browser.post("/tenants/nordwind/lease", {**WHY, "minutes": ""})
    assert answer.status_code == 303, answer.text
    return browser


def previewed(browser: Browser) -> dict[str, str]:
    browser.get(PATH)
    shown = browser.post(PATH, {**FIELDS, **WHY, "step": "preview"})
    assert shown.status_code == 200, shown.text
    assert "Type nordwind" in shown.text
    assert "They and security are told at once" in shown.text
    hidden = {name: unescape(value) for name, value in _HIDDEN.findall(shown.text) if name != "csrf_token"}
    return {**hidden, **FIELDS, **WHY, "step": "ask"}


def smashed(browser: Browser, **more: str) -> str:
    answer = browser.post(PATH, {**previewed(browser), "intent": "nordwind", **more})
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"].rpartition("/")[2]


def fired(cast: Cast) -> None:
    cast.clock.pass_by(seconds=60)
    while run_due_jobs(cast.house, worker="w1", limit=20):
        pass


def state(cast: Cast, request: str) -> State:
    with cast.house.store.read() as unit:
        found = unit.requests.get(request)  # type: ignore[arg-type]  # as it stands in the address
    assert found is not None
    return found.state


def test_it_counts_down_in_view_of_everybody_and_fires(cast: Cast) -> None:
    on_call = inside(cast)
    request = smashed(on_call)
    page = on_call.get(f"/requests/{request}").text
    assert "Counting down, can still be stopped" in page
    assert "Withdraw request" in page
    assert page.index("Withdraw request") < page.index("What it changes"), "what stops it comes before what it does"
    assert "Run it" not in page
    lead = cast.sign_in("support_lead")
    assert "broke glass (INC-2301)" in lead.get("/").text
    theirs = lead.get(f"/requests/{request}").text
    assert "Glass was broken" in theirs
    assert "Revoke approval" in theirs
    fired(cast)
    assert state(cast, request) is State.EXECUTED
    # the shadow on the tenant's pages and on later requests
    assert f"{PEOPLE['on_call'].name} broke glass here in INC-2301" in on_call.get("/t/nordwind/members").text
    with cast.house.store.read() as unit:
        assert unit.glass.tainting(TENANTS["nordwind"], cast.clock.now()) is not None


def test_an_approver_stops_it_from_the_notice(cast: Cast) -> None:
    request = smashed(inside(cast))
    lead = cast.sign_in("support_lead")
    lead.get(f"/requests/{request}")
    answer = lead.post(f"/requests/{request}/revocation", {"because": "It is our own load test."})
    assert answer.status_code == 303, answer.text
    fired(cast)
    assert state(cast, request) is State.REVOKED


def test_a_drill_says_so_everywhere(cast: Cast) -> None:
    on_call = inside(cast)
    request = smashed(on_call, drill="y")
    assert "DRILL, nothing happens" in cast.sign_in("security_auditor").get("/").text
    assert "A drill of break-glass" in on_call.get(f"/requests/{request}").text
    fired(cast)
    assert state(cast, request) is State.CANCELLED
    assert "it was a drill; it would have run" in on_call.get(f"/requests/{request}").text


@pytest.mark.parametrize("typed", ["", "kestrel", "NORDWIND"])
def test_whoever_does_not_type_the_slug_breaks_nothing(cast: Cast, typed: str) -> None:
    on_call = inside(cast)
    answer = on_call.post(PATH, {**previewed(on_call), "intent": typed})
    assert answer.status_code == 422
    assert "Type the slug of this tenant, exactly." in answer.text
    assert cast.entries("request.refused")


def test_whoever_may_judge_sees_what_they_judge(cast: Cast) -> None:
    request = smashed(inside(cast))
    auditor = cast.sign_in("security_auditor")
    page = auditor.get("/reviews").text
    assert f'href="/requests/{request}"' in page
    assert cast.sign_in("finance_lead").get(f"/requests/{request}").status_code == 200
    assert cast.sign_in("finance").get(f"/requests/{request}").status_code == 404
