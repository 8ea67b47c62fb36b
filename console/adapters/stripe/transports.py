"""Two ways to carry the library's requests: by the guarded way out of the house, and to a WSGI app in this process."""

import io
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

import stripe

from console.adapters.outbound_calls import CallFailedError, GuardedCalls

Wsgi: TypeAlias = Callable[..., Iterable[bytes]]
Answer: TypeAlias = tuple[bytes, int, Mapping[str, str]]
_UNSAID = frozenset({"x-stripe-client-user-agent"})  # it describes this machine


class GuardedTransport(stripe.HTTPClient):  # type: ignore[misc]  # the library is not followed
    """Carries requests to the network; addresses are pinned, nothing is followed, an answer has a longest length."""

    name = "sallyport"

    def __init__(self, out: GuardedCalls) -> None:
        super().__init__()
        self._out = out

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: object = None, **_rest: object
    ) -> Answer:
        """Return the answer to one request. Raises: stripe.APIConnectionError."""
        try:
            answer = self._out.call(method.upper(), url, headers=_said(headers), body=_bytes(post_data))
        except CallFailedError as failed:
            raise stripe.APIConnectionError(str(failed)) from failed
        return answer.body, answer.status, answer.headers

    def close(self) -> None:
        """Close the connections that are kept."""
        self._out.close()


class InProcessTransport(stripe.HTTPClient):  # type: ignore[misc]  # the library is not followed
    """Carries requests to an app in this process: the demo's provider, and tests."""

    name = "sallyport"

    def __init__(self, app: Wsgi) -> None:
        super().__init__()
        self._app = app

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: object = None, **_rest: object
    ) -> Answer:
        """Return the app's answer to one request."""
        told: list[Any] = []
        environ = _environ(method.upper(), url, _said(headers), _bytes(post_data))
        body = b"".join(self._app(environ, lambda status, given, *_more: told.extend((status, given))))
        return body, int(told[0].split()[0]), {name.lower(): value for name, value in told[1]}

    def close(self) -> None:
        """Keep nothing open."""


def _said(headers: Mapping[str, str] | None) -> dict[str, str]:
    return {name: value for name, value in (headers or {}).items() if name.lower() not in _UNSAID}


def _bytes(post_data: object) -> bytes:
    return post_data if isinstance(post_data, bytes) else str(post_data or "").encode()


def _environ(method: str, url: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    parts = urlsplit(url)
    named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    return {
        "REQUEST_METHOD": method,
        "PATH_INFO": unquote(parts.path),
        "QUERY_STRING": parts.query,
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": headers.get("Content-Type", ""),
        "wsgi.input": io.BytesIO(body),
        **named,
    }
