"""One person's browser on either app: over loopback with keep-alive, or straight into the app."""

import http.client
import re
import time
from dataclasses import dataclass
from html import unescape
from typing import Protocol
from urllib.parse import urlencode

from flask import Flask

_TOKEN = re.compile(r'name="csrf-token" content="([^"]*)"')
_FORM = re.compile(r'<form class="walk".*?</form>', re.DOTALL)
_INPUT = re.compile(r"<input\b[^>]*>")
_ATTRIBUTE = re.compile(r'(name|value)="([^"]*)"')
_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and how long it took. Units: seconds."""

    status: int
    text: str
    size: int
    location: str
    seconds: float
    cookie: str = ""

    def token(self) -> str:
        """Return the form token of a page."""
        found = _TOKEN.search(self.text)
        return found[1] if found else ""

    def carried(self) -> dict[str, str]:
        """Return what the form of an action's page carries along in its inputs."""
        form = _FORM.search(self.text)
        fields = (dict(_ATTRIBUTE.findall(tag)) for tag in _INPUT.findall(form[0] if form else ""))
        return {each["name"]: unescape(each.get("value", "")) for each in fields if "name" in each}


class Caller(Protocol):
    """Sends requests as one person."""

    def send(self, method: str, path: str, form: dict[str, str] | None = None) -> Answer:
        """Return the answer to one request."""
        ...

    def refresh(self) -> None:
        """Begin a round on a live connection."""
        ...


class Loopback:
    """A keep-alive connection to a server of this machine."""

    def __init__(self, port: int, cookie: str = "") -> None:
        """Connect when first needed."""
        self._port = port
        self._cookie = cookie
        self._connection = http.client.HTTPConnection(_HOST, port, timeout=60)

    def refresh(self) -> None:
        """Connect anew: the server closes idle connections."""
        self._connection.close()
        self._connection.connect()

    def send(self, method: str, path: str, form: dict[str, str] | None = None) -> Answer:
        """Return the answer to one request."""
        body = None if form is None else urlencode(form)
        headers = {"Host": f"{_HOST}:{self._port}", "Cookie": self._cookie}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        started = time.perf_counter()
        self._connection.request(method, path, body=body, headers=headers)
        response = self._connection.getresponse()
        raw = response.read()
        spent = time.perf_counter() - started
        return Answer(
            status=response.status,
            text=raw.decode("utf-8", "replace"),
            size=len(raw),
            location=response.headers.get("Location", ""),
            seconds=spent,
            cookie=response.headers.get("Set-Cookie", ""),
        )


class Inside:
    """Calls into an app of this process, without a socket."""

    def __init__(self, app: Flask, cookie: str = "") -> None:
        """Send one cookie with every request."""
        self._client = app.test_client(use_cookies=False)
        self._cookie = cookie

    def refresh(self) -> None:
        """Do nothing: there is no connection."""

    def send(self, method: str, path: str, form: dict[str, str] | None = None) -> Answer:
        """Return the answer to one request."""
        headers = {"Cookie": self._cookie}
        started = time.perf_counter()
        response = self._client.open(
            path, method=method, data=form, headers=headers, base_url=f"http://{_HOST}", buffered=True
        )
        raw = response.get_data()
        spent = time.perf_counter() - started
        return Answer(
            status=response.status_code,
            text=raw.decode("utf-8", "replace"),
            size=len(raw),
            location=response.headers.get("Location", ""),
            seconds=spent,
            cookie=response.headers.get("Set-Cookie", ""),
        )
