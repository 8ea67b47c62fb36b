"""What every form of the kit promises: the same cases for WSGI, ASGI and Flask."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from tests.kit.fake_console import CLIENT
from tests.kit.products import FORMS, World, told_json, world


@pytest.fixture(params=FORMS)
def scene(request: pytest.FixtureRequest) -> Iterator[World]:
    scene = world(request.param)
    yield scene
    scene.kit.close()


def reports(scene: World) -> list[tuple[object, ...]]:
    assert scene.kit.reporter.flush()
    found = scene.console.reports.values()
    return [(each["route"], each["effect"], each["outcome"], each["status"], each.get("code")) for each in found]


# Members are left alone.


def test_it_leaves_members_alone(scene: World) -> None:
    seen = scene.browser.open("/members")
    assert seen.status == 200
    assert "sallyport" not in seen.text
    assert seen.get("Cache-Control") == "public, max-age=600"
    assert seen.get("X-Acting-Staff") == ""
    assert scene.told.seen == [{"who": None, "staff": None, "usage": True}]
    assert scene.console.asked == []
    assert scene.browser.open("/forgotten").status in {200, 404}
    assert scene.browser.open("/unsubscribe").status == 200


# The way in and out.


def test_it_lets_a_staff_member_in_and_says_who_acts(scene: World) -> None:
    sid = scene.enter()
    seen = scene.browser.open("/members")
    assert seen.status == 200
    (noticed,) = scene.told.seen
    assert noticed["who"] == "m-ada"
    assert noticed["staff"] == "stf_7f3a"
    assert not noticed["usage"]
    assert noticed["impersonation"] == sid


def test_it_sends_no_secret_through_the_browser(scene: World) -> None:
    row = scene.console.start()
    handed = scene.browser.open(f"/sallyport/enter?sid={row.sid}")
    location, cookie = handed.get("Location"), handed.get("Set-Cookie")
    state, verifier, sid = re.findall(r"sallyport-entry=([\w-]+)\.([\w-]+)\.(\w+);", cookie)[0]
    assert (sid, verifier in location, state in location) == (row.sid, False, True)
    assert len(verifier) >= 43
    for word in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=120"):
        assert word in cookie
    assert handed.get("Cache-Control") == "no-store"
    assert handed.get("Referrer-Policy") == "no-referrer"


@pytest.mark.parametrize("query", ["", "sid=", "sid=../../evil", "sid=a&sid=b", "sid=" + "a" * 65, "sid=a%0d%0ab"])
def test_it_enters_nothing_that_is_no_impersonation(scene: World, query: str) -> None:
    seen = scene.browser.open(f"/sallyport/enter?{query}")
    assert (seen.status, seen.get("Location"), scene.browser.cookies) == (400, "", {})


@pytest.mark.parametrize(
    "what", ["other browser", "other state", "no code", "twice", "too late", "other sid", "repeated"]
)
def test_it_takes_a_code_once_in_the_browser_that_asked(scene: World, what: str) -> None:
    row = scene.console.start()
    handed = scene.browser.open(f"/sallyport/enter?sid={row.sid}")
    back = scene.console.handed_over(handed.get("Location")).removeprefix(scene.console.product)
    if what == "other browser":
        scene.browser.cookies.clear()
    elif what == "other state":
        back = re.sub(r"state=[\w-]+", "state=forged", back)
    elif what == "no code":
        back = re.sub(r"code=[\w-]+&", "", back)
    elif what == "repeated":
        back += "&code=again"
    elif what == "twice":
        entry = dict(scene.browser.cookies)
        scene.browser.open(back)
        scene.browser.cookies = entry
    elif what == "too late":
        scene.console.clock.pass_by(61)
    else:
        other = scene.console.start()
        challenge = re.findall(r"code_challenge=([\w-]+)", handed.get("Location"))[0]
        state = re.findall(r"state=([\w-]+)", back)[0]
        back = scene.console.callback(other.sid, state, challenge).removeprefix(scene.console.product)
    seen = scene.browser.open(back)
    assert seen.status == 400
    assert seen.get("X-Impersonation-Refused") == "entry_refused"
    assert "sallyport-acting" not in scene.browser.cookies
    assert "sallyport-entry" not in scene.browser.cookies
    assert scene.console.address in seen.text


def test_it_does_not_nest(scene: World) -> None:
    sid = scene.enter()
    other = scene.console.start(subject="m-root")
    seen = scene.browser.open(f"/sallyport/enter?sid={other.sid}")
    assert (seen.status, seen.get("X-Impersonation-Refused")) == (409, "already_acting")
    assert scene.browser.open(f"/sallyport/enter?sid={sid}").get("Location") == "/"
    scene.console.end(sid)
    scene.console.clock.pass_by(2)
    assert scene.browser.open(f"/sallyport/enter?sid={other.sid}").status == 303


def test_it_leaves_by_a_button_only(scene: World) -> None:
    sid = scene.enter()
    asked = scene.browser.open("/sallyport/leave")
    assert asked.status == 200
    assert 'method="post"' in asked.text
    assert scene.console.rows[sid].ended_by == ""
    left = scene.browser.post("/sallyport/leave")
    assert left.status == 200
    assert scene.console.rows[sid].ended_by == "hand"
    assert f"/impersonations/{sid}" in left.text
    assert "sallyport-acting" not in scene.browser.cookies
    assert left.get("Clear-Site-Data") == '"cache"'
    assert scene.browser.open("/members").get("X-Acting-Staff") == ""


def test_it_forgets_the_token_even_when_the_console_does_not_hear_of_it(scene: World) -> None:
    scene.enter()
    scene.console.mood = "silent"
    left = scene.browser.post("/sallyport/leave")
    assert "did not hear" in left.text
    assert "sallyport-acting" not in scene.browser.cookies


@pytest.mark.parametrize(("path", "method"), [("/sallyport/enter", "POST"), ("/sallyport/active", "GET")])
def test_it_knows_one_method_for_each_of_its_addresses(scene: World, path: str, method: str) -> None:
    assert scene.browser.open(path, method).status == 405


# Every answer shows it (acceptance test 33) and is kept nowhere (34).


def test_it_draws_the_banner_on_a_page(scene: World) -> None:
    scene.enter()
    seen = scene.browser.open("/members")
    assert seen.text.count('id="sallyport-banner"') == 1
    assert "<body class='x'><aside" in seen.text
    assert seen.text.endswith("<h1>Members</h1></body></html>")
    assert "m-ada of t-acme" in seen.text
    assert "Dana K., support" in seen.text
    assert "CUSTOMER_SUPPORT T-1007" in seen.text
    assert 'data-left="1800" data-idle="600"' in seen.text
    assert 'action="/sallyport/leave"' in seen.text
    assert "Reading only" in seen.text


@pytest.mark.parametrize(
    "path", ["/members", "/rows", "/plain", "/api/members", "/report", "/zipped", "/broken", "/nowhere"]
)
def test_it_marks_every_kind_of_answer_and_lets_nobody_keep_it(scene: World, path: str) -> None:
    scene.enter()
    seen = scene.browser.open(path)
    assert seen.get("X-Acting-Staff") == "stf_7f3a"
    assert seen.get("X-Impersonation-Expires") == "2027-01-15T08:30:00Z"
    assert seen.get("Cache-Control") == "no-store"
    assert seen.get("ETag") == seen.get("Last-Modified") == ""


@pytest.mark.parametrize("path", ["/members", "/plain", "/broken", "/nowhere", "/forgotten", "/unsubscribe"])
def test_it_draws_the_banner_on_pages_without_body_tag_and_on_faults(scene: World, path: str) -> None:
    scene.enter()
    assert scene.browser.open(path).text.count('id="sallyport-banner"') == 1


def test_it_gives_a_fragment_its_banner_beside_its_target(scene: World) -> None:
    scene.enter()
    seen = scene.browser.open("/rows", HX_Request="true", Sec_Fetch_Mode="cors", Sec_Fetch_User="")
    assert seen.text.startswith("<tr><td>Ada</td></tr><aside")
    assert 'hx-swap-oob="true"' in seen.text
    refused = scene.browser.open("/unsubscribe", HX_Request="true")
    assert (refused.status, refused.get("X-Impersonation-Refused")) == (403, "read_mode")
    assert "<html" not in refused.text
    boosted = scene.browser.open("/members", HX_Request="true", HX_Boosted="true")
    assert "hx-swap-oob" not in boosted.text


@pytest.mark.parametrize("path", ["/api/members", "/report", "/zipped"])
def test_it_leaves_data_and_downloads_as_they_are(scene: World, path: str) -> None:
    scene.enter()
    seen = scene.browser.open(path)
    assert b"sallyport-banner" not in seen.body
    assert seen.get("Content-Length") in {"", str(len(seen.body))}


def test_it_writes_nothing_into_an_answer_without_body(scene: World) -> None:
    scene.enter()
    seen = scene.browser.open("/members", "HEAD")
    assert seen.get("X-Acting-Staff") == "stf_7f3a"
    assert b"sallyport-banner" not in seen.body


def test_it_uses_the_nonce_of_a_strict_policy(scene: World) -> None:
    scene.enter()
    seen = scene.browser.open("/strict")
    assert seen.text.count('nonce="abc123="') == 2


def test_it_escapes_what_others_wrote(scene: World) -> None:
    scene.enter(subject='<img src=x onerror=alert("1")>')
    seen = scene.browser.open("/members")
    assert "<img" not in seen.text
    assert "&lt;img src=x onerror=alert(&quot;1&quot;)&gt;" in seen.text


def test_it_serves_its_style_and_script_itself(scene: World) -> None:
    style, script = scene.browser.open("/sallyport/banner.css"), scene.browser.open("/sallyport/banner.js")
    assert (style.get("Content-Type"), script.get("Content-Type")) == (
        "text/css; charset=utf-8", "text/javascript; charset=utf-8",
    )  # fmt: skip
    assert ".sallyport-banner" in style.text
    assert "innerHTML" not in script.text


# What staff may do is what endpoints declare.


def test_it_refuses_writes_in_read_mode_whatever_the_verb(scene: World) -> None:
    scene.enter()
    assert scene.browser.post("/search").status == 200
    for seen in (scene.browser.open("/unsubscribe"), scene.browser.post("/members/7")):
        assert (seen.status, seen.get("X-Impersonation-Refused")) == (403, "read_mode")
    assert scene.told.ran == ["search"]


def test_it_allows_writes_in_write_mode(scene: World) -> None:
    scene.enter(mode="write")
    assert scene.browser.open("/unsubscribe").status == 200
    assert "Reading and writing" in scene.browser.open("/members").text


def test_it_follows_the_console_when_writing_is_taken_back(scene: World) -> None:
    sid = scene.enter(mode="write")
    scene.console.rows[sid].mode = "read"
    scene.console.clock.pass_by(1.5)
    assert scene.browser.open("/unsubscribe").get("X-Impersonation-Refused") == "read_mode"


def test_it_takes_a_wider_token_before_it_writes(scene: World) -> None:
    """What the console says of the row is not enough: the token itself has to say that it may write."""
    sid = scene.enter()
    scene.console.rows[sid].mode = "write"
    scene.console.clock.pass_by(1.5)
    assert scene.browser.open("/unsubscribe").status == 200
    assert scene.console.count("POST /product/token") == 2
    scene.console.rows[sid].mode = "read"
    scene.console.clock.pass_by(1.5)
    assert scene.browser.open("/unsubscribe").get("X-Impersonation-Refused") == "read_mode"


@pytest.mark.parametrize("mode", ["read", "write"])
def test_it_never_allows_what_is_on_the_list(scene: World, mode: str) -> None:
    scene.enter(mode=mode)
    seen = scene.browser.post("/password", Accept="application/json")
    assert seen.status == 403
    assert told_json(seen)["error"] == "never_allowed"
    assert scene.told.ran == []


@pytest.mark.parametrize("mode", ["read", "write"])
def test_it_refuses_what_nobody_declared(scene: World, mode: str) -> None:
    scene.enter(mode=mode)
    seen = scene.browser.open("/forgotten")
    assert (seen.status, seen.get("X-Impersonation-Refused")) == (403, "undeclared_endpoint")
    assert scene.told.ran == []


# Every request is told, each once.


def test_it_tells_of_every_request_by_its_route(scene: World) -> None:
    sid = scene.enter()
    for path in ("/members", "/unsubscribe", "/broken"):
        scene.browser.open(path)
    scene.browser.post("/members/7")
    scene.browser.post("/password")
    assert sorted(reports(scene), key=str) == sorted(
        [
            ("/members", "read", "done", 200, None),
            ("/unsubscribe", "write", "refused", 403, "read_mode"),
            ("/broken", "read", "done", 500, None),
            ("/members/<id>", "write", "refused", 403, "read_mode"),
            ("/password", "never", "refused", 403, "never_allowed"),
        ],
        key=str,
    )
    assert {each["sid"] for each in scene.console.reports.values()} == {sid}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", each["at"]) for each in scene.console.reports.values())


@pytest.mark.parametrize("form", FORMS)
def test_it_refuses_rather_than_loses_a_report(form: str) -> None:
    scene = world(form, most_reports=2)
    scene.enter()
    assert [scene.browser.open("/members").status for _ in range(3)] == [200, 200, 503]
    assert scene.told.ran == ["members", "members"]
    assert scene.kit.reporter.flush()
    assert scene.browser.open("/members").status == 200
    scene.kit.close()
    assert len(scene.console.reports) == 3
    assert scene.kit.reporter.turned_away == 1


# Ends are ends, on the very next request that is not answered from the last second.


@pytest.mark.parametrize("ended_by", [
    "hand", "time", "idle", "lease_end", "role_lost", "deactivated", "sign_out", "ticket_closed", "opted_out",
    "member_reset", "frozen",
])  # fmt: skip
def test_it_refuses_the_next_request_after_every_end(scene: World, ended_by: str) -> None:
    sid = scene.enter()
    assert scene.browser.open("/members").status == 200
    scene.console.end(sid, ended_by, "Ended <because> of a test.")
    scene.console.clock.pass_by(1.1)
    seen = scene.browser.open("/members")
    assert (seen.status, seen.get("X-Impersonation-Refused")) == (401, "impersonation_ended")
    assert "Ended &lt;because&gt; of a test." in seen.text
    assert seen.get("Cache-Control") == "no-store"
    assert scene.told.ran == ["members"]
    assert scene.browser.open("/members").status == 401, "it never becomes somebody else by itself"
    assert scene.browser.post("/sallyport/leave").status == 200
    assert scene.browser.open("/members").get("X-Acting-Staff") == ""


def test_it_asks_the_console_once_a_second_at_most(scene: World) -> None:
    scene.enter()
    for _ in range(20):
        scene.browser.open("/members")
        scene.console.clock.pass_by(0.2)
    assert scene.console.count("POST /product/introspect") <= 5
    assert scene.console.count("GET /.well-known/jwks.json") == 1


def test_it_fails_closed_while_the_console_is_silent(scene: World) -> None:
    scene.enter()
    scene.browser.open("/members")
    for mood in ("silent", "garbage", "broken"):
        scene.console.mood = mood
        scene.console.clock.pass_by(2)
        seen = scene.browser.open("/members", Accept="application/json")
        assert (seen.status, told_json(seen)["error"]) == (503, "console_silent")
    scene.console.mood = "ok"
    scene.console.clock.pass_by(2)
    assert scene.browser.open("/members").status == 200
    assert scene.told.ran == ["members", "members"]


def test_it_does_not_make_everybody_wait_for_a_silent_console(scene: World) -> None:
    scene.enter()
    scene.console.mood = "silent"
    scene.console.clock.pass_by(2)
    before = len(scene.console.asked)
    assert {scene.browser.open("/members").status for _ in range(10)} == {503}
    assert len(scene.console.asked) == before + 1


@pytest.mark.parametrize("form", FORMS)
def test_it_lets_the_last_good_answer_count_only_as_long_as_it_is_set_to(form: str) -> None:
    scene = world(form, grace_s=10)
    scene.enter()
    scene.browser.open("/members")
    scene.console.mood = "silent"
    scene.console.clock.pass_by(8)
    assert scene.browser.open("/members").status == 200
    scene.console.clock.pass_by(8)
    assert scene.browser.open("/members").status == 503
    scene.console.mood = "ok"
    scene.kit.close()


# Presses postpone the idle end, polls do not (acceptance test 30).


def idle(scene: World, sid: str) -> float:
    return scene.console.rows[sid].idle_until - scene.console.clock.at


SCRIPT = {"Sec_Fetch_Mode": "cors", "Sec_Fetch_User": ""}
BY_ITSELF = {
    "a script": SCRIPT,
    "htmx": SCRIPT | {"HX_Request": "true"},
    "a reload by itself": {"Sec_Fetch_User": ""},
    "a prefetch": {"Sec_Purpose": "prefetch"},
    "an old browser's script": {"Sec_Fetch_Mode": "", "Sec_Fetch_User": "", "X_Requested_With": "XMLHttpRequest"},
}


@pytest.mark.parametrize("headers", BY_ITSELF.values(), ids=BY_ITSELF)
def test_it_ends_an_impersonation_that_only_a_page_keeps_busy(scene: World, headers: dict[str, str]) -> None:
    sid = scene.enter()
    scene.browser.open("/members")
    for _ in range(9):
        scene.console.clock.pass_by(60)
        assert scene.browser.open("/members", **headers).status == 200
    assert idle(scene, sid) == 60
    scene.console.clock.pass_by(61)
    assert scene.browser.open("/members", **headers).status == 401
    assert scene.console.rows[sid].ended_by == "idle"


def test_it_counts_what_a_person_does(scene: World) -> None:
    sid = scene.enter()
    scene.console.clock.pass_by(60)
    scene.browser.open("/members")
    assert idle(scene, sid) == 600
    scene.console.clock.pass_by(60)
    pressed = scene.browser.post("/sallyport/active", X_Sallyport_Press="1", **SCRIPT)
    assert (pressed.status, pressed.get("X-Impersonation-Idle-Seconds")) == (204, "600")
    assert idle(scene, sid) == 600


def test_it_counts_a_press_that_follows_a_poll_at_once(scene: World) -> None:
    sid = scene.enter()
    scene.console.clock.pass_by(60)
    scene.browser.open("/members", **SCRIPT)
    scene.browser.open("/members")
    assert idle(scene, sid) == 600


@pytest.mark.parametrize("headers", [{}, {"X_Sallyport_Press": "1", "Sec_Fetch_Site": "cross-site"}])
def test_it_hears_presses_from_its_own_pages_only(scene: World, headers: dict[str, str]) -> None:
    scene.enter()
    assert scene.browser.post("/sallyport/active", **headers).status == 403


# Tokens are renewed, quietly and once.


def test_it_renews_a_token_before_its_end(scene: World) -> None:
    scene.enter()
    first = scene.browser.cookies["sallyport-acting"]
    for _ in range(28):
        scene.console.clock.pass_by(60)
        assert scene.browser.open("/members").status == 200
    assert scene.browser.cookies["sallyport-acting"] != first
    assert 6 <= scene.console.count("POST /product/token") <= 9


def test_it_renews_once_for_all_tabs(scene: World) -> None:
    scene.enter()
    first = scene.browser.cookies["sallyport-acting"]
    scene.console.clock.pass_by(250)
    for _ in range(4):
        scene.carry(first)
        assert scene.browser.open("/members").status == 200
    assert scene.console.count("POST /product/token") == 2


def test_it_renews_one_that_has_just_expired(scene: World) -> None:
    scene.enter()
    scene.console.clock.pass_by(400)
    assert scene.browser.open("/members").status == 200


def test_it_does_not_renew_what_expired_long_ago(scene: World) -> None:
    scene.enter()
    scene.console.clock.pass_by(640)
    asked = scene.console.count("POST /product/token")
    assert scene.browser.open("/members").get("X-Impersonation-Refused") == "token_refused"
    assert scene.console.count("POST /product/token") == asked


def test_it_keeps_a_token_that_still_holds_when_it_cannot_be_renewed(scene: World) -> None:
    sid = scene.enter()
    scene.console.clock.pass_by(250)
    scene.console.end(sid)
    seen = scene.browser.open("/members")
    assert (seen.status, seen.get("X-Impersonation-Refused")) == (401, "impersonation_ended")


# Tokens that cannot be believed.


def forged(scene: World, what: str) -> str:
    console, row = scene.console, scene.console.start(mode="write")
    now = int(console.clock.at)
    stranger = OKPKey.generate_key("Ed25519", parameters={"kid": console.keys[-1].kid or ""})
    changes: dict[str, dict[str, Any]] = {
        "foreign issuer": {"iss": "http://127.0.0.1:9"},
        "foreign audience": {"aud": "prod_other"},
        "several audiences": {"aud": [CLIENT, "prod_other"]},
        "expired": {"iat": now - 900, "nbf": now - 900, "exp": now - 601},
        "future": {"iat": now + 120, "nbf": now + 120, "exp": now + 300},
        "not yet": {"nbf": now + 200},
        "too long a life": {"exp": now + 301},
        "no end": {"exp": None},
        "end is a text": {"exp": str(now + 60)},
        "end is true": {"exp": True},
        "no actor": {"act": None},
        "nested actor": {"act": {"sub": "stf_1", "name": "x", "act": {"sub": "stf_2"}}},
        "actor without name": {"act": {"sub": "stf_1"}},
        "no subject": {"sub": ""},
        "no tenant": {"tenant": None},
        "other scope": {"scope": "read write admin"},
        "scope is a list": {"scope": ["read"]},
    }
    if what in changes:
        return console.token(row, **changes[what])
    headers: dict[str, dict[str, Any]] = {
        "other kind": {"typ": "JWT"},
        "unknown kid": {"kid": "key-99"},
        "its own key": {"jwk": stranger.as_dict()},
    }
    if what in headers:
        return console.token(row, header=headers[what], key=stranger if what == "its own key" else None)
    if what == "strange key":
        return console.token(row, key=stranger)
    head, claims, signature = console.token(row).split(".")
    if what == "altered":
        other = console.token(console.start(subject="m-root")).split(".")[1]
        return f"{head}.{other}.{signature}"
    if what == "unsigned":
        return f"eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{claims}."
    return {"cut": f"{head}.{claims}", "no token": "x", "letters": "à.b.c", "long": "a" * 5_000}[what]


FORGED = (
    "foreign issuer", "foreign audience", "several audiences", "expired", "future", "not yet", "too long a life",
    "no end", "end is a text", "end is true", "no actor", "nested actor", "actor without name", "no subject",
    "no tenant", "other scope", "scope is a list", "other kind", "unknown kid", "its own key", "strange key", "altered",
    "unsigned", "cut", "no token", "letters", "long",
)  # fmt: skip


@pytest.mark.parametrize("what", FORGED)
def test_it_believes_no_token_that_is_not_exactly_right(scene: World, what: str) -> None:
    scene.carry(forged(scene, what))
    for _ in range(2):
        seen = scene.browser.open("/members")
        assert (seen.status, seen.get("X-Impersonation-Refused")) == (401, "token_refused")
    assert scene.told.ran == []
    assert scene.console.count("POST /product/introspect") == 0
    assert scene.console.count("POST /product/token") == 0


def test_it_believes_the_token_that_the_others_are_made_from(scene: World) -> None:
    scene.carry(scene.console.token(scene.console.start()))
    assert scene.browser.open("/members").status == 200
    scene.carry(scene.console.token(scene.console.start(), aud=[CLIENT]))
    assert scene.browser.open("/members").status == 200


def test_it_asks_for_an_unknown_key_once_in_thirty_seconds(scene: World) -> None:
    scene.enter()
    scene.browser.open("/members")
    keys = "GET /.well-known/jwks.json"
    for number in range(20):
        scene.carry(scene.console.token(scene.console.start(), header={"kid": f"key-{90 + number}"}))
        assert scene.browser.open("/members").status == 401
    assert scene.console.count(keys) == 1
    scene.console.clock.pass_by(31)
    for number in range(20):
        scene.carry(scene.console.token(scene.console.start(), header={"kid": f"key-{90 + number}"}))
        assert scene.browser.open("/members").status == 401
    assert scene.console.count(keys) == 2


def test_it_follows_a_rotation_and_drops_what_a_withdrawn_key_signed(scene: World) -> None:
    scene.enter()
    old = scene.browser.cookies["sallyport-acting"]
    scene.browser.open("/members")
    scene.console.clock.pass_by(31)
    scene.console.rotate()
    scene.carry(scene.console.token(scene.console.start()))
    assert scene.browser.open("/members").status == 200
    scene.carry(old)
    assert scene.browser.open("/members").status == 200
    del scene.console.keys[0]
    scene.console.clock.pass_by(301)
    scene.carry(scene.console.token(scene.console.start()))
    assert scene.browser.open("/members").status == 200
    scene.carry(old)
    assert scene.browser.open("/members").get("X-Impersonation-Refused") == "token_refused"


@pytest.mark.parametrize("skew", [-30, -20, 20, 29])
def test_it_bears_a_clock_that_is_a_little_wrong(scene: World, skew: int) -> None:
    scene.console.clock.skew = skew
    scene.enter()
    for _ in range(10):
        scene.console.clock.pass_by(100)
        assert scene.browser.open("/members").status == 200


@pytest.mark.parametrize("skew", [-3_600, -31])
def test_it_refuses_when_its_clock_is_too_wrong(scene: World, skew: int) -> None:
    scene.console.clock.skew = skew
    scene.carry(scene.console.token(scene.console.start()))
    assert scene.browser.open("/members").status == 401
