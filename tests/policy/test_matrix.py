"""The table of who can do what is as it was reviewed."""

from console.policy.book import PolicyBook
from tests.policy.matrix import FILE, drawn


def test_it_grants_exactly_what_was_reviewed(book: PolicyBook) -> None:
    assert drawn(book) == FILE.read_text(encoding="utf-8"), (
        "run `.venv/bin/python -m tests.policy.matrix`, read the diff"
    )
