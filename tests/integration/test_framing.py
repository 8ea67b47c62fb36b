"""Messages that two servers could read as different requests: ours refuses each, or answers it once.

What is hidden in a message asks for the trail. Were it taken for a request, it would be answered on the same connection
and leave a refusal in the trail, as the first test shows.
"""

import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from console.adapters.demo.generator import PLANES
from tests.databases import sqlite_url
from tests.integration.framing_world import serve_empty
from tests.integration.stage import rows
from tests.processes import free_port, started

WITHIN_S = 60
HIDDEN = b"GET /trail HTTP/1.1\r\nHost: localhost\r\n\r\n"
TOLD = "SELECT count(*) FROM audit_event WHERE body LIKE '%/trail%'"


def post(*lines: bytes, body: bytes = HIDDEN, target: bytes = b"/sign-in", version: bytes = b"HTTP/1.1") -> bytes:
    """Return a form that is sent in this framing, and asks to keep the connection."""
    head = (b"POST " + target + b" " + version, b"Host: localhost", b"Connection: keep-alive", *lines)
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def get(*lines: bytes, first: bytes = b"GET /sign-in HTTP/1.1", host: bytes = b"Host: localhost") -> bytes:
    """Return a question with these lines."""
    return b"\r\n".join((first, *([host] if host else []), *lines)) + b"\r\n\r\n"


LENGTH = b"Content-Length: %d" % len(HIDDEN)
CHUNKED = b"Transfer-Encoding: chunked"
CHUNK = b"%x\r\n" % len(HIDDEN) + HIDDEN + b"\r\n0\r\n\r\n"
REFUSED: dict[str, bytes] = {
    "two lengths": post(b"Content-Length: 0", LENGTH),
    "the same length twice": post(LENGTH, LENGTH),
    "a list of lengths": post(b"Content-Length: 0, %d" % len(HIDDEN)),
    "a length with a sign": post(b"Content-Length: +0"),
    "a length below nothing": post(b"Content-Length: -1"),
    "a length in hex": post(b"Content-Length: 0x0"),
    "a length with an underscore": post(b"Content-Length: 0_0"),
    "a length and chunks": post(b"Content-Length: 0", CHUNKED, body=CHUNK),
    "chunks and a length": post(CHUNKED, LENGTH, body=b"0\r\n\r\n" + HIDDEN),
    "chunks twice": post(CHUNKED, CHUNKED, body=b"0\r\n\r\n" + HIDDEN),
    "chunks that are not the last": post(b"Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n" + HIDDEN),
    "another coding": post(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n" + HIDDEN),
    "a coding behind a control": post(b"Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n" + HIDDEN),
    "chunks in HTTP/1.0": post(CHUNKED, body=b"0\r\n\r\n" + HIDDEN, version=b"HTTP/1.0"),
    "space before the colon": post(b"Content-Length : 0"),
    "a folded line": post(b"Transfer-Encoding:", b" chunked", body=b"0\r\n\r\n" + HIDDEN),
    "a folded first line": get(b"X-A: 1").replace(b"\r\nHost", b"\r\n Host"),
    "a line without a colon": get(b"Content-Length 0"),
    "a bare line feed": post(b"X-A: 1\nContent-Length: 0"),
    "a bare return": post(b"X-A: 1\rContent-Length: 0"),
    "line feeds only": post(LENGTH).replace(b"\r\n", b"\n"),
    "a zero byte in a value": get(b"X-A: 1\x002"),
    "a zero byte in a name": get(b"X-\x00A: 1"),
    "two hosts": get(b"Host: evil.example"),
    "no version": b"GET /trail\r\n\r\n",
    "a version of three": get(first=b"GET /sign-in HTTP/1.1.1"),
    "a version that is none": get(first=b"GET /sign-in HTTP/9.9"),
    "a space in the address": get(first=b"GET /sign-in /trail HTTP/1.1"),
    "a control in the address": get(first=b"GET /sign-in\x0b HTTP/1.1"),
    "a method in small letters": get(first=b"get /sign-in HTTP/1.1"),
    "a host that is not ours": get(host=b"Host: evil.example"),
    "another host in the address": get(first=b"GET http://evil.example/sign-in HTTP/1.1"),
    "another host in the address of a form": post(LENGTH, target=b"http://evil.example/sign-in"),
    "our host as another's user": get(first=b"GET http://localhost@evil.example/sign-in HTTP/1.1"),
    "an address without a slash": get(first=b"GET http://evil.example?/sign-in HTTP/1.1"),
    "another port of ours in the address": get(first=b"GET http://localhost:1/sign-in HTTP/1.1"),
}
# Faults of a body: an app that reads it meets them, and one that answers without reading it leaves them behind.
FAULTY: dict[str, bytes] = {
    "a chunk in hex with a prefix": b"0x0\r\n\r\n",
    "a chunk with a sign": b"+0\r\n\r\n",
    "a chunk with an underscore": b"0_0\r\n\r\n",
    "a chunk longer than it says": b"1\r\nab\r\n0\r\n\r\n",
    "a chunk ended by a line feed": b"1\r\na\n0\r\n\r\n",
    "a line feed in an extension": b"1;a\nb\r\na\r\n0\r\n\r\n",
    "a length in a trailer": b"1\r\na\r\n0\r\nContent-Length: 9\r\n\r\n",
}
FORM = b"Content-Type: application/x-www-form-urlencoded"
REFUSED |= {name: post(CHUNKED, body=body + HIDDEN) for name, body in FAULTY.items()}
REFUSED |= {f"{name}, in a form": post(CHUNKED, FORM, body=body + HIDDEN) for name, body in FAULTY.items()}
ONE_MEANING: dict[str, bytes] = {
    "a length": post(LENGTH),
    "chunks": post(CHUNKED, body=CHUNK),
    "a chunk with an extension": post(CHUNKED, body=CHUNK.replace(b"\r\n", b';a="b"\r\n', 1)),
    "a coding in capitals": post(b"Transfer-Encoding: CHUNKED", body=CHUNK),
    "a length and another by nearly its name": post(LENGTH, b"Content_Length: 0"),
    "our own host in the address": get(first=b"GET http://localhost/sign-in HTTP/1.1"),
}


@dataclass(frozen=True)
class Served:
    """Where the server listens, and its database."""

    port: int
    url: str

    def said(self, message: bytes) -> list[int]:
        """Return the statuses of everything that comes back on one connection, in order."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as wire:
            wire.sendall(message)
            wire.shutdown(socket.SHUT_WR)
            heard = b""
            with suppress(ConnectionResetError):
                while some := wire.recv(65_536):
                    heard += some
        return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", heard)]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give the server, started once."""
    folder: Path = tmp_path_factory.mktemp("framing")
    (folder / "var").mkdir()
    names = ("url", *PLANES)
    told = {"var": str(folder / "var"), "port": str(free_port())}
    told |= {name: sqlite_url(folder / f"{name}.db") for name in names}
    process, out = started(serve_empty, told, said=folder / "said.txt")
    there = Served(int(told["port"]), told["url"])
    with out:
        try:
            deadline = time.monotonic() + WITHIN_S
            while not _answers(there):
                assert process.is_alive(), (folder / "said.txt").read_text()
                assert time.monotonic() < deadline, (folder / "said.txt").read_text()
                time.sleep(0.1)
            yield there
        finally:
            assert process.pid is not None
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.join()


def _answers(there: Served) -> bool:
    try:
        return there.said(get(first=b"GET /healthz HTTP/1.1")) == [200]
    except OSError:
        return False


def test_it_would_see_a_hidden_question_that_is_read(served: Served) -> None:
    before = rows(served.url, TOLD)[0][0]
    assert served.said(post(b"Content-Length: 0")) == [400, 401]
    assert rows(served.url, TOLD)[0][0] == before + 1


@pytest.mark.checklist("V4.2.1")
@pytest.mark.parametrize("message", REFUSED.values(), ids=REFUSED)
def test_it_refuses_what_could_be_read_in_two_ways(served: Served, message: bytes) -> None:
    before = rows(served.url, TOLD)
    statuses = served.said(message)
    assert len(statuses) <= 1
    assert set(statuses) <= {400, 431, 501, 505}
    assert rows(served.url, TOLD) == before


@pytest.mark.checklist("V4.2.1")
@pytest.mark.parametrize("message", ONE_MEANING.values(), ids=ONE_MEANING)
def test_it_answers_once_what_has_one_meaning(served: Served, message: bytes) -> None:
    before = rows(served.url, TOLD)
    (status,) = served.said(message)
    assert status in {200, 400}
    assert rows(served.url, TOLD) == before
