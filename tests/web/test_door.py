"""The door: who gets in, who does not, where they land, and what is remembered of it."""

import time
from pathlib import Path
from statistics import median

import pytest

from console.domain.ids import PersonKey
from console.domain.staff import Role
from console.web.sessions import COOKIE, DOOR_COOKIE
from tests.conftest import NewDatabase
from tests.web.cast import PEOPLE, Browser, Cast, demo_people, on_stage, peopled_postgres

HOSTILE = (
    "https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example",
    "/%09/evil.example", "/\t/evil.example", "javascript:alert(1)", "data:text/html,x", "http:evil.example",
    "https:///evil.example", "/account\r\nSet-Cookie: a=b", " /account", "//localhost@evil.example", "/%5cevil.example",
    "/sign-out", "/sign-in", "/nowhere", "/static/css/base.css", "account", "/account/../../evil", "/" + "a" * 2000,
)  # fmt: skip


def filled(cast: Cast, who: str = "support_agent", **changed: str) -> dict[str, str]:
    person = PEOPLE[who]
    form = {"email": person.email, "password": person.password, "code": "", "next": "/account"} | changed
    if not form["code"]:
        form["code"] = cast.code(who)
    return form


@pytest.mark.checklist("V16.3.1")
def test_it_signs_in_with_password_and_code(cast: Cast, stranger: Browser) -> None:
    stranger.get("/sign-in?next=/account")
    answer = stranger.post("/sign-in", filled(cast))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
    assert "Noor Haddad" in stranger.get("/account").text
    (entry,) = cast.entries("staff.sign_in")
    assert entry["actor"]["name"] == "Noor Haddad"
    assert entry["request"]["ip"] == "127.0.0.1"


@pytest.mark.checklist("V3.3.1")
@pytest.mark.checklist("V3.3.2")
@pytest.mark.checklist("V3.3.3")
@pytest.mark.checklist("V3.3.4")
@pytest.mark.checklist("V3.3.5")
@pytest.mark.checklist("V7.2.3")
def test_it_keeps_nothing_but_a_random_token_in_the_cookie(cast: Cast, stranger: Browser) -> None:
    stranger.get("/sign-in")
    answer = stranger.post("/sign-in", filled(cast))
    lines = {line.partition("=")[0]: line for line in answer.headers.getlist("Set-Cookie")}
    assert set(lines) == {COOKIE, DOOR_COOKIE}
    for line in lines.values():
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(line.split("; "))
        assert "Domain" not in line
        assert len(line) < 4096
    assert "Max-Age=0" in lines[DOOR_COOKIE]
    assert "Max-Age" not in lines[COOKIE]
    token = stranger.cookie(COOKIE)
    assert len(token) == 43
    assert token not in stranger.get("/account").text + stranger.get("/step-up").text
    others = {cast.sign_in(who).cookie(COOKIE) for who in ("finance", "engineer", "on_call")}
    assert len(others | {token}) == 4


@pytest.mark.checklist("V7.2.4")
def test_it_gives_a_new_token_and_a_new_form_secret_at_sign_in(cast: Cast, stranger: Browser) -> None:
    planted = "p" * 43
    stranger.client.set_cookie(COOKIE, planted)
    stranger.get("/sign-in")
    before = stranger.token
    stranger.post("/sign-in", filled(cast))
    assert stranger.cookie(COOKIE) not in {"", planted}
    stranger.get("/account")
    assert stranger.post("/sign-out", token=before).status_code == 400
    assert stranger.post("/sign-out").status_code == 303


@pytest.mark.checklist("V6.3.8")
def test_it_says_the_same_of_a_wrong_name_password_or_code(cast: Cast, stranger: Browser) -> None:
    stranger.get("/sign-in")
    texts, kept = set(), "nobody@brightline.example"
    for form in (filled(cast, email=kept), filled(cast, password="not it"), filled(cast, code="000000")):
        answer = stranger.post("/sign-in", form)
        assert answer.status_code == 401
        assert f'value="{form["email"]}"' in answer.text
        assert form["password"] not in answer.text
        assert form["code"] not in answer.text
        texts.add("E-mail, password or code is wrong." in answer.text)
    assert texts == {True}
    assert [entry["action"] for entry in cast.entries()] == ["staff.sign_in_refused"] * 3


@pytest.mark.slow
@pytest.mark.checklist("V6.3.8")
def test_it_takes_as_long_for_a_name_that_nobody_has(cast: Cast, stranger: Browser) -> None:
    stranger.get("/sign-in")
    spent: dict[str, list[float]] = {"known": [], "unknown": []}
    for number in range(8):
        for kind, email in (("known", PEOPLE["finance"].email), ("unknown", f"nobody{number}@brightline.example")):
            began = time.process_time()
            stranger.post("/sign-in", filled(cast, email=email, password="not it", code="000000"))
            spent[kind].append(time.process_time() - began)
    assert 0.5 < median(spent["known"]) / median(spent["unknown"]) < 2


@pytest.mark.checklist("V2.4.1")
@pytest.mark.checklist("V6.3.1")
@pytest.mark.checklist("PCI-8.3.4")
def test_it_slows_guessing_and_forgives_after_half_an_hour(cast: Cast, stranger: Browser) -> None:
    stranger.get("/sign-in")
    for _ in range(10):
        assert stranger.post("/sign-in", filled(cast, password="a guess", code="000000")).status_code == 401
    slowed = stranger.post("/sign-in", filled(cast))
    assert slowed.status_code == 429
    assert slowed.headers["Retry-After"] == "1800"
    assert cast.count("staff.sign_in_refused") == 11
    cast.clock.pass_by(minutes=31)
    stranger.get("/sign-in")
    assert stranger.post("/sign-in", filled(cast)).status_code == 303


def test_it_takes_each_code_once(cast: Cast, stranger: Browser) -> None:
    form = filled(cast)
    stranger.get("/sign-in")
    assert stranger.post("/sign-in", form).status_code == 303
    second = cast.stranger()
    second.get("/sign-in")
    assert second.post("/sign-in", form).status_code == 401


@pytest.mark.checklist("V2.2.1")
def test_it_names_the_fields_of_an_incomplete_form(cast: Cast, stranger: Browser) -> None:
    stranger.get("/sign-in")
    answer = stranger.post("/sign-in", {"email": "someone@brightline.example", "password": "", "code": "", "next": "/"})
    assert answer.status_code == 422
    assert "Type your password." in answer.text
    assert "Type the six digits." in answer.text
    assert 'value="someone@brightline.example"' in answer.text
    assert cast.entries() == []


@pytest.mark.checklist("V3.7.2")
@pytest.mark.checklist("V1.2.2")
@pytest.mark.parametrize("wanted", HOSTILE)
def test_it_never_sends_anybody_elsewhere(cast: Cast, stranger: Browser, wanted: str) -> None:
    page = stranger.client.get("/sign-in", query_string={"next": wanted})
    assert 'name="next" value="/"' in page.text
    stranger.get("/sign-in")
    answer = stranger.post("/sign-in", filled(cast, next=wanted))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


def test_it_sends_somebody_who_is_inside_on(agent: Browser) -> None:
    answer = agent.get("/sign-in?next=/account")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account")


@pytest.mark.checklist("V7.4.1")
@pytest.mark.checklist("V7.2.1")
@pytest.mark.checklist("V14.3.1")
def test_it_ends_the_session_on_the_server_at_sign_out(cast: Cast, agent: Browser) -> None:
    copied = agent.cookie(COOKIE)
    answer = agent.post("/sign-out")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert agent.cookie(COOKIE) == ""
    thief = cast.stranger()
    thief.client.set_cookie(COOKIE, copied)
    assert thief.get("/account").status_code == 401
    assert thief.cookie(COOKIE) == ""
    assert cast.count("staff.sign_out") == 1


@pytest.mark.checklist("V3.5.3")
def test_it_signs_nobody_out_by_a_link(agent: Browser) -> None:
    assert agent.get("/sign-out").status_code == 405
    assert agent.get("/account").status_code == 200


def test_it_forgets_an_old_sign_in_form(cast: Cast, stranger: Browser) -> None:
    stranger.get("/sign-in")
    cast.clock.pass_by(minutes=10)
    stranger.get("/sign-in")
    cast.clock.pass_by(minutes=10)
    assert stranger.post("/sign-in", filled(cast, code="000000")).status_code == 401
    cast.clock.pass_by(minutes=16)
    answer = stranger.post("/sign-in", filled(cast))
    assert answer.status_code == 400
    assert "This form is not good any more" in answer.text


@pytest.mark.checklist("V3.3.4")
def test_it_believes_no_door_cookie_of_its_own_making(cast: Cast, stranger: Browser) -> None:
    stranger.get("/sign-in")
    for forged in ("x", "e30.x", stranger.cookie(DOOR_COOKIE) + "x", "\u00e9", "." * 3000):
        other = cast.stranger()
        other.client.set_cookie(DOOR_COOKIE, forged)
        assert other.post("/sign-in", filled(cast, code="000000"), token=stranger.token).status_code == 400


@pytest.mark.checklist("V6.3.2")
def test_it_introduces_nobody_outside_the_demo(tmp_path: Path) -> None:
    for environment, count in (("demo", 12), ("staging", 0), ("production", 0)):
        with on_stage(tmp_path / f"{environment}.db", environment=environment, people=demo_people) as cast:
            text = cast.stranger().get("/sign-in").text
            assert text.count(">Use</a>") == count
            assert (PEOPLE["finance"].password in text) is (count > 0)


def test_it_introduces_the_people_of_a_demo(tmp_path: Path) -> None:
    with on_stage(tmp_path / "demo.db", environment="demo", people=demo_people) as cast:
        stranger = cast.stranger()
        text = stranger.get("/sign-in?next=/account").text
        person = PEOPLE["finance_lead"]
        assert person.code(cast.clock.now()) in text
        used = stranger.get(f"/sign-in?as={person.email}").text
        assert f'value="{person.email}"' in used
        assert f'value="{person.password}"' not in used


def test_it_offers_no_password_form_where_passwords_are_off(tmp_path: Path) -> None:
    with on_stage(tmp_path / "off.db", local_passwords=False) as cast:
        stranger = cast.stranger()
        page = stranger.get("/sign-in")
        assert 'name="password"' not in page.text
        assert "No way to sign in is set up" in page.text
        assert stranger.post("/sign-in", filled(cast)).status_code == 401
        assert stranger.get("/sign-in/identity").status_code == 404
        assert stranger.get("/sign-in/callback?code=x&state=y").status_code == 404


@pytest.mark.checklist("V8.3.2")
@pytest.mark.checklist("V7.4.2")
def test_it_reads_roles_anew_for_every_request(cast: Cast, agent: Browser) -> None:
    person = PEOPLE["support_agent"]
    with cast.house.store.write() as unit:
        unit.staff.set_roles(person.id, frozenset({Role.FINANCE}), at=cast.clock.now())
    assert "Finance" in agent.get("/account").text
    with cast.house.store.write() as unit:
        assert unit.staff.by_person(PersonKey(f"local|{person.id}")) is not None
        unit.staff.set_active(person.id, is_active=False, at=cast.clock.now())
    assert agent.get("/account").status_code == 401
    agent.get("/sign-in")
    assert agent.post("/sign-in", filled(cast)).status_code == 401


def test_it_opens_and_closes_the_door_on_postgresql_too(pg_database: NewDatabase) -> None:
    with on_stage(peopled_postgres(pg_database)) as cast:
        browser = cast.sign_in("finance_lead")
        assert "Mara Lindqvist" in browser.get("/account").text
        assert browser.get("/account%00").status_code == 400
        assert browser.get("/nowhere").status_code == 404
        assert browser.post("/sign-out", token="x").status_code == 400
        assert browser.post("/sign-out").status_code == 303
        assert [entry["action"] for entry in cast.entries()] == [
            "staff.sign_in", "account.read", "account.read", "route.refused", "csrf.refused", "staff.sign_out",
        ]  # fmt: skip
