"""ASGI applications behind a real server: uvicorn on a socket of this machine, one for all tests of a process."""

import asyncio
import http.client
import socket
import time
from collections.abc import Callable, Mapping
from functools import cache
from itertools import count
from threading import Thread
from typing import Any

import uvicorn

from tests.kit.seen import Asking, Seen

_NAMED = "x-application"
_PATIENCE_S = 20.0
App = Callable[[Any, Any, Any], Any]


class Many:
    """Leads each request to the application that its header names, and takes that header away."""

    def __init__(self) -> None:
        self.applications: dict[bytes, App] = {}
        self.numbers = count(1)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  as ASGI has it
        (name,) = [value for header, value in scope["headers"] if header == _NAMED.encode()]
        headers = [pair for pair in scope["headers"] if pair[0] != _NAMED.encode()]
        await self.applications[name]({**scope, "headers": headers}, receive, send)


@cache
def _served() -> tuple[Many, int]:
    many = Many()
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(many, lifespan="off", log_level="critical", access_log=False))
    Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])), name="uvicorn", daemon=True).start()
    until = time.monotonic() + _PATIENCE_S
    while not server.started:
        assert time.monotonic() < until, "uvicorn does not begin"
        time.sleep(0.01)
    port: int = listening.getsockname()[1]
    return many, port


def over_uvicorn(app: App) -> Asking:
    """Send requests to an ASGI application over a socket."""
    many, port = _served()
    name = str(next(many.numbers))
    many.applications[name.encode()] = app

    def send(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Seen:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            for header, value in {**headers, _NAMED: name, "Content-Length": str(len(body))}.items():
                connection.putheader(header, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return Seen(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()

    return send
