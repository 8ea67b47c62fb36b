"""The catalogue as the table of docs/reconciliation.md, so that the page cannot say anything else than the code."""

from collections.abc import Iterator

from console.domain.reconciling.catalogue import KINDS
from console.domain.reconciling.findings import Kind

PAGE_BEGINS = "<!-- catalogue: python -m tests.unit.reconciling.write_catalogue -->"
PAGE_ENDS = "<!-- end of catalogue -->"


def table() -> str:
    """Return the catalogue as a table, in order of row and key."""
    head = "| row | kind | what it means | compares | class | repaired by |\n|---|---|---|---|---|---|\n"
    return head + "\n".join(_rows()) + "\n"


def page_with_table(page: str) -> str:
    """Return a page with the table between its marks as it ought to be. Raises: ValueError without the marks."""
    before, begin, rest = page.partition(PAGE_BEGINS)
    _, end, after = rest.partition(PAGE_ENDS)
    if not begin or not end:
        raise ValueError("the page has no marks for the catalogue")
    return f"{before}{begin}\n\n{table()}\n{end}{after}"


def _rows() -> Iterator[str]:
    for kind in sorted(KINDS.values(), key=lambda each: (each.number, each.key)):
        cells = (str(kind.number), f"`{kind.key}`", kind.sentence, kind.compares, kind.repair.value, _by(kind))
        yield f"| {' | '.join(cells)} |"


def _by(kind: Kind) -> str:
    if kind.action is None:
        return "somebody who looks"
    return f"`{kind.action}`, by itself" if kind.heals else f"`{kind.action}`"
