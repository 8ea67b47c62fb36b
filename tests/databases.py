"""Migrated databases for tests: an SQLite file, or a PostgreSQL database cloned from one template per run."""

import hmac
import itertools
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from console.domain.ids import PlaneId
from console.storage.house import Storage, StorageSettings, open_store
from console.storage.shape import CONTROL_HEADS, PLANE_HEADS
from console.storage.upgrades import upgrade_database
from tests import ground, postgres

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ENGINES = ("sqlite", "postgresql")


@dataclass
class HandClock:
    """A clock that moves only when a test says so."""

    moment: datetime = NOON

    def now(self) -> datetime:
        return self.moment

    def pass_by(self, **duration: float) -> datetime:
        """Move on by a timedelta's words and return the new moment."""
        self.moment += timedelta(**duration)
        return self.moment


@dataclass
class CountedIds:
    """Ids that count, in order of time like the real ones."""

    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def new(self, prefix: str) -> str:
        return f"{prefix}_{next(self.numbers):026d}"

    def token(self) -> str:
        return f"token-{next(self.numbers)}"


class TestFingerprints:
    """Keyed digests under a key that everybody may know."""

    __test__ = False

    def of(self, text: str) -> str:
        return hmac.new(b"tests", text.encode(), "sha256").hexdigest()


def sqlite_url(path: Path, *, heads: tuple[str, ...] = CONTROL_HEADS) -> str:
    """Return the address of a migrated SQLite file; the first of a run is migrated, the others are copies."""
    template = ground.folder() / f"template-{'-'.join(heads).replace('@head', '')}.db"
    if not template.exists():
        fresh = path.with_suffix(".fresh")
        upgrade_database(f"sqlite:///{fresh}", heads=heads)
        fresh.replace(template)
    shutil.copyfile(template, path)
    return f"sqlite:///{path}"


def postgres_url(create: Callable[..., str], *, heads: tuple[str, ...] = CONTROL_HEADS) -> str:
    """Return the address of a migrated PostgreSQL database; `create` is the fixture `pg_database`."""
    name = f"template_{'_'.join(heads).replace('@head', '')}"
    template = postgres.template_database(name, lambda url: upgrade_database(url, heads=heads))
    return create(template)


def empty_url(engine: str, path: Path, create: Callable[..., str]) -> str:
    """Return the address of a migrated, empty control store on either engine; an SQLite one is a file at `path`."""
    return sqlite_url(path) if engine == "sqlite" else postgres_url(create)


@contextmanager
def opened_storage(
    url: str,
    *,
    planes: Mapping[PlaneId, str] | None = None,
    clock: HandClock | None = None,
    ids: CountedIds | None = None,
) -> Iterator[Storage]:
    """Open the storage ring on migrated databases and close it again."""
    settings = StorageSettings(
        database_url=url,
        planes=planes or {},
        clock=clock or HandClock(),
        ids=ids or CountedIds(),
        fingerprints=TestFingerprints(),
    )
    storage = open_store(settings)
    try:
        yield storage
    finally:
        storage.close()


def plane_url(engine: str, path: Path, create: Callable[..., str]) -> str:
    """Return the address of a migrated database that holds a plane only."""
    return sqlite_url(path, heads=PLANE_HEADS) if engine == "sqlite" else postgres_url(create, heads=PLANE_HEADS)
