"""Writes the catalogue into docs/reconciliation.md, which a test holds against the code.

`python -m tests.unit.reconciling.write_catalogue`
"""

from pathlib import Path

from console.domain.reconciling.catalogue_page import page_with_table

PAGE = Path(__file__).parents[3] / "docs" / "reconciliation.md"

if __name__ == "__main__":
    PAGE.write_text(page_with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
