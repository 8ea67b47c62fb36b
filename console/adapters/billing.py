"""Billing providers: none, and the one of the demo, which keeps its own records in a file."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from console.domain.billing.canonical_form import Snapshot
from console.domain.billing.commands import Command
from console.domain.billing.objects import ObjectKind
from console.domain.errors import OutsideError
from console.ports.billing import NO_PROVIDER, ProviderInvoice, ProviderPage

FILE = "provider.sqlite3"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TABLE = """
CREATE TABLE invoice (
    customer TEXT NOT NULL, number TEXT NOT NULL, status TEXT NOT NULL, amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL, paid_at_us INTEGER, PRIMARY KEY (customer, number)
) WITHOUT ROWID
"""


class NoBilling:
    """Stands where no billing provider is connected."""

    def invoice(self, *, customer: str, number: str) -> ProviderInvoice | None:
        """Raise OutsideError: there is nobody to ask."""
        message = "No billing provider is connected; set billing.adapter."
        raise OutsideError(message, permanent=True)


class NoProvider:
    """Stands where no billing provider is connected: every question and every command is refused."""

    name = NO_PROVIDER

    def fetch(self, kind: ObjectKind, thing: str) -> Snapshot | None:
        """Raise OutsideError: there is nobody to ask."""
        raise _nobody()

    def page(
        self,
        kind: ObjectKind,
        *,
        customer: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> ProviderPage:
        """Raise OutsideError: there is nobody to ask."""
        raise _nobody()

    def invoice_of_number(self, *, customer: str, number: str) -> Snapshot | None:
        """Raise OutsideError: there is nobody to ask."""
        raise _nobody()

    def carry_out(self, command: Command, *, key: str) -> Snapshot:
        """Raise OutsideError: there is nobody to act."""
        raise _nobody()

    def carried_out(self, command: Command, *, key: str) -> Snapshot | None:
        """Raise OutsideError: there is nobody to ask."""
        raise _nobody()


def _nobody() -> OutsideError:
    return OutsideError("No billing provider is connected; set billing.adapter.", permanent=True)


class DemoBilling:
    """Answers from the invented provider's own file, which the mirror cannot see."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def invoice(self, *, customer: str, number: str) -> ProviderInvoice | None:
        """Return an invoice of a customer, or None; raises OutsideError."""
        asked = "SELECT status, amount_minor, currency, paid_at_us FROM invoice WHERE customer = ? AND number = ?"
        try:
            with closing(sqlite3.connect(f"{self._file.resolve().as_uri()}?mode=ro", uri=True, timeout=2)) as book:
                row = book.execute(asked, (customer, number)).fetchone()
        except sqlite3.Error as broken:
            message = "The billing provider of the demo does not answer; run the demo again."
            raise OutsideError(message, permanent=False) from broken
        if row is None:
            return None
        status, amount, currency, paid_at_us = row
        paid_at = None if paid_at_us is None else _EPOCH + timedelta(microseconds=paid_at_us)
        return ProviderInvoice(number=number, status=status, amount_minor=amount, currency=currency, paid_at=paid_at)


def write_provider(file: Path, invoices: Iterable[tuple[str, ProviderInvoice]]) -> int:
    """Write the invented provider's records anew, in place at the end, and return how many."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_name(f".{file.name}.new")
    draft.unlink(missing_ok=True)
    with closing(sqlite3.connect(draft, isolation_level=None)) as book:
        book.execute("PRAGMA synchronous = OFF")
        book.execute(_TABLE)
        book.execute("BEGIN")
        book.executemany("INSERT INTO invoice VALUES (?, ?, ?, ?, ?, ?)", map(_row, invoices))
        (count,) = book.execute("SELECT count(*) FROM invoice").fetchone()
        book.execute("COMMIT")
    draft.chmod(0o600)
    draft.replace(file)
    return int(count)


def _row(pair: tuple[str, ProviderInvoice]) -> tuple[str, str, str, int, str, int | None]:
    customer, invoice = pair
    paid_us = None if invoice.paid_at is None else (invoice.paid_at - _EPOCH) // timedelta(microseconds=1)
    return customer, invoice.number, invoice.status, invoice.amount_minor, invoice.currency, paid_us
