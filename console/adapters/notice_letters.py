"""Notices to staff as letters: by mail to the person, or posted to the company's own webhook."""

from collections.abc import Callable

from console.domain.errors import OutsideError
from console.domain.ids import StaffId
from console.domain.staff import StaffMember
from console.domain.trust.letters import Way
from console.ports.customer_letters import Envelope, LetterSink
from console.ports.outbox import Notice

TOPIC = "staff_notice"
Readers = Callable[[StaffId], StaffMember | None]


class MailedNotices:
    """Writes to the address that the person signs in with; the link leads into the console, which asks who comes."""

    def __init__(self, sink: LetterSink, readers: Readers, *, address: str) -> None:
        self._sink = sink
        self._readers = readers
        self._address = address.rstrip("/")

    def send(self, notice: Notice) -> None:
        """Deliver one notice; raises OutsideError, permanent where nobody is there to read it."""
        reader = self._readers(notice.to)
        if reader is None or not reader.is_active:
            raise OutsideError("The account is gone or switched off.", permanent=True)
        self._sink.send(_envelope(notice, Way.MAIL, to=reader.email, address=self._address))


class PostedNotices:
    """Posts every notice to one address of the company, signed, with whom it is for."""

    def __init__(self, sink: LetterSink, *, url: str, secret: str, address: str) -> None:
        self._sink = sink
        self._url = url
        self._secret = secret
        self._address = address.rstrip("/")

    def send(self, notice: Notice) -> None:
        """Deliver one notice; raises OutsideError."""
        self._sink.send(_envelope(notice, Way.WEBHOOK, to=self._url, address=self._address, secret=self._secret))


def _envelope(notice: Notice, way: Way, *, to: str, address: str, secret: str | None = None) -> Envelope:
    link = f"{address}{notice.path}"
    facts: dict[str, object] = {"id": notice.id, "to": notice.to, "sentence": notice.sentence, "link": link}
    return Envelope(
        id=notice.id,
        way=way,
        topic=TOPIC,
        kind=notice.kind,
        to=to,
        subject=notice.sentence,
        text=f"{notice.sentence}\n\n{link}\n",
        facts=facts,
        at=notice.at,
        secret=secret,
    )
