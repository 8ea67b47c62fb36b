"""Sign-in at a real local identity provider, and at one that lies in every way that the standards know."""

import base64
import hashlib
import hmac
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import RSAKey

from console.adapters.oidc import OidcClient, OidcProvider
from console.domain.errors import BadValueError, OutsideError
from console.domain.step_up import step_up_fault
from console.ports.identity import Claims

CALLBACK = "http://127.0.0.1:8000/sign-in/callback"
CLIENT = "sallyport"
SECRET = "a-client-secret"
STRONG = frozenset({"mfa"})
ACTIVE = RSAKey.generate_key(2048, {"kid": "today", "use": "sig"})
OTHER = RSAKey.generate_key(2048, {"kid": "today", "use": "sig"})


class Wall:
    """A clock that can be set ahead."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


# --- the real provider --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONWARNINGS": ""}
    ) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(address)
            yield address
        finally:
            process.kill()


def _wait_for(address: str) -> None:
    for _ in range(200):
        try:
            requests.get(f"{address}/.well-known/openid-configuration", timeout=1)
        except requests.RequestException:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the identity provider did not start")


@dataclass
class Browser:
    """A person at the provider: signs in and comes back with the callback address."""

    issuer: str
    subject: str = "ada"
    claims: dict[str, object] = field(
        default_factory=lambda: {
            "name": "Ada Lovelace",
            "email": "ada@corp.example",
            "groups": ["support", "finance"],
            "acr": "mfa",
        }
    )

    def comes_back_from(self, url: str) -> str:
        requests.put(f"{self.issuer}/users/{self.subject}", json=self.claims, timeout=5).raise_for_status()
        answer = requests.post(url, data={"sub": self.subject}, allow_redirects=False, timeout=5)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]


@pytest.fixture
def provider(issuer: str) -> OidcProvider:
    return OidcProvider(OidcClient(issuer=issuer, client_id=CLIENT, client_secret=SECRET), clock=Wall())


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


# --- the liar -----------------------------------------------------------------------------------------------------


class Liar:
    """A provider that answers whatever a test wants; its addresses are those of a real one."""

    def __init__(self) -> None:
        self.keys = [ACTIVE]
        self.token: Any = ""
        self.profile: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.delay_s = 0.0
        self.status = 200
        self.location = ""
        self.asked: list[str] = []
        self.bodies: dict[str, str] = {}
        self.issuer = ""

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        self.asked.append(path)
        time.sleep(self.delay_s)
        bodies: dict[str, Any] = {
            "/.well-known/openid-configuration": {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                **self.metadata,
            },
            "/jwks": {"keys": [key.as_dict(private=False) for key in self.keys]},
            "/token": {"access_token": "t", "token_type": "Bearer", "id_token": self.token},
            "/userinfo": self.profile,
        }
        headers = {"Content-Type": "application/json"} | ({"Location": self.location} if self.location else {})
        return self.status, headers, json.dumps(bodies.get(path, {})).encode()


@contextmanager
def _serving(liar: Liar) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            path = urlsplit(self.path).path
            liar.bodies[path] = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            status, headers, body = liar.answer(path)
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _reply  # noqa: N815  the names that http.server looks for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its signature
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        liar.issuer = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def liar() -> Iterator[Liar]:
    it = Liar()
    with _serving(it):
        yield it


@dataclass
class Attempt:
    """One sign-in at the liar."""

    liar: Liar
    timeout_s: float = 5.0

    def __post_init__(self) -> None:
        self.wall = Wall()
        client = OidcClient(issuer=self.liar.issuer, client_id=CLIENT, client_secret=SECRET, timeout_s=self.timeout_s)
        self.provider = OidcProvider(client, clock=self.wall)

    def begin(self) -> dict[str, str]:
        return dict(self.provider.begin(redirect_uri=CALLBACK, max_age_s=None)[1])

    def finish(self, kept: dict[str, str]) -> Claims:
        query = urlencode({"code": "c", "state": kept["state"]})
        return self.provider.finish(callback_url=f"{CALLBACK}?{query}", kept=kept)

    def claims(self, kept: dict[str, str], **changed: object) -> dict[str, Any]:
        now = int(time.time())
        honest = {
            "iss": self.liar.issuer, "aud": CLIENT, "sub": "ada", "nonce": kept["nonce"], "iat": now, "exp": now + 300,
            "auth_time": now, "name": "Ada", "email": "a@b.example", "groups": ["support"], "acr": "mfa",
        }  # fmt: skip
        return {name: value for name, value in (honest | changed).items() if value is not None}


def _signed(claims: dict[str, Any], key: RSAKey = ACTIVE, **header: object) -> str:
    return jwt.encode({"alg": "RS256", "kid": "today", **header}, claims, key)


def _raw(header: dict[str, Any], claims: dict[str, Any], signature: str = "") -> str:
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims))
    return ".".join([*parts, signature])


def test_an_honest_token_of_the_liar_is_believed(liar: Liar) -> None:
    attempt = Attempt(liar)
    kept = attempt.begin()
    liar.token = _signed(attempt.claims(kept))
    assert attempt.finish(kept).subject == "ada"


_NOW = int(time.time())
WRONG_CLAIMS: dict[str, dict[str, Any]] = {
    "foreign issuer": {"iss": "https://evil.example"},
    "issuer with a slash more": {"iss": "http://127.0.0.1/"},
    "no issuer": {"iss": None},
    "foreign audience": {"aud": "another-client"},
    "no audience": {"aud": None},
    "two audiences and no azp": {"aud": [CLIENT, "another-client"]},
    "two audiences and a foreign azp": {"aud": [CLIENT, "another-client"], "azp": "another-client"},
    "foreign azp": {"azp": "another-client"},
    "expired": {"exp": _NOW - 120},
    "no expiry": {"exp": None},
    "expiry that is no number": {"exp": "tomorrow"},
    "endless expiry": {"exp": float("inf")},
    "expiry that is not a number": {"exp": float("nan")},
    "issued tomorrow": {"iat": _NOW + 86_400},
    "no time of issue": {"iat": None},
    "not valid before tomorrow": {"nbf": _NOW + 86_400},
    "signed in tomorrow": {"auth_time": _NOW + 86_400},
    "wrong nonce": {"nonce": "n" * 43},
    "no nonce": {"nonce": None},
    "no subject": {"sub": None},
    "empty subject": {"sub": ""},
    "subject that is a list": {"sub": ["ada"]},
    "subject without end": {"sub": "a" * 256},
}


@pytest.mark.checklist("V9.2.1")
@pytest.mark.checklist("V9.2.3")
@pytest.mark.checklist("V10.5.1")
@pytest.mark.checklist("V10.5.3")
@pytest.mark.parametrize("changed", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS)
def test_it_refuses_a_well_signed_lie(liar: Liar, changed: dict[str, Any]) -> None:
    attempt = Attempt(liar)
    kept = attempt.begin()
    liar.token = _signed(attempt.claims(kept, **changed))
    with pytest.raises(BadValueError):
        attempt.finish(kept)


def _hs256(claims: dict[str, Any]) -> str:
    """Sign by hand, because joserfc refuses to take a public key for a shared secret."""
    signed = _raw({"alg": "HS256", "kid": "today"}, claims).rstrip(".")
    mac = hmac.new(ACTIVE.as_pem(private=False), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def _swapped(claims: dict[str, Any]) -> str:
    head, _, tail = _signed(claims).split(".")
    return f"{head}.{_raw({}, claims | {'sub': 'admin'}).split('.')[1]}.{tail}"


FORGERIES: dict[str, Callable[[dict[str, Any]], object]] = {
    "alg none": lambda claims: _raw({"alg": "none"}, claims),
    "alg None with a kid": lambda claims: _raw({"alg": "None", "kid": "today"}, claims),
    "HS256 with the public key": _hs256,
    "wrong key under the right id": lambda claims: _signed(claims, OTHER),
    "unknown key id": lambda claims: _signed(claims, OTHER, kid="yesterday"),
    "key in the header": lambda claims: _signed(claims, OTHER, kid="mine", jwk=OTHER.as_dict(private=False)),
    "key in the header under the right id": lambda claims: _signed(claims, OTHER, jwk=OTHER.as_dict(private=False)),
    "address of keys in the header": lambda claims: _signed(claims, OTHER, kid="m", jku="http://127.0.0.1:9/jwks"),
    "broken signature": lambda claims: _signed(claims)[:-8] + "AAAAAAAA",
    "no signature": lambda claims: _signed(claims).rpartition(".")[0] + ".",
    "changed claims": _swapped,
    "unknown critical header": lambda claims: _raw({"alg": "RS256", "kid": "today", "crit": ["x"], "x": 1}, claims),
    "a number": lambda _: 7,
    "nothing": lambda _: "",
    "two parts": lambda _: "a.b",
    "an encrypted token": lambda _: "a.b.c.d.e",
    "letters beyond ASCII": lambda _: "é.é.é",
    "megabytes": lambda _: "a" * 200_000,
}


@pytest.mark.checklist("V6.8.2")
@pytest.mark.checklist("V9.1.1")
@pytest.mark.checklist("V9.1.2")
@pytest.mark.checklist("V9.1.3")
@pytest.mark.parametrize("forged", FORGERIES.values(), ids=FORGERIES)
def test_it_refuses_a_forged_token(liar: Liar, forged: Callable[[dict[str, Any]], object]) -> None:
    attempt = Attempt(liar)
    kept = attempt.begin()
    liar.token = forged(attempt.claims(kept))
    with pytest.raises(BadValueError):
        attempt.finish(kept)


def test_it_fetches_new_keys_once_when_the_provider_rotates(liar: Liar) -> None:
    attempt = Attempt(liar)
    kept = attempt.begin()
    liar.token = _signed(attempt.claims(kept))
    attempt.finish(kept)
    fresh = RSAKey.generate_key(2048, {"kid": "tomorrow"})
    liar.keys = [ACTIVE, fresh]
    liar.token = _signed(attempt.claims(kept), fresh, kid="tomorrow")
    attempt.provider._published._keys_at -= 11
    assert attempt.finish(kept).subject == "ada"
    liar.token = _signed(attempt.claims(kept), OTHER, kid="invented")
    for _ in range(5):
        with pytest.raises(BadValueError):
            attempt.finish(kept)
    assert liar.asked.count("/jwks") == 2


def test_it_sends_the_verifier_of_the_challenge_with_the_code(liar: Liar) -> None:
    attempt = Attempt(liar)
    url, kept = attempt.provider.begin(redirect_uri=CALLBACK, max_age_s=None)
    liar.token = _signed(attempt.claims(dict(kept)))
    attempt.finish(dict(kept))
    sent = parse_qs(liar.bodies["/token"])
    digest = hashlib.sha256(sent["code_verifier"][0].encode()).digest()
    assert parse_qs(urlsplit(url).query)["code_challenge"][0].encode() == base64.urlsafe_b64encode(digest).rstrip(b"=")
    assert (sent["redirect_uri"], sent["grant_type"]) == ([CALLBACK], ["authorization_code"])


def test_it_reads_name_and_groups_where_the_token_is_silent(liar: Liar) -> None:
    attempt = Attempt(liar)
    kept = attempt.begin()
    liar.token = _signed(attempt.claims(kept, name=None, email=None, groups=None))
    liar.profile = {
        "sub": "ada",
        "name": "Ada \u202eecalevoL",
        "email": "a@b.example",
        "groups": ["finance"],
        "acr": "x",
    }
    claims = attempt.finish(kept)
    assert (claims.name, claims.groups, claims.acr) == ("Ada ecalevoL", frozenset({"finance"}), "mfa")


def test_it_refuses_the_profile_of_another_person(liar: Liar) -> None:
    attempt = Attempt(liar)
    kept = attempt.begin()
    liar.token = _signed(attempt.claims(kept, groups=None))
    liar.profile = {"sub": "admin", "groups": ["administrators"]}
    with pytest.raises(OutsideError):
        attempt.finish(kept)


@pytest.mark.checklist("V13.1.3")
def test_a_slow_provider_holds_nobody_longer_than_the_timeout(liar: Liar) -> None:
    liar.delay_s = 1.5
    attempt = Attempt(liar, timeout_s=0.3)
    for longest in (1.0, 0.1):
        begun = time.monotonic()
        with pytest.raises(OutsideError) as caught:
            attempt.begin()
        assert not caught.value.permanent
        assert time.monotonic() - begun < longest


@pytest.mark.checklist("V15.3.2")
def test_it_follows_no_redirect(liar: Liar) -> None:
    attempt = Attempt(liar)
    kept = attempt.begin()
    liar.status, liar.location = 302, f"{liar.issuer}/elsewhere"
    with pytest.raises(OutsideError):
        attempt.finish(kept)
    assert "/elsewhere" not in liar.asked


@pytest.mark.parametrize(
    "metadata",
    [{"issuer": "https://evil.example"}, {"token_endpoint": "http://evil.example/token"}, {"jwks_uri": None},
     {"authorization_endpoint": "javascript:alert(1)"}, {"token_endpoint": "file:///etc/passwd"}],
)  # fmt: skip
def test_it_refuses_a_provider_that_describes_itself_wrongly(liar: Liar, metadata: dict[str, Any]) -> None:
    liar.metadata = metadata
    with pytest.raises(OutsideError) as caught:
        Attempt(liar).begin()
    assert caught.value.permanent


def test_it_says_that_the_client_secret_is_wrong(liar: Liar) -> None:
    attempt = Attempt(liar)
    kept = attempt.begin()
    liar.token = None
    with pytest.raises(BadValueError, match="no ID token"):
        attempt.finish(kept)
    liar.status = 503
    with pytest.raises(OutsideError) as caught:
        attempt.finish(kept)
    assert not caught.value.permanent


def test_it_demands_the_issuer_in_the_callback_when_the_provider_promises_it(liar: Liar) -> None:
    liar.metadata = {"authorization_response_iss_parameter_supported": True}
    attempt = Attempt(liar)
    kept = attempt.begin()
    liar.token = _signed(attempt.claims(kept))
    with pytest.raises(BadValueError, match="another identity provider"):
        attempt.finish(kept)
