"""Fleets that are reconciled on either database, and how a test breaks or bounds one."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.databases import ENGINES
from tests.integration.reconciling_world import World, subscription, world
from tests.integration.stage import book


@pytest.fixture(params=ENGINES)
def fleet(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    create = request.getfixturevalue("pg_database") if request.param == "postgresql" else str
    with world(request.param, tmp_path, create) as made:
        yield made


@pytest.fixture
def small(tmp_path: Path) -> Iterator[World]:
    with world("sqlite", tmp_path, str) as made:
        yield made


def broken(world: World) -> None:
    """Let the provider say a word of Bolt's subscription that nobody knows: nothing heals that."""
    world.provider.knows(subscription("bolt", status="dreaming"))


def bound(world: World, **numbers: int) -> None:
    """Change the numbers of reconciliation."""
    rules = replace(book().reconciliation, **numbers)  # type: ignore[arg-type]  # only the numbers
    world.stage = replace(world.stage, house=replace(world.stage.house, book=replace(book(), reconciliation=rules)))
