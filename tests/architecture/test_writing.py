"""What changes something records it: every writing unit of a day's work leaves an entry in the same transaction."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from traceback import extract_stack
from typing import Any

import pytest

from console.domain.catalogue import CATALOGUE
from console.ports.store import ControlUnit, Store
from tests.architecture.tree import ROOT, modules, texts
from tests.attacks.door import CONTRACT, SEATS, Door, opened_door
from tests.web.matrix import stored

# Written without an entry, on purpose: each is told by another entry, or tells nothing that happened to anybody.
QUIET = {
    "save_session_values": "form token and messages of one's own browser",
    "mark_notices_read": "one's own reading of one's own notices; the account page that shows them is recorded",
}


# What docs/trail.md says of each.
QUIET_IN_WORDS = {"save_session_values": "form tokens", "mark_notices_read": "one's own notices read"}


@dataclass
class SpyStore:
    """A store that watches what each writing unit changed and whether it told."""

    inner: Store
    file: Path
    faults: list[str] = field(default_factory=list)
    units: int = 0

    @contextmanager
    def write(self) -> Iterator[ControlUnit]:
        """Open a writing unit and compare before and after."""
        who = next(frame.name for frame in reversed(extract_stack()) if "/usecases/" in frame.filename)
        before, told = stored(self.file), self._entries()
        with self.inner.write() as unit:
            yield unit
        self.units += 1
        changed = {name for name, rows in stored(self.file).items() if rows != before[name]}
        if changed and self._entries() == told and who not in QUIET:
            self.faults.append(f"{who} changed {sorted(changed)} and told nobody")

    def read(self) -> Any:  # noqa: ANN401  the store's own context
        """Open a reading unit."""
        return self.inner.read()

    def ping(self) -> None:
        """Pass on."""
        self.inner.ping()

    def _entries(self) -> int:
        with closing(sqlite3.connect(self.file)) as raw:
            found: int = raw.execute("SELECT count(*) FROM audit_event").fetchone()[0]
            return found


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[Door, SpyStore]]:
    with opened_door(tmp_path / "spy.db") as door:
        spy = SpyStore(inner=door.cast.house.store, file=tmp_path / "spy.db")
        door.refurnish(store=spy)
        yield door, spy


@pytest.mark.checklist("V2.3.3")
@pytest.mark.checklist("V16.3.2")
def test_it_tells_of_every_change_of_a_working_day(watched: tuple[Door, SpyStore]) -> None:
    door, spy = watched
    agent, lead = door.inside(), door.enter("finance_lead")
    rejected, cancelled, revised = (door.ask(agent) for _ in range(3))
    lead.get(f"/requests/{rejected}")
    lead.post(f"/requests/{rejected}/votes", door.ballot(rejected, "reject"))
    agent.post(f"/requests/{cancelled}/cancellation")
    form = door.preview(agent, f"/requests/{revised}/revision", {**SEATS, "value": "260"})
    agent.post(f"/requests/{revised}/revision", {n: v for n, v in form.items() if not n.startswith("reason")})
    door.vote(lead, revised)
    assert door.request(revised).state == "executed"
    path, note = "/t/nordwind/actions/tenant.add_note", {"text": "Called back."}
    agent.post(path, door.preview(agent, path, note, **CONTRACT))
    (lease,) = door.leases("support_agent")
    agent.post(f"/leases/{lease.id}/end")
    door.cast.step_up(agent, "support_agent")
    for browser in (agent, lead):
        browser.get("/account")
        browser.post("/account/notices/read")
    late = door.asked("support_agent_2")
    door.cast.clock.pass_by(hours=5)
    lead = door.enter("finance_lead")
    lead.get(f"/requests/{late}")
    assert door.request(late).state == "expired_pending"
    lead.post("/sign-out")
    assert spy.units > 40
    assert spy.faults == []


@pytest.mark.checklist("V16.2.1")
@pytest.mark.checklist("V16.2.2")
def test_it_says_who_when_where_and_how_it_ended_in_every_entry(watched: tuple[Door, SpyStore]) -> None:
    door, _spy = watched
    agent = door.inside()
    agent.get("/t/nordwind/members")
    door.vote(door.enter("finance_lead"), door.ask(agent))
    for entry in door.cast.entries():
        assert entry["ts_us"] > 0
        assert entry["actor"]["kind"]
        assert entry["action"] in CATALOGUE
        assert entry["outcome"] in {"success", "denied", "failed", "unknown"}
        assert entry["request"]["route"].startswith("/")
        assert entry["request"]["ip"] == "127.0.0.1"
        if entry["action"] == "tenant.read":
            assert (entry["tenant"]["slug"], entry["reason"]["code"]) == ("nordwind", "CUSTOMER_SUPPORT")


@pytest.mark.checklist("V16.5.3")
@pytest.mark.checklist("AU-5(4)")
def test_it_does_nothing_when_it_cannot_be_told(tmp_path: Path) -> None:
    with opened_door(tmp_path / "mute.db") as door:
        agent = door.inside()
        form = door.preview(agent, "/t/nordwind/actions/tenant.add_note", {"text": "Called back."}, **CONTRACT)
        door.sql("CREATE TRIGGER mute BEFORE INSERT ON audit_event BEGIN SELECT RAISE(ABORT, 'the trail is gone'); END")
        before = stored(door.file)
        for answer in (
            agent.get("/t/nordwind/members"),
            agent.get("/"),
            agent.post("/t/nordwind/actions/tenant.add_note", form),
            agent.post("/sign-out"),
            door.cast.stranger().get("/account"),
        ):
            assert answer.status_code == 503, answer.text
            assert "Member 1" not in answer.text
        assert stored(door.file) == before
        door.sql("DROP TRIGGER mute")
        assert agent.get("/t/nordwind/members").status_code == 200


def test_it_documents_what_leaves_no_entry() -> None:
    told = (ROOT / "docs" / "trail.md").read_text().partition("## What stands in an entry")[0]
    assert QUIET_IN_WORDS.keys() == QUIET.keys()
    assert [words for words in QUIET_IN_WORDS.values() if words not in told] == []


def test_it_writes_every_entry_that_the_catalogue_knows() -> None:
    written = set[str]().union(*(texts(name) for name in modules() if name != "console.domain.catalogue"))
    built = {f"request.{verb}_refused" for verb in ("cancel", "revoke")}
    silent = set(CATALOGUE) - written - built
    assert not silent
