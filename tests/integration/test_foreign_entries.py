"""A database login that may add entries adds some that no house writes: they are named, and hold nobody else's up."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from console.domain.jobs import JobDraft, JobState
from console.domain.merkle import leaf_hash
from console.ports.sequencer import FindingKind
from console.storage.engines import open_database
from console.storage.parts import APP
from console.usecases.keep_reviews import KEEP_REVIEWS_JOB
from console.usecases.publish_accesses import publish_accesses
from console.usecases.run_jobs import run_due_jobs
from console.usecases.watch_trail import watch_trail
from tests.conftest import NewDatabase
from tests.databases import ENGINES
from tests.integration.cast import PaperSigner, PaperSink
from tests.web.cast import Cast, on_stage, peopled_url

DEEP = '{"uid":"ent_deep","x":' + "[" * 3_000 + "]" * 3_000 + "}"
FOREIGN = {
    "nothing": "{}",
    "a list": "[1]",
    "a number": "1",
    "without a writer": '{"action":"tenant.read","actor":{},"ts_us":1,"uid":"ent_a"}',
    "a run by nobody": '{"action":"action.executed","actor":{"id":1},"effect":"none","ts_us":1,"uid":"ent_b","w":1}',
    "of another form": '{"action":[],"actor":5,"tenant":7,"ts_us":5,"uid":"ent_c"}',
    "a name twice": '{"uid":"ent_d","uid":"ent_e"}',
    "too deep to read": DEEP,
}


@pytest.fixture(params=ENGINES)
def cast(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Cast]:
    with on_stage(peopled_url(request.param, tmp_path / "c.db", pg_database)) as opened:
        yield opened


def put_in(cast: Cast, body: str) -> None:
    """Add an entry as whoever has the login of the application, and nothing else of the house."""
    values = {"body": body, "leaf": leaf_hash(body.encode())}
    opened = open_database(cast.storage._settings.database_url, part=APP)
    with closing(opened), opened.writing.begin() as connection:
        connection.execute(text("INSERT INTO audit_event (body, leaf) VALUES (:body, :leaf)"), values)


def lookalikes(cast: Cast) -> list[str]:
    """Return entries of an access, a run and a sign-in of which one part each is not as a house writes it."""
    found: list[str] = []
    wrongs: tuple[object, ...] = ("x", 2**53 - 1, [[]], {"id": [], "kind": "staff", "code": 1})
    for action in ("tenant.read", "staff.sign_in"):
        real = cast.entries(action)[-1]
        for part in ("actor", "ts_us", "reason", "targets", "changes", "authorisation", "facts", "class", "tenant"):
            for wrong in wrongs:
                forged = {**real, part: wrong, "uid": f"ent_{len(found):04d}", "w": ["wri_x", len(found) + 1, None]}
                found.append(json.dumps(forged, sort_keys=True, separators=(",", ":")))
    return found


@pytest.mark.checklist("V16.4.2")
def test_what_no_house_writes_is_named_and_holds_nobody_up(cast: Cast) -> None:
    agent, auditor = cast.sign_in("support_agent"), cast.sign_in("security_auditor")
    assert cast.open_tenant(agent).status_code == 303
    assert agent.get("/t/nordwind/members").status_code == 200
    sequencer = cast.storage.sequencer(PaperSigner(), PaperSink())
    while sequencer.run_once():
        pass
    shaped = [body for body in lookalikes(cast) if is_taken(cast, body)]
    lately = f'"ts_us":{int(cast.clock.now().timestamp() * 1_000_000) - 1},'
    foreign = [name for name, body in FOREIGN.items() if is_taken(cast, body.replace('"ts_us":1,', lately))]
    assert len(foreign) >= len(FOREIGN) - 2, foreign
    assert agent.get("/t/nordwind/notes").status_code == 200
    while sequencer.run_once():
        pass
    found = sequencer.verify().findings
    named = [each for each in found if each.kind is FindingKind.NOT_CANONICAL]
    assert len(named) >= len(foreign), "each is named"
    while watch_trail(cast.house):
        pass
    while publish_accesses(cast.house):
        pass
    with cast.house.store.write() as unit:
        assert not unit.reader.placed_after(unit.signals.watched(), limit=1), "all of it was looked at"
        assert not unit.reader.placed_after(unit.disclosures.position(), limit=1)
        unit.jobs.add(JobDraft(kind=KEEP_REVIEWS_JOB, key="now"), at=cast.clock.now())
    run_due_jobs(cast.house, worker="w1", limit=50)
    with cast.house.store.read() as unit:
        (kept,) = unit.jobs.page(state=None, kind=KEEP_REVIEWS_JOB, fingerprint=None, tenant=None, before=None, limit=2)
    assert (kept.state, kept.last_error) == (JobState.SUCCEEDED, None)
    pages = ["/trail", *(f"/trail/ent_{number:04d}" for number in range(len(shaped)))]
    assert {page: code for page in pages if (code := auditor.get(page).status_code) not in {200, 404}} == {}


def is_taken(cast: Cast, body: str) -> bool:
    """Return whether the database takes an entry; some it refuses by itself."""
    try:
        put_in(cast, body)
    except DBAPIError:  # for a type, a depth or a key
        return False
    return True
