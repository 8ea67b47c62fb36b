"""The parts of the kit by themselves: settings, declarations, routes, HTML in pieces, and how an answer is withheld."""

from collections.abc import Iterator
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from console.domain.imports import member_id_of
from console.domain.product_reports import report_of
from sallyport_kit import (
    Declaration,
    Effect,
    KitSettings,
    RouteTable,
    SettingsError,
    acting,
    declaration_of,
    imported_member_id,
    never,
    reads,
    writes,
)
from sallyport_kit.acting import ENVIRON_KEY
from sallyport_kit.bounded import Bounded
from sallyport_kit.console import Console
from sallyport_kit.flask import Sallyport
from sallyport_kit.injecting import Injector, after_body
from sallyport_kit.reports import Reporter
from sallyport_kit.visits import reported_pattern
from sallyport_kit.wsgi import WsgiKit
from tests.kit.fake_console import FakeConsole
from tests.kit.products import Told, flask_app, over_wsgi, settings, world

GOOD: dict[str, Any] = {
    "console": "https://console.example",
    "client_id": "p",
    "client_secret": "s",
    "product": "https://app.example",
}


X = RouteTable({"GET /x": Declaration(Effect.READ)})


# Settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("console", "http://console.example"), ("console", "console.example"), ("product", "https://app.example/path"),
        ("product", "https://u@app.example"), ("client_id", ""), ("callback", "//evil.example"), ("landing", "home"),
        ("cache_s", 1.5), ("grace_s", -1), ("leeway_s", 61), ("timeout_s", 0), ("most_reports", 0),
    ],
)  # fmt: skip
def test_it_refuses_settings_that_are_not_safe(name: str, value: object) -> None:
    with pytest.raises(SettingsError):
        KitSettings(**{**GOOD, name: value})


def test_it_reads_its_settings_from_the_environment() -> None:
    environ = {f"SALLYPORT_KIT_{name.upper()}": value for name, value in GOOD.items()}
    found = KitSettings.from_environ(
        {**environ, "SALLYPORT_KIT_CACHE_S": "0.5", "SALLYPORT_KIT_LEEWAY_S": "5", "HOME": "x"}
    )
    assert (found.cache_s, found.leeway_s, found.is_https) == (0.5, 5, True)
    assert "client_secret" not in repr(found)
    for wrong in ({"SALLYPORT_KIT_CASH_S": "1"}, {"SALLYPORT_KIT_CACHE_S": "soon"}, {"SALLYPORT_KIT_CONSOLE": ""}):
        with pytest.raises(SettingsError):
            KitSettings.from_environ({**environ, **wrong})


def test_it_binds_its_cookies_to_the_host_over_https() -> None:
    scene = world("wsgi", product="https://app.example")
    seen = scene.browser.open("/sallyport/enter?sid=imp_1")
    assert seen.get("Set-Cookie").startswith("__Host-sallyport-entry=")
    assert seen.get("Set-Cookie").endswith("; Secure")


# Declarations and routes


def test_it_takes_one_effect_for_an_endpoint() -> None:
    def view() -> None: ...

    assert declaration_of(view) is None
    assert declaration_of(writes(view)) == Declaration(Effect.WRITE)
    with pytest.raises(ValueError, match="two effects"):
        reads(view)
    with pytest.raises(ValueError, match=r"noun\.verb"):
        never("everything")


def test_it_finds_only_what_is_on_its_list_as_it_is_written() -> None:
    table = RouteTable({
        "GET /m/<id>": Declaration(Effect.READ), "GET /m/new": Declaration(Effect.WRITE),
        "GET /f/<path:name>": Declaration(Effect.READ),
    })  # fmt: skip
    found = {path: table.find("GET", path) for path in ("/m/7", "/m/new", "/f/a/b")}
    assert [each and each.pattern for each in found.values()] == ["/m/<id>", "/m/new", "/f/<path:name>"]
    assert table.find("HEAD", "/m/7") == found["/m/7"]
    for method, path in (("POST", "/m/7"), ("GET", "/m/7/"), ("GET", "/M/7"), ("GET", "/m/a/b"), ("GET", "/m/")):
        assert table.find(method, path) is None
    with pytest.raises(ValueError, match="declared effect"):
        RouteTable({"GET /x": lambda: None})


def test_it_lists_what_a_flask_product_has_not_declared() -> None:
    app = flask_app(Told())
    kit = Sallyport(app, settings(FakeConsole()))
    assert kit.undeclared() == ["forgotten"]
    assert kit.never_allowed() == {"password": "password.change"}
    kit.declare("forgotten", Declaration(Effect.READ))
    assert kit.undeclared() == []


# HTML in pieces

PAGE = b"<!doctype html><html><head><title><body></title><script>'<body>'</script><!-- <body> --></head><body a='>'><p>"


@pytest.mark.parametrize("size", [1, 2, 7, 64, 1_000])
def test_it_finds_the_body_whatever_the_pieces(size: int) -> None:
    injector = Injector(banner=lambda: b"[B]", at_end=lambda: b"[E]")
    pieces = [injector.feed(PAGE[at : at + size]) for at in range(0, len(PAGE), size)]
    assert b"".join([*pieces, injector.finish()]) == PAGE.replace(b"'>'><p>", b"'>'>[B]<p>")


@pytest.mark.parametrize(
    "html", [b"", b"<p>x", b"<script>'<body>'", b"<!-- <body>", b"<bodyguard>", b"<body", b"<TITLE>"]
)
def test_it_puts_the_banner_at_the_end_where_there_is_no_body(html: bytes) -> None:
    injector = Injector(banner=lambda: b"[B]", at_end=lambda: b"[E]")
    assert injector.feed(html) + injector.finish() == html + b"[E]"


def test_it_knows_the_tag_in_any_case() -> None:
    assert after_body(b"<HTML><BODY CLASS=x>") == 20


def test_it_holds_back_no_more_than_it_must() -> None:
    injector = Injector(banner=lambda: b"[B]", at_end=lambda: b"[E]")
    assert injector.feed(b"x" * 65_536) == b""
    assert len(injector.feed(b"x")) == 65_537
    assert injector.feed(b"<body>") == b"<body>"
    assert injector.finish() == b"[E]"


# Small parts


def test_it_forgets_what_was_not_used_for_the_longest_time() -> None:
    memory: Bounded[int] = Bounded(2)
    memory.put("a", 1)
    memory.put("b", 2)
    assert memory.get("a") == 1
    assert memory.at("c", lambda: 3) == 3
    assert ("b" in memory, len(memory)) == (False, 2)
    memory.drop("a")
    assert memory.get("a") is None


def test_it_tells_the_console_that_a_member_is_new_again() -> None:
    scene = world("wsgi")
    sid = scene.enter()
    scene.kit.tell_password_reset(event="ev_1", tenant="t-acme", member="m-ada")
    scene.kit.tell_member_deleted(event="ev_2", tenant="t-acme", member="m-bob")
    assert [each["kind"] for each in scene.console.events.values()] == ["member.password_reset", "member.deleted"]
    assert scene.console.rows[sid].ended_by == "member_reset"
    scene.kit.close()


def test_a_silent_console_hears_of_a_new_password_later_and_nobody_acts_till_then() -> None:
    scene = world("wsgi", grace_s=300, report_every_s=3_600.0)
    sid = scene.enter()
    assert scene.browser.open("/members").status == 200
    scene.console.mood = "silent"
    assert not scene.kit.tell_password_reset(event="ev_1", tenant="t-acme", member="m-ada")
    assert scene.browser.open("/members").status == 401
    assert scene.console.events == {}
    scene.console.mood = "ok"
    assert scene.kit.tell_member_deleted(event="ev_2", tenant="t-acme", member="m-bob")
    assert list(scene.console.events) == ["ev_1", "ev_2"]
    assert scene.console.rows[sid].ended_by == "member_reset"
    assert scene.browser.open("/members").status == 401
    scene.kit.close()


def test_what_was_told_ends_at_once_even_what_was_believed_a_moment_ago() -> None:
    scene = world("wsgi")
    scene.enter()
    assert scene.browser.open("/members").status == 200
    assert scene.kit.tell_password_reset(event="ev_1", tenant="t-acme", member="m-ada")
    assert scene.browser.open("/members").status == 401
    scene.kit.close()


def test_it_withholds_an_answer_that_nobody_decided_about() -> None:
    scene = world("wsgi")

    def careless(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/html")])
        return [b"<body>secret of " + environ[ENVIRON_KEY].subject.encode()]

    scene.browser.send = over_wsgi(WsgiKit(careless, scene.kit, routes=None))
    scene.enter()
    seen = scene.browser.open("/members")
    assert (seen.status, b"secret" in seen.body) == (403, False)
    scene.kit.close()


def test_it_reports_and_forgets_when_the_product_breaks() -> None:
    scene = world("wsgi")

    def broken(_environ: object, _start_response: object) -> list[bytes]:
        raise ZeroDivisionError

    scene.browser.send = over_wsgi(WsgiKit(broken, scene.kit, routes=X.in_environ))
    scene.enter()
    with pytest.raises(ZeroDivisionError):
        scene.browser.open("/x")
    assert acting() is None
    assert scene.kit.reporter.flush()
    assert [each["status"] for each in scene.console.reports.values()] == [500]
    scene.kit.close()


def test_it_stops_a_long_answer_when_the_impersonation_ends() -> None:
    scene = world("wsgi")

    def long(_environ: object, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        for number in range(10):
            if number == 3:
                scene.console.end(sid)
            scene.console.clock.pass_by(0.7)
            yield b"%d" % number

    scene.browser.send = over_wsgi(WsgiKit(long, scene.kit, routes=X.in_environ))
    sid = scene.enter()
    assert len(scene.browser.open("/x").body) in range(3, 6)
    scene.kit.close()


def test_it_passes_the_write_callable_of_old_products() -> None:
    scene = world("wsgi")

    def old(_environ: object, start_response: StartResponse) -> list[bytes]:
        write = start_response("200 OK", [("Content-Type", "text/html")])
        write(b"<body>")
        return [b"<p>x"]

    scene.browser.send = over_wsgi(WsgiKit(old, scene.kit, routes=X.in_environ))
    scene.enter()
    assert scene.browser.open("/x").text.count('id="sallyport-banner"') == 1
    scene.kit.close()


@pytest.mark.parametrize("member", ["7", "acme-1", "ü", "a" * 200])
def test_it_knows_imported_members_by_the_consoles_id(member: str) -> None:
    assert imported_member_id("t-acme", member) == member_id_of("t-acme", member)


PATTERNS = ("/members/<id>", "/(none)", "/(undeclared)", "/@<name>", "/2024/<int:n>", "/a b", "/é", "/x?y", "/%2f",
            "/0123456789abcdef-0123", "/" + "x" * 300, "/<uuid:key>/", "/v2/(x)")  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_it_reports_what_the_console_can_read(pattern: str) -> None:
    console = FakeConsole()
    set_so = settings(console)
    reporter = Reporter(set_so, Console(set_so, console))
    assert reporter.take_place()
    reporter.put("imp_1", method="GET", pattern=reported_pattern(pattern), effect=Effect.NEVER, status=403, code="x_y")
    assert reporter.flush()
    (report,) = console.reports.values()
    assert report_of(report).route.startswith("/")
    reporter.close()
