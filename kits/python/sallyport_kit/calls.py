"""HTTP to the console by the standard library; a product may hand over its own client instead."""

import http.client
import os
import select
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Protocol
from urllib.parse import urlsplit

from sallyport_kit.errors import ConsoleSilentError

_LONGEST_ANSWER = 262_144
_CHUNK = 65_536
_LEAST_S = 0.001
_ONCE = "/token"  # of what must not be asked twice


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; names of headers are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Call(Protocol):
    """Sends one request and returns the reply, whatever its status; follows no redirect and asks no proxy."""

    def __call__(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes, timeout_s: float) -> Reply:
        """Return the reply. Raises: ConsoleSilentError when there is none in time."""
        ...


class KeptConnections:
    """Calls the console over connections that stay open between calls; safe among threads and after a fork.

    Shape: what may be asked twice is asked again on a new connection where an old one turns out to be dead; a code is
    exchanged on a new connection alone, because nobody could say whether it was spent.
    """

    def __init__(self, *, most: int = 8, idle_s: float = 30.0) -> None:
        """Open nothing yet."""
        self._most = most
        self._idle_s = idle_s
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def __call__(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes, timeout_s: float) -> Reply:
        """Return the reply. Raises: ConsoleSilentError when there is none in time."""
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        origin = (parts.scheme, parts.netloc)
        until = time.monotonic() + timeout_s
        kept = None if parts.path.endswith(_ONCE) else self._taken(origin)
        if kept is not None:
            try:
                return self._asked(origin, kept, method, target, headers=headers, body=body, until=until)
            except (OSError, http.client.HTTPException, ValueError):
                if time.monotonic() >= until:
                    raise ConsoleSilentError(f"{method} {parts.path}: too late") from None
        made = _made(url, max(until - time.monotonic(), _LEAST_S))
        try:
            return self._asked(origin, made, method, target, headers=headers, body=body, until=until)
        except (OSError, http.client.HTTPException, ValueError) as broken:
            raise ConsoleSilentError(f"{method} {parts.path}: {type(broken).__name__}") from broken

    def _begin(self) -> None:
        """Forget what a parent holds open: two processes never speak on one connection."""
        self._lock = Lock()
        self._idle: deque[tuple[tuple[str, str], http.client.HTTPConnection, float]] = deque()

    def _taken(self, origin: tuple[str, str]) -> http.client.HTTPConnection | None:
        """Return the connection that was used last and still stands."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                of, connection, since = self._idle.pop()
            if of == origin and time.monotonic() - since < self._idle_s and not _has_news(connection):
                return connection
            connection.close()

    def _asked(
        self,
        origin: tuple[str, str],
        connection: http.client.HTTPConnection,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str],
        body: bytes,
        until: float,
    ) -> Reply:
        try:
            left = max(until - time.monotonic(), _LEAST_S)
            connection.timeout = left
            if connection.sock is not None:
                connection.sock.settimeout(left)
            connection.request(method, target, body=body, headers=headers)
            response = connection.getresponse()
            content = _read(response, until)
            response.close()  # the answer is over; the connection stays
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            self._give_back(origin, connection)
        return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, content)

    def _give_back(self, origin: tuple[str, str], connection: http.client.HTTPConnection) -> None:
        with self._lock:
            self._idle.append((origin, connection, time.monotonic()))
            oldest = self._idle.popleft() if len(self._idle) > self._most else None
        if oldest is not None:
            oldest[1].close()


def _made(url: str, timeout_s: float) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return make(parts.hostname or "", parts.port, timeout=timeout_s)


def _has_news(connection: http.client.HTTPConnection) -> bool:
    """Return whether an idle connection is of no use: closed by the other side, or saying what nobody asked."""
    if connection.sock is None:
        return True
    if not hasattr(select, "poll"):
        return bool(select.select([connection.sock], [], [], 0)[0])
    look = select.poll()  # unlike select, for any number of open files
    look.register(connection.sock, select.POLLIN)
    return bool(look.poll(0))


call_http = KeptConnections()
"""The one that a kit uses unless it is given another."""


def _read(response: http.client.HTTPResponse, until: float) -> bytes:
    """Return the whole body; a socket's time-out counts each piece alone, therefore the end is watched here."""
    content = bytearray()
    while piece := response.read1(_CHUNK):
        content += piece
        if len(content) > _LONGEST_ANSWER:
            raise ConsoleSilentError("The console's answer is too long.")
        if time.monotonic() > until:
            raise ConsoleSilentError("The console's answer took too long.")
    if response.length:
        raise ConsoleSilentError("The console's answer was cut.")
    return bytes(content)
