"""How letters to customers leave the house: as files, by mail, or posted to a webhook and signed."""

import json
import re
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Literal

from console.adapters.private_files import put_document
from console.domain.errors import OutsideError
from console.domain.ids import EndpointId, MessageId
from console.domain.trust.letters import Way
from console.domain.webhooks import AttemptOutcome, EndpointKey, KeyAlgorithm
from console.ports.customer_letters import Envelope, LetterSink
from console.ports.sending import Outbound, WebhookKeys

_ODD = re.compile(r"[^A-Za-z0-9_-]")
_LINES = re.compile(r"[\r\n]+")
_GONE = range(400, 500)
_LATER = frozenset({408, 425, 429})


class NoLetters:
    """Takes no letters by mail: nobody has said how they should leave."""

    def send(self, envelope: Envelope) -> None:
        """Refuse for now; raises OutsideError."""
        message = "No way for letters is set up: see letters.folder and letters.smtp_host."
        raise OutsideError(message, permanent=False, letter=envelope.id)


class LetterFolder:
    """Writes one JSON file per letter; sending one again rewrites its own file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, envelope: Envelope) -> None:
        """Deliver one letter; raises OutsideError."""
        letter = {
            "id": envelope.id,
            "kind": envelope.kind,
            "to": envelope.to,
            "subject": envelope.subject,
            "text": envelope.text,
            "facts": envelope.facts,
            "at": envelope.at.isoformat(),
        }
        try:
            put_document(self._folder, envelope.id, letter, at=envelope.at)
        except OSError as broken:
            message = f"The letter could not be written: {broken.strerror}."
            raise OutsideError(message, permanent=False) from broken


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRoute:
    """Where mail is handed over. Units: seconds."""

    host: str
    port: int
    user: str | None
    password: str | None
    tls: Literal["starttls", "implicit", "none"]
    sender: str
    timeout_s: float


class MailLetters:
    """Hands letters to a mail server, each to one person, so that no address is seen by another."""

    def __init__(self, route: MailRoute) -> None:
        self._route = route

    def send(self, envelope: Envelope) -> None:
        """Deliver one letter; raises OutsideError, permanent where the server refuses the address for good."""
        mail = EmailMessage(policy=SMTP)
        try:
            mail["From"] = self._route.sender
            mail["To"] = envelope.to
            mail["Subject"] = _LINES.sub(" ", envelope.subject)
            mail["Message-ID"] = f"<{_ODD.sub('-', envelope.id)}@{self._route.sender.rpartition('@')[2]}>"
            mail["Auto-Submitted"] = "auto-generated"
            mail.set_content(envelope.text)
            with self._server() as server:
                server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as refused:
            codes = [code for code, _text in refused.recipients.values()]
            message = "The mail server refuses this address."
            is_final = all(code >= 500 for code in codes)
            raise OutsideError(message, permanent=is_final, about="reader") from refused
        except (smtplib.SMTPException, OSError, ValueError) as broken:
            message = f"The mail server did not take the letter: {type(broken).__name__}."
            raise OutsideError(message, permanent=isinstance(broken, ValueError)) from broken

    def _server(self) -> smtplib.SMTP:
        route = self._route
        context = ssl.create_default_context()
        if route.tls == "implicit":
            server: smtplib.SMTP = smtplib.SMTP_SSL(route.host, route.port, timeout=route.timeout_s, context=context)
        else:
            server = smtplib.SMTP(route.host, route.port, timeout=route.timeout_s)
            if route.tls == "starttls":
                server.starttls(context=context)
        if route.user is not None:
            server.login(route.user, route.password or "")
        return server


class WebhookLetters:
    """Posts letters to the customer's own address, signed after Standard Webhooks, by the guarded way out."""

    def __init__(self, outbound: Outbound, keys: WebhookKeys) -> None:
        self._outbound = outbound
        self._keys = keys

    def send(self, envelope: Envelope) -> None:
        """Deliver one letter; raises OutsideError, permanent where the receiver wants none."""
        body = json.dumps(
            {"type": f"{envelope.topic}.{envelope.kind}", "timestamp": envelope.at.isoformat(), "data": envelope.facts},
            ensure_ascii=False,
        ).encode()
        key = EndpointKey(
            id="letter",
            endpoint=EndpointId("letter"),
            algorithm=KeyAlgorithm.V1,
            sealed=envelope.secret or "",
            public=None,
            created_at=envelope.at,
            expires_at=None,
        )
        signed = self._keys.headers([key], message=MessageId(envelope.id), at=envelope.at, body=body)
        answer = self._outbound.post(envelope.to, headers={"content-type": "application/json", **signed}, body=body)
        if answer.outcome is AttemptOutcome.SUCCESS:
            return
        is_refused = answer.status is not None and answer.status in _GONE and answer.status not in _LATER
        raise OutsideError(answer.error or f"The receiver answered {answer.status}.", permanent=is_refused)


@dataclass(frozen=True, slots=True, kw_only=True)
class LettersByWay:
    """Sends each letter by its own way."""

    mail: LetterSink
    webhook: LetterSink

    def send(self, envelope: Envelope) -> None:
        """Deliver one letter; raises OutsideError."""
        (self.mail if envelope.way is Way.MAIL else self.webhook).send(envelope)
