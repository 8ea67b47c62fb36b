"""The served demo is killed while four people work with it over HTTP; it comes back with all that they were told."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyotp
import pytest
import requests

from console.adapters.demo.generator import PLANES
from console.adapters.demo.staff import demo_environ
from console.app.building import opened_building
from console.settings import load_settings
from console.usecases.recover_executions import recover_executions
from tests.integration.stage import ROOT, rows
from tests.web.walks import _Fields

WHO = ("support_agent", "support_agent_2", "support_lead", "support_lead_2")
PROGRAM = "from console.app import main; main()"
ENOUGH = 24
WITHIN_S = 90
_TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')


@contextmanager
def served(var: Path, port: int) -> Iterator[str]:
    """Serve the demo until the block ends, then kill it with every process that it started."""
    arguments = ["demo", "--tenants", "50", "--port", str(port), "--var", str(var)]
    with (var.parent / "said.txt").open("ab") as said:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments], cwd=ROOT, stdout=said, stderr=said, start_new_session=True
        )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + WITHIN_S
        while not _is_well(address):
            assert process.poll() is None, (var.parent / "said.txt").read_text()
            assert time.monotonic() < deadline, (var.parent / "said.txt").read_text()
            time.sleep(0.1)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _is_well(address: str) -> bool:
    try:
        return requests.get(f"{address}/healthz", timeout=5).status_code == 200
    except requests.RequestException:
        return False


class Visitor:
    """Somebody with a browser: signs in, opens a tenant and leaves notes, each told by a redirect when it is stored."""

    def __init__(self, address: str, staff: dict[str, str], slug: str) -> None:
        """Start signed out."""
        self.address, self.staff, self.slug = address, staff, slug
        self.session = requests.Session()
        self.token = ""
        self.told: list[str] = []

    def get(self, path: str) -> requests.Response:
        """Open a page."""
        return self._saw(self.session.get(self.address + path, timeout=20, allow_redirects=False))

    def post(self, path: str, form: dict[str, Any]) -> requests.Response:
        """Send a form with the token of the page seen last."""
        sent = {**form, "csrf_token": self.token}
        return self._saw(self.session.post(self.address + path, data=sent, timeout=20, allow_redirects=False))

    def begin(self) -> None:
        """Sign in and open the tenant."""
        self.get("/sign-in")
        code = pyotp.TOTP(self.staff["totp_secret"]).now()
        form = {"email": self.staff["email"], "password": self.staff["password"], "code": code, "next": "/account"}
        assert self.post("/sign-in", form).status_code == 303
        page = f"/tenants/{self.slug}/lease"
        self.get(page)
        why = {"reason_code": "CUSTOMER_SUPPORT", "reason_reference": "SUP-48213", "reason_note": "", "minutes": ""}
        answer = self.post(page, why)
        assert answer.status_code == 303, answer.text

    def work(self) -> None:
        """Leave notes and look around until the server is gone."""
        with suppress(requests.RequestException):
            while True:
                self.note(f"Note {len(self.told)} of {self.staff['email']}")
                assert self.get(f"/t/{self.slug}/members").status_code == 200

    def note(self, text: str) -> None:
        """Leave one note by the form, its preview and the sending."""
        path = f"/t/{self.slug}/actions/tenant.add_note"
        previewed = self.post(path, {**self._fields(self.get(path), path), "text": text, "step": "preview"})
        sent = self.post(path, {**self._fields(previewed, path), "step": "ask"})
        assert sent.status_code == 303, sent.text
        self.told.append(text)

    def _fields(self, answer: requests.Response, path: str) -> dict[str, Any]:
        parser = _Fields(path)
        parser.feed(answer.text)
        assert parser.found, answer.text
        return {name: value for name, value in parser.found.items() if name != "csrf_token"}

    def _saw(self, answer: requests.Response) -> requests.Response:
        assert "Server" not in answer.headers, "a scanner need not be told which server this is"
        for cookie in self.session.cookies:
            cookie.secure = False  # this jar does not know that loopback counts as secure
        found = _TOKEN.search(answer.text)
        self.token = found[1] if found else self.token
        return answer


def settings_of(var: Path) -> Any:  # noqa: ANN401  the settings of a demo
    """Return the settings under which the demo of a folder runs."""
    return load_settings(demo_environ(var, planes=PLANES))


def tenants_of(var: Path) -> list[str]:
    """Return one active tenant of each plane, and another."""
    found = rows(
        settings_of(var).database_url,
        "SELECT slug, plane FROM directory_tenant WHERE status = 'active' ORDER BY plane, slug",
    )
    firsts = {plane: slug for slug, plane in reversed(found)}
    return [*firsts.values(), *(slug for slug, _plane in found if slug not in firsts.values())][: len(WHO)]


def stored_notes(var: Path) -> list[str]:
    """Return the notes that visitors left, on every plane."""
    urls = {settings_of(var).database_url, *settings_of(var).plane_urls.values()}
    return [text for url in urls for (text,) in rows(url, "SELECT text FROM plane_note WHERE text LIKE 'Note % of %'")]


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.checklist("V2.3.3")
@pytest.mark.slow
def test_the_served_demo_survives_being_killed(tmp_path: Path) -> None:
    var, port = tmp_path / "var", free_port()
    with served(var, port) as address:
        staff = json.loads((var / "demo.json").read_text())["staff"]
        visitors = [Visitor(address, staff[who], slug) for who, slug in zip(WHO, tenants_of(var), strict=True)]
        for visitor in visitors:
            visitor.begin()
        threads = [threading.Thread(target=visitor.work) for visitor in visitors]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + WITHIN_S
        while sum(len(visitor.told) for visitor in visitors) < ENOUGH and time.monotonic() < deadline:
            assert any(thread.is_alive() for thread in threads)
            time.sleep(0.01)
    for thread in threads:
        thread.join()
    told = [text for visitor in visitors for text in visitor.told]
    assert len(told) >= ENOUGH
    with served(var, port):
        assert [visitor.get("/account").status_code for visitor in visitors] == [200] * len(visitors)
        visitors[0].note("Note of him who came back")
    with opened_building(settings_of(var)) as building:
        recover_executions(building.house, older_than_s=0)
        while building.sequencer.run_once():
            pass
        found = building.sequencer.verify()
    assert found.is_sound, found.findings
    assert not found.dangling_intents
    stored = stored_notes(var)
    assert len(stored) == len(set(stored))
    assert set(told) <= set(stored)
    assert len(stored) - len(told) <= len(WHO)  # at most one each was stored without its visitor hearing of it
    url = settings_of(var).database_url
    ran = "SELECT count(*) FROM audit_event WHERE action = 'action.executed' AND body LIKE '%tenant.add_note%'"
    assert rows(url, ran)[0][0] == len(stored) + 1
    print(f"served demo: {len(told)} notes told, {len(stored)} stored, {found.sequenced} entries verified")  # noqa: T201
