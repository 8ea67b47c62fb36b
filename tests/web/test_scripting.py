"""The example of docs/scripting.md, run as it stands there, over a real socket."""

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from werkzeug.serving import make_server

from console.adapters.clock import SystemClock
from console.web.sessions import COOKIE
from tests.databases import sqlite_url
from tests.web.cast import PEOPLE, ROOT, opened_house, populate, web_app


@dataclass(frozen=True)
class Running:
    """A served console: its address, and the folder in which a script would be started."""

    address: str
    folder: Path


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with opened_house(sqlite_url(tmp_path / "real.db"), clock=SystemClock()) as (house, storage):
        populate(house, storage, seen=datetime.now(UTC) - timedelta(days=1))
        server = make_server("127.0.0.1", 0, web_app(house, environment="demo"), threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}"
        staff = {
            key: {"role": p.role, "name": p.name, "email": p.email, "password": p.password, "totp_secret": p.secret}
            for key, p in PEOPLE.items()
        }
        (tmp_path / "var").mkdir()
        (tmp_path / "var" / "demo.json").write_text(json.dumps({"address": address, "staff": staff}))
        yield Running(address=address, folder=tmp_path)
        server.shutdown()
        thread.join()
        server.server_close()


def test_it_can_be_scripted_as_documented(
    running: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "docs" / "scripting.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    monkeypatch.chdir(running.folder)
    exec(compile(example, "docs/scripting.md", "exec"), {"__name__": "example"})  # noqa: S102  that is the test
    assert capsys.readouterr().out == "Signed in as Noor Haddad - True\n"


def test_it_can_be_scripted_with_requests(running: Running) -> None:
    person = PEOPLE["finance"]
    with requests.Session() as session:
        page = _unlocked(session, session.get(f"{running.address}/sign-in", timeout=10))
        found = re.search(r'name="csrf-token" content="([^"]+)"', page.text)
        assert found is not None
        form = {"email": person.email, "password": person.password, "code": person.code(datetime.now(UTC)),
                "csrf_token": found[1], "next": "/account"}  # fmt: skip
        sent = session.post(f"{running.address}/sign-in", data=form, timeout=10, allow_redirects=False)
        assert _unlocked(session, sent).status_code == 303
        assert COOKIE in session.cookies
        assert "Ines Okafor" in session.get(f"{running.address}/account", timeout=10).text


def _unlocked(session: requests.Session, answer: requests.Response) -> requests.Response:
    """Do what the page says about requests, which copies its jar without the policy."""
    for cookie in session.cookies:
        cookie.secure = False
    return answer
