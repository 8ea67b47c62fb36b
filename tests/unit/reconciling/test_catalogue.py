"""The catalogue: its page is made from it, its actions exist, and what a finding fills in is a field of its action."""

from collections import Counter
from pathlib import Path

import pytest

from console.actions.registry import registered
from console.adapters.demo.drift import OF_ACCOUNT, broken_account
from console.adapters.demo.drift_account import account_books
from console.domain.reconciling.catalogue import KINDS, ROWS
from console.domain.reconciling.catalogue_page import PAGE_BEGINS, PAGE_ENDS, page_with_table, table
from console.domain.reconciling.detecting import detect_account, detect_tenant
from console.domain.reconciling.findings import Candidate
from tests.unit.reconciling.worlds import KINDS_OF_TENANTS, NOW, clean, tenants_for

_PAGE = Path(__file__).parents[3] / "docs" / "reconciliation.md"
_ACTIONS = dict(registered())


def test_every_row_of_the_catalogue_has_a_kind() -> None:
    assert sorted({kind.number for kind in KINDS.values()}) == list(range(1, ROWS + 1))
    assert all(KINDS[key].key == key for key in KINDS)


def test_titles_are_unique_and_sentences_end() -> None:
    titles = Counter(kind.title for kind in KINDS.values())
    assert titles.most_common(1)[0][1] == 1
    assert all(kind.sentence.endswith(".") for kind in KINDS.values())


@pytest.mark.parametrize("key", sorted(KINDS))
def test_the_action_of_a_kind_is_registered(key: str) -> None:
    assert KINDS[key].action is None or KINDS[key].action in _ACTIONS


@pytest.mark.parametrize("key", KINDS_OF_TENANTS)
def test_what_a_finding_fills_in_is_a_field_of_its_action(key: str) -> None:
    for _, books in tenants_for(key, wanted=3):
        (found,) = detect_tenant(books.compared())
        _fits(found)


@pytest.mark.parametrize("key", sorted(OF_ACCOUNT))
def test_so_does_one_of_the_account(key: str) -> None:
    books = broken_account(account_books((clean(index) for index in range(1, 20)), now=NOW), key)
    assert books is not None
    (found,) = detect_account(books)
    _fits(found)


def _fits(found: Candidate) -> None:
    action = KINDS[found.kind].action
    fields = set() if action is None else {field.name for field in _ACTIONS[action].fields}
    if found.kind == "customer_unmapped":
        fields.add("tenant")  # says in which tenant to open the action
    assert set(found.params) <= fields


def test_the_page_shows_the_catalogue_as_it_is() -> None:
    written = _PAGE.read_text(encoding="utf-8")
    shown = written.partition(PAGE_BEGINS)[2].partition(PAGE_ENDS)[0].strip()
    assert shown == table().strip(), "python -m tests.unit.reconciling.write_catalogue"


def test_a_page_keeps_what_stands_around_the_table() -> None:
    page = f"before\n{PAGE_BEGINS}\nold\n{PAGE_ENDS}\nafter\n"
    assert page_with_table(page) == f"before\n{PAGE_BEGINS}\n\n{table()}\n{PAGE_ENDS}\nafter\n"
    assert page_with_table(page_with_table(page)) == page_with_table(page)
    with pytest.raises(ValueError, match="no marks"):
        page_with_table("nothing")
