"""The real policy folder, loaded once for all policy tests."""

import pytest

from console.policy.book import PolicyBook
from console.policy.load import load_book
from tests.policy.governed import GOVERNED, POLICIES


@pytest.fixture(scope="session")
def book() -> PolicyBook:
    return load_book(POLICIES, GOVERNED)
