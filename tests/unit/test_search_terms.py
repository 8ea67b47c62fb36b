"""One search box: the text says by itself what kind of key it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.search_terms import LONGEST_QUERY, folded, understood
from console.domain.tenancy import SearchKind

K = SearchKind
NUMBERS = (K.ID, K.INVOICE, K.CUSTOMER, K.MESSAGE)


@pytest.mark.parametrize(
    ("typed", "kinds"),
    [
        ("ten_01abc", NUMBERS),
        ("TEN_01ABC", NUMBERS),
        ("cus_9s8df7", NUMBERS),
        ("msg_2abc", NUMBERS),
        ("in_1MtHbELkdIwHu7ixl4OzzPMv", NUMBERS),
        ("inv_0042", NUMBERS),
        ("INV-2026-00042", (K.SLUG, *NUMBERS)),
        ("inv-consulting", (K.SLUG, *NUMBERS, K.NAME)),
        ("2026-0042", (K.SLUG, *NUMBERS, K.NAME)),
        ("A1B2C3D4-0001", (K.SLUG, *NUMBERS, K.NAME)),
        ("RE/2026/17", (*NUMBERS, K.NAME)),
        ("RE 2026/17", (*NUMBERS, K.NAME)),
        ("42", (K.SLUG, *NUMBERS)),
        ("ada@acme.example", (K.MEMBER_EMAIL,)),
        ("@", (K.MEMBER_EMAIL,)),
        ("ada%40acme.example", (K.MEMBER_EMAIL,)),
        ("ada\uff20acme.example", (K.MEMBER_EMAIL,)),
        ("acme", (K.SLUG, *NUMBERS, K.NAME)),
        ("acme-inc", (K.SLUG, *NUMBERS, K.NAME)),
        ("ac", (K.SLUG,)),
        ("acme.example", (K.ID, K.DOMAIN, *NUMBERS[1:], K.NAME)),
        ("a.b", (K.ID, K.DOMAIN, *NUMBERS[1:], K.NAME)),
        ("Acme Inc", (K.NAME,)),
        ("evt_1PxYz", (*NUMBERS, K.NAME)),
        ("0192f0c1-77aa-7e11-b0a4-6a4de19a2b01", (K.SLUG, *NUMBERS, K.NAME)),
        ("株式会社", (*NUMBERS, K.NAME)),
        ("ten_", (*NUMBERS, K.NAME)),
        ("ten_01!", (*NUMBERS, K.NAME)),
    ],
)
def test_it_understands_what_was_typed(typed: str, kinds: tuple[SearchKind, ...]) -> None:
    terms = understood(f"  {typed} ")
    assert terms.kinds == kinds
    assert terms.fault is None


@pytest.mark.parametrize("typed", ["", "   ", "\x00", "\n\t"])
def test_it_takes_nothing_for_nothing(typed: str) -> None:
    terms = understood(typed)
    assert (terms.text, terms.kinds, terms.fault) == ("", (), None)


@pytest.mark.parametrize("typed", ["株", "é", "!!", "A_"])
def test_it_asks_for_more_letters(typed: str) -> None:
    terms = understood(typed)
    assert terms.kinds == ()
    assert terms.fault == "Type at least 3 characters of a name."


def test_it_refuses_a_text_that_is_too_long() -> None:
    assert understood("x" * LONGEST_QUERY).fault is None
    terms = understood("x" * (LONGEST_QUERY + 1))
    assert (len(terms.text), terms.kinds) == (LONGEST_QUERY, ())
    assert terms.fault == "Type at most 200 characters."


def test_it_compares_folded_text() -> None:
    assert understood(" Ada@ACME.example ").text == "ada@acme.example"
    assert understood("Ada%40ACME.example").text == "ada@acme.example"
    assert folded("  Straße\u00a0 \uff21\uff23\uff2d\uff25 ") == "strasse acme"
    assert understood("Cafe\u0301 Noir").text == "Caf\u00e9 Noir"


@given(st.text(max_size=300))
def test_it_always_either_knows_a_kind_or_says_what_is_missing(typed: str) -> None:
    terms = understood(typed)
    assert "\x00" not in terms.text
    assert bool(terms.kinds) != bool(terms.fault) or terms.text == ""
