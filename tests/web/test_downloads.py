"""What leaves as a file: its name is ours, its kind is never a page, and no name of a request leads anywhere else."""

import pytest

from console.domain.periods import PeriodState
from tests.web.cast import Cast
from tests.web.period_stage import OCTOBER, period_in

FILES = f"/reconciliation/periods/{OCTOBER}/files"
HOSTILE = (
    "..%2F..%2Fmanifest.json", "refunds.csv%0d%0aX-Evil: 1", "refunds.csv%22; filename=%22evil.exe", ".refunds.csv",
    "manifest.json", "REFUNDS.CSV",
)  # fmt: skip
KINDS = {"refunds.csv": "text/csv", "refunds.xlsx": "application/vnd.", "journal.hledger": "text/plain"}


@pytest.mark.checklist("V5.4.2", "V3.2.1")
def test_it_names_downloads_itself(cast: Cast) -> None:
    period_in(cast, PeriodState.CLOSED)
    finance = cast.sign_in("finance")
    for name, kind in (
        ("refunds.csv", "text/csv"),
        ("refunds.xlsx", "application/vnd."),
        ("journal.hledger", "text/plain"),
    ):
        answer = finance.get(f"{FILES}/{name}")
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{OCTOBER}-{name}"'
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert (answer.mimetype or "").startswith(kind)
    for name in HOSTILE:
        answer = finance.get(f"{FILES}/{name}")
        assert (answer.status_code, "X-Evil" in answer.headers) == (404, False)
        assert "Content-Disposition" not in answer.headers
    for period in ("2026-1O", "%EF%BC%92026-10", "2026-10%0d%0a"):
        assert finance.get(f"/reconciliation/periods/{period}/files/refunds.csv").status_code == 404
