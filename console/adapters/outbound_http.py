"""The only way out of the house by HTTP: names are resolved once, checked, pinned; nothing is followed or unpacked.

It stands on httpcore2, the transport layer of httpx2: there the network backend is part of the public interface, and
nothing knows of redirects, of proxies in the environment, of cookies or of decompression.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import httpcore2

from console.adapters.outbound_addresses import Network, any_address_fault, port_of, split_url
from console.domain.header_redaction import redacted_headers
from console.domain.retries import outcome_of_status
from console.domain.webhooks import SHOWN_BODY_BYTES, AttemptOutcome
from console.ports.webhooks import Answer

Resolver = Callable[[str, int], Sequence[str]]
_DEADLINE: ContextVar[float] = ContextVar("deadline")
_NEVER = float("inf")
_MOST_KEPT = 65_536  # bytes
_MOST_ADDRESSES = 3  # of a name with many, so many are tried
_CLOSED = "The receiver closed the connection, or answered with something that is not HTTP."


class _BlockedError(Exception):
    """The name leads to an address that may not be called."""


class _UnknownNameError(Exception):
    """The name leads nowhere."""


class _TooLargeError(Exception):
    """The answer does not end where an answer should."""

    def __init__(self, start: bytes) -> None:
        super().__init__()
        self.start = start


def resolved(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a name as the system knows them. Raises: OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundRules:
    """What may be called and how long it may take. Units: `timeout_s` seconds for a whole exchange, `body_bytes` bytes.

    Shape: `allowed` networks are excepted from the table of special addresses; production has none.
    """

    ports: frozenset[int] = frozenset({443})
    https_only: bool = True
    allowed: tuple[Network, ...] = ()
    timeout_s: float = 15.0
    connect_timeout_s: float = 5.0
    body_bytes: int = 1_048_576
    resolve: Resolver = resolved
    trust: Callable[[], ssl.SSLContext] = field(default=ssl.create_default_context)


class GuardedOutbound:
    """Posts to receivers; addresses are checked when a connection is made, which is also the moment they are pinned."""

    def __init__(self, rules: OutboundRules) -> None:
        self._rules = rules
        self._pool = httpcore2.ConnectionPool(
            ssl_context=rules.trust(),
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=15.0,
            network_backend=_PinnedBackend(rules),
        )

    def fault_of(self, url: str) -> str | None:
        """Return why an address may not be called, with the remedy, or None; resolves names."""
        parts = split_url(url, ports=self._rules.ports, https_only=self._rules.https_only)
        if isinstance(parts, str):
            return parts
        try:
            _checked(self._rules, parts.hostname or "", port_of(parts))
        except _UnknownNameError:
            return "Its name is not known; look for a typing mistake."
        except _BlockedError as blocked:
            return f"{blocked} Name a receiver on the public internet."
        return None

    def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send and return how it ended; never raises for what a receiver does."""
        parts = split_url(url, ports=self._rules.ports, https_only=self._rules.https_only)
        if isinstance(parts, str):
            return Answer(outcome=AttemptOutcome.BLOCKED_ADDRESS, status=None, took_ms=0, error=parts)
        begun = time.monotonic()
        marked = _DEADLINE.set(begun + self._rules.timeout_s)
        try:
            answer = self._exchanged(url, headers, body)
        finally:
            _DEADLINE.reset(marked)
        return _timed(answer, begun)

    def close(self) -> None:
        """Close the connections that are kept for the next message."""
        self._pool.close()

    def _exchanged(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        limits = {"connect": self._rules.connect_timeout_s, "pool": self._rules.timeout_s}
        limits |= {"read": self._rules.timeout_s, "write": self._rules.timeout_s}
        given = [(name.encode(), value.encode()) for name, value in headers.items()]
        try:
            with self._pool.stream(
                "POST", url, headers=given, content=body, extensions={"timeout": limits}
            ) as response:
                return self._read(response)
        except _BlockedError as blocked:
            return _failed(AttemptOutcome.BLOCKED_ADDRESS, str(blocked))
        except _UnknownNameError:
            return _failed(AttemptOutcome.DNS, "The receiver's name is not known.")
        except httpcore2.TimeoutException:
            return _failed(AttemptOutcome.TIMEOUT, f"No whole answer within {self._rules.timeout_s:g} s.")
        except httpcore2.ConnectError as away:
            return _unconnected(away)
        except (httpcore2.NetworkError, httpcore2.ProtocolError, ssl.SSLError, OSError, ValueError):
            return _failed(AttemptOutcome.CONNECT, _CLOSED)

    def _read(self, response: httpcore2.Response) -> Answer:
        headers = redacted_headers(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers
        )
        outcome, error = outcome_of_status(response.status), None
        try:
            body = _body(response, most=self._rules.body_bytes)
        except _TooLargeError as large:
            outcome, body = AttemptOutcome.TOO_LARGE, large.start
            error = f"The answer is longer than {self._rules.body_bytes:,} bytes."
        text = body[:SHOWN_BODY_BYTES].decode("utf-8", "replace").replace("\x00", "\ufffd")
        return Answer(
            outcome=outcome, status=response.status, took_ms=0, headers=headers, body=text or None, error=error
        )


class _PinnedBackend(httpcore2.NetworkBackend):
    """Connects to addresses that were checked a moment before, never to names."""

    def __init__(self, rules: OutboundRules) -> None:
        self._rules = rules
        self._inner = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        addresses = _checked(self._rules, host, port)[:_MOST_ADDRESSES]
        for address in addresses[:-1]:
            try:
                return self._connected(address, port, timeout, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return self._connected(addresses[-1], port, timeout, socket_options)

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore2.NetworkStream:
        raise _BlockedError("A socket of this machine is not an address of the public internet.")

    def _connected(
        self, address: str, port: int, timeout: float | None, socket_options: Iterable[Any] | None
    ) -> httpcore2.NetworkStream:
        stream = self._inner.connect_tcp(
            address, port, timeout=_left(timeout, httpcore2.ConnectTimeout), socket_options=socket_options
        )
        return _TimedStream(stream)


class _TimedStream(httpcore2.NetworkStream):
    """A stream whose every wait ends with the exchange it is part of, so that a dripping receiver gains nothing.

    Head and body of a message come in writes of their own, its end as an empty one: until then they are kept together,
    so that the receiver is woken once.
    """

    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner
        self._kept = bytearray()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._send(timeout)
        return self._inner.read(max_bytes, timeout=_left(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._kept += buffer
        if not buffer or len(self._kept) >= _MOST_KEPT:
            self._send(timeout)

    def _send(self, timeout: float | None) -> None:
        if self._kept:
            kept, self._kept = bytes(self._kept), bytearray()
            self._inner.write(kept, timeout=_left(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return _TimedStream(
            self._inner.start_tls(ssl_context, server_hostname, timeout=_left(timeout, httpcore2.ConnectTimeout))
        )

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  the library's own signature
        return self._inner.get_extra_info(info)


def _left(timeout: float | None, over: type[httpcore2.TimeoutException]) -> float | None:
    """Return what is left of this exchange, and no more than `timeout`; raises `over` when nothing is."""
    left = _DEADLINE.get(_NEVER) - time.monotonic()
    if left <= 0:
        raise over("the exchange took too long")
    return min(left, _NEVER if timeout is None else timeout)


def _checked(rules: OutboundRules, host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host, all of which may be called. Raises: _BlockedError, _UnknownNameError."""
    try:
        addresses = rules.resolve(host, port)
    except (OSError, UnicodeError):
        raise _UnknownNameError from None
    if not addresses:
        raise _UnknownNameError
    fault = any_address_fault(addresses, allowed=rules.allowed)
    if fault is not None:
        raise _BlockedError(fault)
    return addresses


def _body(response: httpcore2.Response, *, most: int) -> bytes:
    """Return a whole answer. Raises: _TooLargeError with its beginning when it is longer than that."""
    parts = bytearray()
    for part in response.iter_stream():
        parts += part
        if len(parts) > most:
            raise _TooLargeError(bytes(parts[:SHOWN_BODY_BYTES]))
    return bytes(parts)


def _unconnected(away: httpcore2.ConnectError) -> Answer:
    cause = away.args[0] if away.args else None  # the library cuts the chain of exceptions, not its argument
    if isinstance(cause, ssl.SSLError):
        reason = getattr(cause, "verify_message", "") or cause.reason or "no reason given"
        return _failed(AttemptOutcome.TLS, f"No secure connection: {reason}.")
    return _failed(AttemptOutcome.CONNECT, "The receiver takes no connection.")


def _failed(outcome: AttemptOutcome, error: str) -> Answer:
    return Answer(outcome=outcome, status=None, took_ms=0, error=error)


def _timed(answer: Answer, begun: float) -> Answer:
    took_ms = round((time.monotonic() - begun) * 1_000)
    return Answer(
        outcome=answer.outcome,
        status=answer.status,
        took_ms=took_ms,
        headers=answer.headers,
        body=answer.body,
        error=answer.error,
    )
