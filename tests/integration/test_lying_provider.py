"""Sign-in at an identity provider that lies in every way that the standards know."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from console.adapters.oidc import OidcClient, OidcProvider
from console.domain.errors import BadValueError, OutsideError
from console.ports.identity import Claims
from tests.integration.identity_world import CALLBACK, CLIENT, SECRET, Wall

ACTIVE = RSAKey.generate_key(2048, {"kid": "today", "use": "sig"})


OTHER = RSAKey.generate_key(2048, {"kid": "today", "use": "sig"})


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
    liar.delay_s = 5.0
    attempt = Attempt(liar, timeout_s=0.3)
    for _ in range(2):
        begun = time.monotonic()
        with pytest.raises(OutsideError) as caught:
            attempt.begin()
        assert not caught.value.permanent
        assert time.monotonic() - begun < liar.delay_s
    assert len(liar.asked) == 1, "the second did not wait at all"


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
