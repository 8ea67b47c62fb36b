"""How letters leave: as private files, by mail to one person each, signed by webhook; and how failure is told."""

import json
import smtplib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Self

import pytest

from console.adapters.letter_sinks import (
    LetterFolder,
    LettersByWay,
    MailLetters,
    MailRoute,
    NoLetters,
    WebhookLetters,
)
from console.domain.errors import OutsideError
from console.domain.trust.letters import LetterKind, Way
from console.domain.webhooks import AttemptOutcome
from console.ports.customer_letters import Envelope
from console.ports.sending import Answer
from tests.webhook_fakes import OpenKeys, QuietOutbound

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def letter(way: Way = Way.MAIL, **changed: Any) -> Envelope:  # noqa: ANN401  fields of Envelope
    usual: dict[str, Any] = {
        "id": "ltr_1-mem_1", "way": way, "kind": LetterKind.CONSENT, "to": "boss@acme.example",
        "subject": "May we do this?", "text": "Look here.", "facts": {"consent": "cns_1"}, "at": NOON,
    }  # fmt: skip
    return Envelope(**(usual | changed))


def test_a_folder_gets_one_private_file_however_often_it_is_sent(tmp_path: Path) -> None:
    sink = LetterFolder(tmp_path / "letters")
    for _ in range(2):
        sink.send(letter())
    (file,) = (tmp_path / "letters").iterdir()
    assert json.loads(file.read_text())["to"] == "boss@acme.example"
    assert file.stat().st_mode & 0o077 == 0


def test_a_folder_keeps_the_letters_of_two_readers_apart_whatever_they_are_called(tmp_path: Path) -> None:
    readers = ("a.b", "a:b", "a_b", "../b", "x" * 400, "x" * 399 + "y")
    for reader in readers:
        LetterFolder(tmp_path / "letters").send(letter(id=f"ltr_1-{reader}", to=f"{len(reader)}@acme.example"))
    assert len(list((tmp_path / "letters").iterdir())) == len(readers)
    assert [each.name for each in tmp_path.iterdir()] == ["letters"]


def test_a_folder_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "letters").write_text("a file where a folder should be")
    with pytest.raises(OutsideError) as away:
        LetterFolder(tmp_path / "letters").send(letter())
    assert not away.value.permanent


def test_without_a_way_nothing_is_lost() -> None:
    with pytest.raises(OutsideError) as away:
        NoLetters().send(letter())
    assert not away.value.permanent


@dataclass
class Server:
    """A mail server that takes or refuses."""

    refusal: smtplib.SMTPException | OSError | None = None
    taken: list[EmailMessage] = field(default_factory=list)
    was_secured: bool = False
    signed_in: tuple[str, str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        return None

    def starttls(self, **_context: object) -> None:
        self.was_secured = True

    def login(self, user: str, password: str) -> None:
        assert self.was_secured, "never a password over a line that can be read"
        self.signed_in = (user, password)

    def send_message(self, mail: EmailMessage) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.taken.append(mail)


ROUTE = MailRoute(
    host="mail.example", port=587, user="sallyport", password="hidden", tls="starttls",
    sender="access@brightline.example", timeout_s=5,
)  # fmt: skip


def served(monkeypatch: pytest.MonkeyPatch, server: Server) -> MailLetters:
    monkeypatch.setattr(smtplib, "SMTP", lambda *_args, **_options: server)
    return MailLetters(ROUTE)


def test_mail_goes_to_one_person_over_a_secured_line(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    served(monkeypatch, server).send(letter(subject="May we\r\nBcc: everybody@x.example"))
    (mail,) = server.taken
    assert (mail["To"], mail["Bcc"], server.signed_in) == ("boss@acme.example", None, ("sallyport", "hidden"))
    assert mail["Message-ID"] == "<ltr_1-mem_1@brightline.example>"
    assert "Look here." in mail.get_content()


@pytest.mark.parametrize(
    ("refusal", "is_final"),
    [
        (smtplib.SMTPRecipientsRefused({"boss@acme.example": (550, b"no such person")}), True),
        (smtplib.SMTPRecipientsRefused({"boss@acme.example": (450, b"later")}), False),
        (smtplib.SMTPServerDisconnected("gone"), False),
        (ConnectionRefusedError("nobody listens"), False),
    ],
    ids=["no such person", "later", "cut off", "nobody listens"],
)
def test_mail_that_is_not_taken_says_whether_to_try_again(
    monkeypatch: pytest.MonkeyPatch, refusal: smtplib.SMTPException | OSError, is_final: bool
) -> None:
    with pytest.raises(OutsideError) as away:
        served(monkeypatch, Server(refusal=refusal)).send(letter())
    assert away.value.permanent is is_final
    is_of_reader = isinstance(refusal, smtplib.SMTPRecipientsRefused)
    assert (away.value.facts.get("about") == "reader") is is_of_reader, "others can still be reached"


@pytest.mark.parametrize(
    ("outcome", "status", "is_final"),
    [
        (AttemptOutcome.REFUSED, 401, True),
        (AttemptOutcome.SLOW_DOWN, 429, False),
        (AttemptOutcome.TIMEOUT, None, False),
    ],
    ids=["refused", "slow down", "silent"],
)
def test_a_webhook_that_is_not_taken_says_whether_to_try_again(
    outcome: AttemptOutcome, status: int | None, is_final: bool
) -> None:
    outbound = QuietOutbound(answer=Answer(outcome=outcome, status=status, took_ms=1))
    with pytest.raises(OutsideError) as away:
        WebhookLetters(outbound, OpenKeys()).send(letter(Way.WEBHOOK, to="https://siem.example/in", secret="sealed:x"))
    assert away.value.permanent is is_final


def test_each_letter_goes_its_own_way(tmp_path: Path) -> None:
    outbound = QuietOutbound()
    ways = LettersByWay(mail=LetterFolder(tmp_path), webhook=WebhookLetters(outbound, OpenKeys()))
    ways.send(letter())
    ways.send(letter(Way.WEBHOOK, to="https://siem.example/in", secret="sealed:x"))
    ((url, headers, body),) = outbound.sent
    assert url == "https://siem.example/in"
    assert headers["webhook-id"] == "ltr_1-mem_1"
    assert json.loads(body)["type"] == "staff_access.consent"
    assert len(list(tmp_path.iterdir())) == 1
