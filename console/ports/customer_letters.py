"""Letters to customers: queued with the change that causes them, sent afterwards, never in the way of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from console.domain.ids import TenantId
from console.domain.trust.letters import Letter, Way


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerWebhook:
    """Where a tenant's letters go by webhook; the secret is sealed."""

    tenant: TenantId
    url: str
    secret_sealed: str
    set_at: datetime
    set_by: str


class CustomerLetters(Protocol):
    """Queues letters inside one unit of work; a sink never sees one whose change was rolled back."""

    def add(self, letter: Letter) -> bool:
        """Queue a letter; False when one about the same thing, by the same way, is known."""
        ...

    def has_digest(self, tenant: TenantId) -> bool:
        """Return whether a digest for a tenant is queued."""
        ...

    def due(self, now: datetime, *, limit: int) -> Sequence[Letter]:
        """Return what is due, longest first."""
        ...

    def sent(self, letter: str, *, at: datetime) -> bool:
        """Remember that it went out; False when it had."""
        ...

    def failed(self, letter: Letter, *, because: str, due_at: datetime | None, at: datetime) -> None:
        """Remember a failure and when to try again; None gives it up."""
        ...

    def given_up(self, tenant: TenantId, *, limit: int) -> Sequence[Letter]:
        """Return what could not be delivered to a tenant, newest first."""
        ...

    def webhook(self, tenant: TenantId) -> CustomerWebhook | None:
        """Return where a tenant's letters go by webhook."""
        ...

    def set_webhook(self, webhook: CustomerWebhook) -> None:
        """Put an address in place of another."""
        ...

    def forget_webhook(self, tenant: TenantId) -> bool:
        """Remove the address; False when there was none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A letter as it leaves. Shape: `to` is an e-mail address or a web address; `secret` signs what a webhook takes.

    `topic` and `kind` say to programs what it is about: letters to customers are about `staff_access`.
    """

    id: str
    way: Way
    kind: str
    to: str
    subject: str
    text: str
    facts: dict[str, object]
    at: datetime
    secret: str | None = None
    topic: str = "staff_access"


class LetterSink(Protocol):
    """Takes letters out of the house: a folder, mail, a webhook."""

    def send(self, envelope: Envelope) -> None:
        """Deliver one letter; raises OutsideError."""
        ...
