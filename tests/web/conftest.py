"""The fixtures of web tests: a stage per test, CSRF on, and browsers that are signed in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.cast import Browser, Cast, on_stage


@pytest.fixture
def cast(tmp_path: Path) -> Iterator[Cast]:
    """Give the whole cast on a fresh SQLite database."""
    with on_stage(tmp_path / "cast.db") as cast:
        yield cast


@pytest.fixture
def stranger(cast: Cast) -> Browser:
    """Give a browser that nobody has signed in with."""
    return cast.stranger()


@pytest.fixture
def agent(cast: Cast) -> Browser:
    """Give the browser of a support agent who has just signed in."""
    return cast.sign_in("support_agent")
