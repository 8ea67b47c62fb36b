"""What the kit asks of the console: keys, tokens, standing, the end of an impersonation, and reports."""

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from sallyport_kit.calls import Call, Reply
from sallyport_kit.errors import ConsoleRefusedError, ConsoleSilentError
from sallyport_kit.settings import KitSettings

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
CODE_TYPE = "urn:sallyport:token-type:impersonation-code"
JWT_TYPE = "urn:ietf:params:oauth:token-type:jwt"
_LONGEST_SENTENCE = 400


class ReportsRefusedError(ConsoleSilentError):
    """The console read a batch and will not take it, however often it comes."""


class Console:
    """The console as a product sees it; every method asks once."""

    def __init__(self, settings: KitSettings, call: Call) -> None:
        """Ask nothing yet."""
        self._at = settings.console
        self._call = call
        self._timeout_s = settings.timeout_s
        pair = f"{quote(settings.client_id, safe='')}:{quote(settings.client_secret, safe='')}"
        self._basic = f"Basic {b64encode(pair.encode()).decode()}"

    def keys(self) -> Sequence[Any]:
        """Return the published keys as they came. Raises: ConsoleSilentError."""
        reply = self._send("GET", "/.well-known/jwks.json", b"", {})
        found = _object(reply).get("keys")
        if reply.status != 200 or not isinstance(found, list):
            raise ConsoleSilentError(f"The console published no keys ({reply.status}).")
        return found

    def exchange(self, code: str, verifier: str) -> str:
        """Return the first token of an impersonation. Raises: ConsoleRefusedError, ConsoleSilentError."""
        return self._token({"subject_token": code, "subject_token_type": CODE_TYPE, "code_verifier": verifier})

    def renew(self, token: str) -> str:
        """Return the next token of an impersonation. Raises: ConsoleRefusedError, ConsoleSilentError."""
        return self._token({"subject_token": token, "subject_token_type": JWT_TYPE})

    def introspect(self, token: str, *, is_activity: bool) -> Mapping[str, Any]:
        """Return what the console says of a token now. Raises: ConsoleSilentError."""
        reply = self._form("/product/introspect", {"token": token, "activity": "1" if is_activity else "0"})
        told = _object(reply)
        if reply.status != 200 or not isinstance(told.get("active"), bool):
            raise ConsoleSilentError(f"The console did not say how a token stands ({reply.status}).")
        return told

    def revoke(self, token: str) -> None:
        """End an impersonation by hand. Raises: ConsoleSilentError."""
        reply = self._form("/product/revoke", {"token": token})
        if reply.status != 200:
            raise ConsoleSilentError(f"The console did not end an impersonation ({reply.status}).")

    def report(self, reports: Sequence[Mapping[str, Any]]) -> None:
        """Hand over reports; the same may be handed over again. Raises: ConsoleSilentError, ReportsRefusedError."""
        self._json("/product/reports", {"reports": list(reports)})

    def tell(self, event: Mapping[str, Any]) -> None:
        """Tell that a member reset their password or is gone. Raises: ConsoleSilentError, ReportsRefusedError."""
        self._json("/product/events", event)

    def _token(self, fields: Mapping[str, str]) -> str:
        reply = self._form("/product/token", {"grant_type": EXCHANGE, **fields})
        told = _object(reply)
        if reply.status in {400, 401} and isinstance(told.get("error"), str):
            raise ConsoleRefusedError(str(told["error"]), _sentence(told.get("error_description")))
        token = told.get("access_token")
        if reply.status != 200 or told.get("issued_token_type") != JWT_TYPE or not isinstance(token, str):
            raise ConsoleSilentError(f"The console issued no token ({reply.status}).")
        return token

    def _json(self, path: str, content: Mapping[str, Any]) -> None:
        reply = self._send("POST", path, json.dumps(content).encode(), self._headers("application/json"))
        if reply.status in {400, 413, 422}:
            raise ReportsRefusedError(f"{path}: {reply.status} {_sentence(_object(reply).get('error_description'))}")
        if not 200 <= reply.status < 300:
            raise ConsoleSilentError(f"{path}: {reply.status}")

    def _form(self, path: str, fields: Mapping[str, str]) -> Reply:
        return self._send("POST", path, urlencode(fields).encode(), self._headers("application/x-www-form-urlencoded"))

    def _headers(self, kind: str) -> Mapping[str, str]:
        return {"Authorization": self._basic, "Content-Type": kind}

    def _send(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        sent = {"Accept": "application/json", "User-Agent": "sallyport-kit", **headers}
        return self._call(method, f"{self._at}{path}", headers=sent, body=body, timeout_s=self._timeout_s)


def _object(reply: Reply) -> Mapping[str, Any]:
    try:
        found = json.loads(reply.body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _sentence(text: object) -> str:
    kept = "".join(letter for letter in text if letter.isprintable()) if isinstance(text, str) else ""
    return kept[:_LONGEST_SENTENCE] or "The console gave no reason."
