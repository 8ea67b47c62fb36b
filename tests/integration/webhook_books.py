"""Storage whose webhook books are tested on either engine, and the statements that it counts."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event

from console.domain.ids import PlaneId, TenantId
from console.ports.webhooks import WebhookBook
from console.storage.house import Storage
from tests.conftest import NewDatabase
from tests.databases import ENGINES
from tests.integration.cast import ACME, house, move_in, scope

Books = Callable[..., AbstractContextManager[WebhookBook]]
SHARED = PlaneId("shared")


@pytest.fixture(params=ENGINES)
def storage(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Storage]:
    with house(request.param, tmp_path, pg_database) as opened:
        move_in(opened)
        yield opened


@pytest.fixture
def books(storage: Storage) -> Books:
    return books_of(storage)


def books_of(storage: Storage) -> Books:
    @contextmanager
    def opened(tenant: TenantId = ACME) -> Iterator[WebhookBook]:
        with storage.store.write() as unit:
            yield unit.tenant(scope(tenant)).webhooks

    return opened


@contextmanager
def counted(storage: Storage) -> Iterator[list[str]]:
    """Note the statements that are sent."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, sql: str, *_rest: object) -> None:
        sent.append(sql)

    engine = storage._control.writing
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)
