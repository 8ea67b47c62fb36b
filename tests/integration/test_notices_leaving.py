"""Notices to staff leave by mail or by webhook: with the person's address, once, and not lost when the way is shut."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from console.adapters.notice_letters import MailedNotices
from console.app.telling import notices_of
from console.domain.errors import OutsideError
from console.domain.ids import StaffId
from console.ports.customer_letters import Envelope
from console.ports.outbox import NoticeSink
from console.settings import load_settings
from console.usecases import deliver_notices as delivering
from console.usecases.deliver_notices import deliver_notices, reader_of
from tests.conftest import NewDatabase
from tests.databases import ENGINES, HandClock
from tests.integration.stage import Stage, new_urls, opened_stage, rows, settle_in
from tests.webhook_fakes import OpenKeys, QuietOutbound

DEMO = {
    "SALLYPORT_ENVIRONMENT": "demo",
    "SALLYPORT_LOCAL_PASSWORDS": "on",
    "SALLYPORT_SECRETS__SESSION_KEY": "session-0123456789abcdefghijklmnopqrstuv",
    "SALLYPORT_SECRETS__FINGERPRINT_KEY": "fingerprint-0123456789abcdefghijklmnopq",
    "SALLYPORT_SECRETS__SEALING_KEY": "sealing-0123456789abcdefghijklmnopqrstuv",
    "SALLYPORT_NOTICES__ADDRESS": "https://door.example/",
}


@dataclass
class Told:
    """A house with a filed request, so that somebody is to be told of it."""

    stage: Stage
    clock: HandClock
    folder: Path

    def sink(self, **given: str) -> NoticeSink:
        """Return the way out that these settings ask for."""
        settings = load_settings(DEMO | {f"SALLYPORT_{key}": value for key, value in given.items()})
        return notices_of(settings, self.stage.house)

    def mail(self) -> NoticeSink:
        """Return mail that ends in a folder."""
        return self.sink(NOTICES__MAIL="true", LETTERS__FOLDER=str(self.folder))

    def letters(self) -> list[dict[str, Any]]:
        """Return the mail that was sent."""
        return [json.loads(file.read_text()) for file in sorted(self.folder.iterdir())]

    def readers(self) -> list[str]:
        """Return who is to be told, one for each notice that waits."""
        found = rows(self.stage.url, "SELECT to_staff FROM notice WHERE delivered_at IS NULL ORDER BY at, id")
        return [str(staff) for (staff,) in found]


@pytest.fixture(params=ENGINES)
def told(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Told]:
    url, planes = new_urls(request.param, tmp_path, pg_database)
    clock = HandClock()
    with opened_stage(url, planes, clock=clock) as stage:
        settle_in(stage, ["acme"])
        stage.open("support_agent", "acme")
        stage.filed("support_agent", "acme", 300)
        stage.filed("support_agent", "acme", 310)
        yield Told(stage, clock, tmp_path / "mail")


def test_it_mails_each_notice_once_with_a_link_into_the_console(told: Told) -> None:
    readers = told.readers()
    assert len(set(readers)) > 1
    assert deliver_notices(told.stage.house, told.mail()) == len(readers)
    assert deliver_notices(told.stage.house, told.mail()) == 0
    letters = told.letters()
    with told.stage.house.store.read() as unit:
        addresses = sorted(member.email for staff in readers if (member := unit.staff.get(StaffId(staff))))
    assert sorted(letter["to"] for letter in letters) == addresses
    for letter in letters:
        assert letter["subject"] in letter["text"]
        assert "https://door.example/requests/" in letter["text"]
        assert "acme" not in json.dumps({**letter, "to": ""}).casefold(), "no tenant data leaves"
    assert told.stage.entries("notice.sent") == len(readers)


def test_it_waits_for_a_way_that_is_shut_however_long(told: Told) -> None:
    many = len(told.readers())
    told.folder.write_text("a file where a folder should be")
    for _ in range(3):
        assert deliver_notices(told.stage.house, told.mail()) == 0
        told.clock.pass_by(days=2)
    assert (told.stage.entries("notice.sent"), told.stage.entries("notice.given_up")) == (0, 0)
    told.folder.unlink()
    assert deliver_notices(told.stage.house, told.mail()) == many
    assert len(told.letters()) == many


@dataclass
class Choosy:
    """Takes no letter to one address."""

    address: str
    fault: Callable[[], OutsideError]
    taken: list[Envelope]

    def send(self, envelope: Envelope) -> None:
        if envelope.to == self.address:
            raise self.fault()
        self.taken.append(envelope)


def choosy(told: Told, fault: Callable[[], OutsideError]) -> tuple[NoticeSink, Choosy]:
    house = told.stage.house
    reader = reader_of(house, StaffId(told.readers()[0]))
    assert reader is not None
    sink = Choosy(reader.email, fault, [])
    return MailedNotices(sink, lambda staff: reader_of(house, staff), address="https://door.example"), sink


def test_many_that_wait_for_a_full_mailbox_hold_up_nobody_elses(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    readers = told.readers()
    monkeypatch.setattr(delivering, "_BATCH", 1)
    sink, server = choosy(told, lambda: OutsideError("Later.", permanent=False, about="reader"))
    while deliver_notices(told.stage.house, sink):
        pass
    assert told.readers() == [readers[0]] * readers.count(readers[0])
    assert len(server.taken) == len(readers) - readers.count(readers[0])


def test_it_gives_up_who_is_refused_for_good_and_goes_on(told: Told) -> None:
    readers = told.readers()
    lost = readers.count(readers[0])
    sink, server = choosy(told, lambda: OutsideError("No such person.", permanent=True))
    assert deliver_notices(told.stage.house, sink) == len(readers) - lost
    assert len(server.taken) == len(readers) - lost
    assert told.stage.entries("notice.given_up") == lost
    assert told.readers() == []


def test_it_keeps_no_notice_from_others_for_one_mailbox_that_is_full(told: Told) -> None:
    readers = told.readers()
    waiting = readers.count(readers[0])
    sink, _server = choosy(told, lambda: OutsideError("Later.", permanent=False, about="reader"))
    assert deliver_notices(told.stage.house, sink) == len(readers) - waiting
    assert told.readers() == [readers[0]] * waiting
    told.clock.pass_by(hours=23)
    assert deliver_notices(told.stage.house, sink) == 0
    assert told.stage.entries("notice.given_up") == 0
    told.clock.pass_by(hours=2)
    assert deliver_notices(told.stage.house, sink) == 0
    assert (told.stage.entries("notice.given_up"), told.readers()) == (waiting, [])


def test_it_writes_to_nobody_whose_account_is_switched_off(told: Told) -> None:
    gone = told.readers()[0]
    lost = told.readers().count(gone)
    with told.stage.house.store.write() as unit:
        unit.staff.set_active(StaffId(gone), is_active=False, at=told.clock.now())
    sent = deliver_notices(told.stage.house, told.mail())
    assert (sent, told.stage.entries("notice.given_up")) == (len(told.letters()), lost)
    assert told.readers() == []


def test_it_posts_signed_notices_to_the_address_of_the_company(told: Told) -> None:
    outbound = QuietOutbound()
    house = replace(told.stage.house, outbound=outbound, webhook_keys=OpenKeys())
    secret = f"whsec_{b64encode(bytes(range(32))).decode()}"
    url = "https://hooks.company.example/sallyport"
    settings = load_settings(
        DEMO | {"SALLYPORT_NOTICES__WEBHOOK_URL": url, "SALLYPORT_NOTICES__WEBHOOK_SECRET": secret}
    )
    many = len(told.readers())
    assert deliver_notices(house, notices_of(settings, house)) == many
    assert len(outbound.sent) == many
    where, headers, body = outbound.sent[0]
    posted = json.loads(body)
    assert (where, posted["type"]) == (url, "staff_notice.approval_wanted")
    assert posted["data"]["link"].startswith("https://door.example/requests/")
    assert headers["webhook-id"] == posted["data"]["id"]
    assert "webhook-signature" in headers
    assert secret not in repr(settings)


def test_it_sends_nothing_where_no_way_is_chosen(told: Told) -> None:
    assert deliver_notices(told.stage.house, told.sink()) == len(told.readers()) + told.stage.entries("notice.sent")
    assert not told.folder.exists()
