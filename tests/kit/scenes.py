"""A product with the kit in each of its forms, as the tests of the contract meet it."""

from collections.abc import Iterator

import pytest

from tests.kit.products import FORMS, World, world


@pytest.fixture(params=FORMS)
def scene(request: pytest.FixtureRequest) -> Iterator[World]:
    scene = world(request.param)
    yield scene
    scene.kit.close()


def reports(scene: World) -> list[tuple[object, ...]]:
    assert scene.kit.reporter.flush()
    found = scene.console.reports.values()
    return [(each["route"], each["effect"], each["outcome"], each["status"], each.get("code")) for each in found]
