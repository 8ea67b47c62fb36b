"""One's own account: sessions that end when they should, and the second factor."""

import pytest

from console.domain.ids import NoticeId
from console.ports.outbox import Notice
from console.usecases.keep_time import end_overdue
from console.web import wording
from console.web.sessions import COOKIE
from tests.web.cast import PEOPLE, Browser, Cast
from tests.web.walks import opened

AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


def test_it_shows_every_live_session_and_marks_this_one(cast: Cast) -> None:
    other = cast.stranger()
    other.client.environ_base["HTTP_USER_AGENT"] = AGENT
    cast.sign_in("finance", browser=other)
    mine = cast.sign_in("finance")
    text = mine.get("/account").text
    assert text.count("This browser") == 1
    assert "Chrome on Linux" in text
    assert text.count("End session") == 1
    assert "127.0.0.1" in text
    assert cast.entries("account.read")[-1]["actor"]["name"] == "Ines Okafor"


@pytest.mark.checklist("V7.4.5")
def test_it_ends_another_session_at_once(cast: Cast) -> None:
    lost = cast.sign_in("finance")
    mine = cast.sign_in("finance")
    with cast.house.store.read() as unit:
        sessions = unit.sessions.live_of(PEOPLE["finance"].id, cast.clock.now())
    lost_key = min(sessions, key=lambda session: session.created_at).key
    answer = mine.post(f"/account/sessions/{lost_key}/end", follow=True)
    assert "The session is ended" in answer.text
    assert lost.get("/account").status_code == 401
    assert mine.get("/account").status_code == 200
    assert cast.count("session.revoked") == 1


def test_it_signs_out_when_this_session_is_ended(cast: Cast, agent: Browser) -> None:
    with cast.house.store.read() as unit:
        (session,) = unit.sessions.live_of(PEOPLE["support_agent"].id, cast.clock.now())
    answer = agent.post(f"/account/sessions/{session.key}/end")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
    assert agent.cookie(COOKIE) == ""


@pytest.mark.checklist("V8.2.2")
def test_it_ends_no_session_of_somebody_else(cast: Cast, agent: Browser) -> None:
    other = cast.sign_in("finance")
    with cast.house.store.read() as unit:
        (session,) = unit.sessions.live_of(PEOPLE["finance"].id, cast.clock.now())
    for key in (session.key, "0" * 64, "x"):
        answer = agent.post(f"/account/sessions/{key}/end")
        assert answer.status_code == 404
        assert "not_yours" in answer.text
    assert other.get("/account").status_code == 200


def test_it_shows_notices_until_they_are_read(cast: Cast, agent: Browser) -> None:
    with cast.house.store.write() as unit:
        unit.outbox.add(
            Notice(
                id=NoticeId("ntc_1"), to=PEOPLE["support_agent"].id, kind="approved",
                sentence="Your request <b>was</b> approved.", path="/requests/req_1", at=cast.clock.now(),
            )
        )  # fmt: skip
    text = agent.get("/account").text
    assert "Your request &lt;b&gt;was&lt;/b&gt; approved." in text
    assert "One notice marked read." in agent.post("/account/notices/read", follow=True).text
    assert "No unread notices" in agent.get("/account").text


@pytest.mark.checklist("V7.3.1")
@pytest.mark.checklist("PCI-8.2.8")
def test_it_ends_an_idle_session_after_a_quarter_of_an_hour(cast: Cast, agent: Browser) -> None:
    cast.clock.pass_by(minutes=14, seconds=59)
    assert agent.get("/account").status_code == 200
    cast.clock.pass_by(minutes=15)
    answer = agent.get("/account")
    assert answer.status_code == 401
    assert agent.cookie(COOKIE) == ""
    (entry,) = cast.entries("session.expired")
    assert entry["facts"]["because"] == "idle"


def test_it_writes_the_end_of_a_session_whose_browser_never_comes_back(cast: Cast) -> None:
    agent = opened(cast)
    cast.clock.pass_by(minutes=14)
    end_overdue(cast.house)
    assert (cast.count("session.expired"), cast.count("lease.end")) == (0, 0)
    cast.clock.pass_by(minutes=1)
    for _ in range(2):
        end_overdue(cast.house)
    (entry,) = cast.entries("session.expired")
    assert (entry["facts"]["because"], entry["actor"]["id"]) == ("idle", PEOPLE["support_agent"].id)
    assert "nothing was opened for a while" in agent.get("/sign-in").text
    assert cast.count("session.expired") == 1


@pytest.mark.checklist("V7.3.2")
def test_it_ends_a_busy_session_after_eight_hours(cast: Cast, agent: Browser) -> None:
    for _ in range(48):
        assert agent.get("/account").status_code == 200
        cast.clock.pass_by(minutes=10)
    agent.get("/account")
    assert agent.last is not None
    assert agent.last.status_code == 401
    cast.clock.pass_by(hours=-7)
    assert agent.get("/account").status_code == 401


def test_it_says_why_somebody_was_signed_out(cast: Cast, agent: Browser) -> None:
    cast.clock.pass_by(minutes=16)
    assert "nothing was opened for a while" in agent.get("/sign-in").text


@pytest.mark.checklist("V7.5.3")
def test_it_steps_up_with_a_fresh_code_under_a_new_token(cast: Cast, agent: Browser) -> None:
    cast.clock.pass_by(minutes=11)
    assert "Not stepped up" in agent.get("/account").text
    before = agent.cookie(COOKIE)
    answer = cast.step_up(agent, "support_agent")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
    assert agent.cookie(COOKIE) != before
    assert "Stepped up" in agent.get("/account").text
    old = cast.stranger()
    old.client.set_cookie(COOKIE, before)
    assert old.get("/account").status_code == 401
    assert cast.count("step_up.passed") == 1


def test_it_steps_up_with_the_password_too(cast: Cast, agent: Browser) -> None:
    cast.clock.pass_by(minutes=11)
    agent.get("/step-up?next=/account")
    answer = agent.post("/step-up", {"code": "", "password": PEOPLE["support_agent"].password, "next": "/account"})
    assert answer.status_code == 303


def test_it_refuses_a_wrong_code_a_used_one_and_nothing(cast: Cast, agent: Browser) -> None:
    agent.get("/step-up")
    used = PEOPLE["support_agent"].code(cast.clock.now())
    for code in ("000000", used):
        answer = agent.post("/step-up", {"code": code, "next": "/"})
        assert answer.status_code == 401
        assert "The code is wrong or was used before." in answer.text
        assert code not in answer.text
    assert agent.post("/step-up", {"code": "", "password": "", "next": "/"}).status_code == 422
    assert cast.count("step_up.refused") == 2


@pytest.mark.checklist("V2.4.1")
def test_it_slows_guessing_of_codes(cast: Cast, agent: Browser) -> None:
    agent.get("/step-up")
    for _ in range(5):
        assert agent.post("/step-up", {"code": "000000", "next": "/"}).status_code == 401
    answer = agent.post("/step-up", {"code": cast.code("support_agent"), "next": "/"})
    assert answer.status_code == 429


def test_it_keeps_open_forms_good_after_a_step_up(cast: Cast, agent: Browser) -> None:
    agent.get("/account")
    opened = agent.token
    cast.step_up(agent, "support_agent")
    assert agent.post("/account/notices/read", token=opened).status_code == 303


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (AGENT, "Chrome on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_0) Version/17.0 Safari/605.1.15", "Safari on macOS"),
        ("python-httpx/0.28", "python-httpx"),
        ("", "A program that does not say what it is"),
        ("<script>", "A program that does not say what it is"),
    ],
)
def test_it_names_a_browser_in_few_words(agent: str, words: str) -> None:
    assert wording.device(agent) == words
