"""Asks one database how it is: its shape, and the settings on which durability and isolation rest."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import Connection, text

from console.domain.errors import OutsideError
from console.storage.engines import Database
from console.storage.faults import translated
from console.storage.shape import is_current, revisions_of

_PRAGMAS = ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers")
_SETTINGS = ("fsync", "synchronous_commit", "full_page_writes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What one database says of itself; with a `fault` the rest is empty. Units: `clock_us` microseconds, or None."""

    name: str
    kind: Literal["sqlite", "postgresql"]
    fault: str = ""
    revisions: tuple[str, ...] = ()
    is_current: bool = False
    facts: Mapping[str, str] = field(default_factory=dict)
    clock_us: int | None = None


def probed(database: Database, *, heads: tuple[str, ...]) -> Probe:
    """Return how a database is; a silent one is a fault and not an error."""
    kind: Literal["sqlite", "postgresql"] = "sqlite" if database.is_sqlite else "postgresql"
    try:
        with translated(database.name), database.reading.connect() as connection:
            return Probe(
                name=database.name,
                kind=kind,
                revisions=revisions_of(connection),
                is_current=is_current(connection, heads=heads),
                facts=_pragmas(connection) if database.is_sqlite else _settings(connection),
                clock_us=None if database.is_sqlite else _clock(connection),
            )
    except OutsideError as silent:
        return Probe(name=database.name, kind=kind, fault=str(silent))


def _pragmas(connection: Connection) -> dict[str, str]:
    return {name: str(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()) for name in _PRAGMAS}


def _settings(connection: Connection) -> dict[str, str]:
    facts = {name: str(connection.execute(text(f"SHOW {name}")).scalar_one()) for name in _SETTINGS}
    role = text("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
    is_super, is_bypassing = connection.execute(role).one()
    return {**facts, "rolsuper": "on" if is_super else "off", "rolbypassrls": "on" if is_bypassing else "off"}


def _clock(connection: Connection) -> int:
    return int(connection.execute(text("SELECT extract(epoch FROM clock_timestamp()) * 1000000")).scalar_one())
