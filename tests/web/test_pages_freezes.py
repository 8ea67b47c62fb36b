"""The page of the kill switch, and the banner that everybody sees while something is frozen."""

import re
from html import unescape

from console.usecases.run_jobs import run_due_jobs
from tests.web.cast import PEOPLE, Browser, Cast

WHY = {"reason_code": "CONTAINMENT", "reason_reference": "INC-2301", "reason_note": ""}
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


def asked(browser: Browser, key: str, **fields: str) -> str:
    """Preview an action on the control store, then ask for it; return where it led."""
    path = f"/actions/{key}"
    browser.get(path)
    shown = browser.post(path, {**fields, **WHY, "step": "preview"})
    assert shown.status_code == 200, shown.text
    hidden = {name: unescape(value) for name, value in _HIDDEN.findall(shown.text) if name != "csrf_token"}
    answer = browser.post(path, {**hidden, **fields, **WHY, "step": "ask"})
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def test_it_freezes_shows_and_lifts(cast: Cast) -> None:
    on_call = cast.sign_in("on_call")
    assert "Nothing is frozen" in on_call.get("/freezes").text
    asked(on_call, "freeze.set", scope="all", subject="")
    page = on_call.get("/freezes").text
    assert "INC-2301" in page
    assert "Lift freeze" in page
    agent = cast.sign_in("support_agent")
    home = agent.get("/")
    assert home.status_code == 200
    assert "Everything is frozen (INC-2301)" in home.text
    assert "Lift freeze" not in agent.get("/freezes").text
    with cast.house.store.read() as unit:
        (freeze,) = unit.freezes.standing()
    where = asked(on_call, "freeze.lift", freeze=freeze.id)
    auditor = cast.sign_in("security_auditor")
    request = where.rpartition("/")[2]
    auditor.get(f"/requests/{request}")
    with cast.house.store.read() as unit:
        found = unit.requests.get(request)  # type: ignore[arg-type]  # as it stands in the address
    assert found is not None
    answer = auditor.post(f"/requests/{request}/votes", {"verdict": "approve", "digest": found.digest, "comment": ""})
    assert answer.status_code == 303, answer.text
    page = auditor.get("/freezes").text
    assert "Nothing is frozen" in page
    assert PEOPLE["on_call"].name in page
    assert "Everything is frozen" not in agent.get("/").text


def test_only_who_is_frozen_sees_the_banner(cast: Cast) -> None:
    on_call = cast.sign_in("on_call")
    asked(on_call, "freeze.set", scope="person", subject=PEOPLE["support_agent"].email)
    assert "is frozen (INC-2301)" in cast.sign_in("support_agent").get("/").text
    assert "is frozen (INC-2301)" not in on_call.get("/").text


def test_a_drill_shows_its_times_and_frees_everybody(cast: Cast) -> None:
    on_call = cast.sign_in("on_call")
    asked(on_call, "freeze.drill")
    page = on_call.get("/freezes").text
    assert "Not every place was measured yet." in page
    run_due_jobs(cast.house, worker="w1")
    page = on_call.get("/freezes").text
    assert "Every place would have refused after 0.000 s." in page
    assert "Nothing is frozen" in page
    assert cast.entries("freeze.rehearsed")


def test_the_page_names_every_vendor(cast: Cast) -> None:
    with cast.house.store.write() as unit:
        unit.staff.set_vendor(PEOPLE["support_agent"].id, "northwind")
    assert "northwind" in cast.sign_in("security_auditor").get("/freezes").text
