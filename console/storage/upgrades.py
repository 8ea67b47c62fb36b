"""Brings a database to the newest shape; one machine at a time, in one transaction."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from console.storage.engines import open_database
from console.storage.parts import OWNER

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x5A11_9087  # "sallyport": one upgrade at a time


def migrations_config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration, made here because its file would hold addresses."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade_database(url: str, *, heads: tuple[str, ...]) -> None:
    """Bring one database to the named heads; does nothing where they are reached. Raises: OutsideError."""
    database = open_database(url, part=OWNER, pool_size=1, name="database")
    try:
        with database.turn(writing=True) as engine, engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            config = migrations_config(connection)
            for head in heads:
                command.upgrade(config, head)
    finally:
        database.close()
