"""One tiny product in three forms (WSGI, ASGI, Flask) around the kit, and a browser that remembers cookies."""

import asyncio
import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask, Response

from sallyport_kit import Kit, KitSettings, RouteTable, acting, counts_as_usage, never, reads, telemetry_tags, writes
from sallyport_kit.asgi import AsgiKit, Message, Receive, Scope, Send
from sallyport_kit.flask import Sallyport
from sallyport_kit.wsgi import WsgiKit
from tests.kit.fake_console import CLIENT, SECRET, FakeConsole
from tests.kit.seen import Asking, Seen
from tests.kit.served_asgi import over_uvicorn

FORMS = ("wsgi", "asgi", "flask", "uvicorn")
HTML = "text/html; charset=utf-8"
PAGE = "<!doctype html><html><head><title>Members</title></head><body class='x'><h1>Members</h1></body></html>"
ADA = "person who reads"


@dataclass
class Told:
    """What the product noticed: which endpoints ran, as whom, and whether that was usage."""

    ran: list[str] = field(default_factory=list)
    seen: list[Mapping[str, Any]] = field(default_factory=list)

    def note(self, endpoint: str) -> None:
        who = acting()
        self.ran.append(endpoint)
        self.seen.append(
            {"who": who and who.subject, "staff": who and who.staff, "usage": counts_as_usage(), **telemetry_tags()}
        )


Made = tuple[int, str, bytes, Mapping[str, str]]
View = Callable[[], Made]


def views(told: Told) -> dict[str, View]:
    """Return the endpoints of the product: each says what it does, whatever its verb is."""

    def made(
        endpoint: str,
        kind: str = HTML,
        body: bytes = PAGE.encode(),
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> View:
        def view() -> Made:
            told.note(endpoint)
            return status, kind, body, headers or {}

        view.__name__ = endpoint
        return view

    cached = {"Cache-Control": "public, max-age=600", "ETag": '"v1"', "Last-Modified": "Tue, 01 Jan 2030 00:00:00 GMT"}
    found: dict[str, View] = {
        "GET /members": reads(made("members", headers=cached)),
        "GET /rows": reads(made("rows", body=b"<tr><td>Ada</td></tr>")),
        "GET /plain": reads(made("plain", body=b"<!doctype html><title>x</title><p>no body tag")),
        "GET /strict": reads(
            made("strict", headers={"Content-Security-Policy": "script-src 'nonce-abc123=' 'strict-dynamic'"})
        ),
        "GET /api/members": reads(made("api", kind="application/json", body=b'{"members": []}')),
        "GET /report": reads(made("report", headers={"Content-Disposition": 'attachment; filename="r.html"'})),
        "GET /zipped": reads(made("zipped", body=b"\x1f\x8b...", headers={"Content-Encoding": "gzip"})),
        "GET /broken": reads(made("broken", status=500)),
        "POST /search": reads(made("search")),
        "GET /unsubscribe": writes(made("unsubscribe")),
        "POST /members/<id>": writes(made("change")),
        "POST /password": never("password.change")(made("password")),
        "GET /poll": reads(is_polled=True)(made("poll")),
        "GET /forgotten": made("forgotten"),
    }
    return found


@dataclass
class Browser:
    """Sends requests to a product and keeps its cookies."""

    send: Asking
    cookies: dict[str, str] = field(default_factory=dict)

    def open(self, path: str, method: str = "GET", **headers: str) -> Seen:
        """Ask for an address as a person does who clicks, unless headers say otherwise."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Accept": "text/html,*/*", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-User": "?1", **named}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return self._kept(self.send(method, path, {n: v for n, v in sent.items() if v}, b""))

    def send_form(self, path: str, fields: Mapping[str, str], method: str = "POST", **headers: str) -> Seen:
        """Send a form with its fields, by whatever method."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Accept": "text/html", "Content-Type": "application/x-www-form-urlencoded", **named}
        sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return self._kept(self.send(method, path, sent, urlencode(fields).encode()))

    def _kept(self, seen: Seen) -> Seen:
        for name, value in seen.headers:
            if name.lower() == "set-cookie":
                for cookie in SimpleCookie(value).values():
                    self.cookies[cookie.key] = cookie.value
                    if cookie["max-age"] == "0":
                        del self.cookies[cookie.key]
        return seen

    def post(self, path: str, **headers: str) -> Seen:
        """Send a form."""
        return self.open(path, "POST", **headers)


@dataclass
class World:
    """A console, a product around the kit, and a browser."""

    console: FakeConsole
    kit: Kit
    told: Told
    browser: Browser

    def enter(self, *, mode: str = "read", subject: str = "m-ada") -> str:
        """Let a staff member in, through all four steps; returns the impersonation's id."""
        started = self.console.start(mode=mode, subject=subject)
        handed = self.browser.open(f"/sallyport/enter?sid={started.sid}")
        assert handed.status == 303, handed.text
        back = urlsplit(self.console.handed_over(handed.get("Location")))
        inside = self.browser.open(f"{back.path}?{back.query}")
        assert (inside.status, inside.get("Location")) == (303, "/"), inside.text
        return started.sid

    def carry(self, token: str) -> None:
        """Put a token into the browser, as somebody who made or took one does."""
        self.browser.cookies["sallyport-acting"] = token


def settings(console: FakeConsole, **changes: Any) -> KitSettings:  # noqa: ANN401  any setting
    """Return settings that fit the double; reports wait for a test to flush them."""
    usual: dict[str, Any] = {
        "client_id": CLIENT,
        "client_secret": SECRET,
        "product": console.product,
        "report_every_s": 3_600.0,
    }
    return KitSettings(console=console.address, **(usual | changes))


def world(form: str, **changes: Any) -> World:  # noqa: ANN401  any setting
    """Return a product in one of its forms."""
    console, told = FakeConsole(), Told()
    wall, watch = console.clock.skewed, console.clock.monotonic
    set_so = settings(console, **changes)
    if form == "flask":
        app = flask_app(told)
        kit = Sallyport(app, set_so, call=console, clock=wall, monotonic=watch).kit
        send = over_wsgi(app.wsgi_app)
    else:
        kit = Kit(set_so, call=console, clock=wall, monotonic=watch)
        found = {name: view for name, view in views(told).items() if name != "GET /forgotten"}
        table = RouteTable(found)
        send = (
            over_wsgi(WsgiKit(wsgi_app(told), kit, routes=table.in_environ))
            if form == "wsgi"
            else _ASGI[form](AsgiKit(asgi_app(told), kit, routes=table.in_scope))
        )
    return World(console, kit, told, Browser(send))


def flask_app(told: Told) -> Flask:
    app = Flask("tiny", static_folder=None)
    for name, view in views(told).items():
        method, _, path = name.partition(" ")

        def answer(*, view: View = view, **_places: str) -> Response:
            status, kind, body, headers = view()
            return Response(body, status, {"Content-Type": kind, **headers})

        answer.__dict__ |= view.__dict__
        app.add_url_rule(path, endpoint=view.__name__, view_func=answer, methods=[method])
    return app


def _made(told: Told, method: str, path: str) -> Made:
    found = views(told)
    view = found.get(f"{method} {path}") or (found["POST /members/<id>"] if path.startswith("/members/") else None)
    return view() if view else (404, HTML, b"<body>not here", {})


def wsgi_app(told: Told) -> Callable[[WSGIEnvironment, StartResponse], Iterator[bytes]]:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        status, kind, body, headers = _made(told, environ["REQUEST_METHOD"], environ["PATH_INFO"])
        start_response(f"{status} X", [("Content-Type", kind), ("Content-Length", str(len(body))), *headers.items()])
        middle = len(body) // 3
        yield body[:middle]
        yield body[middle:]

    return app


def asgi_app(told: Told) -> Callable[[Scope, Receive, Send], Any]:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            return
        status, kind, body, headers = _made(told, scope["method"], scope["path"])
        named = {"content-type": kind, "content-length": str(len(body)), **headers}
        raw = [(name.lower().encode(), value.encode()) for name, value in named.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        middle = len(body) // 3
        await send({"type": "http.response.body", "body": body[:middle], "more_body": True})
        await send({"type": "http.response.body", "body": body[middle:]})

    return app


def over_wsgi(app: Callable[..., Any]) -> Asking:
    """Send requests to a WSGI application, as a server does."""

    def send(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Seen:
        path, _, query = target.partition("?")
        environ = {
            "REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": unquote(path, "latin-1"), "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "8001", "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(body), "wsgi.errors": sys.stderr,
            "wsgi.version": (1, 0), "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False,
            "CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": headers.get("Content-Type", ""),
            **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
        }  # fmt: skip
        begun: list[tuple[str, list[tuple[str, str]]]] = []
        pieces: list[bytes] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], _exc_info: object = None
        ) -> Callable[[bytes], None]:
            begun.append((status, headers))
            return pieces.append

        answer = app(environ, start_response)
        try:
            pieces.extend(answer)
        finally:
            if hasattr(answer, "close"):
                answer.close()
        status, found = begun[-1]
        return Seen(int(status.split(" ")[0]), found, b"".join(pieces))

    return send


def over_asgi(app: Callable[[Scope, Receive, Send], Any]) -> Asking:
    """Send requests to an ASGI application, as a server does."""

    def send(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Seen:
        path, _, query = target.partition("?")
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "method": method, "path": unquote(path), "root_path": "",
            "raw_path": path.encode(), "query_string": query.encode(), "scheme": "http",
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
        }  # fmt: skip
        messages: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body}

        async def sent(message: Message) -> None:
            messages.append(message)

        asyncio.run(app(scope, receive, sent))
        found = [(name.decode(), value.decode("latin-1")) for name, value in messages[0]["headers"]]
        return Seen(messages[0]["status"], found, b"".join(each.get("body", b"") for each in messages[1:]))

    return send


_ASGI = {"asgi": over_asgi, "uvicorn": over_uvicorn}


def told_json(seen: Seen) -> Mapping[str, Any]:
    """Return an answer as JSON."""
    found: Mapping[str, Any] = json.loads(seen.body)
    return found
