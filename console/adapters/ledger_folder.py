"""Sealed files of accounting periods in local folders: CSV and XLSX of every file, and journals for ledger programs.

A period's folder appears whole or not at all. What is written depends on the rows alone, so that the same rows give
the same bytes, whenever and wherever they are written.
"""

import csv
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import xlsxwriter

from console.adapters.ledger_journals import Journal, journals
from console.domain.accounting.journal import Event
from console.domain.accounting.ledger_files import FILES, Cell, Row, neutral
from console.domain.errors import NotFoundError, OutsideError
from console.domain.ids import Digest
from console.domain.periods import RULES, Agreement, PeriodId, SealedFile

MANIFEST = "manifest.json"
_AGREEMENTS = "agreements"
_SHEET_ROWS = 1_000_000  # a sheet takes 1,048,576
_PIECE = 1 << 16
_MADE = datetime(2000, 1, 1)  # noqa: DTZ001  a workbook's own property; fixed, so that bytes depend on rows alone


class _Sheets:
    """One workbook, written row by row in constant memory; another sheet where one is full."""

    def __init__(self, file: Path, title: str, columns: tuple[str, ...]) -> None:
        self._book = xlsxwriter.Workbook(
            str(file),
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "tmpdir": str(file.parent),
            },
        )  # fmt: skip  what breaks off goes with the draft
        self._book.set_properties({"title": title, "created": _MADE})
        self._title = title[:25]
        self._columns = columns
        self._sheets = 0
        self._next = _SHEET_ROWS

    def add(self, cells: list[str | int]) -> None:
        if self._next >= _SHEET_ROWS:
            self._sheets += 1
            name = self._title if self._sheets == 1 else f"{self._title} {self._sheets}"
            self._sheet = self._book.add_worksheet(name)
            self._sheet.write_row(0, 0, self._columns)
            self._next = 1
        for column, cell in enumerate(cells):
            if isinstance(cell, int):
                self._sheet.write_number(self._next, column, cell)
            elif cell:
                self._sheet.write_string(self._next, column, cell)
        self._next += 1

    def let_go(self) -> None:
        for sheet in self._book.worksheets():
            sheet.row_data_fh.close()

    def close(self) -> None:
        if not self._sheets:
            self._book.add_worksheet(self._title).write_row(0, 0, self._columns)
        self._book.close()


class _Written:
    """One file in both forms, counted and totalled while it is written."""

    def __init__(self, name: str, folder: Path, stack: ExitStack) -> None:
        self.kind = FILES[name]
        self.paths = (folder / f"{name}.csv", folder / f"{name}.xlsx")
        self.rows = 0
        self.totals: dict[str, int] = {}
        self._csv = csv.writer(stack.enter_context(_text(self.paths[0])), lineterminator="\r\n")
        self._csv.writerow(self.kind.columns)
        self._sheets = _Sheets(self.paths[1], self.kind.title, self.kind.columns)

    def add(self, row: Row) -> None:
        cells = [_cell(each) for each in row]
        self._csv.writerow(cells)
        self._sheets.add(cells)
        self.rows += 1
        currency, amount = self.kind.total_of(row)
        self.totals[currency] = self.totals.get(currency, 0) + amount

    def finish(self) -> None:
        self._sheets.close()

    def let_go(self) -> None:
        self._sheets.let_go()


class FolderDraft:
    """The LedgerDraft in a folder beside the shelf, which takes its place when it is sealed."""

    def __init__(self, draft: Path, place: Path, stack: ExitStack, period: PeriodId) -> None:
        self._draft = draft
        self._place = place
        self._stack = stack
        self._period = period
        self._files = {name: _Written(name, draft, stack) for name in FILES}
        self._journals: tuple[Journal, ...] = journals(
            {name: stack.enter_context(_text(draft / name)) for name in ("journal.hledger", "journal.beancount")}
        )

    def row(self, file: str, row: Row) -> None:
        """Add a row to a file."""
        self._files[file].add(row)

    def event(self, tenant: str, event: Event) -> None:
        """Add a transaction to the journals that ledger programs read."""
        for each in self._journals:
            each.add(tenant, event)

    def let_go(self) -> None:
        """Close what is still open, because it was not sealed."""
        for written in self._files.values():
            written.let_go()

    def seal(self, *, digest: Digest, agreements: Sequence[Agreement] = ()) -> tuple[SealedFile, ...]:
        """Finish every file with its manifest and put all in place at once. Raises: OutsideError."""
        with _told():
            for journal in self._journals:
                journal.finish()
            self._stack.close()
            for written in self._files.values():
                written.finish()
            sealed = [_sealed(path, each.rows, each.totals) for each in self._files.values() for path in each.paths]
            transactions = self._journals[0].count
            sealed += [_sealed(self._draft / each.name, transactions, {}) for each in self._journals]
            _write_manifest(self._draft / MANIFEST, self._period, digest, sealed, agreements)
            _exchange(self._draft, self._place)
        return tuple(sealed)


class LedgerFolder:
    """The LedgerShelf in a local folder; only this account can read it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def writing(self, period: PeriodId) -> Iterator[FolderDraft]:
        """Begin a period's files; what is not sealed leaves nothing behind. Raises: OutsideError."""
        with _told():
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = Path(tempfile.mkdtemp(prefix=f".{period}-", dir=self._folder))
        try:
            with ExitStack() as stack:
                begun = FolderDraft(draft, self._folder / period, stack, period)
                try:
                    yield begun
                finally:
                    begun.let_go()
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def sign(self, period: PeriodId, agreements: Sequence[Agreement]) -> Digest:
        """Write into the manifest who agreed; what else it says stays. Raises: NotFoundError, OutsideError."""
        path = self._path(period, MANIFEST)
        if not path.is_file():
            message = "This period has no manifest."
            raise NotFoundError(message, period=period)
        with _told():
            said = json.loads(path.read_text(encoding="utf-8"))
            _put(path, {**said, _AGREEMENTS: [each.plain() for each in agreements]})
            return Digest(_sha256(path))

    def found(self, period: PeriodId, name: str) -> Digest | None:
        """Return the SHA-256 of a file as it lies there now, or None where it is missing. Raises: OutsideError."""
        path = self._path(period, name)
        with _told():
            return Digest(_sha256(path)) if path.is_file() else None

    def read(self, period: PeriodId, name: str) -> Iterator[bytes]:
        """Yield a file in pieces. Raises: NotFoundError, OutsideError."""
        path = self._path(period, name)
        if not path.is_file():
            message = "There is no such file."
            raise NotFoundError(message, period=period)
        with _told(), path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece

    def _path(self, period: PeriodId, name: str) -> Path:
        """Return where a file lies; a name with a way in it is no name."""
        return self._folder / period / Path(name).name


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as broken:
        message = f"The files of the period could not be written or read: {broken.strerror}."
        raise OutsideError(message, permanent=False) from broken


def _text(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", newline="")


def _cell(value: Cell) -> str | int:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return neutral(value) if isinstance(value, str) else value


def _sealed(path: Path, rows: int, totals: Mapping[str, int]) -> SealedFile:
    return SealedFile(
        name=path.name,
        rows=rows,
        totals=dict(sorted(totals.items())),
        sha256=Digest(_sha256(path)),
        size=path.stat().st_size,
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_manifest(
    path: Path, period: PeriodId, digest: Digest, sealed: list[SealedFile], agreements: Sequence[Agreement]
) -> None:
    said: dict[str, Any] = {
        "period": period,
        "rules": RULES,
        "digest": digest,
        "files": [
            {"name": it.name, "rows": it.rows, "totals_minor": it.totals, "sha256": it.sha256, "bytes": it.size}
            for it in sealed
        ],
        _AGREEMENTS: [each.plain() for each in agreements],
    }
    _put(path, said)


def _put(path: Path, said: Mapping[str, Any]) -> None:
    """Write a manifest whole or not at all."""
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(json.dumps(said, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    draft.replace(path)


def _exchange(draft: Path, place: Path) -> None:
    """Put the new folder where the old one was; a crash in between leaves one of them whole."""
    old = place.with_name(f".{place.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        place.rename(old)
    draft.rename(place)
    shutil.rmtree(old, ignore_errors=True)
