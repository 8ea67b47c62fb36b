"""A browser on its whole way: console, a real identity provider in a process of its own, callback, session, step-up."""

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from console.adapters.oidc import OidcClient, OidcProvider
from console.web.sessions import COOKIE, DOOR_COOKIE
from tests.databases import HandClock
from tests.integration.identity_world import CLIENT, SECRET, issuer  # noqa: F401  a fixture
from tests.integration.identity_world import Browser as Person
from tests.web.cast import Browser, on_stage

CLAIMS: dict[str, object] = {
    "name": "Ada Byron", "email": "ada@brightline.example", "groups": ["sallyport-support-agents"], "acr": "pwd",
}  # fmt: skip


def sent_back(browser: Browser, person: Person, page: str) -> str:
    """Follow a page to the provider, sign in there, and return the address that it sends the browser back to."""
    away = browser.get(page)
    assert away.status_code == 303
    where = away.headers["Location"]
    assert where.startswith(f"{person.issuer}/")
    asked = parse_qs(urlsplit(where).query)
    assert {"state", "nonce", "code_challenge"} <= asked.keys()
    back = urlsplit(person.comes_back_from(where))
    assert f"{back.scheme}://{back.netloc}{back.path}" == "http://localhost/sign-in/callback"
    return f"{back.path}?{back.query}"


@pytest.mark.checklist("V6.3.3")
@pytest.mark.checklist("V10.1.2")
def test_it_signs_in_and_steps_up_at_a_real_provider(tmp_path: Path, issuer: str) -> None:  # noqa: F811
    clock = HandClock(datetime.now(UTC))
    client = OidcClient(issuer=issuer, client_id=CLIENT, client_secret=SECRET)
    with on_stage(tmp_path / "oidc.db", identity=OidcProvider(client, clock=clock), oidc_enabled=True) as cast:
        cast.clock.moment = clock.now()
        browser, person = cast.stranger(), Person(issuer, "ada", dict(CLAIMS))
        callback = sent_back(browser, person, "/sign-in/identity?next=/account")
        answer = browser.get(callback)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
        first = browser.cookie(COOKIE)
        page = browser.get("/account").text
        assert "Ada Byron" in page
        assert "Stepped up" not in page
        assert browser.cookie(DOOR_COOKIE) == ""
        assert cast.stranger().get(callback).status_code == 401  # a code in another browser

        step_up = "/step-up/identity?next=/account"
        assert browser.get(sent_back(browser, person, step_up)).status_code == 401  # signed in, and not strongly
        person.claims["acr"] = "mfa"
        answer = browser.get(sent_back(browser, person, step_up))
        assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
        assert browser.cookie(COOKIE) not in {first, ""}
        assert "Stepped up" in browser.get("/account").text
        counts = {each: cast.count(each) for each in ("staff.sign_in", "staff.sign_in_refused", "step_up.refused")}
        assert counts == {"staff.sign_in": 1, "staff.sign_in_refused": 1, "step_up.refused": 1}
        told = cast.entries("staff.sign_in")[0]
        assert told["actor"]["name"] == "Ada Byron"
