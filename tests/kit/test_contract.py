"""What every form of the kit promises: the same cases for WSGI, ASGI and Flask."""

import re

import pytest

from tests.kit.products import World
from tests.kit.scenes import scene

__all__ = ["scene"]

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
