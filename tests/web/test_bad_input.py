"""Bad input: every fault names its field and a remedy, gets its own clear answer, and changes nothing."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.door import CONTRACT, OVERRIDE, SEATS, SUSPEND, TICKET, Door, opened_door
from tests.web.cast import Browser
from tests.web.matrix import stored

NASTY = (
    "", " ", "\u00a0", "0", "-1", "1e9", "٣٠", "99999999999999999999", "null", "[]", "../../etc/passwd", "' OR 1=1 --",
    "<script>alert(1)</script>", "{{77777*99991}}", "\u202eevil", "a\r\nb: c", "🦔" * 40, "n" * 9_000,
)  # fmt: skip
STAFF_REASON = {"reason_code": "STAFF_CHANGE", "reason_reference": "HR-123"}


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with opened_door(tmp_path / "bad.db") as door:
        yield door


def agents_forms(request: str) -> dict[str, dict[str, str]]:
    """Return the forms that a support agent can send beside those of actions, and one of these at its last step.

    Well filled in but for what the test changes; `test_every_field` does the same to the parameters of every action.
    """
    ask = {**CONTRACT, "step": "preview"}
    return {
        "/tenants/kestrel/lease": {**TICKET, "minutes": "5"},
        OVERRIDE: {**SEATS, **ask, "form_id": "req_x", "mark": "m", "shown_changes": "[]", "shown_params": "p"},
        f"/requests/{request}/votes": {"verdict": "approve", "digest": "0" * 64, "comment": ""},
        f"/requests/{request}/revision": {**SEATS, "step": "preview"},
        "/step-up": {"code": "", "password": "", "next": "/"},
    }


def nasty_pairs(form: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Return every nasty value once, walking over the fields, so that each field meets some."""
    names = list(form)
    for number, value in enumerate(NASTY):
        yield names[number % len(names)], value


def told_too_much(text: str) -> bool:
    """Return whether a page shows what stands behind it, or runs what was typed."""
    return any(trace in text for trace in ("Traceback", "sqlalchemy", "sqlite3", "7777000007", "<script>alert"))


def checked(browser: Browser, path: str, form: dict[str, str], what: str) -> list[str]:
    answer = browser.post(path, form)
    faults = []
    if answer.status_code not in {200, 303, 401, 403, 404, 409, 422, 429}:
        faults.append(f"{path} with {what}: {answer.status_code}")
    if told_too_much(answer.text):
        faults.append(f"{path} with {what} tells too much")
    return faults


@pytest.mark.checklist("V2.2.1")
@pytest.mark.checklist("V16.5.4")
@pytest.mark.checklist("V1.2.4")
def test_it_survives_nasty_values_in_every_form_of_an_agent(door: Door) -> None:
    agent = door.inside()
    request = door.ask(agent)
    before = stored(door.file)
    faults = []
    for path, form in agents_forms(request).items():
        agent.get("/account")
        for name, value in nasty_pairs(form):
            faults += checked(agent, path, {**form, name: value}, f"{name}={value[:20]!r}")
    assert not faults, "\n".join(faults)
    assert {name for name, rows in stored(door.file).items() if rows != before[name]} <= {"lease"}


@pytest.mark.checklist("V16.5.4")
def test_it_survives_nasty_values_in_the_forms_of_administrators_and_leads(door: Door) -> None:
    request = door.suspension_asked()
    staff = {"colleague": door.staff("engineer"), **STAFF_REASON, "step": "preview"}
    add = {"name": "Ada", "email": "a@b.example", "person": "https://id.example|a", "roles": "finance"}
    forms = {
        "/actions/staff.add": {**add, **STAFF_REASON, "step": "preview"},
        "/actions/staff.change_roles": {**staff, "roles": "finance"},
    }
    administrator, lead = door.enter("administrator"), door.enter("support_lead_2")
    before = stored(door.file)
    faults = []
    for path, form in forms.items():
        for name, value in nasty_pairs(form):
            faults += checked(administrator, path, {**form, name: value}, f"{name}={value[:20]!r}")
    for value in NASTY:
        faults += checked(lead, f"/requests/{request}/revocation", {"because": value}, f"because={value[:20]!r}")
        faults += checked(lead, f"/requests/{request}/votes", {"verdict": value, "digest": value}, repr(value[:20]))
    assert not faults, "\n".join(faults)
    assert stored(door.file) == before


@pytest.mark.checklist("V16.5.1")
@pytest.mark.checklist("V1.3.12")
@pytest.mark.parametrize("who", ["support_agent", "security_auditor"])
def test_it_survives_nasty_values_in_addresses(door: Door, who: str) -> None:
    browser = door.inside() if who == "support_agent" else door.enter(who)
    before = stored(door.file)
    pages = (
        "/search?q=", "/palette?q=", "/requests?tab=", "/requests?after=", "/trail?tenant=", "/trail?since=",
        "/staff?after=", "/trail?before=", "/t/nordwind/members?after=", "/t/nordwind/entries?before=",
        "/t/nordwind/billing?before=", "/t/nordwind/billing?payments=",
        f"{OVERRIDE}?value=", "/sign-in?next=",
    )  # fmt: skip
    for page in pages:
        for value in NASTY[::2]:
            query = page.split("?", 1)[1][:-1]
            answer = browser.client.get(page.split("?", 1)[0], query_string={query: value}, buffered=True)
            assert answer.status_code in {200, 303, 403, 404, 422}, (page, value, answer.status_code)
            assert "Traceback" not in answer.text
    for path in ("/requests/", "/trail/", "/t/", "/actions/", "/t/nordwind/actions/"):
        for value in ("x", "%00", "%ff%fe", "%2e%2e", "n" * 3_000, "%F0%9F%A6%94", "'%20OR%201=1"):
            assert browser.client.get(path + value, buffered=True).status_code in {308, 400, 403, 404}, (path, value)
    assert stored(door.file) == before


@pytest.mark.parametrize(
    ("changed", "field", "remedy"),
    [
        ({"reason_code": ""}, "reason_code", "Choose a reason"),
        ({"reason_reference": ""}, "reason_reference", "SUP-48213"),
        ({"reason_reference": "48213"}, "reason_reference", "looks like SUP-48213"),
        ({"reason_reference": "ZD-1404"}, "reason_reference", "Check the number"),
        ({"reason_reference": "ZD-1403"}, "reason_reference", "Check tenant and number"),
        ({"reason_reference": "ZD-1410"}, "reason_reference", "Reopen it"),
        ({"reason_note": "two\nlines"}, "reason_note", "in one line"),
        ({"reason_note": "n" * 2_001}, "reason_note", "under 2000 characters"),
        ({"minutes": "soon"}, "minutes", "whole minutes"),
        ({"minutes": "31"}, "minutes", "1 to 30 minutes"),
        ({"smuggled": "1"}, "smuggled", "no such field"),
    ],
)
def test_it_names_field_and_remedy_on_the_lease_form(
    door: Door, changed: dict[str, str], field: str, remedy: str
) -> None:
    agent = door.enter()
    agent.get("/tenants/nordwind/lease")
    answer = agent.post("/tenants/nordwind/lease", {**TICKET, "reason_note": "What was typed stays.", **changed})
    assert answer.status_code == 422
    assert remedy in answer.text
    if field not in {"smuggled", "minutes"}:
        assert f'id="{field}"' in answer.text
    if "reason_note" not in changed:
        assert "What was typed stays." in answer.text
    assert not door.leases("support_agent")


@pytest.mark.parametrize(
    ("changed", "remedy"),
    [
        ({"value": "many"}, "whole number from 0 to"),
        ({"value": "-1"}, "whole number from 0 to"),
        ({"value": ""}, "Fill in “New value”."),
        ({"value": "200"}, "already has"),
        ({"feature": "rockets"}, "one of the features"),
        ({"until": "31.01.2027"}, "a day like"),
        ({"until": "2026-11-21"}, "after today"),
        ({"state": "approved"}, "no such field"),
    ],
)
def test_it_names_field_and_remedy_on_the_form_of_an_action(door: Door, changed: dict[str, str], remedy: str) -> None:
    agent = door.inside()
    agent.get(OVERRIDE)
    answer = agent.post(OVERRIDE, {**SEATS, **CONTRACT, "step": "preview", **changed})
    assert answer.status_code == 422
    assert remedy in answer.text
    assert re.search(rf'href="#{next(iter(changed))}"', answer.text), "the summary leads to the field"
    assert door.cast.count("request.proposed") == 0


def test_it_finds_the_first_result_of_a_form_that_is_sent_twice(door: Door) -> None:
    agent = door.inside()
    form = door.preview(agent, OVERRIDE, SEATS)
    first, second = agent.post(OVERRIDE, form), agent.post(OVERRIDE, form)
    assert first.headers["Location"] == second.headers["Location"]
    assert "sent before" in agent.get(second.headers["Location"]).text
    assert door.cast.count("request.proposed") == 1


def test_it_files_nothing_when_the_tenant_changed_since_the_preview(door: Door) -> None:
    agent, lead = door.inside(), door.enter("finance_lead")
    form = door.preview(agent, OVERRIDE, SEATS)
    request = door.ask(agent)
    door.vote(lead, request)
    assert door.request(request).state == "executed"
    answer = agent.post(OVERRIDE, {**form, "value": "260", "step": "ask"})
    assert answer.status_code == 200, "an edited form is previewed again"
    answer = agent.post(OVERRIDE, form)
    assert answer.status_code in {409, 422}
    assert door.cast.count("request.proposed") == 1


def test_it_gives_every_bad_message_an_answer_of_its_own(door: Door) -> None:
    agent = door.inside()
    request = door.suspension_asked()
    agent.get("/account")
    token, lead = agent.token, door.enter("support_lead_2")
    lead.get(f"/requests/{request}")
    stale = {"verdict": "approve", "digest": "0" * 64, "comment": ""}
    answers = {
        "no such request": agent.get("/requests/req_00000000000000000000000000"),
        "no such tenant": agent.get("/t/nowhere/"),
        "not opened": agent.get("/t/kestrel/members"),
        "stale digest": lead.post(f"/requests/{request}/votes", stale),
        "too large": agent.post(SUSPEND, {"because": "n" * 300_000}),
        "foreign host": agent.get("/", Host="evil.example"),
        "no token": agent.post("/account/notices/read", token=""),
        "unknown field": agent.post("/account/notices/read", {"x": "1"}, token=token),
        "no such page": agent.get("/nowhere"),
        "wrong method": agent.client.delete("/account", buffered=True),
    }
    statuses = {what: answer.status_code for what, answer in answers.items()}
    assert statuses == {
        "no such request": 404, "no such tenant": 404, "not opened": 404, "stale digest": 409, "too large": 413,
        "foreign host": 400, "no token": 400, "unknown field": 422, "no such page": 404, "wrong method": 405,
    }  # fmt: skip
    told = {what: re.sub(r"<[^>]+>|\s+", " ", answer.text) for what, answer in answers.items()}
    for what, sentence in {
        "no such request": "There is no such request", "no such tenant": "There is no such tenant",
        "not opened": "You have not opened this tenant", "stale digest": "changed after you looked",
        "too large": "larger than any form", "foreign host": "does not answer under this host name",
        "no token": "not made for this session", "unknown field": "no field", "no such page": "no such page",
        "wrong method": "does not take that kind of message",
    }.items():  # fmt: skip
        assert sentence in told[what], (what, told[what][-600:])
