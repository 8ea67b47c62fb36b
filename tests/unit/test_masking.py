"""Masks keep the shape and lose the content."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.masking import masked_email, masked_phone, masked_text


@pytest.mark.parametrize(
    ("clear", "masked"),
    [
        ("jane.doe@acme.com", "j•••@a•••.com"),
        ("jane@mail.acme.co.uk", "j•••@m•••.uk"),
        ("jane@localhost", "j•••@l•••"),
        ("jane@", "j•••@•••"),
        ("@acme.com", "•••@a•••.com"),
        ("no address", "n•••"),
        ("", "•••"),
    ],
)
def test_it_masks_an_address(clear: str, masked: str) -> None:
    assert masked_email(clear) == masked


@pytest.mark.parametrize(
    ("clear", "masked"), [("+49 30 1234567", "••••••67"), ("12", "••••••"), ("", "••••••"), ("123", "••••••23")]
)
def test_it_masks_a_telephone_number(clear: str, masked: str) -> None:
    assert masked_phone(clear) == masked


def test_it_masks_a_text() -> None:
    assert masked_text("Jane") == "J•••"
    assert masked_text("") == "•••"


@given(local=st.text("abcdef0123456789.", min_size=2, max_size=30), host=st.text("ghijk", min_size=2, max_size=30))
def test_it_never_shows_more_than_first_letters_and_the_ending(local: str, host: str) -> None:
    for domain in (host, f"{host}.example", f"www.{host}.example"):
        masked = masked_email(f"{local}@{domain}")
        assert local not in masked
        assert host not in masked
        assert len(masked) <= len("a•••@a•••.example")
