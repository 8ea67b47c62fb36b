"""The door of the identity provider: whom it lets in, and what it never believes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from console.domain.errors import BadValueError, OutsideError
from console.ports.identity import Claims
from console.web.sessions import COOKIE, DOOR_COOKIE
from tests.databases import NOON
from tests.web.cast import Browser, on_stage


@dataclass
class Provider:
    """An identity provider that vouches for whomever a test says."""

    claims: Claims | None = None
    asked: list[int | None] = field(default_factory=list)
    is_down: bool = False

    def begin(self, *, redirect_uri: str, max_age_s: int | None) -> tuple[str, Mapping[str, str]]:
        if self.is_down:
            raise OutsideError("the provider at 10.1.1.1 does not answer", permanent=False)
        self.asked.append(max_age_s)
        state = f"state-{len(self.asked)}"
        return f"https://idp.example/authorize?state={state}&redirect_uri={redirect_uri}", {"state": state}

    def finish(self, *, callback_url: str, kept: Mapping[str, str]) -> Claims:
        if parse_qs(urlsplit(callback_url).query)["state"] != [kept["state"]] or self.claims is None:
            raise BadValueError("The callback belongs to another sign-in.")
        return self.claims


def vouched(subject: str = "s-1", *, acr: str = "mfa", at: datetime | None = NOON, email: str = "") -> Claims:
    return Claims(
        issuer="https://idp.example", subject=subject, name="Ada Byron", email=email or f"{subject}@brightline.example",
        groups=frozenset({"sallyport-support-agents"}), acr=acr, authenticated_at=at, sid="sid-1",
    )  # fmt: skip


def through(browser: Browser, path: str = "/sign-in/identity?next=/account") -> str:
    """Follow the browser to the provider and return the state that came along."""
    sent = browser.get(path)
    assert sent.status_code == 303
    where = urlsplit(sent.headers["Location"])
    assert where.netloc == "idp.example"
    query = parse_qs(where.query)
    assert query["redirect_uri"] == ["http://localhost/sign-in/callback"]
    return query["state"][0]


def test_it_signs_in_whom_the_provider_vouches_for(tmp_path: Path) -> None:
    provider = Provider(vouched())
    with on_stage(tmp_path / "oidc.db", identity=provider, oidc_enabled=True) as cast:
        browser = cast.stranger()
        assert "Sign in with your company account" in browser.get("/sign-in").text
        answer = browser.get(f"/sign-in/callback?code=c&state={through(browser)}")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
        assert "Ada Byron" in browser.get("/account").text
        assert browser.cookie(DOOR_COOKIE) == ""


def test_an_address_of_somebody_else_opens_nothing_and_breaks_nothing(tmp_path: Path) -> None:
    provider = Provider(vouched(email="support.agent@brightline.example"))
    with on_stage(tmp_path / "oidc.db", identity=provider, oidc_enabled=True) as cast:
        browser = cast.stranger()
        answer = browser.get(f"/sign-in/callback?code=c&state={through(browser)}")
        assert answer.status_code == 401
        assert cast.entries("staff.sign_in_refused")[0]["actor"]["kind"] == "stranger"
        provider.claims = vouched()
        assert browser.get(f"/sign-in/callback?code=c&state={through(browser)}").status_code == 303
        provider.claims = vouched(email="finance@brightline.example")
        again = cast.stranger()
        assert again.get(f"/sign-in/callback?code=c&state={through(again)}").status_code == 303
        with cast.house.store.read() as unit:
            holder = unit.staff.by_email("s-1@brightline.example")
        assert holder is not None
        assert holder.name == "Ada Byron"


def test_people_without_an_address_are_told_apart(tmp_path: Path) -> None:
    provider = Provider()
    with on_stage(tmp_path / "oidc.db", identity=provider, oidc_enabled=True) as cast:
        for subject in ("s-1", "s-2"):
            provider.claims = replace(vouched(subject), email="")
            browser = cast.stranger()
            answer = browser.get(f"/sign-in/callback?code=c&state={through(browser)}")
            assert answer.status_code == 303, subject


@pytest.mark.checklist("V10.1.2")
@pytest.mark.checklist("V10.2.1")
def test_it_believes_a_callback_once_and_only_in_the_browser_that_asked(tmp_path: Path) -> None:
    provider = Provider(vouched())
    with on_stage(tmp_path / "oidc.db", identity=provider, oidc_enabled=True) as cast:
        browser, other = cast.stranger(), cast.stranger()
        state = through(browser)
        stolen = other.get(f"/sign-in/callback?code=c&state={state}")
        assert stolen.status_code == 401
        assert "No sign-in is under way in this browser." in stolen.text
        assert browser.get("/sign-in/callback?code=c&state=wrong").status_code == 401
        assert browser.get(f"/sign-in/callback?code=c&state={state}").status_code == 401
        state = through(browser)
        cast.clock.pass_by(minutes=16)
        assert browser.get(f"/sign-in/callback?code=c&state={state}").status_code == 401
        assert cast.count("staff.sign_in_refused") == 4
        assert cast.count("staff.sign_in") == 0


@pytest.mark.checklist("V6.8.1")
def test_it_takes_a_person_for_issuer_and_subject_never_for_an_address(tmp_path: Path) -> None:
    provider = Provider(vouched("s-1"))
    with on_stage(tmp_path / "oidc.db", identity=provider, oidc_enabled=True) as cast:
        browser = cast.stranger()
        browser.get(f"/sign-in/callback?code=c&state={through(browser)}")
        provider.claims = vouched("s-2", email="s-1@brightline.example")
        other = cast.stranger()
        answer = other.get(f"/sign-in/callback?code=c&state={through(other)}")
        assert answer.status_code != 303
        assert other.get("/account").status_code == 401


def test_it_says_so_when_the_provider_does_not_answer(tmp_path: Path) -> None:
    provider = Provider(vouched(), is_down=True)
    with on_stage(tmp_path / "oidc.db", identity=provider, oidc_enabled=True) as cast:
        answer = cast.stranger().get("/sign-in/identity")
        assert answer.status_code == 503
        assert "10.1.1.1" not in answer.text
        cast.sign_in()


@pytest.mark.checklist("V6.8.4")
@pytest.mark.checklist("V6.3.3")
def test_it_steps_up_only_by_a_recent_and_strong_sign_in_of_the_same_person(tmp_path: Path) -> None:
    provider = Provider(vouched())
    with on_stage(tmp_path / "oidc.db", identity=provider, oidc_enabled=True) as cast:
        browser = cast.stranger()
        browser.get(f"/sign-in/callback?code=c&state={through(browser)}")
        cast.clock.pass_by(minutes=12)
        now = cast.clock.now()
        for weak in (vouched(at=NOON), vouched(acr="pwd", at=now), vouched(acr="", at=now), vouched(at=None),
                     vouched("s-2", at=now)):  # fmt: skip
            provider.claims = weak
            state = through(browser, "/step-up/identity?next=/account")
            assert browser.get(f"/sign-in/callback?code=c&state={state}").status_code == 401
        assert provider.asked[-1] == 60
        assert cast.count("step_up.refused") == 5


def test_it_goes_on_under_a_new_token_after_a_step_up_at_the_provider(tmp_path: Path) -> None:
    provider = Provider(vouched())
    with on_stage(tmp_path / "oidc.db", identity=provider, oidc_enabled=True) as cast:
        browser = cast.stranger()
        browser.get(f"/sign-in/callback?code=c&state={through(browser)}")
        before = browser.cookie(COOKIE)
        cast.clock.pass_by(minutes=12)
        provider.claims = vouched(at=cast.clock.now())
        state = through(browser, "/step-up/identity?next=/account")
        answer = browser.get(f"/sign-in/callback?code=c&state={state}")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
        assert browser.cookie(COOKIE) != before
        assert "Stepped up" in browser.get("/account").text
