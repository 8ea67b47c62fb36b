"""A double of the console that speaks the contract between console and product, with moods and a clock of its own."""

import hmac
import json
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http import HTTPStatus
from itertools import count
from threading import RLock, Thread
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import OKPKey
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from sallyport_kit.calls import Reply
from sallyport_kit.errors import ConsoleSilentError

CLIENT, SECRET = "prod_demo", "a secret with : and % in it"
CODE_S, TOKEN_S, IDLE_S = 60, 300, 600
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
CODE_TYPE = "urn:sallyport:token-type:impersonation-code"
JWT_TYPE = "urn:ietf:params:oauth:token-type:jwt"


@dataclass
class HandClock:
    """Wall clock and stopwatch, moved by hand; the product's wall clock may be wrong by `skew`."""

    at: float = 1_800_000_000.0
    skew: float = 0.0

    def wall(self) -> float:
        return self.at

    def skewed(self) -> float:
        return self.at + self.skew

    def monotonic(self) -> float:
        return self.at - 1_700_000_000

    def pass_by(self, seconds: float) -> None:
        self.at += seconds


@dataclass
class Row:
    """One impersonation as the console keeps it."""

    sid: str
    tenant: str
    subject: str
    not_after: int
    idle_until: int
    mode: str = "read"
    staff: str = "stf_7f3a"
    staff_name: str = "Dana K., support"
    ended_by: str = ""
    sentence: str = ""


@dataclass
class Code:
    """A one-use code; only its digest is kept, as in the console."""

    sid: str
    challenge: str
    until: float


@dataclass
class FakeConsole:
    """Answers as the console does; `mood` is ok, silent, garbage or broken, and `asked` is what it was asked."""

    address: str = "http://127.0.0.1:8000"
    product: str = "http://127.0.0.1:8001"
    clock: HandClock = field(default_factory=HandClock)
    mood: str = "ok"
    rows: dict[str, Row] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    keys: list[OKPKey] = field(default_factory=list)
    reports: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    events: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    lock: Any = field(default_factory=RLock)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.rotate()

    def rotate(self) -> OKPKey:
        """Sign with a new key from now on; the old ones stay published."""
        kid = f"key-{next(self.numbers)}"
        self.keys.append(OKPKey.generate_key("Ed25519", parameters={"kid": kid, "use": "sig", "alg": "Ed25519"}))
        return self.keys[-1]

    def start(self, *, tenant: str = "t-acme", subject: str = "m-ada", mode: str = "read", minutes: int = 30) -> Row:
        """Begin an impersonation, as the action does."""
        now = int(self.clock.at)
        row = Row(f"imp_{next(self.numbers)}", tenant, subject, now + minutes * 60, now + IDLE_S, mode=mode)
        self.rows[row.sid] = row
        return row

    def end(self, sid: str, ended_by: str = "hand", sentence: str = "The impersonation was ended by hand.") -> None:
        """End one; effective at the next question."""
        self.rows[sid].ended_by, self.rows[sid].sentence = ended_by, sentence

    def handed_over(self, location: str) -> str:
        """Press the button of the hand-off page to which the product redirected; returns the callback's address."""
        parts = urlsplit(location)
        assert location.startswith(f"{self.address}/impersonations/"), location
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        sid = parts.path.split("/")[2]
        assert asked["client_id"] == CLIENT
        return self.callback(sid, asked["state"], asked["code_challenge"])

    def callback(self, sid: str, state: str, challenge: str) -> str:
        """Mint a code and return where the browser takes it."""
        code = f"code-{next(self.numbers)}"
        self.codes[sha256(code.encode()).hexdigest()] = Code(sid, challenge, self.clock.at + CODE_S)
        return f"{self.product}/sallyport/callback?{urlencode({'code': code, 'state': state})}"

    def token(
        self, row: Row, *, key: OKPKey | None = None, header: Mapping[str, Any] | None = None, **changes: object
    ) -> str:
        """Return a token of an impersonation, with whatever a test wants to be otherwise; None leaves a claim out."""
        now = int(self.clock.at)
        claims = {
            "iss": self.address,
            "aud": CLIENT,
            "sub": row.subject,
            "act": {"sub": row.staff, "name": row.staff_name},
            "sid": row.sid,
            "tenant": row.tenant,
            "scope": "read write" if row.mode == "write" else "read",
            "iat": now,
            "nbf": now,
            "exp": min(now + TOKEN_S, row.not_after),
            "jti": f"jti-{next(self.numbers)}",
            **changes,
        }
        signing = key or self.keys[-1]
        named = {"alg": "Ed25519", "kid": signing.kid, "typ": "at+jwt", **(header or {})}
        return jwt.encode(named, {name: value for name, value in claims.items() if value is not None}, signing,
                          algorithms=["Ed25519", "EdDSA"])  # fmt: skip

    def __call__(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes, timeout_s: float) -> Reply:
        """Be the kit's way to the console, without a socket."""
        assert url.startswith(self.address), url
        if self.mood == "silent":
            self.asked.append((f"{method} {urlsplit(url).path}", {}))
            raise ConsoleSilentError("no answer")
        return self.answered(method, url[len(self.address) :], {n.lower(): v for n, v in headers.items()}, body)

    def answered(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Return the answer to one request."""
        with self.lock:
            form = {name: values[0] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
            self.asked.append((f"{method} {path}", form))
            if self.mood == "garbage":
                return Reply(200, {}, b"<html>a proxy in between</html>")
            if self.mood == "broken":
                return Reply(500, {}, b'{"active": true}')
            if (method, path) == ("GET", "/.well-known/jwks.json"):
                return _json(200, {"keys": [key.as_dict(private=False) for key in self.keys]})
            if not self._is_known(headers):
                return _json(401, {"error": "invalid_client", "error_description": "Unknown product."})
            handle = {
                "/product/token": self._token,
                "/product/introspect": self._introspect,
                "/product/revoke": self._revoke,
            }.get(path)
            if handle is not None:
                return handle(form)
            return self._told(path, json.loads(body))

    def count(self, what: str) -> int:
        """Return how often something was asked."""
        return sum(1 for asked, _form in self.asked if asked == what)

    def _is_known(self, headers: Mapping[str, str]) -> bool:
        kind, _, pair = headers.get("authorization", "").partition(" ")
        name, _, secret = b64decode(pair).decode().partition(":")
        return kind == "Basic" and (unquote(name), unquote(secret)) == (CLIENT, SECRET)

    def _token(self, form: Mapping[str, str]) -> Reply:
        if form["grant_type"] != EXCHANGE:
            return _fault("unsupported_grant_type")
        if form["subject_token_type"] == CODE_TYPE:
            code = self.codes.pop(sha256(form["subject_token"].encode()).hexdigest(), None)
            digest = urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
            if code is None or self.clock.at > code.until or not hmac.compare_digest(digest, code.challenge):
                return _fault("invalid_grant", "The code is used, too old, or not this browser's.")
            row: Row | None = self.rows[code.sid]
        else:
            row = self._row(form["subject_token"], late_s=TOKEN_S)
        if row is None or self._ending(row):
            return _fault("invalid_grant", "The token is not ours." if row is None else row.sentence)
        content = {
            "access_token": self.token(row),
            "issued_token_type": JWT_TYPE,
            "token_type": "Bearer",
            "expires_in": TOKEN_S,
            "scope": "read write" if row.mode == "write" else "read",
        }
        return _json(200, content)

    def _introspect(self, form: Mapping[str, str]) -> Reply:
        row = self._row(form["token"])
        if row is None:
            return _json(200, {"active": False, "ended_by": "time", "sentence": "The token is over."})
        if self._ending(row):
            return _json(200, {"active": False, "ended_by": row.ended_by, "sentence": row.sentence})
        if form["activity"] == "1":
            row.idle_until = int(self.clock.at) + IDLE_S
        claims = self._claims(form["token"])
        told = {name: claims[name] for name in ("sub", "act", "sid", "tenant", "scope", "exp", "iss")}
        return _json(200, told | {
            "active": True,
            "client_id": CLIENT,
            "not_after": row.not_after,
            "idle_until": row.idle_until,
            "mode": row.mode,
            "reason_code": "CUSTOMER_SUPPORT",
            "reference": "T-1007",
            "leave": f"{self.address}/impersonations/{row.sid}",
        })  # fmt: skip

    def _revoke(self, form: Mapping[str, str]) -> Reply:
        row = self._row(form["token"], late_s=TOKEN_S)
        if row is not None and not row.ended_by:
            self.end(row.sid)
        return _json(200, {})

    def _told(self, path: str, content: Mapping[str, Any]) -> Reply:
        if path == "/product/events":
            self.events[content["id"]] = content
            for row in self.rows.values():
                if (row.tenant, row.subject) == (content["tenant"], content["member"]):
                    self.end(row.sid, "member_reset", "The member has a new password.")
            return _json(200, {"ended": 1})
        found = content["reports"]
        if len(found) > 500 or any(each["id"] in self.unreadable for each in found):
            return _fault("invalid_request", "A report cannot be read.")
        known = [each for each in found if each["id"] in self.reports]
        self.reports |= {each["id"]: each for each in found}
        return _json(200, {"accepted": len(found) - len(known), "known": len(known)})

    def _claims(self, token: str) -> Mapping[str, Any]:
        payload = token.split(".")[1]
        found: Mapping[str, Any] = json.loads(b64decode(payload + "==", altchars=b"-_"))
        return found

    def _row(self, token: str, *, late_s: int = 0) -> Row | None:
        claims = self._claims(token)
        if claims["exp"] + late_s <= self.clock.at:
            return None
        return self.rows.get(claims["sid"])

    def _ending(self, row: Row) -> bool:
        if not row.ended_by and self.clock.at >= row.not_after:
            self.end(row.sid, "time", "Its time is over.")
        if not row.ended_by and self.clock.at >= row.idle_until:
            self.end(row.sid, "idle", "Nothing was done for too long.")
        return bool(row.ended_by)


def _json(status: int, content: Mapping[str, Any]) -> Reply:
    return Reply(status, {"content-type": "application/json"}, json.dumps(content).encode())


def _fault(error: str, sentence: str = "") -> Reply:
    return _json(400, {"error": error, "error_description": sentence})


@contextmanager
def served(console: FakeConsole) -> Iterator[FakeConsole]:
    """Let the double answer on a port of this machine, with a hand-off page and its button for browsers."""

    @Request.application
    def app(request: Request) -> Response:
        if request.path == "/healthz":
            return Response("ok")
        if request.path.startswith("/impersonations/"):
            return _hand_off(console, request)
        reply = console.answered(
            request.method, request.path, {n.lower(): v for n, v in request.headers}, request.get_data()
        )
        return Response(reply.body, HTTPStatus(reply.status), dict(reply.headers))

    server = make_server("127.0.0.1", 0, app, threaded=True)
    console.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield console
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _hand_off(console: FakeConsole, request: Request) -> Response:
    if request.method == "POST":
        there = console.handed_over(f"{console.address}{request.full_path}")
        return Response("", 303, {"Location": there})
    action = quote(request.full_path, safe="/?&=%")
    html = f'<!doctype html><title>Hand-off</title><form method="post" action="{action}"><button>Enter</button></form>'
    return Response(html, 200, {"Content-Type": "text/html"})
