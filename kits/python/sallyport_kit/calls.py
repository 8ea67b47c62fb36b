"""HTTP to the console by the standard library; a product may hand over its own client instead."""

import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from sallyport_kit.errors import ConsoleSilentError

_LONGEST_ANSWER = 262_144
_CHUNK = 65_536


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


def call_http(method: str, url: str, *, headers: Mapping[str, str], body: bytes, timeout_s: float) -> Reply:
    """Send one request on a connection of its own. Raises: ConsoleSilentError."""
    parts = urlsplit(url)
    make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = make(parts.hostname or "", parts.port, timeout=timeout_s)
    until = time.monotonic() + timeout_s
    try:
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body=body, headers=headers)
        response = connection.getresponse()
        content = _read(response, until)
    except (OSError, http.client.HTTPException, ValueError) as broken:
        raise ConsoleSilentError(f"{method} {parts.path}: {type(broken).__name__}") from broken
    finally:
        connection.close()
    return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, content)


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
