"""The worlds in which the contract of billing providers is tested, and how its tests take hold of what is there."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from console.domain.billing.canonical_form import Snapshot
from console.domain.billing.objects import (
    ObjectKind,
)
from tests.integration.provider_worlds import ProviderWorld, world_in_process, world_over_loopback

Opened = Callable[[Path], AbstractContextManager[ProviderWorld]]


@pytest.fixture(params=[world_in_process, world_over_loopback], ids=["in process", "over loopback"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ProviderWorld]:
    opened: Opened = request.param
    with opened(tmp_path / "provider.sqlite3") as made:
        yield made


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[ProviderWorld]:
    with world_in_process(tmp_path / "provider.sqlite3") as made:
        yield made


def things(world: ProviderWorld, kind: ObjectKind, **narrowed: object) -> list[Snapshot]:
    """Return everything of a kind, page after page of two."""
    found: list[Snapshot] = []
    after = None
    while True:
        page = world.provider.page(kind, after=after, limit=2, **narrowed)  # type: ignore[arg-type]
        assert page.unreadable == ()
        found += page.items
        after = page.after
        if after is None:
            return found


def one_of(world: ProviderWorld, kind: ObjectKind) -> str:
    return world.provider.page(kind).items[0].thing.id


def paid(world: ProviderWorld) -> tuple[str, str, str]:
    """Return customer, payment and invoice of somebody who paid 1,800."""
    customer = world.customer()["id"]
    world.subscription(customer)
    return customer, one_of(world, ObjectKind.PAYMENT), one_of(world, ObjectKind.INVOICE)
