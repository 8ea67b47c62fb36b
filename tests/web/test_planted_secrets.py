"""Secrets planted in everything that programs write: no page, no entry and no log line repeats them."""

import json
import logging
import sqlite3
from contextlib import closing
from urllib.parse import urlencode

import pytest

from console.app.scrubbing import ScrubbedRecord
from console.domain.ids import InboundId
from console.domain.imports import DeliveryRecord, delivery_id_of
from console.domain.inbound import InboundEvent, InboundState
from console.domain.jobs import JobDraft
from console.domain.product_jobs import ProductJobRecord
from console.usecases import own_sessions
from console.usecases.run_jobs import run_due_jobs
from console.web.views import door
from tests.databases import NOON
from tests.web.cast import PEOPLE, Browser, Cast
from tests.web.webhook_stage import MAIN, open_for_incident
from tests.web.world import NORDWIND, TENANTS

CORE = "5ecretc0re"
PLANTED = (
    f"Bearer {CORE}1aaaaaaaa",
    f"whsec_{CORE}2aaaaaaaa",
    f"sk_live_{CORE}3aaaaaa",
    f"session_token={CORE}4",
    f"password={CORE}5",
    f"https://user:{CORE}6@db.example/x",
    f"cookie: sid={CORE}7",
)
TEXT = "; ".join(PLANTED)
MESSAGE = "msg_planted"
DELIVERY = delivery_id_of(NORDWIND, MESSAGE, "main")
LOST = "inb_0000000000000000000000000z"


def plant(cast: Cast) -> str:
    """Put them into payloads, answers, headers, errors and arguments; return the id of a job that failed with them."""
    payload = json.dumps({"type": "x", "data": {"api_key": PLANTED[2], "list": list(PLANTED), "note": TEXT}})
    with cast.storage.bulk.write() as bulk:
        bulk.put(
            [
                DeliveryRecord(
                    tenant=NORDWIND, message=MESSAGE, endpoint="main", event_type="invoice.paid", outcome="failed",
                    status_code=503, attempts=1, at=NOON, created_at=NOON, payload=payload,
                ),
                ProductJobRecord(
                    tenant=NORDWIND, external_id="planted", job="report.run", state="failed", attempts=1,
                    created_at=NOON, run_at=NOON, queue="reports", last_error=TEXT,
                ),
            ]
        )  # fmt: skip
    now = cast.clock.now()
    with cast.house.store.write() as unit:
        kept = InboundEvent(
            id=InboundId(LOST), provider="stripe", account="acct_1", is_live=True, event_id="evt_p",
            event_type="invoice.paid", object_id="in_p", customer="cus_p", made_at=now, received_at=now,
            payload=payload.encode(), state=InboundState.RECEIVED,
        )  # fmt: skip
        assert unit.inbox.add(kept)
        draft = JobDraft(
            kind="no.such_kind", key="planted", payload={"token": PLANTED[0], "deep": [{"url": PLANTED[5]}]}
        )
        job = unit.jobs.add(draft, at=now)
    assert job is not None
    return job


def answered(cast: Cast, file: str, *, body: str) -> None:
    """Write an attempt whose receiver answered with this, as a database from before today may hold one."""
    with closing(sqlite3.connect(file)) as raw, raw:
        columns = [row[1] for row in raw.execute("PRAGMA table_info(plane_webhook_attempt)")]
        micros = int(cast.clock.now().timestamp() * 1_000_000)
        known = {
            "tenant_id": TENANTS["nordwind"], "id": "wha_planted", "delivery": DELIVERY, "endpoint": MAIN,
            "number": 7, "trigger": "scheduled", "run": None, "started_at": micros, "took_ms": 5, "outcome": "5xx",
            "status": 503, "error": TEXT, "keys": "[]",
            "sent_headers": json.dumps([["x-note", PLANTED[0]], ["webhook-signature", f"v1,{CORE}8"]]),
            "got_headers": json.dumps([["set-cookie", f"sid={CORE}9"], ["location", PLANTED[5]]]), "got_body": body,
        }  # fmt: skip
        assert set(columns) <= set(known), set(columns) - set(known)
        marks = ", ".join("?" for _ in columns)
        raw.execute(f"INSERT INTO plane_webhook_attempt VALUES ({marks})", [known[name] for name in columns])


def file_of(cast: Cast) -> str:
    with closing(cast.storage.engines()[0].connect()) as connection:
        file = connection.engine.url.database
    assert file is not None
    return file


def pages(job: str) -> tuple[str, ...]:
    here = "/t/nordwind"
    hooks = tuple(f"{here}/webhooks{page}" for page in ("", "/deliveries", f"/deliveries/{DELIVERY}", "/dead-letters"))
    return (
        f"{here}/", f"{here}/jobs", f"{here}/entries", f"{here}/customer", *hooks, "/operations", "/operations/jobs",
        f"/operations/jobs/{job}", "/operations/inbox", f"/operations/inbox/{LOST}",
    )  # fmt: skip


@pytest.mark.checklist("V16.2.5")
def test_no_page_entry_or_log_line_repeats_a_planted_secret(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(ScrubbedRecord)
    try:
        job = plant(cast)
        file = file_of(cast)
        answered(cast, file, body=TEXT)
        with caplog.at_level(logging.DEBUG, logger="console"):
            run_due_jobs(cast.house, worker="w")
            _look(open_for_incident(cast, "engineer"), pages(job))
            auditor = cast.sign_in("security_auditor")
            _look(auditor, ("/trail", *(f"/trail/{entry['uid']}" for entry in cast.entries("job.refused"))))
    finally:
        logging.setLogRecordFactory(before)
    with closing(sqlite3.connect(file)) as raw:
        bodies = [body for (body,) in raw.execute("SELECT body FROM audit_event")]
    assert bodies
    assert [body for body in bodies if CORE in body] == []
    assert CORE not in caplog.text


@pytest.mark.checklist("V16.2.5")
def test_no_log_line_repeats_what_somebody_signs_in_with(
    cast: Cast, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signed in, turned away, and turned out by a fault of the console, which is what writes the longest lines."""
    person = PEOPLE["support_agent"]
    form = {"email": person.email, "password": person.password, "code": "000000", "next": "/"}
    with caplog.at_level(logging.DEBUG):
        browser = cast.sign_in("support_agent")
        session = browser.cookie("__Host-sallyport")
        stranger = cast.stranger()
        stranger.get("/sign-in")
        assert stranger.post("/sign-in", form).status_code == 401
        monkeypatch.setattr(own_sessions, "read_account", _fault)
        monkeypatch.setattr(door, "sign_in_with_password", _fault)
        assert browser.get("/account").status_code == 500
        form["code"] = code = cast.code("support_agent")
        assert stranger.post("/sign-in", form).status_code == 500
    assert caplog.text.count("Traceback") == 2
    secrets = (person.password, person.secret, code, session, browser.token, stranger.token)
    assert all(secrets)
    assert [secret for secret in secrets if secret in caplog.text] == []


def _fault(*_given: object, **_named: object) -> None:
    message = "a fault of the console"
    raise RuntimeError(message)


@pytest.mark.parametrize("typed", ["Ada.Byron@nordwind.example", "x@nordwind.example Ada Byron", "ada.byron@"])
def test_the_trail_keeps_no_address_of_a_member_that_somebody_looked_for(cast: Cast, typed: str) -> None:
    agent = cast.sign_in("support_agent")
    for _ in range(2):
        assert agent.get(f"/search?{urlencode({'q': typed})}").status_code == 200
    first, second = (entry["facts"] for entry in cast.entries("directory.search"))
    assert "byron" not in json.dumps(cast.entries()).lower()
    assert first == second
    assert len(str(first["query_digest"])) == 64
    agent.get("/search?q=nordwind.example")
    assert "nordwind.example" in json.dumps(cast.entries("directory.search"))


def _look(browser: Browser, paths: tuple[str, ...]) -> None:
    for path in paths:
        answer = browser.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        assert CORE not in answer.text, (path, answer.text[max(0, answer.text.index(CORE) - 200) :][:400])


def test_an_answer_that_repeats_its_payload_is_masked_as_the_payload_is(cast: Cast) -> None:
    echo = {"error": "invalid_signature", "message": "Ada Byron owes 4711", "got": {"name": "Ada Byron", "owes": 4711}}
    plant(cast)
    answered(cast, file_of(cast), body=json.dumps(echo))
    text = open_for_incident(cast, "engineer").get(f"/t/nordwind/webhooks/deliveries/{DELIVERY}").text
    assert "invalid_signature" in text, "what a machine calls the fault is shown"
    assert "Ada Byron" not in text
    assert "4711" not in text
