"""The kit's HTTP by itself: every bad answer of a console is silence."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sallyport_kit.calls import call_http
from sallyport_kit.console import Console
from sallyport_kit.errors import ConsoleSilentError
from tests.kit.fake_console import FakeConsole, served
from tests.kit.products import settings

# HTTP


@contextmanager
def listening(answer: bytes | None) -> Iterator[str]:
    """Answer one connection with these bytes; None never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        is_over = threading.Event()

        def serve() -> None:
            connection, _from = server.accept()
            with connection:
                connection.recv(65_536)
                if answer is None:
                    is_over.wait(10)
                else:
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        is_over.set()
        thread.join()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: "


BAD_ANSWERS = {"never": None, "nothing": b"", "rubbish": b"hello\r\n\r\n", "cut": HEAD + b"90\r\n\r\nx",
               "endless": HEAD + b"300000\r\n\r\n" + b"x" * 300_000}  # fmt: skip


@pytest.mark.parametrize("answer", BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_it_calls_a_bad_answer_silence(answer: bytes | None) -> None:
    with listening(answer) as address, pytest.raises(ConsoleSilentError):
        call_http("GET", f"{address}/x", headers={}, body=b"", timeout_s=0.2)


def test_it_calls_nobody_silence_and_follows_no_redirect() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ConsoleSilentError):
        call_http("GET", f"http://127.0.0.1:{port}/", headers={}, body=b"", timeout_s=0.5)
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    with listening(moved) as address:
        assert call_http("GET", f"{address}/", headers={}, body=b"", timeout_s=2).status == 302


def test_it_speaks_with_a_console_over_a_socket() -> None:
    with served(FakeConsole()) as console:
        asked = Console(settings(console), call_http)
        assert asked.keys()[0]["crv"] == "Ed25519"
        row = console.start()
        assert asked.introspect(console.token(row), is_activity=False)["active"]
        asked.revoke(console.token(row))
        assert not asked.introspect(console.token(row), is_activity=False)["active"]
        asked.tell({"id": "e1", "kind": "member.password_reset", "tenant": "t", "member": "m", "at": "now"})
        assert console.events["e1"]["member"] == "m"
        with pytest.raises(ConsoleSilentError):
            Console(settings(console, client_secret="wrong"), call_http).introspect("x.e30.y", is_activity=False)
