"""Letters to customers."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Select, delete, select, update
from sqlalchemy.orm import Session

from console.domain.ids import TenantId
from console.domain.trust.letters import Letter, LetterKind, Way
from console.ports.customer_letters import CustomerWebhook
from console.storage.rows import add, add_unless_taken, changed
from console.storage.trust_tables import CustomerLetterRow, CustomerWebhookRow


class StoredCustomerLetters:
    """The CustomerLetters of one unit."""

    def __init__(self, session: Session) -> None:
        """Work inside the unit's transaction."""
        self._session = session

    def add(self, letter: Letter) -> bool:
        """Queue a letter; False when one about the same thing, by the same way, is known."""
        values = {**asdict(letter), "sent_at": None, "gave_up_at": None}
        return add_unless_taken(self._session, CustomerLetterRow, values)

    def has_digest(self, tenant: TenantId) -> bool:
        """Return whether a digest for a tenant is queued."""
        row = CustomerLetterRow
        queued = (row.tenant == tenant, row.kind == LetterKind.DIGEST, row.sent_at.is_(None), row.gave_up_at.is_(None))
        return self._session.scalar(select(row.id).where(*queued).limit(1)) is not None

    def due(self, now: datetime, *, limit: int) -> Sequence[Letter]:
        """Return what is due, longest first."""
        row = CustomerLetterRow
        queued = (row.sent_at.is_(None), row.gave_up_at.is_(None), row.due_at <= now)
        return self._many(select(row).where(*queued).order_by(row.due_at, row.id).limit(limit))

    def sent(self, letter: str, *, at: datetime) -> bool:
        """Remember that it went out; False when it had."""
        row = CustomerLetterRow
        return (
            changed(self._session, update(row).where(row.id == letter, row.sent_at.is_(None)).values(sent_at=at)) == 1
        )

    def failed(self, letter: Letter, *, because: str, due_at: datetime | None, at: datetime) -> None:
        """Remember a failure and when to try again; None gives it up."""
        row = CustomerLetterRow
        values = {"tries": letter.tries + 1, "because": because}
        values |= {"gave_up_at": at} if due_at is None else {"due_at": due_at}
        changed(self._session, update(row).where(row.id == letter.id, row.sent_at.is_(None)).values(**values))

    def given_up(self, tenant: TenantId, *, limit: int) -> Sequence[Letter]:
        """Return what could not be delivered to a tenant, newest first."""
        row = CustomerLetterRow
        wanted = select(row).where(row.tenant == tenant, row.gave_up_at.is_not(None))
        return self._many(wanted.order_by(row.at.desc(), row.id.desc()).limit(limit))

    def webhook(self, tenant: TenantId) -> CustomerWebhook | None:
        """Return where a tenant's letters go by webhook."""
        row = self._session.scalar(select(CustomerWebhookRow).where(CustomerWebhookRow.tenant == tenant))
        if row is None:
            return None
        return CustomerWebhook(
            tenant=tenant, url=row.url, secret_sealed=row.secret_sealed, set_at=row.set_at, set_by=row.set_by
        )

    def set_webhook(self, webhook: CustomerWebhook) -> None:
        """Put an address in place of another."""
        self.forget_webhook(webhook.tenant)
        add(self._session, CustomerWebhookRow, asdict(webhook))

    def forget_webhook(self, tenant: TenantId) -> bool:
        """Remove the address; False when there was none."""
        return changed(self._session, delete(CustomerWebhookRow).where(CustomerWebhookRow.tenant == tenant)) == 1

    def _many(self, wanted: Select[CustomerLetterRow]) -> list[Letter]:
        return [
            Letter(
                id=row.id,
                tenant=TenantId(row.tenant),
                kind=LetterKind(row.kind),
                way=Way(row.way),
                about=row.about,
                at=row.at,
                due_at=row.due_at,
                tries=row.tries,
                because=row.because,
            )
            for row in self._session.scalars(wanted)
        ]
