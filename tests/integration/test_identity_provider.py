"""Sign-in and step-up at a real local identity provider."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from console.adapters.oidc import OidcClient, OidcProvider
from console.domain.errors import BadValueError
from console.domain.step_up import step_up_fault
from console.ports.identity import Claims
from tests.integration.identity_world import CALLBACK, CLIENT, SECRET, STRONG, Browser, Wall, issuer, provider

__all__ = ["issuer", "provider"]


@pytest.mark.checklist("V6.8.1")
def test_it_signs_a_person_in_with_groups(provider: OidcProvider, issuer: str) -> None:
    url, kept = provider.begin(redirect_uri=CALLBACK, max_age_s=None)
    claims = provider.finish(callback_url=Browser(issuer).comes_back_from(url), kept=kept)
    assert (claims.issuer, claims.subject) == (issuer, "ada")
    assert (claims.name, claims.email) == ("Ada Lovelace", "ada@corp.example")
    assert claims.groups == {"support", "finance"}
    assert claims.acr == "mfa"
    assert claims.authenticated_at is not None


@pytest.mark.checklist("V6.8.1")
def test_it_tells_two_people_with_one_email_apart(provider: OidcProvider, issuer: str) -> None:
    found = []
    for subject in ("ada", "mallory"):
        url, kept = provider.begin(redirect_uri=CALLBACK, max_age_s=None)
        found.append(provider.finish(callback_url=Browser(issuer, subject).comes_back_from(url), kept=kept))
    assert found[0].email == found[1].email
    assert found[0].subject != found[1].subject


def test_it_sends_pkce_state_nonce_and_the_age_it_asks_for(provider: OidcProvider) -> None:
    url, kept = provider.begin(redirect_uri=CALLBACK, max_age_s=60)
    query = parse_qs(urlsplit(url).query)
    assert query["code_challenge_method"] == ["S256"]
    assert query["state"] == [kept["state"]]
    assert query["nonce"] == [kept["nonce"]]
    assert (query["max_age"], query["prompt"]) == (["60"], ["login"])
    assert kept["verifier"] not in url
    assert SECRET not in url


def test_no_two_attempts_share_a_secret(provider: OidcProvider) -> None:
    attempts = [provider.begin(redirect_uri=CALLBACK, max_age_s=None)[1] for _ in range(20)]
    for name in ("state", "nonce", "verifier"):
        assert len({kept[name] for kept in attempts}) == 20


@pytest.mark.checklist("V10.1.2")
def test_it_refuses_a_replayed_callback(provider: OidcProvider, issuer: str) -> None:
    url, kept = provider.begin(redirect_uri=CALLBACK, max_age_s=None)
    callback = Browser(issuer).comes_back_from(url)
    provider.finish(callback_url=callback, kept=kept)
    with pytest.raises(BadValueError):
        provider.finish(callback_url=callback, kept=kept)


@pytest.mark.checklist("V10.1.2")
def test_it_refuses_the_callback_of_another_browser(provider: OidcProvider, issuer: str) -> None:
    _, mine = provider.begin(redirect_uri=CALLBACK, max_age_s=None)
    url, _ = provider.begin(redirect_uri=CALLBACK, max_age_s=None)
    with pytest.raises(BadValueError, match="another sign-in"):
        provider.finish(callback_url=Browser(issuer).comes_back_from(url), kept=mine)


@pytest.mark.checklist("V10.2.1")
@pytest.mark.parametrize(
    "query",
    ["code=x", "code=x&state=wrong", "code=x&state=ü", "code=x&state={state}&state={state}", "state={state}",
     "error=access_denied&state={state}", "code=x&state={state}&iss=https://evil.example"],
)  # fmt: skip
def test_it_refuses_a_forged_callback(provider: OidcProvider, query: str) -> None:
    _, kept = provider.begin(redirect_uri=CALLBACK, max_age_s=None)
    with pytest.raises(BadValueError):
        provider.finish(callback_url=f"{CALLBACK}?{query.format(**kept)}", kept=kept)


def test_it_refuses_a_callback_when_nothing_was_begun(provider: OidcProvider) -> None:
    with pytest.raises(BadValueError, match="No sign-in"):
        provider.finish(callback_url=f"{CALLBACK}?code=x&state=", kept={})


def test_it_refuses_a_sign_in_that_took_too_long(issuer: str) -> None:
    wall = Wall()
    provider = OidcProvider(OidcClient(issuer=issuer, client_id=CLIENT, client_secret=SECRET), clock=wall)
    url, kept = provider.begin(redirect_uri=CALLBACK, max_age_s=None)
    callback = Browser(issuer).comes_back_from(url)
    wall.ahead = timedelta(minutes=11)
    with pytest.raises(BadValueError, match="too long"):
        provider.finish(callback_url=callback, kept=kept)


# --- the step-up --------------------------------------------------------------------------------------------------


def _vouched(**changed: object) -> Claims:
    known: dict[str, Any] = {
        "issuer": "i", "subject": "s", "name": "n", "email": "e", "groups": frozenset(), "acr": "mfa",
        "authenticated_at": datetime(2026, 1, 1, 12, tzinfo=UTC), "sid": None,
    }  # fmt: skip
    return Claims(**(known | changed))


@pytest.mark.checklist("V6.8.4")
@pytest.mark.parametrize(
    ("claims", "word"),
    [
        (_vouched(authenticated_at=datetime(2026, 1, 1, 11, 58, tzinfo=UTC)), "too long ago"),
        (_vouched(authenticated_at=None), "auth_time"),
        (_vouched(acr=""), "acr"),
        (_vouched(acr="pwd"), "second factor"),
    ],
)
def test_a_weak_or_old_sign_in_is_no_step_up(claims: Claims, word: str) -> None:
    asked_at = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert word in str(step_up_fault(claims, asked_at=asked_at, max_age_s=60, strong=STRONG))


@pytest.mark.checklist("V6.8.4")
def test_a_fresh_and_strong_sign_in_is_a_step_up(provider: OidcProvider, issuer: str) -> None:
    asked_at = datetime.now(UTC)
    url, kept = provider.begin(redirect_uri=CALLBACK, max_age_s=60)
    claims = provider.finish(callback_url=Browser(issuer).comes_back_from(url), kept=kept)
    assert step_up_fault(claims, asked_at=asked_at, max_age_s=60, strong=STRONG) is None


@pytest.mark.checklist("V6.3.3")
def test_a_sign_in_without_acr_is_no_step_up(provider: OidcProvider, issuer: str) -> None:
    asked_at = datetime.now(UTC)
    url, kept = provider.begin(redirect_uri=CALLBACK, max_age_s=60)
    browser = Browser(issuer, "bob", {"name": "Bob", "email": "bob@corp.example"})
    claims = provider.finish(callback_url=browser.comes_back_from(url), kept=kept)
    assert claims.groups == frozenset()
    assert "acr" in str(step_up_fault(claims, asked_at=asked_at, max_age_s=60, strong=STRONG))
