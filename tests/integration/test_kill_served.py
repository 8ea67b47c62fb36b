"""The served house is killed while five people work with it over HTTP; it comes back with all that they were told.

Ten kills in the middle of five hundred actions: `SALLYPORT_KILLS=10 pytest -s tests/integration/test_kill_served.py`.
"""

import os
import re
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
import requests

from console.adapters.demo.generator import PLANES
from console.adapters.demo.staff import DemoPerson, kept_staff, write_demo_file
from console.app.building import opened_building
from console.domain.requests import State
from console.usecases.recover_executions import recover_executions
from tests.conftest import NewDatabase
from tests.databases import ENGINES, empty_url, plane_url
from tests.integration.served_world import serve_house, settings_of
from tests.integration.stage import rows
from tests.processes import free_port, started
from tests.web.walks import _Fields

WHO = ("support_agent", "support_agent_2", "support_lead", "support_lead_2")
JUDGE = "finance_lead"
ENOUGH = 50  # things that people were told before each kill
KILLS = int(os.environ.get("SALLYPORT_KILLS", "1"))
WITHIN_S = 120
SEATS = {"free": 2, "starter": 5, "pro": 20, "business": 100, "enterprise": 500}
KINDS = ("noted", "filed", "withdrawn", "voted")
_TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')
_WAITING = re.compile(r'href="/requests/(req_[0-9a-z]+)"')


@contextmanager
def served(told: Mapping[str, str]) -> Iterator[str]:
    """Serve the house until the block ends, then kill it with every process that it started."""
    said = Path(told["var"]).parent / "said.txt"
    process, out = started(serve_house, dict(told), said=said)
    address = f"http://127.0.0.1:{told['port']}"
    with out:
        try:
            deadline = time.monotonic() + WITHIN_S
            while not _is_well(address):
                assert process.is_alive(), said.read_text()
                assert time.monotonic() < deadline, said.read_text()
                time.sleep(0.1)
            yield address
        finally:
            assert process.pid is not None
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.join()


def _is_well(address: str) -> bool:
    try:
        return requests.get(f"{address}/healthz", timeout=5).status_code == 200
    except requests.RequestException:
        return False


@dataclass
class Visitor:
    """Somebody with a browser, who is told by a redirect that a thing is stored. Shape: `told` is (what, which)."""

    address: str
    staff: DemoPerson
    slug: str = ""
    seats: int = 0
    session: requests.Session = field(default_factory=requests.Session)
    token: str = ""
    told: list[tuple[str, str]] = field(default_factory=list)
    steps: int = 0
    asked: int = 0

    def get(self, path: str) -> requests.Response:
        """Open a page."""
        return self._saw(self.session.get(self.address + path, timeout=20, allow_redirects=False))

    def post(self, path: str, form: dict[str, Any]) -> requests.Response:
        """Send a form with the token of the page seen last."""
        sent = {**form, "csrf_token": self.token}
        return self._saw(self.session.post(self.address + path, data=sent, timeout=20, allow_redirects=False))

    def begin(self) -> None:
        """Sign in, and open the tenant where there is one."""
        self.get("/sign-in")
        code = pyotp.TOTP(self.staff.totp_secret).now()
        form = {"email": self.staff.email, "password": self.staff.password, "code": code, "next": "/account"}
        assert self.post("/sign-in", form).status_code == 303
        if self.slug:
            page = f"/tenants/{self.slug}/lease"
            self.get(page)
            why = {
                "reason_code": "CONTRACT_CHANGE",
                "reason_reference": "CTR-2026-0117",
                "reason_note": "",
                "minutes": "",
            }
            answer = self.post(page, why)
            assert answer.status_code == 303, answer.text

    def work(self) -> None:
        """Do one thing after another until the server is gone."""
        with suppress(requests.RequestException):
            while True:
                self.step()

    def step(self) -> None:
        """Leave a note, ask for an override, withdraw every third of those, and look around."""
        self.steps += 1
        self.note(f"Note {self.steps} of {self.staff.email}")
        request = self.ask()
        if self.steps % 3 == 0 and self.post(f"/requests/{request}/cancellation", {}).status_code == 303:
            self.told.append(("withdrawn", request))
        assert self.get(f"/t/{self.slug}/members").status_code == 200

    def note(self, text: str) -> None:
        """Leave one note by the form, its preview and the sending."""
        assert self._sent("tenant.add_note", {"text": text}).status_code == 303
        self.told.append(("noted", text))

    def ask(self) -> str:
        """Ask for more seats, which a finance lead has to agree to; return the request."""
        until = datetime.now(UTC) + timedelta(days=90)
        self.asked += 1
        value = self.seats * (2 + self.asked % 9)
        seats = {"feature": "seats", "value": str(value), "until": f"{until:%Y-%m-%d}"}
        sent = self._sent("entitlement.override", seats)
        if sent.status_code == 422 and "The tenant already has" in sent.text:
            return self.ask()
        request = sent.headers["Location"].rpartition("/")[2]
        self.told.append(("filed", request))
        return request

    def _sent(self, key: str, typed: dict[str, str]) -> requests.Response:
        path = f"/t/{self.slug}/actions/{key}"
        previewed = self.post(path, {**self._fields(self.get(path), path), **typed, "step": "preview"})
        sent = self.post(path, {**self._fields(previewed, path), "step": "ask"})
        if sent.status_code == 409:  # the judge was between the preview and this: look again, and ask again
            return self._sent(key, typed)
        assert sent.status_code in {303, 422}, sent.text
        return sent

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


class Judge(Visitor):
    """A finance lead who agrees to whatever waits, or says no to it."""

    def step(self) -> None:
        """Judge each request of the inbox; one may be withdrawn meanwhile, then its page has no ballot."""
        time.sleep(0.05)
        for number, request in enumerate(dict.fromkeys(_WAITING.findall(self.get("/requests").text))):
            path = f"/requests/{request}"
            page = self.get(path)
            if f'action="{path}/votes"' in page.text:
                says = {"verdict": "reject", "comment": "No."} if number % 4 == 3 else {"verdict": "approve"}
                if self.post(f"{path}/votes", {**self._fields(page, f"{path}/votes"), **says}).status_code == 303:
                    self.told.append(("voted", request))


def tenants_of(told: Mapping[str, str]) -> list[tuple[str, int]]:
    """Return one active tenant of each plane, and another, with the seats of their plans."""
    wanted = "SELECT slug, plane, plan FROM directory_tenant WHERE status = 'active' ORDER BY plane, slug"
    found = [(slug, plane, SEATS[plan]) for slug, plane, plan in rows(told["url"], wanted)]
    firsts = {plane: (slug, seats) for slug, plane, seats in reversed(found)}
    others = [(slug, seats) for slug, _plane, seats in found if (slug, seats) not in firsts.values()]
    return [*firsts.values(), *others][: len(WHO)]


def on_planes(told: Mapping[str, str], sql: str) -> list[tuple[Any, ...]]:
    """Return the rows of a statement on every plane."""
    return [row for url in {told["url"], *(told[name] for name in PLANES)} for row in rows(url, sql)]


@pytest.fixture(params=ENGINES)
def told(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> dict[str, str]:
    """Say where a house is to be served from: its folder, its port, its databases."""
    var = tmp_path / "var"
    var.mkdir()
    url = empty_url(request.param, tmp_path / "control.db", pg_database)
    planes = {name: plane_url(request.param, tmp_path / f"plane-{name}.db", pg_database) for name in PLANES}
    return {"var": str(var), "port": str(free_port()), "url": url, **planes}


def begun(told: Mapping[str, str], staff: Mapping[str, DemoPerson], address: str) -> list[Visitor]:
    """Return the people, each signed in, and each visitor with a tenant open."""
    visitors = [
        Visitor(address, staff[who], slug, seats) for who, (slug, seats) in zip(WHO, tenants_of(told), strict=True)
    ]
    people = [*visitors, Judge(address, staff[JUDGE])]
    for each in people:
        each.begin()
    return people


@pytest.mark.slow
@pytest.mark.checklist("V2.3.3")
def test_the_served_house_survives_being_killed(told: dict[str, str]) -> None:
    hired = kept_staff(Path(told["var"]))
    write_demo_file(Path(told["var"]), hired, address="")
    staff = {person.key: person for person in hired}
    address = f"http://127.0.0.1:{told['port']}"
    people: list[Visitor] = []
    for kill in range(1, KILLS + 1):
        with served(told):
            people = people or begun(told, staff, address)
            threads = [threading.Thread(target=each.work) for each in people]
            for thread in threads:
                thread.start()
            deadline = time.monotonic() + WITHIN_S
            while sum(len(each.told) for each in people) < kill * ENOUGH and time.monotonic() < deadline:
                assert all(thread.is_alive() for thread in threads)
                time.sleep(0.01)
        for thread in threads:
            thread.join()
    heard = {kind: [which for each in people for what, which in each.told if what == kind] for kind in KINDS}
    assert all(heard.values()), heard
    assert sum(len(each) for each in heard.values()) >= KILLS * ENOUGH
    with served(told):
        assert [each.get("/account").status_code for each in people] == [200] * len(people)
        people[0].note("Note of him who came back")
    with opened_building(settings_of(told)) as building:
        recover_executions(building.house, older_than_s=0)
        while building.sequencer.run_once():
            pass
        found = building.sequencer.verify()
    assert found.is_sound, found.findings
    assert not found.dangling_intents
    check_stored(told, heard)
    print({kind: len(each) for kind, each in heard.items()}, f"{found.sequenced} entries verified")  # noqa: T201


def check_stored(told: Mapping[str, str], heard: Mapping[str, list[str]]) -> None:
    """All that was said is there; of what was not said, at most one thing a person and kill; and nothing is half."""
    notes = [text for (text,) in on_planes(told, "SELECT text FROM plane_note WHERE text LIKE 'Note % of %'")]
    assert len(notes) == len(set(notes))
    assert set(heard["noted"]) <= set(notes)
    assert len(notes) - len(heard["noted"]) <= KILLS * len(WHO) + 1  # and the note of him who came back
    states = dict(rows(told["url"], "SELECT id, state FROM request"))
    assert set(heard["filed"]) <= states.keys()
    assert {states[request] for request in heard["withdrawn"]} == {State.CANCELLED}
    assert set(heard["voted"]) <= {row[0] for row in rows(told["url"], "SELECT request FROM request_vote")}
    assert State.EXECUTING not in states.values()
    ran = rows(told["url"], "SELECT execution FROM request WHERE state = 'executed' AND tenant IS NOT NULL")
    marks = on_planes(told, "SELECT execution FROM plane_applied_execution WHERE outcome = 'applied'")
    assert ran
    assert sorted(marks) == sorted(ran)  # what was done to tenants, each once
    for action, state in (("action.executed", "executed"), ("request.cancelled", "cancelled"),
                          ("request.rejected", "rejected")):  # fmt: skip
        entries = rows(told["url"], "SELECT correlation FROM audit_event WHERE action = ?", action)
        assert sorted(row[0] for row in entries) == sorted(id_ for id_, stood in states.items() if stood == state)
