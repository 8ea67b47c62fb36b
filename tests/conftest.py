"""What holds for every test: one ground per run, no socket out of the machine, the same examples each time."""

import gc
import os
from collections.abc import Callable, Iterator
from itertools import count

import pytest
from hypothesis import settings

from tests import fence, ground, postgres

settings.register_profile("fixed", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("search", max_examples=5_000, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("SALLYPORT_TEST_EXAMPLES", "fixed"))

NewDatabase = Callable[..., str]
_FEW = 50_000  # things made since the last look; 700 without this


def pytest_configure() -> None:
    """Claim the ground before workers start, so that they inherit it, and raise the fence."""
    ground.move_to_memory()
    ground.folder()
    fence.raise_fence()


def pytest_collectstart() -> None:
    """Look for no garbage while tests are gathered, of which there is none: that was seven seconds of each worker."""
    gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses the PostgreSQL server, and begin with what takes long, so that no worker ends long after others.

    The first worker begins at the top, which is the browser's: it waits more than it computes. The others meanwhile
    do the rest and then take over what is left.
    """
    for item in items:
        if "pg_database" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.postgres)
    items.sort(key=_turn)


def pytest_collection_finish() -> None:
    """Let the collector of garbage leave alone what stays: eight thousand tests and all that they import."""
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_FEW, 20, 20)


def _turn(item: pytest.Item) -> int:
    return next((turn for turn, name in enumerate(("browser", "slow")) if item.get_closest_marker(name)), 2)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run in which nothing passed: everything skipped proves nothing."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    is_listing = session.config.getoption("collectonly")
    if reporter is not None and session.exitstatus == 0 and not is_listing and not reporter.stats.get("passed"):
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED


@pytest.fixture
def pg_database() -> Iterator[NewDatabase]:
    """Give a function that creates a database, empty or from a template, and drop them all at the end."""
    names: list[str] = []

    def create(template: str | None = None) -> str:
        names.append(f"test_{os.getpid()}_{next(_NUMBERS)}")
        return postgres.create_database(names[-1], template)

    yield create
    for name in names:
        postgres.drop_database(name)


_NUMBERS = count(1)
