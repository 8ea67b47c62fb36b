"""The customer's side in the browser and over the wire: the page for staff, the links and the feed for customers."""

import re
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from console.domain.ids import MemberId
from console.domain.imports import member_id_of
from console.domain.trust.links import Link, LinkKind
from tests.web.cast import Cast
from tests.web.customer_stage import ASKED, DECIDES, MATTER, TOKEN, trust
from tests.web.walks import opened
from tests.web.world import NORDWIND, TENANTS

HERE = TENANTS["nordwind"]


@pytest.fixture
def asked(cast: Cast) -> Cast:
    trust(cast, HERE)
    return cast


def link(cast: Cast, kind: LinkKind = LinkKind.CONSENT, subject: str = "cns_1") -> str:
    owner = MemberId(member_id_of(NORDWIND, "nordwind-m1"))
    until = cast.clock.now() + timedelta(days=3)
    said = Link(kind=kind, tenant=HERE, member=owner, subject=subject, until=until)
    return said.signed(cast.house.fingerprints.of)


def told(answer: TestResponse) -> dict[str, Any]:
    """Return the JSON object of an answer."""
    read = answer.get_json()
    assert isinstance(read, dict)
    return read


def test_it_shows_staff_what_the_customer_sees(asked: Cast) -> None:
    page = opened(asked, "support_lead").get("/t/nordwind/customer")
    assert page.status_code == 200
    for part in ("What the customer sees", "Allowed", "A daily digest", MATTER, ASKED, "Program 1", "Revoke"):
        assert part in page.text
    assert TOKEN not in page.text


def test_it_shows_an_administrator_the_question_before_anything_is_decided(asked: Cast) -> None:
    page = asked.stranger().get(f"/customer/consents/{link(asked)}")
    assert page.status_code == 200
    assert ASKED in page.text
    assert re.search(r"staff-[0-9a-f]{10}", page.text)
    assert "Claire" not in page.text
    assert 'method="post"' in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in page.headers


def test_it_takes_the_answer_once_without_session_and_script(asked: Cast) -> None:
    browser, address = asked.stranger(), f"/customer/consents/{link(asked)}"
    assert browser.client.post(address, data={}).status_code == 422
    answered = browser.client.post(address, data={"verdict": "approve"})
    assert (answered.status_code, "Approved" in answered.text) == (200, True)
    assert browser.client.post(address, data={"verdict": "refuse"}).status_code == 409
    assert "Approved" in browser.get(address).text


def test_it_lets_an_administrator_set_the_rules(asked: Cast) -> None:
    browser, address = asked.stranger(), f"/customer/policy/{link(asked, LinkKind.POLICY, '0')}"
    assert "What our staff may do" in browser.get(address).text
    assert browser.client.post(address, data={"impersonation": "refused", "notify": "none"}).status_code == 422
    done = browser.client.post(address, data={"impersonation": "refused", "notify": "each"})
    assert (done.status_code, "Your rules hold" in done.text) == (200, True)
    assert browser.client.post(address, data={"impersonation": "allowed", "notify": "each"}).status_code == 409


def test_it_shows_the_log_to_an_administrator_without_session_and_script(asked: Cast) -> None:
    browser, address = asked.stranger(), f"/customer/log/{link(asked, LinkKind.LOG, '0')}"
    for given in ("?before=7", "?before=x", "?before=-1", f"?before={'9' * 30}"):
        assert "Nothing yet" in browser.get(f"{address}{given}").text
    page = browser.get(address)
    assert (page.status_code, "Nothing yet" in page.text) == (200, True)
    assert page.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in page.headers
    assert browser.get(f"/customer/log/{link(asked)}").status_code == 404, "a link to something else"
    assert asked.count("customer.log_read") == 5


def test_it_serves_programs_with_a_token(asked: Cast) -> None:
    client = asked.stranger().client
    log, decides = {"Authorization": f"Bearer {TOKEN}"}, {"Authorization": f"Bearer {DECIDES}"}
    page = client.get("/customer/access-log?after=0", headers=log)
    assert (page.status_code, told(page)["slug"], told(page)["lines"]) == (200, "nordwind", [])
    assert client.get("/customer/access-log?after=x", headers=log).status_code == 400
    assert client.get("/customer/api/policy", headers=log).status_code == 403
    assert told(client.get("/customer/api/policy", headers=decides))["impersonation"] == "allowed"
    wanted = {"impersonation": "consent", "notify": "each"}
    assert told(client.post("/customer/api/policy", json=wanted, headers=decides))["version"] == 1
    assert client.post("/customer/api/policy", json={"notify": "none"}, headers=decides).status_code == 422
    (question,) = told(client.get("/customer/api/consents", headers=decides))["consents"]
    assert (question["what"], question["state"]) == (ASKED, "pending")
    answer = client.post(f"/customer/api/consents/{question['id']}", json={"verdict": "refuse"}, headers=decides)
    assert told(answer)["state"] == "refused"
    again = client.post(f"/customer/api/consents/{question['id']}", json={"verdict": "approve"}, headers=decides)
    assert again.status_code == 409
    unknown = client.post("/customer/api/consents/cns_9", json={"verdict": "approve"}, headers=decides)
    assert unknown.status_code == 404


def test_it_takes_no_large_answer(asked: Cast) -> None:
    client = asked.stranger().client
    assert client.post(f"/customer/consents/{link(asked)}", data={"verdict": "a" * 9_000}).status_code == 413


def test_it_shows_legal_holds_only_to_those_who_handle_them(asked: Cast) -> None:
    assert MATTER not in opened(asked, "support_agent").get("/t/nordwind/customer").text
    assert MATTER in opened(asked, "support_lead").get("/t/nordwind/customer").text
