"""A directory row has a fixed hue and a short monogram, whatever the tenant is called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.ids import TenantId
from console.domain.tenancy import HUES
from tests.unit.fakes import directory_row


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("Acme", "A"),
        ("acme inc of berlin", "AI"),
        ("  Ünlü   Ämter ", "ÜÄ"),
        ("=cmd|' /C calc'!A0 Ltd", "CL"),
        ("😀 Smile", "S"),
        ("שלום עולם", "שע"),
        ("ßtraße ßein", "SS"),
        ("株式会社", "株"),
        ("😀 😀", "AC"),
        ("", "AC"),
    ],
)
def test_it_makes_a_monogram_of_at_most_two_letters(name: str, initials: str) -> None:
    assert directory_row(name=name, slug="acme").initials == initials


@given(st.text(max_size=60))
def test_it_always_makes_a_monogram(name: str) -> None:
    assert 1 <= len(directory_row(name=name, slug="acme").initials) <= 2


def test_it_spreads_tenants_over_all_hues_and_keeps_each() -> None:
    rows = [directory_row(id=TenantId(f"ten_{number}")) for number in range(300)]
    assert {row.hue for row in rows} == set(range(HUES))
    assert all(row.hue == directory_row(id=row.id, name="Other", slug="other").hue for row in rows)
