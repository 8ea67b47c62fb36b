"""What somebody tries who sits beside the product: on a sibling host, in a link, or at the keyboard of the browser."""

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from sallyport_kit import Declaration, Effect, RouteTable
from sallyport_kit.asgi import AsgiKit, Receive, Scope, Send
from sallyport_kit.errors import ConsoleSilentError
from sallyport_kit.keys import KeyBook
from sallyport_kit.wsgi import WsgiKit
from tests.kit.products import FORMS, World, over_asgi, over_wsgi, world
from tests.products import token_keys


@pytest.fixture(params=FORMS)
def scene(request: pytest.FixtureRequest) -> Iterator[World]:
    scene = world(request.param)
    yield scene
    scene.kit.close()


def test_it_takes_no_token_that_hides_in_another_cookie(scene: World) -> None:
    scene.enter()
    token = scene.browser.cookies.pop("sallyport-acting")
    scene.browser.cookies["theme"] = f"dark,sallyport-acting={token}"
    seen = scene.browser.open("/members")
    assert (seen.status, seen.get("X-Impersonation-Refused")) == (401, "token_refused")
    assert scene.told.ran == []


def test_it_finds_the_token_behind_an_empty_one(scene: World) -> None:
    scene.enter()
    scene.browser.cookies = {"theme": "a,sallyport-acting=", **scene.browser.cookies}
    scene.browser.open("/members")
    assert [each["usage"] for each in scene.told.seen] == [False]


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_it_lets_no_other_site_press_the_button(scene: World, site: str) -> None:
    sid = scene.enter()
    held = dict(scene.browser.cookies)
    for cookies in (held, {}):  # a form of another site comes without the cookie, and could still wipe it
        scene.browser.cookies = dict(cookies)
        seen = scene.browser.post("/sallyport/leave", Sec_Fetch_Site=site)
        assert (seen.status, seen.get("Set-Cookie"), seen.get("Clear-Site-Data")) == (403, "", "")
    assert scene.console.rows[sid].ended_by == ""


@pytest.mark.parametrize("path", ["/sallyport/enter", "/sallyport/callback"])
@pytest.mark.parametrize(
    "query", ["&".join(f"a{number}=1" for number in range(50)), "sid=" + "a" * 9_000, "sid=%ff&code=%00"]
)
def test_it_answers_an_odd_query_as_any_other_wrong_one(scene: World, path: str, query: str) -> None:
    seen = scene.browser.open(f"{path}?{query}")
    assert (seen.status, seen.get("X-Impersonation-Refused")) == (400, "entry_refused")


def test_it_refuses_a_token_whose_header_goes_too_deep(scene: World) -> None:
    header = urlsafe_b64encode(b"[" * 1_500 + b"]" * 1_500).rstrip(b"=").decode()
    scene.carry(f"{header}.e30.c2ln")
    seen = scene.browser.open("/members")
    assert (seen.status, seen.get("X-Impersonation-Refused")) == (401, "token_refused")
    assert token_keys().read(f"{header}.e30.c2ln") is None


def overriding_wsgi(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """Answer as products do whose forms name a method that browsers do not send."""
    method = str(environ.get("HTTP_X_HTTP_METHOD_OVERRIDE", environ["REQUEST_METHOD"]))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [method.encode()]


async def overriding_asgi(scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer as the other one does."""
    method = dict(scope["headers"]).get(b"x-http-method-override", scope["method"].encode())
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": method})


@pytest.mark.parametrize("form", ["wsgi", "asgi"])
def test_it_runs_no_other_method_than_the_one_it_decided_about(form: str) -> None:
    scene = world(form)
    scene.enter()
    table = RouteTable({"GET /x": Declaration(Effect.READ), "POST /x": Declaration(Effect.WRITE)})
    scene.browser.send = (
        over_wsgi(WsgiKit(overriding_wsgi, scene.kit, routes=table.in_environ))
        if form == "wsgi"
        else over_asgi(AsgiKit(overriding_asgi, scene.kit, routes=table.in_scope))
    )
    assert scene.browser.open("/x", **{"X-HTTP-Method-Override": "POST"}).text == "GET"
    scene.kit.close()


@pytest.mark.parametrize(
    "name",
    ["X-Accel-Expires", "Edge-Control", "CDN-Cache-Control", "Cloudflare-CDN-Cache-Control"],
)
def test_it_lets_no_cache_in_front_keep_what_it_marked(name: str) -> None:
    def kept(_environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/html"), (name, "600")])
        return [b"<body>Ada"]

    scene = world("wsgi")
    scene.enter()
    table = RouteTable({"GET /x": Declaration(Effect.READ)})
    scene.browser.send = over_wsgi(WsgiKit(kept, scene.kit, routes=table.in_environ))
    seen = scene.browser.open("/x")
    assert (seen.get("Cache-Control"), seen.get(name)) == ("no-store", "")
    scene.kit.close()


def test_the_strictest_of_several_fitting_routes_counts() -> None:
    table = RouteTable({
        "GET /f/<path:name>": Declaration(Effect.READ),
        "GET /f/<id>/delete": Declaration(Effect.WRITE),
        "GET /f/<id>/key": Declaration(Effect.NEVER, "api_key.create"),
    })  # fmt: skip
    found = {path: table.find("GET", path) for path in ("/f/a/b", "/f/7/delete", "/f/7/key")}
    assert [each and each.pattern for each in found.values()] == [
        "/f/<path:name>", "/f/<id>/delete", "/f/<id>/key",
    ]  # fmt: skip


def test_a_console_that_never_answered_is_asked_once_for_all_who_come_with_a_forged_token() -> None:
    asked, now = [], [100.0]

    def fetch() -> list[object]:
        asked.append(now[0])
        now[0] += 2.0  # the time-out
        raise ConsoleSilentError("silent")

    book = KeyBook(fetch, keep_s=300, monotonic=lambda: now[0])
    for _ in range(5):
        with pytest.raises(ConsoleSilentError):
            book.key("forged")
    assert asked == [100.0]
    now[0] += 1.0
    with pytest.raises(ConsoleSilentError):
        book.key("forged")
    assert len(asked) == 2
