"""Billing providers: none, and the one of the demo, which keeps its own records in a file."""

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from console.domain.billing.canonical_form import Snapshot, document, restored
from console.domain.billing.commands import Command
from console.domain.billing.objects import Invoice, ObjectKind
from console.domain.billing.particulars import particulars
from console.domain.errors import OutsideError
from console.ports.billing import ProviderPage
from console.ports.clock import Clock

FILE = "provider.sqlite3"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TABLE = """
CREATE TABLE invoice (
    id TEXT NOT NULL PRIMARY KEY, customer TEXT NOT NULL, number TEXT, issued_at_us INTEGER NOT NULL,
    invoice TEXT NOT NULL, UNIQUE (customer, number)
) WITHOUT ROWID
"""


class NoProvider:
    """Stands where no billing provider is connected: every question and every command is refused."""

    name = "none"

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


class DemoProvider(NoProvider):
    """Answers for invoices from the invented provider's own file, which the mirror cannot see; has nothing else."""

    name = "demo"

    def __init__(self, file: Path, *, clock: Clock) -> None:
        self._file = file
        self._clock = clock

    def fetch(self, kind: ObjectKind, thing: str) -> Snapshot | None:
        """Return an invoice by its id, or None; raises OutsideError."""
        return self._one("id = ?", thing) if kind is ObjectKind.INVOICE else None

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
        """Return invoices newest first; raises OutsideError."""
        if kind is not ObjectKind.INVOICE:
            return ProviderPage(items=(), after=None)
        edge = None if after is None else self._one("id = ?", after)
        known = {
            "customer = ?": customer,
            "issued_at_us >= ?": None if since is None else _micros(since),
            "issued_at_us < ?": None if until is None else _micros(until),
            "(issued_at_us, id) < (?, ?)": None if edge is None else (_micros(_issued(edge)), after),
        }
        given = {condition: value for condition, value in known.items() if value is not None}
        values = [each for value in given.values() for each in (value if isinstance(value, tuple) else (value,))]
        asked = f"{' AND '.join(given) or 'true'} ORDER BY issued_at_us DESC, id DESC LIMIT {int(limit)}"
        found = self._found(asked, *values)
        return ProviderPage(items=tuple(found), after=found[-1].thing.id if len(found) == limit else None)

    def invoice_of_number(self, *, customer: str, number: str) -> Snapshot | None:
        """Return an invoice of a customer by its number, or None; raises OutsideError."""
        return self._one("customer = ? AND number = ?", customer, number)

    def _one(self, asked: str, *values: object) -> Snapshot | None:
        return next(iter(self._found(asked, *values)), None)

    def _found(self, asked: str, *values: object) -> list[Snapshot]:
        wanted = f"SELECT invoice FROM invoice WHERE {asked}"  # noqa: S608  conditions of ours
        try:
            with closing(sqlite3.connect(f"{self._file.resolve().as_uri()}?mode=ro", uri=True, timeout=2)) as book:
                rows = book.execute(wanted, values).fetchall()
        except sqlite3.Error as broken:
            message = "The billing provider of the demo does not answer; run the demo again."
            raise OutsideError(message, permanent=False) from broken
        plain = [json.loads(row[0]) for row in rows]
        return [
            Snapshot(
                thing=restored(ObjectKind.INVOICE, each), raw=each, api_version="demo", fetched_at=self._clock.now()
            )
            for each in plain
        ]


def write_provider(file: Path, invoices: Iterable[Invoice]) -> int:
    """Write the invented provider's records anew, in place at the end, and return how many."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_name(f".{file.name}.new")
    draft.unlink(missing_ok=True)
    with closing(sqlite3.connect(draft, isolation_level=None)) as book:
        book.execute("PRAGMA synchronous = OFF")
        book.execute(_TABLE)
        book.execute("BEGIN")
        book.executemany("INSERT INTO invoice VALUES (?, ?, ?, ?, ?)", map(_row, invoices))
        (count,) = book.execute("SELECT count(*) FROM invoice").fetchone()
        book.execute("COMMIT")
    draft.chmod(0o600)
    draft.replace(file)
    return int(count)


def _row(invoice: Invoice) -> tuple[str, str, str | None, int, str]:
    written = json.dumps(document(invoice))
    return invoice.id, invoice.customer, invoice.number, _micros(invoice.issued_at), written


def _issued(snapshot: Snapshot) -> datetime:
    return particulars(snapshot.thing).at


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
