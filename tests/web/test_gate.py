"""Default deny: every endpoint says who may reach it, and every refusal is recorded."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event
from threading import enumerate as enumerate_threads
from time import monotonic
from typing import Any

import pytest
from flask import Blueprint, Flask, Response
from werkzeug.routing import Rule

from console.domain.errors import ConflictError, NotFoundError, OutsideError, ScopeError, TrailUnavailableError
from console.domain.tenancy import DirectoryRow
from console.usecases import check_health
from console.web import asking, factory, gate
from console.web.blueprints import BLUEPRINTS
from console.web.gate import Gate
from tests.web.cast import Browser, Cast, on_stage, web_app, web_options

UNATTENDED = (
    {"static", "system.health", "system.report", "inbound.receive", "customer.access_log"}
    | {f"product.{name}" for name in ("keys", "token", "introspect", "revoke", "reports", "events")}
    | {f"customer_api.{name}" for name in ("consents", "decide", "policy", "set_policy")}
    | {f"customer_links.{name}" for name in ("consent", "decide", "log", "policy", "set_policy")}
)
OPEN = {"door.sign_in", "door.sign_in_by_password", "door.identity", "door.callback"}


def private_rules(app: Flask) -> list[Rule]:
    return [r for r in app.url_map.iter_rules() if gate.kind_of(app, r.endpoint) in {Gate.SIGNED_IN, Gate.TENANT}]


def address(rule: Rule) -> str:
    built = rule.build(dict.fromkeys(rule.arguments, "x"))
    assert built is not None
    return built[1]


def extra() -> Blueprint:
    bp = Blueprint("extra", __name__)

    @bp.get("/x/tenant/<slug>")
    @gate.tenant_scoped
    def tenant(row: DirectoryRow) -> Response:
        return Response(row.name)

    @bp.get("/x/poll")
    @gate.polling
    @gate.signed_in
    def poll() -> Response:
        return Response("polled")

    @bp.get("/x/raise/<what>")
    @gate.signed_in
    def breaks(what: str) -> Response:
        raise {
            "not_found": NotFoundError("There is no such thing."),
            "conflict": ConflictError("conflict"),
            "scope": ScopeError("A tenant's id that must not be told."),
            "trail": TrailUnavailableError(),
            "outside": OutsideError("postgres at 10.0.0.5 is down", permanent=False),
            "bug": ZeroDivisionError("the secret of the trace"),
        }[what]

    @bp.post("/x/change")
    @gate.signed_in
    def change() -> Response:
        return Response(asking.origin().ip)

    return bp


@pytest.fixture
def extended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cast]:
    monkeypatch.setattr(factory, "BLUEPRINTS", (*BLUEPRINTS, extra()))
    with on_stage(tmp_path / "cast.db") as cast:
        yield cast


@pytest.mark.checklist("V15.2.3")
def test_it_refuses_to_start_with_an_endpoint_that_says_nothing(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = Blueprint("bare", __name__)
    bare.add_url_rule("/bare", "show", lambda: "never")
    monkeypatch.setattr(factory, "BLUEPRINTS", (*BLUEPRINTS, bare))
    with pytest.raises(gate.UnclassifiedEndpointError, match=r"bare\.show"):
        factory.make_web(cast.house, web_options())


@pytest.mark.checklist("V8.1.1")
def test_it_leaves_few_doors_open(cast: Cast) -> None:
    found: dict[Gate | None, set[str]] = {}
    for endpoint in cast.app.view_functions:
        found.setdefault(gate.kind_of(cast.app, endpoint), set()).add(endpoint)
    assert found[Gate.UNATTENDED] == UNATTENDED
    assert found[Gate.OPEN] == OPEN
    assert None not in found


@pytest.mark.checklist("V8.2.1")
def test_it_refuses_a_stranger_everywhere_and_records_each_refusal(cast: Cast, stranger: Browser) -> None:
    asked = 0
    for rule in private_rules(cast.app):
        for method in (rule.methods or set()) - {"OPTIONS"}:
            answer = stranger.client.open(address(rule), method=method)
            assert answer.status_code == 401, (rule.endpoint, method)
            asked += 1
        cast.clock.pass_by(seconds=30)  # more of them in a minute would be a flood, which is counted only
    assert asked > 5
    refused = cast.entries("route.refused")
    assert len(refused) == asked
    assert {entry["actor"]["kind"] for entry in refused} == {"stranger"}


def test_it_sends_a_person_who_navigates_to_the_door_and_back(stranger: Browser) -> None:
    answer = stranger.get("/account?tab=1", Sec_Fetch_Mode="navigate", Sec_Fetch_Site="none", Sec_Fetch_Dest="document")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/sign-in?next=/account?tab%3D1"


def test_it_answers_htmx_with_a_fragment_and_programs_with_json(stranger: Browser) -> None:
    fragment = stranger.get("/account", HX_Request="true")
    assert (fragment.status_code, "<html" in fragment.text) == (401, False)
    assert "Sign in" in fragment.text
    told = stranger.get("/account", Accept="application/json")
    assert (told.status_code, told.json and told.json["error"]) == (401, "not_signed_in")
    assert told.json is not None
    assert told.json["request_id"] == told.headers["X-Request-Id"]
    assert "<html" in stranger.get("/account", Accept="*/*").text
    for whole in ({"HX_Boosted": "true"}, {"HX_History_Restore_Request": "true"}):
        assert "<html" in stranger.get("/account", HX_Request="true", headers=whole).text


def test_it_records_lost_ways_of_staff_but_not_of_strangers(cast: Cast, stranger: Browser, agent: Browser) -> None:
    assert stranger.get("/nowhere").status_code == 404
    assert cast.count("route.refused") == 0
    answer = agent.get("/nowhere")
    assert answer.status_code == 404
    assert "Nothing was changed" in answer.text
    assert answer.headers["X-Request-Id"] in answer.text
    (entry,) = cast.entries("route.refused")
    assert entry["actor"]["name"] == "Noor Haddad"
    assert entry["targets"][0]["id"] == "/nowhere"
    assert entry["request"]["id"] == answer.headers["X-Request-Id"]


def test_it_finds_the_tenant_of_an_address_or_records_that_there_is_none(extended: Cast) -> None:
    agent = extended.sign_in()
    assert agent.get("/x/tenant/nordwind").text == "Nordwind Logistik GmbH"
    answer = agent.get("/x/tenant/nowhere")
    assert answer.status_code == 404
    assert "There is no such tenant" in answer.text
    (entry,) = extended.entries("tenant.read_refused")
    assert entry["authorisation"]["deny_code"] == "unknown_tenant"
    assert agent.get("/x/tenant/" + "n" * 3000).status_code == 404


@pytest.mark.checklist("V7.3.1")
def test_it_does_not_let_polling_keep_a_session_alive(extended: Cast) -> None:
    agent = extended.sign_in()
    for _ in range(3):
        extended.clock.pass_by(minutes=4)
        assert agent.get("/x/poll").status_code == 200
    extended.clock.pass_by(minutes=4)
    assert agent.get("/x/poll").status_code == 401
    assert extended.count("session.expired") == 1


@pytest.mark.checklist("V4.1.4")
@pytest.mark.parametrize("method", ["TRACE", "OPTIONS", "PUT", "PATCH", "DELETE", "FOO", "CONNECT"])
def test_it_takes_no_method_that_no_page_uses(agent: Browser, method: str) -> None:
    for path in ("/account", "/sign-in", "/sign-out"):
        answer = agent.client.open(path, method=method)
        assert answer.status_code == 405
        assert method not in answer.headers["Allow"]


@pytest.mark.checklist("V3.5.3")
@pytest.mark.parametrize("header", ["X_HTTP_Method_Override", "X_HTTP_Method", "X_Method_Override"])
def test_it_refuses_a_method_in_a_header(cast: Cast, agent: Browser, header: str) -> None:
    assert agent.get("/sign-out", headers={header: "POST"}).status_code == 400
    assert agent.get("/account").status_code == 200
    assert cast.count("route.refused") == 1


@pytest.mark.parametrize("path", ["/account%00", "/account?x=%00", "/sign-in?as=%00", "/t/%00/"])
def test_it_refuses_a_nul_in_an_address(agent: Browser, path: str) -> None:
    assert agent.get(path).status_code == 400


@pytest.mark.checklist("V16.5.1")
@pytest.mark.parametrize(
    ("what", "status", "words"),
    [
        ("not_found", 404, "There is no such thing."),
        ("conflict", 409, "Somebody was faster"),
        ("scope", 404, "There is no such page"),
        ("trail", 503, "what is not recorded is not done"),
        ("outside", 503, "does not answer"),
        ("bug", 500, "A fault of the console"),
    ],
)
def test_it_has_a_clear_page_for_every_mishap(extended: Cast, what: str, status: int, words: str) -> None:
    agent = extended.sign_in()
    answer = agent.get(f"/x/raise/{what}")
    assert answer.status_code == status
    assert words in answer.text
    assert answer.headers["X-Request-Id"] in answer.text
    for secret in ("Traceback", "secret of the trace", "10.0.0.5", "must not be told"):
        assert secret not in answer.text


class Flaky:
    """A store that stops answering when told so."""

    def __init__(self, real: Any) -> None:  # noqa: ANN401
        self.real = real
        self.is_down = False

    @contextmanager
    def _unit(self, opened: Callable[[], Any]) -> Iterator[Any]:
        if self.is_down:
            raise OutsideError("the control store does not answer", permanent=False)
        with opened() as unit:
            yield unit

    def write(self) -> Any:  # noqa: ANN401
        return self._unit(self.real.write)

    def read(self) -> Any:  # noqa: ANN401
        return self._unit(self.real.read)

    def ping(self) -> None:
        if self.is_down:
            raise OutsideError("the control store does not answer", permanent=False)
        self.real.ping()


@pytest.mark.checklist("V16.5.2")
@pytest.mark.checklist("V16.5.3")
def test_it_closes_while_the_store_is_away_and_recovers_by_itself(cast: Cast) -> None:
    store = Flaky(cast.house.store)
    cast.app = web_app(replace(cast.house, store=store))
    agent = cast.sign_in()
    store.is_down = True
    for path in ("/account", "/nowhere"):
        answer = agent.get(path)
        assert answer.status_code == 503
        assert "Nothing was changed" in answer.text
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert agent.post("/sign-out").status_code == 503
    health = cast.stranger().get("/healthz")
    assert (health.status_code, health.json) == (503, {"status": "unavailable"})
    store.is_down = False
    assert agent.get("/account").status_code == 200
    health = cast.stranger().get("/healthz")
    assert (health.status_code, health.json) == (200, {"status": "ok"})


class Stalled(Flaky):
    """A store that answers nobody, neither with yes nor with no, until it is let go."""

    def __init__(self, real: Any) -> None:  # noqa: ANN401
        super().__init__(real)
        self.let_go = Event()
        self.asked = 0

    def ping(self) -> None:
        self.asked += 1
        self.let_go.wait(timeout=30)
        self.real.ping()


@pytest.mark.checklist("V13.1.3")
@pytest.mark.checklist("V15.4.4")
def test_it_says_within_a_second_that_a_stalled_store_is_away_and_asks_it_no_second_time(cast: Cast) -> None:
    assert check_health._PATIENCE_S < 1
    store = Stalled(cast.house.store)
    cast.app = web_app(replace(cast.house, store=store))
    try:
        for _ in range(2):
            started = monotonic()
            health = cast.stranger().get("/healthz")
            assert monotonic() - started < 15  # the store itself says nothing for thirty
            assert (health.status_code, health.json) == (503, {"status": "unavailable"})
        assert store.asked == 1
    finally:
        store.let_go.set()
    for thread in (each for each in enumerate_threads() if each.name == "health"):
        thread.join(timeout=5)
    health = cast.stranger().get("/healthz")
    assert (health.status_code, health.json) == (200, {"status": "ok"})


@pytest.mark.checklist("V4.1.3")
@pytest.mark.checklist("V15.3.4")
def test_it_believes_no_forwarded_address_unless_told_how_many_proxies_there_are(
    extended: Cast, tmp_path: Path
) -> None:
    forged = {"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9", "X-Forwarded-Proto": "https",
              "X-Forwarded-Host": "evil.example", "Remote-User": "admin", "X-Original-URL": "/trail"}  # fmt: skip
    agent = extended.sign_in()
    assert agent.post("/x/change", headers=forged).text == "127.0.0.1"
    with on_stage(tmp_path / "proxied.db", trusted_proxies=1) as proxied:
        used = proxied.sign_in()
        answer = used.client.post(
            "/x/change",
            data={"csrf_token": used.token},
            headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.9", "X-Forwarded-Proto": "https",
                     "Origin": "https://localhost", "Referer": "https://localhost/account"},
        )  # fmt: skip
        assert answer.text == "203.0.113.9"


@pytest.mark.checklist("V8.4.2")
def test_it_signs_nobody_in_by_a_header(stranger: Browser) -> None:
    for name in ("Remote_User", "X_Remote_User", "X_Forwarded_User", "Authorization", "X_User"):
        assert stranger.get("/account", headers={name: "administrator@brightline.example"}).status_code == 401
    stranger.client.set_cookie("remember_token", "stf_00000000000000000000000007|0")
    assert stranger.get("/account").status_code == 401
