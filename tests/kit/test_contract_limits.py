"""What every form of the kit promises: what may be written, what is told of it, and when it ends."""

import re

import pytest

from tests.kit.products import FORMS, World, told_json, world
from tests.kit.scenes import reports, scene

__all__ = ["scene"]

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
