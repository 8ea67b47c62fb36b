"""Accounting periods: their list in the control store, what each holds of one tenant, and the shelf of files."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from console.domain.accounting.journal import Event
from console.domain.accounting.ledger_files import Row
from console.domain.accounting.period_books import PeriodBooks
from console.domain.ids import Digest
from console.domain.periods import Agreement, FrozenSet, Period, PeriodId, SealedFile


class PeriodBook(Protocol):
    """Periods inside one unit of the control store."""

    def get(self, period: PeriodId) -> Period:
        """Return a period; one that nobody touched is open."""
        ...

    def known(self, *, before: PeriodId | None, limit: int) -> Sequence[Period]:
        """Return periods that somebody touched, newest first."""
        ...

    def save(self, period: Period) -> bool:
        """Store a period one version further, by one conditional write; False: somebody was faster."""
        ...


class PeriodSets(Protocol):
    """What periods hold of one tenant, on its own plane."""

    def earlier(self, period: PeriodId) -> Sequence[FrozenSet]:
        """Return the sets of all periods before one, from old to new."""
        ...

    def held(self, period: PeriodId) -> FrozenSet | None:
        """Return what one period holds."""
        ...

    def books(self, period: PeriodId) -> PeriodBooks | None:
        """Return everything that one period holds, with its objects and events."""
        ...

    def put(self, books: PeriodBooks) -> None:
        """Store what a period holds, in the place of an earlier preparation of it."""
        ...


class LedgerDraft(Protocol):
    """The files of a period while they are written."""

    def row(self, file: str, row: Row) -> None:
        """Add a row to a file."""
        ...

    def event(self, tenant: str, event: Event) -> None:
        """Add a transaction to the journals that ledger programs read."""
        ...

    def seal(self, *, digest: Digest, agreements: Sequence[Agreement] = ()) -> tuple[SealedFile, ...]:
        """Finish every file with its manifest and put all in place at once. Raises: OutsideError.

        Shape: `agreements` are the closings and reopenings before this preparation.
        """
        ...


class LedgerShelf(Protocol):
    """Where sealed files lie."""

    def writing(self, period: PeriodId) -> AbstractContextManager[LedgerDraft]:
        """Begin a period's files; what is not sealed leaves nothing behind. Raises: OutsideError."""
        ...

    def sign(self, period: PeriodId, agreements: Sequence[Agreement]) -> Digest:
        """Write into the manifest who agreed, in the place of what it said of that; return its SHA-256.

        Raises: NotFoundError where the period has no manifest, OutsideError.
        """
        ...

    def found(self, period: PeriodId, name: str) -> Digest | None:
        """Return the SHA-256 of a file as it lies there now, or None where it is missing. Raises: OutsideError."""
        ...

    def read(self, period: PeriodId, name: str) -> Iterator[bytes]:
        """Yield a file in pieces. Raises: NotFoundError, OutsideError."""
        ...
