"""The pages of acting for a member: from the members' list into the product and out again, and what each one shows."""

import html
import re
import secrets

import pytest

from console.domain.ids import ReasonCode, RequestId, SessionKey
from console.domain.impersonations import ImpersonationEnd
from console.domain.reasons import Reason
from console.domain.requests import Verdict
from console.usecases.outcomes import BadFields, Waiting
from console.usecases.propose_action import propose_action
from console.usecases.read_requests import read_request
from console.usecases.vote_on_request import Voted, vote_on_request
from tests.products import ADDRESS
from tests.web.cast import PEOPLE, Browser, Cast
from tests.web.product_stage import (
    STATE,
    WIDEN,
    Kit,
    actor,
    ask_to_act,
    begun,
    entered,
    hand_off_path,
    impersonation_of,
    member,
    rehoused,
)
from tests.web.world import TENANTS

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
MEMBERS = "/t/nordwind/members"


@pytest.fixture
def inside(cast: Cast) -> Browser:
    agent = cast.sign_in("support_agent")
    cast.open_tenant(agent)
    return agent


def started_by_pages(agent: Browser) -> str:
    """Go from the members' list through the preview to the page of what came of it; return its path."""
    assert "Act as" in agent.get(MEMBERS).text
    preview = agent.get(f"/t/nordwind/actions/impersonation.start?member={member()}&minutes=30")
    assert preview.status_code == 200
    assert "reads only" in preview.text
    form = {name: html.unescape(value) for name, value in _HIDDEN.findall(preview.text)}
    del form["csrf_token"]
    why = {"reason_code": "CUSTOMER_SUPPORT", "reason_reference": "ZD-48213", "reason_note": ""}
    sent = {"minutes": "30", **why, **form, "step": "ask"}
    done = agent.post("/t/nordwind/actions/impersonation.start", sent, follow=True)
    assert done.status_code == 200, done.text
    found = re.search(r'href="(/impersonations/imp_[0-9a-z]+)"', done.text)
    assert found, done.text
    return found[1]


def test_it_leads_from_a_member_to_the_product(cast: Cast, inside: Browser) -> None:
    own = inside.get(started_by_pages(inside))
    assert own.status_code == 200
    enter = re.search(rf'href="({re.escape(ADDRESS)}/sallyport/enter\?sid=imp_[0-9a-z]+)"', own.text)
    assert enter
    assert "You act for a member of" in own.text
    sid = enter[1].partition("sid=")[2]
    page = inside.get(hand_off_path(sid, secrets.token_urlsafe(48)))
    assert page.status_code == 200, re.findall("<h1>.*</h1>", page.text)
    assert "<h1>Go on as <bdi>Member 2 of Nordwind Logistik GmbH</bdi>?</h1>" in re.findall("<h1>.*</h1>", page.text)
    assert "member2@nordwind.example" not in page.text
    assert "Reads only" in page.text
    assert f'name="state" value="{STATE}"' in page.text
    assert cast.count("impersonation.read") == 2
    assert [entry["targets"][0]["id"] for entry in cast.entries("tenant.read")][-1] == "hand-off"


def test_the_banner_stands_on_every_page_while_it_runs(cast: Cast, inside: Browser) -> None:
    before = inside.get("/").text
    assert "banner--impersonation" not in before
    sid = begun(cast)
    for path in ("/", "/account", MEMBERS, "/requests", f"/impersonations/{sid}"):
        text = inside.get(path).text
        assert "banner--impersonation" in text
        assert f'action="/impersonations/{sid}/end"' in text
        assert "reading only" in text
    fragment = inside.get("/", HX_Request="true").text
    assert "banner--impersonation" not in fragment
    other = cast.sign_in("support_lead")
    assert "banner--impersonation" not in other.get("/").text


def test_the_banner_goes_with_the_clock_and_by_hand(cast: Cast, inside: Browser) -> None:
    sid = begun(cast)
    inside.get("/")
    ended = inside.post(f"/impersonations/{sid}/end", follow=True)
    assert "The impersonation has ended" in ended.text
    assert "It was ended by hand." in ended.text
    assert "banner--impersonation" not in ended.text
    begun(cast)
    assert "banner--impersonation" in inside.get("/").text
    cast.clock.pass_by(minutes=10)
    assert "banner--impersonation" not in inside.get("/").text


def test_its_own_page_says_what_ended_it_and_writes_that_down(cast: Cast, inside: Browser) -> None:
    sid = begun(cast)
    cast.clock.pass_by(minutes=11)
    inside.get("/")
    page = inside.get(f"/impersonations/{sid}")
    assert "Nothing was done with it for too long." in page.text
    assert "Enter the product" not in page.text
    assert cast.count("impersonation.expired") == 1
    assert inside.get(hand_off_path(sid, secrets.token_urlsafe(48))).status_code == 409


def test_a_form_that_is_only_a_button_takes_no_field(cast: Cast, inside: Browser) -> None:
    sid = begun(cast)
    inside.get("/")
    assert inside.post(f"/impersonations/{sid}/end", {"mode": "write"}).status_code == 422


def test_a_lead_ends_a_colleagues_and_comes_back_to_the_list(cast: Cast, inside: Browser) -> None:
    sid = begun(cast)
    lead = cast.sign_in("support_lead")
    cast.open_tenant(lead)
    shown = lead.get(f"/t/nordwind/impersonations/{sid}")
    assert f'action="/impersonations/{sid}/end"' in shown.text
    ended = lead.post(f"/impersonations/{sid}/end")
    assert ended.headers["Location"] == "/t/nordwind/impersonations"
    (entry,) = cast.entries("impersonation.ended")
    assert (entry["actor"]["id"], entry["facts"]["staff"]) == (PEOPLE["support_lead"].id, PEOPLE["support_agent"].id)
    colleague = cast.sign_in("support_agent_2")
    cast.open_tenant(colleague)
    again = begun(cast)
    assert "/end" not in colleague.get(f"/t/nordwind/impersonations/{again}").text.partition("<main")[2]


def test_the_tenants_list_shows_who_acted_and_each_request(cast: Cast, inside: Browser) -> None:
    kit, acting = Kit(cast), entered(cast, inside)
    told = [
        {
            "id": f"rep-{number:02}", "sid": acting.sid, "at": f"2026-11-21T12:00:{number:02}Z", "method": "GET",
            "route": "/projects/<id>" if number else "/settings/<section>", "effect": "read" if number else "never",
            "outcome": "done" if number else "refused", "status": 200 if number else 403,
            **({} if number else {"code": "email.change"}),
        }
        for number in range(55)
    ]  # fmt: skip
    assert kit.call("/product/reports", document={"reports": told}).get_json()["accepted"] == 55
    listed = inside.get("/t/nordwind/impersonations")
    assert PEOPLE["support_agent"].name in listed.text
    assert f"/t/nordwind/impersonations/{acting.sid}" in listed.text
    first = inside.get(f"/t/nordwind/impersonations/{acting.sid}")
    assert first.text.count("GET /projects/&lt;id&gt;") == 50
    older = re.search(r'href="([^"]+before=rep-05)"', first.text)
    assert older
    second = inside.get(html.unescape(older[1]))
    assert second.text.count("GET /projects/&lt;id&gt;") == 4
    assert "Never allowed" in second.text
    assert "email.change" in second.text


def test_the_list_has_pages_and_an_end(cast: Cast, inside: Browser) -> None:
    assert "Nobody has acted for a member here" in inside.get("/t/nordwind/impersonations").text
    for number in range(51):
        impersonation_of(
            cast, "support_agent", session=SessionKey(f"s{number}"), slug="nordwind", by=ImpersonationEnd.TIME
        )  # fmt: skip
    first = inside.get("/t/nordwind/impersonations")
    assert first.text.count("Its time ran out.") == 50
    older = re.search(r'href="([^"]+before=imp_[0-9a-z]+)"', first.text)
    assert older
    assert inside.get(older[1]).text.count("Its time ran out.") == 1


def test_another_tenants_impersonation_is_not_shown_here(cast: Cast, inside: Browser) -> None:
    cast.open_tenant(inside, "kestrel")
    sid = impersonation_of(
        cast, "support_agent", session=SessionKey("s"), slug="kestrel", by=ImpersonationEnd.HAND
    )  # fmt: skip
    assert inside.get(f"/t/nordwind/impersonations/{sid}").status_code == 404
    assert inside.get(f"/t/kestrel/impersonations/{sid}").status_code == 200


def test_writing_needs_a_lead_and_then_the_token_says_so(cast: Cast, inside: Browser) -> None:
    kit, acting = Kit(cast), entered(cast, inside)
    assert "Write in a member" in inside.get(f"/impersonations/{acting.sid}").text
    cast.step_up(inside, "support_agent")
    asker = actor(cast, "support_agent")
    answer = propose_action(
        cast.house,
        asker,
        key=WIDEN,
        tenant=TENANTS["nordwind"],
        raw={"impersonation": acting.sid},
        reason=Reason(code=ReasonCode("INCIDENT_RESPONSE"), reference="INC-2301"),
        mark=None,
        form_id=RequestId(cast.house.ids.new("req")),
    )
    assert isinstance(answer, Waiting), answer
    assert kit.introspect(acting.token)["mode"] == "read"
    cast.sign_in("support_lead")
    lead = actor(cast, "support_lead")
    read_request(cast.house, lead, request_id=answer.request.id)
    voted = vote_on_request(
        cast.house, lead, request_id=answer.request.id, digest=answer.request.digest, verdict=Verdict.APPROVE
    )
    assert isinstance(voted, Voted), voted
    found = kit.introspect(acting.token)
    assert (found["active"], found["mode"], found["scope"]) == (True, "write", "read write")
    assert kit.renew(acting.token).get_json()["scope"] == "read write"
    page = inside.get(f"/impersonations/{acting.sid}").text
    assert "Reads and writes" in page
    assert f"/requests/{answer.request.id}" in page
    assert "reading and writing" in page


def test_without_a_product_nobody_acts_for_anybody(cast: Cast, inside: Browser) -> None:
    rehoused(cast, product=None)
    for path in ("token", "introspect", "revoke", "reports", "events"):
        answer = Kit(cast).call(f"/product/{path}", {})
        assert (answer.status_code, answer.get_json()["error"]) == (404, "not_connected")
    assert cast.app.test_client().get("/.well-known/jwks.json").status_code == 404
    answer_of = ask_to_act(cast, "support_agent")
    assert isinstance(answer_of, BadFields)
    assert "No product is connected" in answer_of.faults[0].remedy
