"""One Chromium for all browser tests, a demo for each module, and a context for each person."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import navigator
from tests.browser.navigator import Navigator
from tests.browser.stage import Stage, World, made_world, raised

Arrive = Callable[..., Navigator]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Make the demo's data once."""
    with made_world(tmp_path_factory.mktemp("world")) as world:
        yield world


@pytest.fixture(scope="module")
def stage(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Serve the demo anew for each module: the tests of one take turns with people and tenants."""
    folder: Path = tmp_path_factory.mktemp("demo")
    with raised(world, folder) as stage:
        yield stage


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Start Chromium once for every test."""
    with navigator.chromium() as browser:
        yield browser


@pytest.fixture
def arrive(stage: Stage, chromium: Browser) -> Iterator[Arrive]:
    """Give a function that signs somebody in, in a browser of their own; at the end nothing may have complained."""
    arrived: list[Navigator] = []

    def arrive(who: str = "", *, has_script: bool = True, has_hand_clock: bool = False) -> Navigator:
        person = Navigator.begin(chromium, stage, has_script=has_script)
        arrived.append(person)
        if has_hand_clock:
            person.page.clock.install()
        if who:
            person.sign_in(who)
        return person

    yield arrive
    for person in arrived:
        person.end()
