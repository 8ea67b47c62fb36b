"""The kit against the real console: in by the real way, out by every real cause, and told in the real trail."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from console.domain.impersonations import ImpersonationEnd
from tests.kit.real import ACTING, Real, real
from tests.web.cast import Browser, on_stage
from tests.web.product_stage import Entered
from tests.web.test_impersonation_endings import CAUSES, Cause, by_idling, by_time

_A_SECOND = 1.1


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Real]:
    with on_stage(tmp_path / "cast.db") as cast, real(cast) as stage:
        yield stage


@pytest.fixture
def agent(stage: Real) -> Browser:
    return stage.cast.sign_in("support_agent")


def test_it_comes_in_by_the_real_way_and_says_who_acts(stage: Real, agent: Browser) -> None:
    entered, browser = stage.enter(agent)
    seen = browser.open("/members")
    assert seen.status == 200
    assert "Noor H., support" in seen.text
    assert "CUSTOMER_SUPPORT ZD-48213" in seen.text
    (noticed,) = stage.told.seen
    assert noticed["impersonation"] == entered.sid
    assert str(noticed["staff"]).startswith("staff_")


def test_it_keeps_to_what_the_endpoints_declare(stage: Real, agent: Browser) -> None:
    _entered, browser = stage.enter(agent)
    assert browser.open("/unsubscribe").get("X-Impersonation-Refused") == "read_mode"
    assert browser.post("/password").get("X-Impersonation-Refused") == "never_allowed"
    assert browser.open("/forgotten").get("X-Impersonation-Refused") == "undeclared_endpoint"
    assert stage.told.ran == []


def test_it_tells_the_trail_of_each_request_once(stage: Real, agent: Browser) -> None:
    entered, browser = stage.enter(agent)
    for path in ("/members", "/unsubscribe", "/forgotten"):
        browser.open(path)
    assert stage.kit.reporter.flush()
    assert stage.kit.reporter.not_taken == 0
    done, refused = (stage.cast.entries(f"impersonation.request{end}") for end in ("", "_refused"))
    assert [each["targets"][0]["id"] for each in done] == ["/members"]
    assert [each["targets"][0]["id"] for each in refused] == ["/unsubscribe", "/(undeclared)"]
    assert {each["correlation"] for each in (*done, *refused)} == {entered.sid}


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.__name__)
def test_it_is_out_at_the_next_request_whatever_the_cause(stage: Real, agent: Browser, cause: Cause) -> None:
    entered, browser = stage.enter(agent, minutes=8 if cause is by_time else 30)
    assert browser.open("/members").status == 200
    cause(stage.cast, agent, entered)
    stage.cast.clock.pass_by(seconds=_A_SECOND)
    seen = browser.open("/members")
    assert seen.status == 401, seen.text
    assert seen.get("X-Impersonation-Refused") in {"impersonation_ended", "token_refused"}
    assert stage.told.ran == ["members"]
    with stage.cast.house.store.read() as unit:
        row = unit.impersonations.get(entered.sid)
    assert row is not None
    # After ten idle minutes the token itself is too old to ask with; the console's own sweep writes that end.
    assert row.ended_by is (None if cause is by_idling else CAUSES[cause])


def test_it_renews_at_the_real_console(stage: Real, agent: Browser) -> None:
    _entered, browser = stage.enter(agent)
    first = browser.cookies[ACTING]
    for _ in range(9):
        stage.cast.clock.pass_by(seconds=120)
        assert browser.open("/members").status == 200
    assert browser.cookies[ACTING] != first


def test_it_does_not_stay_awake_by_itself(stage: Real, agent: Browser) -> None:
    entered, browser = stage.enter(agent)
    for _ in range(9):
        stage.cast.clock.pass_by(seconds=60)
        assert browser.open("/members", Sec_Fetch_Mode="cors", Sec_Fetch_User="").status == 200
    stage.cast.clock.pass_by(seconds=61)
    assert browser.open("/members", Sec_Fetch_Mode="cors", Sec_Fetch_User="").status == 401
    with stage.cast.house.store.read() as unit:
        row = unit.impersonations.get(entered.sid)
    assert row is not None
    assert row.ended_by is ImpersonationEnd.IDLE


def test_it_leaves_at_the_real_console(stage: Real, agent: Browser) -> None:
    entered, browser = stage.enter(agent)
    assert f"/impersonations/{entered.sid}" in browser.post("/sallyport/leave").text
    assert agent.get(f"/impersonations/{entered.sid}").status_code == 200
    with stage.cast.house.store.read() as unit:
        row = unit.impersonations.get(entered.sid)
    assert row is not None
    assert row.ended_by is ImpersonationEnd.HAND


def test_it_takes_a_code_once_and_in_one_browser(stage: Real, agent: Browser) -> None:
    entered, browser = stage.enter(agent)
    again = browser.open("/sallyport/callback?code=again&state=forged")
    assert again.get("X-Impersonation-Refused") == "entry_refused"
    assert isinstance(entered, Entered)
