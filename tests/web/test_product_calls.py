"""The product's calls, on both databases: exchange, introspection, revocation, reports, events, as its kit calls."""

import json
import secrets
from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey

from console.domain.impersonations import ImpersonationEnd
from console.usecases.end_impersonation import sweep_impersonations
from tests.conftest import NewDatabase
from tests.products import ADDRESS, CLIENT_ID, CLIENT_SECRET, CONSOLE, token_keys
from tests.web.cast import PEOPLE, Browser, Cast, on_stage, peopled_url
from tests.web.product_stage import (
    Entered,
    Kit,
    SilentTickets,
    begun,
    entered,
    hand_off_path,
    handed_over,
    member,
    rehoused,
)
from tests.web.world import NORDWIND


@pytest.fixture(params=["sqlite", "postgresql"])
def cast(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Cast]:
    with on_stage(peopled_url(request.param, tmp_path / "cast.db", pg_database)) as cast:
        yield cast


@pytest.fixture
def kit(cast: Cast) -> Kit:
    return Kit(cast)


@pytest.fixture
def agent(cast: Cast) -> Browser:
    return cast.sign_in("support_agent")


@pytest.fixture
def inside(cast: Cast, agent: Browser) -> Entered:
    return entered(cast, agent)


def claims_of(token: str) -> dict[str, object]:
    found = token_keys().read(token)
    assert found is not None
    return dict(found)


def test_it_gives_a_short_token_that_names_both_sides(cast: Cast, inside: Entered) -> None:
    now = int(cast.clock.now().timestamp())
    claims = claims_of(inside.token)
    act = claims["act"]
    assert isinstance(act, dict)
    assert (claims["iss"], claims["aud"], claims["sid"]) == (CONSOLE, CLIENT_ID, inside.sid)
    assert (claims["sub"], claims["tenant"], claims["scope"]) == (member(), NORDWIND, "read")
    assert (claims["iat"], claims["exp"]) == (now, now + 300)
    assert act["name"] == "Noor H., support"
    assert str(act["sub"]).startswith("staff_")
    assert PEOPLE["support_agent"].id not in json.dumps(claims)


def test_it_publishes_the_key_that_signs(cast: Cast, inside: Entered) -> None:
    answer = cast.app.test_client().get("/.well-known/jwks.json", buffered=True)
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    (key, *_older) = answer.get_json()["keys"]
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("OKP", "Ed25519", "Ed25519", "sig")
    assert "d" not in key
    assert jwt.decode(inside.token, OKPKey.import_key(key), algorithms=["Ed25519"]).claims["sid"] == inside.sid


def test_it_tells_that_a_token_stands(cast: Cast, kit: Kit, inside: Entered) -> None:
    found = kit.introspect(inside.token)
    assert (found["active"], found["mode"], found["scope"], found["sid"]) == (True, "read", "read", inside.sid)
    assert (found["reason_code"], found["reference"]) == ("CUSTOMER_SUPPORT", "ZD-48213")
    assert found["not_after"] == int(cast.clock.now().timestamp()) + 1800
    assert found["leave"] == f"{CONSOLE}/impersonations/{inside.sid}"


def test_only_what_a_person_did_moves_the_idle_clock(cast: Cast, kit: Kit, inside: Entered) -> None:
    before = kit.introspect(inside.token)["idle_until"]
    cast.clock.pass_by(seconds=60)
    assert kit.introspect(inside.token)["idle_until"] == before
    assert kit.introspect(inside.token, activity=True)["idle_until"] == before + 60


def test_it_renews_a_token_for_its_whole_life_and_not_longer(cast: Cast, kit: Kit, inside: Entered) -> None:
    cast.clock.pass_by(seconds=299)
    next_one = kit.renew(inside.token)
    assert next_one.status_code == 200
    assert claims_of(next_one.get_json()["access_token"])["sub"] == member()
    cast.clock.pass_by(seconds=300)
    assert kit.renew(inside.token).status_code == 200
    cast.clock.pass_by(seconds=1)
    late = kit.renew(inside.token)
    assert (late.status_code, late.get_json()["error"]) == (400, "invalid_grant")


def test_no_token_outlives_its_impersonation(cast: Cast, kit: Kit, agent: Browser) -> None:
    inside = entered(cast, agent, minutes=2)
    claims = claims_of(inside.token)
    assert int(str(claims["exp"])) - int(str(claims["iat"])) == 120


def test_revoking_ends_it_by_hand(cast: Cast, kit: Kit, inside: Entered) -> None:
    assert kit.revoke(inside.token).status_code == 200
    found = kit.introspect(inside.token)
    assert (found["active"], found["ended_by"]) == (False, "hand")
    (entry,) = cast.entries("impersonation.ended")
    assert (entry["actor"]["id"], entry["targets"][0]["id"]) == (PEOPLE["support_agent"].id, member())
    assert kit.revoke(inside.token).status_code == 200
    assert kit.revoke("rubbish").status_code == 200


def test_it_keeps_each_report_once_with_an_entry(cast: Cast, kit: Kit, inside: Entered) -> None:
    told = {
        "id": "rep-1", "sid": inside.sid, "at": "2026-11-29T18:30:00Z", "method": "GET", "route": "/projects/<id>",
        "effect": "read", "outcome": "done", "status": 200,
    }  # fmt: skip
    refused = {**told, "id": "rep-2", "effect": "never", "outcome": "refused", "status": 403, "code": "email.change"}
    strange = {**told, "id": "rep-3", "sid": "imp_nobody"}
    answer = kit.call("/product/reports", document={"reports": [told, refused, strange]})
    assert answer.get_json() == {"accepted": 2, "known": 0, "unknown": 1}
    again = kit.call("/product/reports", document={"reports": [told, refused]})
    assert again.get_json() == {"accepted": 0, "known": 2, "unknown": 0}
    (entry,) = cast.entries("impersonation.request")
    assert entry["actor"]["id"] == PEOPLE["support_agent"].id
    assert entry["correlation"] == inside.sid
    assert [target["id"] for target in entry["targets"]] == ["/projects/<id>", member(), inside.sid]
    (entry,) = cast.entries("impersonation.request_refused")
    assert (entry["error"], entry["outcome"]) == ("email.change", "denied")


@pytest.mark.parametrize(
    "wrong",
    [
        {"route": "/projects/4711"}, {"route": "/projects/<id>?tab=1"}, {"route": "projects"}, {"effect": "maybe"},
        {"status": "200"}, {"status": True}, {"at": "yesterday"}, {"at": "2026-11-29T18:30:00"}, {"method": "get"},
        {"more": 1}, {"route": "/m/ada@example.com"}, {"id": ""}, {"sid": None}, {"code": "No Code"},
    ],
)  # fmt: skip
def test_a_report_that_cannot_be_read_refuses_the_batch(kit: Kit, inside: Entered, wrong: dict[str, object]) -> None:
    told = {
        "id": "rep-1", "sid": inside.sid, "at": "2026-11-29T18:30:00Z", "method": "GET", "route": "/projects/<id>",
        "effect": "read", "outcome": "done", "status": 200, **wrong,
    }  # fmt: skip
    answer = kit.call("/product/reports", document={"reports": [told]})
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "sent", [b"", b"[]", b"{", b'{"reports": {}}', b'{"reports": [1]}', b'{"reports": [], "x": 1}']
)
def test_a_call_that_is_no_document_is_refused(cast: Cast, sent: bytes) -> None:
    secret = b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
    headers = {"Authorization": f"Basic {secret}", "Content-Type": "application/json"}
    answer = cast.app.test_client().post("/product/reports", data=sent, headers=headers, buffered=True)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "9999-06-01T00:00:00Z"])
def test_a_moment_that_nobody_can_show_hides_nothing_of_an_impersonation(
    cast: Cast, kit: Kit, inside: Entered, at: str
) -> None:
    told = {"id": "rep-1", "sid": inside.sid, "at": at, "method": "GET", "route": "/projects/<id>", "effect": "read",
            "outcome": "done", "status": 200}  # fmt: skip
    assert kit.call("/product/reports", document={"reports": [told]}).status_code == 400
    event = {"id": "evt-1", "kind": "member.deleted", "tenant": NORDWIND, "member": "nordwind-m3", "at": at}
    assert kit.call("/product/events", document=event).status_code == 400
    lead = cast.sign_in("support_lead")
    cast.open_tenant(lead, "nordwind")
    assert lead.get(f"/t/nordwind/impersonations/{inside.sid}").status_code == 200


def test_more_reports_than_a_batch_may_hold_are_refused(kit: Kit) -> None:
    assert kit.call("/product/reports", document={"reports": [{}] * 501}).status_code == 400


@pytest.mark.parametrize("named", ["external", "ours"])
def test_a_member_who_resets_the_password_is_left_at_once(cast: Cast, kit: Kit, inside: Entered, named: str) -> None:
    who = "nordwind-m2" if named == "external" else member()
    event = {"id": "evt-1", "kind": "member.password_reset", "tenant": NORDWIND, "member": who,
             "at": "2026-11-29T18:30:00Z"}  # fmt: skip
    assert kit.call("/product/events", document=event).get_json() == {"known": False, "ended": 1}
    assert kit.introspect(inside.token)["ended_by"] == "member_reset"
    assert kit.call("/product/events", document=event).get_json() == {"known": True, "ended": 0}
    assert cast.count("impersonation.expired") == 1
    assert cast.count("product.told") == 1


def test_an_event_about_somebody_else_ends_nothing(cast: Cast, kit: Kit, inside: Entered) -> None:
    event = {"id": "evt-1", "kind": "member.deleted", "tenant": NORDWIND, "member": "nordwind-m3",
             "at": "2026-11-29T18:30:00Z"}  # fmt: skip
    assert kit.call("/product/events", document=event).get_json() == {"known": False, "ended": 0}
    assert kit.call("/product/events", document={**event, "id": "evt-2", "tenant": "cust-0"}).get_json() == {
        "known": False,
        "ended": 0,
    }
    assert kit.introspect(inside.token)["active"]
    assert cast.count("product.refused") == 1


@pytest.mark.parametrize("path", ["token", "introspect", "revoke", "reports", "events"])
@pytest.mark.parametrize(
    "client",
    [None, (CLIENT_ID, "wrong"), ("other", CLIENT_SECRET), ("", ""), (CLIENT_ID, CLIENT_SECRET[:-1])],
    ids=["nobody", "wrong_secret", "wrong_name", "nothing", "short"],
)
def test_whoever_does_not_know_the_secret_is_refused_and_recorded(
    cast: Cast, kit: Kit, path: str, client: tuple[str, str] | None
) -> None:
    answer = kit.call(f"/product/{path}", {"token": "x"}, client=client)
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert answer.headers["Cache-Control"] == "no-store"
    (entry,) = cast.entries("product.refused")
    assert (entry["error"], entry["actor"]["kind"]) == ("client_not_believed", "stranger")


def test_guessing_the_secret_is_slowed_and_the_product_gets_through(cast: Cast, kit: Kit, inside: Entered) -> None:
    tries = cast.house.book.limits.sign_in_address_tries
    said = [kit.call("/product/introspect", {"token": "x"}, client=(CLIENT_ID, "x")) for _ in range(tries + 1)]
    assert {answer.status_code for answer in said[:-1]} == {401}
    assert said[-1].status_code == 429
    assert said[-1].headers["Retry-After"] == "60"
    assert kit.introspect(inside.token)["active"]


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange"}, "invalid_request"),
        ({}, "unsupported_grant_type"),
    ],
)
def test_another_kind_of_exchange_is_refused(kit: Kit, form: dict[str, str], error: str) -> None:
    answer = kit.call("/product/token", form)
    assert (answer.status_code, answer.get_json()["error"]) == (400, error)


def test_a_code_is_good_once(cast: Cast, kit: Kit, agent: Browser) -> None:
    cast.open_tenant(agent)
    verifier = secrets.token_urlsafe(48)
    code = handed_over(agent, begun(cast), verifier)
    assert kit.exchange(code, verifier).status_code == 200
    again = kit.exchange(code, verifier)
    assert (again.status_code, again.get_json()["error"]) == (400, "invalid_grant")
    (entry,) = cast.entries("impersonation.refused")
    assert entry["error"] == "code_spent"


@pytest.mark.parametrize(("late", "status"), [(59, 200), (60, 400), (61, 400)])
def test_a_code_is_good_for_a_minute(cast: Cast, kit: Kit, agent: Browser, late: int, status: int) -> None:
    cast.open_tenant(agent)
    verifier = secrets.token_urlsafe(48)
    code = handed_over(agent, begun(cast), verifier)
    cast.clock.pass_by(seconds=late)
    assert kit.exchange(code, verifier).status_code == status


def test_a_code_in_another_browser_is_burned(cast: Cast, kit: Kit, agent: Browser) -> None:
    cast.open_tenant(agent)
    verifier = secrets.token_urlsafe(48)
    code = handed_over(agent, begun(cast), verifier)
    assert kit.exchange(code, secrets.token_urlsafe(48)).status_code == 400
    assert kit.exchange(code, verifier).status_code == 400
    assert [entry["error"] for entry in cast.entries("impersonation.refused")] == ["code_verifier_wrong", "code_spent"]


def test_a_code_dies_with_the_session_key_that_it_was_made_under(cast: Cast, kit: Kit, agent: Browser) -> None:
    cast.open_tenant(agent)
    verifier = secrets.token_urlsafe(48)
    sid = begun(cast)
    code = handed_over(agent, sid, verifier)
    cast.step_up(agent, "support_agent")
    assert kit.exchange(code, verifier).status_code == 400
    assert kit.exchange(handed_over(agent, sid, verifier), verifier).status_code == 200


def test_a_code_nobody_made_is_refused(cast: Cast, kit: Kit) -> None:
    assert kit.exchange(secrets.token_urlsafe(32), secrets.token_urlsafe(48)).status_code == 400
    assert kit.exchange("\x00\u00fc", "").status_code == 400
    assert [entry["error"] for entry in cast.entries("product.refused")] == ["code_unknown", "code_unknown"]


def test_nobody_takes_over_what_another_browser_began(cast: Cast, agent: Browser) -> None:
    cast.open_tenant(agent)
    sid = begun(cast)
    verifier = secrets.token_urlsafe(48)
    second = cast.sign_in("support_agent")
    colleague = cast.sign_in("support_lead")
    for browser in (second, colleague):
        assert browser.get(hand_off_path(sid, verifier)).status_code == 404
        assert browser.post(f"/impersonations/{sid}/hand-off", {"client_id": CLIENT_ID}).status_code == 404
    assert cast.count("impersonation.refused") == 4


def test_the_browser_is_carried_to_the_product_alone(cast: Cast, agent: Browser) -> None:
    cast.open_tenant(agent)
    page = agent.get(hand_off_path(begun(cast), secrets.token_urlsafe(48)))
    assert f"form-action 'self' {ADDRESS};" in page.headers["Content-Security-Policy"]
    assert "form-action 'self';" in agent.get("/account").headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [({"client_id": "other"}, False), ({"state": "a b"}, False), ({"state": "short"}, False), ({}, True)],
)
def test_a_hand_over_asked_otherwise_is_refused(cast: Cast, agent: Browser, wrong: dict[str, str], right: bool) -> None:
    cast.open_tenant(agent)
    page = agent.get(hand_off_path(begun(cast), secrets.token_urlsafe(48), **wrong))
    assert page.status_code == (200 if right else 422)


def test_a_ticket_system_that_is_silent_grants_nothing(cast: Cast, kit: Kit, inside: Entered) -> None:
    tickets = cast.house.tickets
    rehoused(cast, tickets=SilentTickets())
    answer = kit.call("/product/introspect", {"token": inside.token})
    assert (answer.status_code, answer.get_json()["error"]) == (503, "temporarily_unavailable")
    assert kit.renew(inside.token).status_code == 503
    assert sweep_impersonations(cast.house) == 0
    rehoused(cast, tickets=tickets)
    assert kit.introspect(inside.token)["active"]


def test_the_sweep_writes_what_nobody_asks_for(cast: Cast, inside: Entered) -> None:
    assert sweep_impersonations(cast.house) == 0
    cast.clock.pass_by(seconds=timedelta(minutes=10).total_seconds())
    assert sweep_impersonations(cast.house) == 1
    assert sweep_impersonations(cast.house) == 0
    (entry,) = cast.entries("impersonation.expired")
    assert entry["error"] == ImpersonationEnd.IDLE.value


SMALL = pytest.mark.parametrize("cast", ["sqlite"], indirect=True)


@SMALL
def test_a_token_that_is_over_is_inactive_while_its_impersonation_goes_on(
    cast: Cast, kit: Kit, inside: Entered
) -> None:
    cast.clock.pass_by(seconds=300)
    found = kit.introspect(inside.token, activity=True)
    assert (found["active"], found.get("ended_by") or "") == (False, "")
    assert cast.entries("impersonation.ended") == cast.entries("impersonation.expired") == []
    (refused,) = cast.entries("impersonation.refused")
    assert (refused["correlation"], refused["error"]) == (inside.sid, "token_expired")
    assert kit.introspect(kit.renew(inside.token).get_json()["access_token"])["active"] is True


@SMALL
@pytest.mark.parametrize("spoiled", [{"sid": ""}, {"sid": None}, {"sid": "imp_none"}, {"sub": "mem_other"}])
def test_a_token_of_ours_that_belongs_to_no_impersonation_is_none(
    cast: Cast, kit: Kit, inside: Entered, spoiled: dict[str, object]
) -> None:
    token = token_keys().signed({**claims_of(inside.token), **spoiled})
    for each in (token, "rubbish"):
        found = kit.introspect(each)
        assert (found["active"], found.get("ended_by") or "") == (False, "")
    assert len([*cast.entries("product.refused"), *cast.entries("impersonation.refused")]) == 2
    assert kit.introspect(inside.token)["active"] is True
