"""What every answer carries, and which messages are not believed."""

import logging
import re

import pytest
from werkzeug.test import TestResponse

from console.web.factory import LARGEST_BODY
from tests.web.cast import Browser, Cast

KINDS = ("/sign-in", "/account", "/nowhere", "/healthz", "/static/css/base.css", "/static/nothing.css")


def policy(answer: TestResponse) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in answer.headers["Content-Security-Policy"].split(";"))
    return {name: value for name, _, value in parts}


@pytest.mark.checklist("V3.4.1")
@pytest.mark.checklist("V3.4.4")
@pytest.mark.checklist("V3.4.5")
@pytest.mark.checklist("V3.4.8")
@pytest.mark.checklist("V13.4.6")
@pytest.mark.parametrize("path", KINDS)
def test_it_protects_every_kind_of_answer(agent: Browser, path: str) -> None:
    for answer in (
        agent.get(path),
        agent.client.open(path, method="DELETE", buffered=True),
        agent.get(path, Host="evil.example"),
    ):
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "camera=()" in answer.headers["Permissions-Policy"]
        assert policy(answer)["frame-ancestors"] == "'none'"
        assert policy(answer)["default-src"] == "'none'"
        assert "Server" not in answer.headers
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert answer.headers["X-Request-Id"].startswith("call_")


@pytest.mark.checklist("V3.4.3")
@pytest.mark.checklist("V3.4.7")
def test_it_lets_only_its_own_scripts_run(agent: Browser) -> None:
    seen = set()
    for path in ("/account", "/sign-in", "/nowhere"):
        answer = agent.get(path, follow=True)
        rules = policy(answer)
        match = re.fullmatch(r"'nonce-([\w-]{22})'", rules["script-src"])
        assert match is not None
        seen.add(match[1])
        scripts = re.findall(r"<script\b[^>]*>(.*?)</script>", answer.text, re.DOTALL)
        assert scripts
        assert not any(scripts)
        assert answer.text.count(f'nonce="{match[1]}"') >= len(scripts)
        assert rules["base-uri"] == rules["object-src"] == "'none'"
        assert rules["require-trusted-types-for"] == "'script'"
        assert rules["report-uri"] == "/csp-reports"
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert len(seen) == 3


@pytest.mark.checklist("V14.3.2")
def test_it_lets_nobody_keep_a_page_and_everybody_keep_a_file(agent: Browser) -> None:
    page = agent.get("/account")
    assert page.headers["Cache-Control"] == "no-store"
    assert {"Cookie", "HX-Request", "HX-Boosted", "HX-History-Restore-Request"} <= set(page.headers["Vary"].split(", "))
    sheet = re.search(r'href="(/static/css/base\.css\?v=[0-9a-f]{12})"', page.text)
    assert sheet is not None
    assert agent.get(sheet[1]).headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert agent.get("/static/css/base.css?v=000000000000").headers["Cache-Control"] == "public, max-age=3600"
    for path in ("/static/../pyproject.toml", "/static/%2e%2e/pyproject.toml", "/static/..%2f..%2fpyproject.toml"):
        assert agent.client.get(path).status_code == 404


@pytest.mark.checklist("V4.1.1")
def test_it_names_the_type_of_every_answer(agent: Browser) -> None:
    assert agent.get("/account").headers["Content-Type"] == "text/html; charset=utf-8"
    assert agent.get("/healthz").headers["Content-Type"] == "application/json"
    assert agent.get("/static/css/base.css").headers["Content-Type"].startswith("text/css")


@pytest.mark.checklist("V4.1.3")
def test_it_answers_under_its_own_names_only(cast: Cast, agent: Browser) -> None:
    for host in ("evil.example", "localhost.evil.example", "localhost@evil.example", "127.0.0.2"):
        answer = agent.get("/account", Host=host)
        assert answer.status_code == 400
        assert "does not answer under this host name" in answer.text
        assert "evil" not in answer.text
    assert cast.count("host.refused") == 4
    assert agent.get("/account", Host="localhost:8000").status_code == 200


def marked(cast: Cast, agent: Browser) -> str:
    """Return the address that ends this session: a change that is easy to see."""
    return "/sign-out"


@pytest.mark.checklist("V3.5.1")
@pytest.mark.checklist("V16.3.3")
def test_it_refuses_forms_that_it_did_not_make(cast: Cast, agent: Browser) -> None:
    other = cast.sign_in("finance_lead")
    door = cast.stranger()
    door.get("/sign-in")
    tampered = agent.token[:-2] + ("aa" if agent.token[-2:] != "aa" else "bb")
    tokens = ("", "x", tampered, other.token, door.token, "ключ-не-из-ascii", "\ud83d\ude00".encode(
        "utf-16", "surrogatepass").decode("utf-16"), "a" * 5000)  # fmt: skip
    for token in tokens:
        answer = agent.post("/sign-out", token=token)
        assert answer.status_code == 400, token
        assert "Nothing was changed" in answer.text
    header = agent.client.post("/sign-out", headers={"X-CSRFToken": "\u00e9\u00e8"})
    assert header.status_code == 400
    assert cast.count("csrf.refused") == len(tokens) + 1
    assert agent.get("/account").status_code == 200
    assert agent.post("/sign-out").status_code == 303


@pytest.mark.checklist("V3.5.1")
@pytest.mark.checklist("V3.5.8")
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://localhost:81"},
        {"Origin": "http://[broken"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_it_refuses_changes_that_another_site_sent(cast: Cast, agent: Browser, headers: dict[str, str]) -> None:
    answer = agent.post("/sign-out", headers=headers)
    assert answer.status_code == 403
    assert "Another site" in answer.text
    assert cast.count("csrf.refused") == 1
    assert agent.get("/account").status_code == 200


@pytest.mark.checklist("V3.5.8")
def test_it_lets_links_of_other_sites_in_but_not_their_fetches(cast: Cast, agent: Browser) -> None:
    link = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert agent.get("/account", headers=link).status_code == 200
    for mode, dest in (("cors", "empty"), ("no-cors", "image"), ("navigate", "iframe")):
        foreign = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": mode, "Sec_Fetch_Dest": dest}
        assert agent.get("/account", headers=foreign).status_code == 403
    assert cast.count("csrf.refused") == 3


@pytest.mark.checklist("V5.2.1")
@pytest.mark.checklist("V15.2.2")
def test_it_bounds_what_it_reads(agent: Browser) -> None:
    for field in ({"x": "a" * LARGEST_BODY}, {f"f{number}": "" for number in range(600)}):
        answer = agent.post("/sign-out", field)
        assert answer.status_code == 413
        assert "Too large" in answer.text
    body = b"".join(b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n' for _ in range(500)) + b"--x--"
    parts = agent.client.post("/sign-out", data=body, content_type="multipart/form-data; boundary=x")
    assert parts.status_code == 413
    assert agent.get("/account").status_code == 200


def test_it_refuses_texts_with_a_nul_and_json_instead_of_a_form(agent: Browser) -> None:
    assert agent.post("/account/notices/read", {"x": "a\0b"}).status_code == 400
    sent = agent.client.post("/account/notices/read", json={"csrf_token": agent.token})
    assert sent.status_code == 400


@pytest.mark.checklist("V15.3.3")
@pytest.mark.checklist("V15.3.7")
def test_it_refuses_fields_that_were_not_asked_for_or_came_twice(agent: Browser) -> None:
    strange = agent.post("/account/notices/read", {"is_admin": "1"})
    assert strange.status_code == 422
    assert "There is no field" in strange.text
    agent.get("/step-up")
    twice = agent.post("/step-up", {"code": ["123456", "654321"], "next": "/"})
    assert twice.status_code == 422
    assert "came 2 times" in twice.text


@pytest.mark.checklist("V3.4.7")
def test_it_logs_what_browsers_report_and_stores_nothing(
    cast: Cast, stranger: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    old = b'{"csp-report": {"blocked-uri": "inline\\nforged line", "document-uri": "http://localhost/account", "x": 1}}'
    new = b'[{"type": "csp-violation", "body": {"blockedURL": "eval", "effectiveDirective": "script-src"}}]'
    with caplog.at_level(logging.WARNING, logger="console.web.csp"):
        for body, kind in ((old, "application/csp-report"), (new, "application/reports+json"), (b"{", "text/plain")):
            sent = stranger.client.post("/csp-reports", data=body, content_type=kind)
            assert sent.status_code == 204
        assert stranger.client.post("/csp-reports", data=b"[" * 9000, content_type="text/plain").status_code == 204
    assert len(caplog.records) == 2
    assert not any("\n" in record.getMessage() for record in caplog.records)
    assert stranger.client.post("/csp-reports", data=b"x" * 20_000).status_code == 413
    assert cast.entries() == []


@pytest.mark.checklist("V13.4.2")
@pytest.mark.checklist("V13.4.5")
@pytest.mark.parametrize(
    "path", ["/console", "/debug", "/metrics", "/openapi.json", "/.git/config", "/?__debugger__=yes"]
)
def test_it_keeps_no_side_doors(agent: Browser, path: str) -> None:
    answer = agent.get(path)
    assert answer.status_code == 404 or path.startswith("/?")
    assert "EVALEX" not in answer.text


@pytest.mark.checklist("V3.6.1")
@pytest.mark.parametrize("path", ["/sign-in", "/account", "/step-up", "/nowhere"])
def test_it_serves_everything_itself(agent: Browser, path: str) -> None:
    text = agent.get(path, follow=True).text
    assert re.findall(r'(?:src|href|action)="(?!/|#)([^"]*)"', text) == []
    assert "style=" not in text
    assert re.findall(r"\son\w+=", text) == []
