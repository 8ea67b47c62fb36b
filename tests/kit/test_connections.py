"""Connections to the console that stay open: used again, noticed when dead, never asked twice for a token."""

import multiprocessing
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from sallyport_kit.calls import KeptConnections
from sallyport_kit.errors import ConsoleSilentError


class Keeping:
    """A server that counts its connections and can drop them, answering every request that it reads."""

    def __init__(self) -> None:
        self.begun = 0
        self.asked: list[str] = []
        self.open: list[socket.socket] = []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.server.getsockname()[1]}"
        self.is_deaf = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _from = self.server.accept()
            except OSError:
                return
            self.begun += 1
            self.open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while read := connection.recv(65_536):
                self.asked.append(read.split(b" ", 2)[1].decode())
                if self.is_deaf:
                    return
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    def drop(self) -> None:
        """Close what is open, as a server does with idle connections."""
        for connection in self.open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.open.clear()
        time.sleep(0.05)


@pytest.fixture
def keeping() -> Iterator[Keeping]:
    keeping = Keeping()
    yield keeping
    keeping.server.close()
    keeping.drop()


def asked(call: KeptConnections, keeping: Keeping, path: str = "/product/introspect") -> int:
    return call("POST", f"{keeping.address}{path}", headers={}, body=b"", timeout_s=2).status


def test_it_asks_again_on_the_same_connection(keeping: Keeping) -> None:
    call = KeptConnections()
    assert [asked(call, keeping) for _ in range(20)] == [200] * 20
    assert keeping.begun == 1


def test_it_opens_as_many_connections_as_ask_at_once_and_keeps_a_few(keeping: Keeping) -> None:
    call = KeptConnections(most=2)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: asked(call, keeping), range(80))) == {200}
    assert keeping.begun < 80
    assert len(call._idle) <= 2


def test_it_notices_a_connection_that_was_closed_meanwhile(keeping: Keeping) -> None:
    call = KeptConnections()
    asked(call, keeping)
    keeping.drop()
    assert asked(call, keeping) == 200
    assert keeping.begun == 2
    aged = KeptConnections(idle_s=0)
    assert [asked(aged, keeping), asked(aged, keeping)] == [200, 200]
    assert keeping.begun == 4


def test_it_asks_once_more_where_an_old_connection_dies_under_the_question(keeping: Keeping) -> None:
    call = KeptConnections()
    asked(call, keeping)
    keeping.is_deaf = True
    with pytest.raises(ConsoleSilentError):
        asked(call, keeping)
    assert keeping.asked == ["/product/introspect"] * 3, "on the old one, and once on a new one"


def test_it_never_asks_twice_for_a_token(keeping: Keeping) -> None:
    call = KeptConnections()
    asked(call, keeping)
    keeping.is_deaf = True
    with pytest.raises(ConsoleSilentError):
        asked(call, keeping, "/product/token")
    assert keeping.asked.count("/product/token") == 1
    assert keeping.begun == 2, "a code is exchanged on a connection of its own"


def _child_asks(call: KeptConnections, keeping: Keeping) -> None:
    assert len(call._idle) == 0
    assert asked(call, keeping) == 200


def test_no_connection_is_shared_after_a_fork(keeping: Keeping) -> None:
    call = KeptConnections()
    asked(call, keeping)
    child = multiprocessing.get_context("fork").Process(target=_child_asks, args=(call, keeping))
    child.start()
    child.join(20)
    assert child.exitcode == 0
    assert keeping.begun == 2
    assert asked(call, keeping) == 200
    assert keeping.begun == 2
