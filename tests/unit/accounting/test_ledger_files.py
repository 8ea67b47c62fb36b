"""A cell of a sealed file is a text to every spreadsheet, whatever a customer called their things."""

import csv
import gc
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.adapters.ledger_folder import LedgerFolder
from console.domain.accounting.ledger_files import FILES, neutral
from console.domain.periods import period_id

FORMULAS = (
    "=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "\r=1+1", "\n=1+1", "\x00=1+1",
    "\uff1d1+1", "\uff0b1+1", "\uff0d1+1", "\uff20SUM(A1)", "\ufeff=1+1", "\u200b=1+1", " =1+1", "\u3000\uff1d1+1",
)  # fmt: skip
PLAIN = ("", "in_1", "Seats, 5 of 10", "5-10 seats", "a=b", "'quoted", "Ärger & Söhne")


@pytest.mark.checklist("V1.2.10")
@pytest.mark.parametrize("text", FORMULAS)
def test_no_spreadsheet_takes_a_text_for_a_formula(text: str) -> None:
    assert neutral(text) == f"'{text}"


@pytest.mark.parametrize("text", PLAIN)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert neutral(text) == text


@pytest.mark.checklist("V1.2.10")
def test_a_file_reads_back_as_wide_as_it_was_written(tmp_path: Path) -> None:
    kind, shelf, period = FILES["refunds"], LedgerFolder(tmp_path), period_id("2026-10")
    at = datetime(2026, 10, 5, tzinfo=UTC)
    with shelf.writing(period) as draft:
        for text in FORMULAS:
            draft.row("refunds", ("acme", text, 'a "quoted", one', "done", None, at, 100, "EUR"))
        sealed = draft.seal(digest="0" * 64)  # type: ignore[arg-type]  # any digest
    with (tmp_path / period / "refunds.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert {len(row) for row in rows} == {len(kind.columns)}
    assert [row[1] for row in rows[1:]] == [f"'{text}" for text in FORMULAS]
    assert [each.rows for each in sealed if each.name == "refunds.csv"] == [len(FORMULAS)]


def test_a_draft_that_breaks_off_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary, folder = tmp_path / "temporary", tmp_path / "shelf"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    row = ("acme", "re_1", "ch_1", "done", None, datetime(2026, 10, 5, tzinfo=UTC), 100, "EUR")

    def broken_off() -> None:
        with LedgerFolder(folder).writing(period_id("2026-10")) as draft:
            draft.row("refunds", row)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    gc.collect()  # a file that was left open would be told here
    assert [*temporary.iterdir(), *folder.iterdir()] == []
