"""Being the only sequencer: an advisory lock on PostgreSQL, a file lock beside an SQLite file."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from console.storage.engines import Database

_LOCK = {"lock": 0x5A11_5E0}


@contextmanager
def leading(database: Database) -> Iterator[bool]:
    """Give whether this process leads until the end of the block; never waits for another."""
    if database.path is not None:
        with _leading_file(database.path) as is_leading:
            yield is_leading
        return
    with database.reading.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        is_leading = bool(connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), _LOCK))
        try:
            yield is_leading
        finally:
            if is_leading:
                connection.execute(text("SELECT pg_advisory_unlock(:lock)"), _LOCK)


@contextmanager
def _leading_file(database: Path) -> Iterator[bool]:
    with database.with_name(database.name + ".sequencer").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True
