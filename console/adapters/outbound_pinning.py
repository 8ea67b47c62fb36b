"""The only way out of the house by HTTP: names are resolved once, checked, pinned.

It stands on httpcore2, the transport layer of httpx2: there the network backend is part of the public interface, and
nothing knows of redirects, of proxies in the environment, of cookies or of decompression.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import httpcore2

from console.adapters.outbound_addresses import Network, any_address_fault
from console.adapters.outbound_names import Resolver, answered_within

_DEADLINE: ContextVar[float] = ContextVar("deadline")
_NEVER = float("inf")
_MOST_KEPT = 65_536  # bytes
_MOST_ADDRESSES = 3  # of a name with many, so many are tried


class BlockedError(Exception):
    """The name leads to an address that may not be called."""


class UnknownNameError(Exception):
    """The name leads nowhere."""


class TooLargeError(Exception):
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


def pool_of(rules: OutboundRules) -> httpcore2.ConnectionPool:
    """Return a pool of connections that are made by the rules; addresses are checked when one is, and pinned then."""
    return httpcore2.ConnectionPool(
        ssl_context=rules.trust(),
        max_connections=100,
        max_keepalive_connections=20,
        keepalive_expiry=15.0,
        network_backend=PinnedBackend(rules),
    )


def limits_of(rules: OutboundRules) -> dict[str, float]:
    """Return the longest waits within one exchange."""
    whole = rules.timeout_s
    return {"connect": rules.connect_timeout_s, "pool": whole, "read": whole, "write": whole}


@contextmanager
def within(timeout_s: float) -> Iterator[None]:
    """Let every wait inside end with the whole exchange. Units: seconds."""
    marked = _DEADLINE.set(time.monotonic() + timeout_s)
    try:
        yield
    finally:
        _DEADLINE.reset(marked)


def whole_body(response: httpcore2.Response, *, most: int, shown: int = 0) -> bytes:
    """Return a whole answer. Raises: TooLargeError with its first `shown` bytes when it is longer than `most`."""
    parts = bytearray()
    for part in response.iter_stream():
        parts += part
        if len(parts) > most:
            raise TooLargeError(bytes(parts[:shown]))
    return bytes(parts)


class PinnedBackend(httpcore2.NetworkBackend):
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
        """Connect to an address of a host that may be called. Raises: as `checked`."""
        addresses = checked(self._rules, host, port)[:_MOST_ADDRESSES]
        for address in addresses[:-1]:
            try:
                return self._connected(address, port, timeout, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return self._connected(addresses[-1], port, timeout, socket_options)

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore2.NetworkStream:
        """Refuse: a socket of this machine is nowhere outside. Raises: BlockedError."""
        raise BlockedError("A socket of this machine is not an address of the public internet.")

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


def _left(timeout: float | None, over: type[httpcore2.TimeoutException]) -> float:
    """Return what is left of this exchange, and no more than `timeout`; raises `over` when nothing is."""
    left = _DEADLINE.get(_NEVER) - time.monotonic()
    if left <= 0:
        raise over("the exchange took too long")
    return min(left, _NEVER if timeout is None else timeout)


def checked(rules: OutboundRules, host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host, all of which may be called.

    Shape: the look-up has as long as a connection may take, and no longer than is left of the exchange.
    Raises: BlockedError, UnknownNameError, UnansweredNameError.
    """
    try:
        wait_s = _left(rules.connect_timeout_s, httpcore2.ConnectTimeout)
        addresses = answered_within(rules.resolve, host, port, timeout_s=wait_s)
    except (OSError, UnicodeError):
        raise UnknownNameError from None
    if not addresses:
        raise UnknownNameError
    fault = any_address_fault(addresses, allowed=rules.allowed)
    if fault is not None:
        raise BlockedError(fault)
    return addresses
