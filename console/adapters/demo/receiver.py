"""A receiver of webhooks on this machine: a real HTTP server with moods, and a log of all that ever arrived.

It serves the demo, and tests read its log as the only witness that did not take part. Every path has its own mood, set
by POST /_mood/<path> with {"mood": "ok"}; GET /_log returns what arrived, one JSON object to a line.
"""

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any

RECEIVER_PORT = 8099
RECEIVER_URL = f"http://127.0.0.1:{RECEIVER_PORT}"
_CHUNK = b"x" * 65_536
_HUGE_CHUNKS = 16_384  # a gibibyte
_LONGEST_BODY = 1_048_576
_LAZY_S = 0.02


@dataclass
class Moods:
    """How each path answers. Units: `slow_s` seconds; `flaky` fails that share of the time, by seeded dice."""

    by_path: dict[str, str] = field(default_factory=dict)
    slow_s: float = 2.0
    flaky: float = 0.2
    dice: Random = field(default_factory=lambda: Random(7))  # noqa: S311  moods are no secret
    lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, path: str) -> str:
        """Return the mood of a path, now."""
        with self.lock:
            mood = self.by_path.get(path, "ok")
            if mood == "flaky":
                return "fail" if self.dice.random() < self.flaky else "ok"
            return mood


class Receiver:
    """The server in a thread of its own; every request is in the log before it is answered."""

    def __init__(self, *, port: int = 0, log: Path | None = None) -> None:
        """Listen at once on loopback; `log` is a file that survives the process. Raises: OSError when taken."""
        self.moods = Moods()
        self.log: list[Mapping[str, Any]] = []
        self._file = None if log is None else os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.receiver = self
        self._thread = threading.Thread(target=self._server.serve_forever, name="receiver", daemon=True)

    @property
    def url(self) -> str:
        """Return the address to send to."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> "Receiver":
        """Answer from now on."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close the server; what hangs is left to its own end."""
        self._server.shutdown()
        self._server.server_close()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def keep(self, path: str, headers: Mapping[str, str], body: bytes, answered: str) -> None:
        """Log one request; a line is one write, so that a killed process leaves whole lines."""
        line = {
            "path": path,
            "id": headers.get("webhook-id", ""),
            "headers": dict(headers),
            "body": body.decode("utf-8", "replace"),
            "mood": answered,
            "at": time.time(),
        }
        if self._file is not None:
            os.write(self._file, (json.dumps(line) + "\n").encode())
        else:
            self.log.append(line)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    receiver: Receiver

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of senders that hang up."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        lines = "".join(json.dumps(line) + "\n" for line in self.server.receiver.log)
        self._answer(200, lines.encode())

    def do_POST(self) -> None:
        receiver = self.server.receiver
        body = self.rfile.read(min(int(self.headers.get("content-length") or 0), _LONGEST_BODY))
        if self.path.startswith("/_mood"):
            receiver.moods.by_path[self.path.removeprefix("/_mood")] = str(json.loads(body)["mood"])
            self._answer(204, b"")
            return
        mood = receiver.moods.of(self.path)
        receiver.keep(self.path, {name.lower(): value for name, value in self.headers.items()}, body, mood)
        if mood in {"slow", "lazy"}:
            time.sleep(receiver.moods.slow_s if mood == "slow" else _LAZY_S)
        special = {"huge": self._huge, "drip": self._drip, "silent": self._silent, "rude": self._rude}.get(mood)
        if special is not None:
            special()
            return
        status = {"fail": 500, "busy": 429, "gone": 410, "moved": 302}.get(mood, 200)
        extra = {"Retry-After": "3"} if mood == "busy" else {"Location": "/elsewhere"} if mood == "moved" else {}
        self._answer(status, json.dumps({"mood": mood}).encode(), extra)

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _huge(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(_CHUNK) * _HUGE_CHUNKS))
        self.end_headers()
        for _each in range(_HUGE_CHUNKS):
            self.wfile.write(_CHUNK)

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        for _each in range(100_000):
            self.wfile.write(b".")
            time.sleep(0.05)

    def _silent(self) -> None:
        self.close_connection = True
        self.connection.settimeout(60.0)
        self.connection.recv(1)  # until the sender hangs up

    def _rude(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's own signature
        """Write nothing to the terminal."""


def main() -> None:
    """Serve as a process of its own: `python -m console.adapters.demo.receiver PORT LOG`; prints its address."""
    port, log = sys.argv[1:3]
    receiver = Receiver(port=int(port), log=Path(log)).start()
    sys.stdout.write(receiver.url + "\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main()
