"""What cannot be recorded is not done: the trail refuses, the disk is full, the server is read-only; then it mends."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import cast

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import event

from console.domain.decisions import Deny
from console.domain.errors import ConsoleError, OutsideError, TrailUnavailableError
from console.domain.requests import State, Verdict
from console.domain.staff import Origin
from console.storage.house import Storage
from console.storage.parts import APP
from console.usecases.change_request import cancel_request
from console.usecases.execute_request import execute_request
from console.usecases.open_lease import end_lease, open_lease
from console.usecases.outcomes import Ran
from console.usecases.search_directory import search_directory
from console.usecases.sign_in import sign_in_with_password
from console.usecases.vote_on_request import vote_on_request
from tests.conftest import NewDatabase
from tests.databases import HandClock
from tests.integration.stage import (
    CONTRACT,
    NOTE,
    OVERRIDE,
    UNTIL,
    Stage,
    book,
    by_hand,
    new_urls,
    opened_stage,
    rows,
    settle_in,
    tenant,
)
from tests.web.cast import PEOPLE, on_stage

LONG = "A long note. " * 300
_REFUSING = {
    "sqlite": "CREATE TRIGGER refusing BEFORE INSERT ON audit_event BEGIN SELECT RAISE(ABORT, 'no'); END",
    "postgresql": "CREATE FUNCTION refusing() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$; "
    "CREATE TRIGGER refusing BEFORE INSERT ON audit_event FOR EACH ROW EXECUTE FUNCTION refusing()",
}
_LENIENT = {
    "sqlite": "DROP TRIGGER refusing",
    "postgresql": "DROP TRIGGER refusing ON audit_event; DROP FUNCTION refusing",
}


@contextmanager
def refusing_trigger(stage: Stage, code: str = "XX001") -> Iterator[None]:
    """Let the trail's table refuse every entry; on PostgreSQL with a code, a full disk's for example."""
    engine = "sqlite" if stage.url.startswith("sqlite") else "postgresql"
    rows(stage.url, _REFUSING[engine].replace("{code}", code))
    yield
    rows(stage.url, _LENIENT[engine])


@contextmanager
def disk_full(stage: Stage) -> Iterator[None]:
    """Let the disk be full: no page more than there are; on PostgreSQL the entry hits it."""
    if stage.url.startswith("postgresql"):
        with refusing_trigger(stage, "53100"):
            yield
        return
    with pragma(stage.storage, "max_page_count", during=1, afterwards=1_000_000):
        yield


@contextmanager
def read_only(stage: Stage) -> Iterator[None]:
    """Let the database take no writes, as a file system does after an error or a server after a fail-over."""
    if stage.url.startswith("sqlite"):
        with pragma(stage.storage, "query_only", during=1, afterwards=0):
            yield
        return
    name = rows(stage.url, "SELECT current_database()")[0][0]
    change = sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = {}")
    for mode in ("on", "off"):
        with psycopg.connect(stage.url.replace("+psycopg", ""), autocommit=True) as raw:
            raw.execute("SET default_transaction_read_only = off")
            raw.execute(change.format(sql.Identifier(name), sql.SQL(mode)))
            raw.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        if mode == "on":
            yield


@contextmanager
def no_right(stage: Stage) -> Iterator[None]:
    """Take the right to add entries away from the console (PostgreSQL), or its file's (SQLite: as read-only)."""
    if stage.url.startswith("sqlite"):
        with read_only(stage):
            yield
        return
    rows(stage.url, "REVOKE INSERT ON audit_event FROM sallyport_app")
    rows(stage.url, "REVOKE INSERT (body, leaf) ON audit_event FROM sallyport_app")
    yield
    rows(stage.url, "GRANT INSERT (body, leaf) ON audit_event TO sallyport_app")


@contextmanager
def pragma(storage: Storage, name: str, *, during: int, afterwards: int) -> Iterator[None]:
    """Set a pragma on every connection that the console takes out of its pool, past its own authorizer."""
    engine = storage.engines()[0]
    value = during

    def on_checkout(connection: object, _entry: object, _proxy: object) -> None:
        raw = cast("sqlite3.Connection", connection)
        raw.set_authorizer(None)
        raw.execute(f"PRAGMA {name} = {value}")
        raw.set_authorizer(APP.authorizer)

    event.listen(engine, "checkout", on_checkout)
    yield
    value = afterwards


BREAKINGS: dict[str, Callable[[Stage], object]] = {
    "the trail refuses": refusing_trigger,
    "the disk is full": disk_full,
    "the right is gone": no_right,
    "the database is read-only": read_only,
}


@pytest.fixture(params=["sqlite", "postgresql"])
def stage(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Stage]:
    url, planes = new_urls(request.param, tmp_path, pg_database)
    with opened_stage(url, planes, clock=HandClock(), policy=by_hand(book(), OVERRIDE)) as opened:
        settle_in(opened, ["acme", "zeta"])
        yield opened


def everything(stage: Stage) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table, but the counted attempts: those count all the more when nothing works."""
    names = (
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND sql NOT LIKE '%fts5%'"
        if stage.url.startswith("sqlite")
        else "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    )
    found = [name for (name,) in rows(stage.url, names) if name != "throttle_event"]
    return {name: sorted(rows(stage.url, f"SELECT * FROM {name}"), key=str) for name in found}


def verbs(stage: Stage) -> dict[str, Callable[[], object]]:
    """Return one of everything that people do, each ready to succeed."""
    house, agent, lead = stage.house, stage.actor("support_agent"), stage.actor("finance_lead")
    lease = stage.open("support_agent", "acme")
    ready = stage.filed("support_agent", "acme", 300)
    assert stage.approve("finance_lead", ready).request.state is State.APPROVED
    waiting = stage.filed("support_agent", "acme", 301)
    stage.see("finance_lead", waiting.id)
    person = PEOPLE["support_lead"]
    forms = (stage.form(), stage.form())
    return {
        "sign in": lambda: sign_in_with_password(
            house, email=person.email, password=person.password, code=person.code(house.clock.now()), origin=Origin()
        ),
        "be refused": lambda: sign_in_with_password(
            house, email=person.email, password="wrong", code="1", origin=Origin()
        ),
        "search": lambda: search_directory(house, agent, typed="acme"),
        "open": lambda: open_lease(house, agent, tenant=tenant("zeta"), reason=CONTRACT, minutes=None),
        "close": lambda: end_lease(house, agent, lease=lease.id),
        "note": lambda: stage.ask("support_agent", "acme", NOTE, {"text": LONG}, form_id=forms[0]),
        "ask": lambda: stage.ask(
            "support_agent", "acme", OVERRIDE, {"feature": "seats", "value": "302", "until": UNTIL}, form_id=forms[1]
        ),
        "read": lambda: stage.see("finance_lead", waiting.id),
        "vote": lambda: vote_on_request(
            house, lead, request_id=waiting.id, digest=waiting.digest, verdict=Verdict.APPROVE, comment=LONG[:900]
        ),
        "execute": lambda: execute_request(house, agent, request_id=ready.id),
        "cancel": lambda: cancel_request(house, agent, request_id=ready.id),
    }


@pytest.mark.checklist("V2.3.3")
@pytest.mark.checklist("V16.5.3")
@pytest.mark.checklist("AU-5(4)")
@pytest.mark.parametrize("how", list(BREAKINGS))
def test_it_does_nothing_that_it_cannot_record_and_goes_on_once_it_can(stage: Stage, how: str) -> None:
    wanted = verbs(stage)
    strict = how == "the trail refuses" or (how == "the right is gone" and stage.url.startswith("postgresql"))
    # A full disk still has room inside its pages; what needs a new one is refused, whole.
    tried = {"note": wanted["note"]} if how == "the disk is full" and stage.url.startswith("sqlite") else wanted
    before = everything(stage)
    with ExitStack() as broken:
        broken.enter_context(BREAKINGS[how](stage))  # type: ignore[arg-type]
        for name, verb in tried.items():
            with pytest.raises(TrailUnavailableError if strict else (TrailUnavailableError, OutsideError)):  # noqa: PT012
                told = verb()
                pytest.fail(f"{name}: {told}")
        stage.house.store.ping()
    assert everything(stage) == before
    for name in ("sign in", "search", "open", "note", "ask", "read", "execute"):
        assert not isinstance(wanted[name](), Deny), name
    assert stage.entries("action.executed") == 2


@pytest.mark.checklist("V2.3.3")
def test_a_shared_plane_and_its_entries_are_kept_or_lost_together(stage: Stage) -> None:
    stage.open("support_agent", "acme")
    with pytest.raises(ConsoleError), refusing(stage):
        stage.ask("support_agent", "acme", NOTE, {"text": "Lost."})
    assert stage.count("SELECT count(*) FROM plane_note WHERE text = 'Lost.'") == 0
    assert isinstance(stage.ask("support_agent", "acme", NOTE, {"text": "Kept."}), Ran)
    assert stage.count("SELECT count(*) FROM plane_note WHERE text = 'Kept.'") == 1
    assert stage.count("SELECT count(*) FROM request") == 1


@contextmanager
def refusing(stage: Stage) -> Iterator[None]:
    """Refuse one kind of entry only: the outcome, which comes last."""
    engine = "sqlite" if stage.url.startswith("sqlite") else "postgresql"
    only = {
        "sqlite": ("BEFORE INSERT ON audit_event ", "BEFORE INSERT ON audit_event WHEN NEW.body LIKE '%action.exec%' "),
        "postgresql": ("BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END",
                       "BEGIN IF position('action.exec' in NEW.body) > 0 THEN RAISE 'no'; END IF; RETURN NEW; END"),
    }  # fmt: skip
    rows(stage.url, _REFUSING[engine].replace(*only[engine]))
    try:
        yield
    finally:
        rows(stage.url, _LENIENT[engine])


PAGES = ("/", "/search?q=nordwind", "/requests", "/tenants", "/t/nordwind/", "/t/nordwind/members", "/t/nordwind/notes",
         "/account")  # fmt: skip


@pytest.mark.checklist("V16.5.3")
def test_its_pages_answer_503_and_come_back_without_a_restart(tmp_path: Path) -> None:
    with on_stage(tmp_path / "web.db") as cast_:
        browser = cast_.sign_in("support_agent")
        assert cast_.open_tenant(browser).status_code == 303
        url = f"sqlite:///{tmp_path / 'web.db'}"
        assert [browser.get(page).status_code for page in PAGES] == [200] * len(PAGES)
        rows(url, _REFUSING["sqlite"])
        for page in PAGES:
            answer = browser.get(page)
            assert answer.status_code == 503, page
            assert "recorded" in answer.text
        assert cast_.open_tenant(browser, "kestrel").status_code == 503
        assert browser.post("/sign-out", {}).status_code == 503
        assert cast_.stranger().get("/healthz").status_code == 200, "it answers, so it is not restarted"
        rows(url, _LENIENT["sqlite"])
        assert [browser.get(page).status_code for page in PAGES] == [200] * len(PAGES)
        assert rows(url, "SELECT count(*) FROM lease WHERE ended_at IS NULL")[0][0] == 1
