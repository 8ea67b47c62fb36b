"""One demo and one Chromium for all browser tests; each person has a context of their own."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import launch_options
from tests.browser.navigator import Navigator
from tests.browser.stage import Stage, raised

Arrive = Callable[..., Navigator]


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Serve the demo once for every test."""
    folder: Path = tmp_path_factory.mktemp("demo")
    with raised(folder) as stage:
        yield stage


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Start Chromium once for every test."""
    with sync_playwright() as playwright:
        # Dates are typed in the order of the browser's own language.
        browser = playwright.chromium.launch(**launch_options(), env={**os.environ, "LANGUAGE": "en_US"})
        yield browser
        browser.close()


@pytest.fixture
def arrive(stage: Stage, chromium: Browser) -> Iterator[Arrive]:
    """Give a function that signs somebody in, in a browser of their own; at the end nothing may have complained."""
    arrived: list[Navigator] = []

    def arrive(who: str = "", *, has_script: bool = True, has_hand_clock: bool = False) -> Navigator:
        navigator = Navigator.begin(chromium, stage, has_script=has_script)
        if has_hand_clock:
            navigator.page.clock.install()
        arrived.append(navigator)
        if who:
            navigator.sign_in(who)
        return navigator

    yield arrive
    for navigator in arrived:
        navigator.end()
