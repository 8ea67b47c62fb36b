"""The demo product as staff meet it: what they may do, what they never may, what they leave behind."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from werkzeug.routing import Rule

from sallyport_kit import NEVER_ALLOWED, Effect
from sallyport_kit.flask import Sallyport
from tests.kit.product_stage import Stage, staged
from tests.kit.seen import Seen

NEVER = {
    "/settings/password": ("POST", {"password": "correct-horse-battery", "new_password": "another-long-one"}),
    "/settings/email": ("POST", {"email": "new@acme.example"}),
    "/settings/mfa": ("POST", {}),
    "/settings/api-keys": ("POST", {"name": "mine"}),
    "/settings/connections": ("POST", {"application": "Mine"}),
    "/settings/bank": ("POST", {"iban": "DE00 0000"}),
    "/settings/payout": ("POST", {"iban": "DE00 0000"}),
    "/settings/invitations": ("POST", {"email": "me@acme.example"}),
    "/settings/terms": ("POST", {}),
    "/settings/export": ("GET", {}),
    "/settings/deletion": ("POST", {}),
}
PLACES = {"key": "acme-2"}
NO_HEADERS: dict[str, str] = {}
OVERRIDES = {
    "plain": NO_HEADERS,
    "htmx": {"HX_Request": "true"},
    "boosted": {"HX_Request": "true", "HX_Boosted": "true"},
    "script": {"X_Requested_With": "XMLHttpRequest", "Accept": "application/json"},
    "get for post": {"X_HTTP_Method_Override": "GET", "X_Method_Override": "GET", "X_HTTP_Method": "GET"},
    "other address": {"X_Original_URL": "/projects", "X_Rewrite_URL": "/projects", "X_Forwarded_Prefix": "/projects"},
}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as stage:
        yield stage


def rules(stage: Stage, effect: Effect) -> list[Rule]:
    kit: Sallyport = stage.app.extensions["sallyport"]
    found = [(rule, kit.declaration(rule.endpoint)) for rule in stage.app.url_map.iter_rules()]
    return [rule for rule, declared in found if declared is not None and declared.effect is effect]


def built(rule: Rule, stage: Stage) -> str:
    places = {
        name: "prj_t-acme_1" if "project" in rule.endpoint else PLACES.get(name, "icon.svg") for name in rule.arguments
    }
    made = rule.build(places)
    assert made is not None
    return made[1]


def test_it_declares_every_endpoint_and_every_operation_that_is_never_allowed(stage: Stage) -> None:
    kit: Sallyport = stage.app.extensions["sallyport"]
    assert kit.undeclared() == []
    assert set(kit.never_allowed().values()) == NEVER_ALLOWED
    assert {rule.rule for rule in rules(stage, Effect.NEVER)} == set(NEVER)


# Acceptance test 26: the never list, by every door.


def spellings(path: str) -> dict[str, str]:
    *front, last = path.split("/")
    return {
        "as it is": path,
        "slash": f"{path}/",
        "upper case": path.upper(),
        "capital": f"{'/'.join(front)}/{last.capitalize()}",
        "encoded slash": path[0] + quote(path[1:], safe="").replace("%2F", "%2f"),
        "encoded letters": "/".join([*front, "".join(f"%{ord(letter):02x}" for letter in last)]),
        "double slash": path.replace("/", "//"),
        "dots": f"/projects/..{path}",
        "dot": f"{'/'.join(front)}/./{last}",
        "semicolon": f"{path};x=1",
        "question": f"{path}?_method=GET",
        "null": f"{path}%00",
        "space": f"{path}%20",
        "backslash": path.replace("/", "\\/")[1:],
    }


@pytest.mark.parametrize("path", NEVER)
def test_it_lets_members_do_what_staff_may_never_do(stage: Stage, path: str) -> None:
    """The walk below proves something only because these very requests do something for a member."""
    member, (method, fields) = stage.member(), NEVER[path]
    before = stage.stored()
    seen = member.open(path) if method == "GET" else stage.send_form(member, path, **fields)
    assert seen.status in {200, 303}, seen.text
    after = stage.stored()
    quiet = {"use_of_day"} if method == "POST" else {"use_of_day", "member"}
    changed = {name for name in before if before[name] != after[name]} - quiet
    assert bool(changed) == (method == "POST")


def attempts(path: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield every spelling with every header by the right verb, and the right spelling by every other verb."""
    method = NEVER[path][0]
    for spelling in spellings(path).values():
        for headers in OVERRIDES.values():
            yield spelling, method, headers
    for verb in {"POST", "PUT", "PATCH", "DELETE", "GET", "HEAD", "TRACE"} - {method}:
        for headers in ({"X_HTTP_Method_Override": method}, {"X_Method_Override": method, "HX_Request": "true"}):
            yield path, verb, headers


@pytest.mark.parametrize("path", NEVER)
def test_it_refuses_the_never_list_in_every_spelling(stage: Stage, path: str) -> None:
    staff, (method, fields) = stage.staff(mode="write"), NEVER[path]
    form = {"token": token_of(staff.open("/settings")), "_method": method, **fields}
    before, met = stage.stored(), 0
    for spelling, verb, headers in attempts(path):
        seen = staff.send_form(spelling, form, verb, **headers)
        assert seen.status in {400, 403, 404, 405, 308}, (spelling, verb, headers, seen.text)
        assert seen.get("Content-Disposition") == ""
        met += seen.get("X-Impersonation-Refused") == "never_allowed"
    # As it is, with a question and with encoded letters it leads to the endpoint itself, with all six sorts of headers.
    assert met >= 3 * len(OVERRIDES)
    assert stage.stored() == before


@pytest.mark.parametrize("path", NEVER)
def test_it_refuses_the_never_list_in_read_mode_too(stage: Stage, path: str) -> None:
    staff, (method, fields) = stage.staff(), NEVER[path]
    seen = staff.send_form(path, {"token": token_of(staff.open("/settings")), **fields}, method)
    assert (seen.status, seen.get("X-Impersonation-Refused")) == (403, "never_allowed")


def token_of(seen: Seen) -> str:
    assert seen.status == 200
    return seen.text.partition('name="token" value="')[2].partition('"')[0]


# Acceptance test 27: what declares that it reads does not write.


def test_it_writes_nothing_on_any_route_that_declares_to_read(stage: Stage) -> None:
    staff, walked = stage.staff(), []
    token = token_of(staff.open("/settings"))
    before = stage.stored()
    for rule in rules(stage, Effect.READ):
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
            for headers in (NO_HEADERS, {"HX_Request": "true"}):
                with stage.watched() as changes:
                    seen = staff.send_form(built(rule, stage), {"token": token, "words": "a"}, method, **headers)
                assert seen.status == 200, (rule.rule, seen.text)
                assert changes == [], rule.rule
                walked.append(f"{method} {rule.rule}")
    assert len(set(walked)) >= 14
    assert stage.stored() == before


def test_it_can_see_a_route_that_writes(stage: Stage) -> None:
    with stage.watched() as changes:
        stage.member().open("/")
    assert any(sql.startswith("UPDATE member SET seen_at") for sql in changes)


# Acceptance test 28: a GET that writes.


def test_it_refuses_every_write_in_read_mode_though_some_are_a_get(stage: Stage) -> None:
    staff = stage.staff()
    token = token_of(staff.open("/settings"))
    before = stage.stored()
    walked = set()
    for rule in rules(stage, Effect.WRITE):
        for method in sorted((rule.methods or set()) - {"OPTIONS"}):
            seen = staff.send_form(built(rule, stage), {"token": token, "name": "x", "role": "owner"}, method)
            assert (seen.status, seen.get("X-Impersonation-Refused")) == (403, "read_mode")
            walked.add(method)
    assert walked == {"GET", "HEAD", "POST"}
    assert stage.stored() == before


def test_it_writes_in_write_mode_as_the_member(stage: Stage) -> None:
    staff = stage.staff(mode="write")
    assert staff.open("/projects/prj_t-acme_1/close").status == 303
    assert stage.send_form(staff, "/projects", name="Made by staff").status == 303
    assert ("Made by staff", "Ada Okafor, by Dana K., support") in [
        (row[2], row[5]) for row in stage.stored()["project"]
    ]


# Who one is, and what one leaves behind.


def test_it_is_the_member_of_the_impersonation_whoever_else_is_signed_in(stage: Stage) -> None:
    browser = stage.member("jonas@nord.example")
    staff = stage.staff()
    browser.cookies |= staff.cookies
    assert "Ada Okafor" in browser.open("/").text
    assert "Nordwind" not in browser.open("/members").text
    (sid,) = stage.console.rows
    stage.console.end(sid)
    stage.console.clock.pass_by(0)
    stage.kit.standings.forget(browser.cookies["sallyport-acting"])
    seen = browser.open("/")
    assert (seen.status, "Jonas" in seen.text, "Nordwind" in seen.text) == (401, False, False)
    browser.post("/sallyport/leave")
    assert "Nordwind" in browser.open("/").text


def test_it_shows_nothing_of_another_tenant(stage: Stage) -> None:
    staff = stage.staff()
    assert staff.open("/projects/prj_t-nord_1").status == 404
    assert "Jonas" not in staff.open("/api/members").text


def test_it_knows_that_a_member_is_gone(stage: Stage) -> None:
    seen = stage.staff(subject="acme-99").open("/")
    assert seen.status == 404
    assert "acme-99 of t-acme" in seen.text


def test_it_counts_no_staff_work_as_use(stage: Stage) -> None:
    member, staff = stage.member(), stage.staff(mode="write")
    member.open("/")
    before = stage.stored()["use_of_day"], stage.stored()["member"]
    for path in ("/", "/members", "/projects", "/api/projects"):
        staff.open(path)
    assert (stage.stored()["use_of_day"], stage.stored()["member"]) == before
    member.open("/")
    assert stage.stored()["use_of_day"] != before[0]


def test_it_names_the_member_in_the_products_own_words(stage: Stage) -> None:
    seen = stage.staff(subject="acme-2").open("/members")
    assert "You act as &lt;b&gt;Zo&#235;&lt;/b&gt; Kr&#252;ger, Acme Robotics" in seen.text
    assert "Sign out" not in seen.text


@pytest.mark.parametrize("path", ["/", "/nowhere", "/settings/export", "/projects/none"])
def test_it_draws_the_banner_on_every_page_and_every_fault(stage: Stage, path: str) -> None:
    seen = stage.staff().open(path)
    assert seen.text.count('id="sallyport-banner"') == 1
    assert seen.get("Cache-Control") == "no-store"


def test_it_marks_fragments_data_and_files(stage: Stage) -> None:
    staff = stage.staff()
    rows = staff.open("/projects", HX_Request="true")
    assert rows.text.lstrip().startswith("<tr>")
    assert 'hx-swap-oob="true"' in rows.text
    for path in ("/api/members", "/billing/invoices.csv", "/assets/htmx.js", "/pulse"):
        seen = staff.open(path)
        assert (seen.status, seen.get("X-Acting-Staff")) == (200, "stf_7f3a")
        assert b"sallyport-banner" not in seen.body
        assert seen.get("Cache-Control") == "no-store"


def test_it_ends_whoever_acts_for_a_member_that_has_a_new_password(stage: Stage) -> None:
    staff, member = stage.staff(), stage.member()
    fields = NEVER["/settings/password"][1]
    assert stage.send_form(member, "/settings/password", **fields).status == 303
    (sid,) = stage.console.rows
    assert stage.console.rows[sid].ended_by == "member_reset"
    stage.kit.standings.forget(staff.cookies["sallyport-acting"])
    assert staff.open("/").status == 401


def test_it_reports_routes_and_never_addresses(stage: Stage) -> None:
    staff = stage.staff()
    staff.open("/projects/prj_t-acme_1")
    staff.open("/projects/prj_t-acme_1/close")
    staff.open("/settings/export")
    staff.open("/nowhere/with/a/secret")
    assert stage.kit.reporter.flush()
    found = {
        (each["route"], each["effect"], each["outcome"], each["status"]) for each in stage.console.reports.values()
    }
    assert found == {
        ("/projects/<key>", "read", "done", 200),
        ("/projects/<key>/close", "write", "refused", 403),
        ("/settings/export", "never", "refused", 403),
        ("/(none)", "read", "done", 404),
    }
