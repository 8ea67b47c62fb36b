"""Puts procrastinate between the books and the runner where settings ask for it; it is an extra and may be absent."""

from datetime import datetime
from importlib import import_module
from typing import Any

from sqlalchemy import Connection

from console.domain.errors import ConsoleError
from console.domain.ids import JobId
from console.domain.jobs import JobDraft
from console.settings import Settings


class BridgeMissingError(ConsoleError):
    """The extra is not installed."""

    code = "bridge_missing"


class Bridge:
    """Procrastinate as the house sees it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        try:
            self._module = import_module("console.adapters.procrastinate_jobs")
        except ModuleNotFoundError as missing:
            message = "jobs.engine is procrastinate, which is not installed: pip install sallyport[procrastinate]"
            raise BridgeMissingError(message) from missing
        self._inner = self._module.ProcrastinateBridge(settings.database_url)

    def deferred(self, connection: Connection, job: JobId, _draft: JobDraft, run_at: datetime) -> None:
        """Queue the id of a job on the very connection of its transaction."""
        self._inner.defer(connection.connection.dbapi_connection, job, run_at=run_at)

    def worker(self, run: Any, *, concurrency: int) -> Any:  # noqa: ANN401  the module is loaded by name
        """Return a worker with `run` and `stop`."""
        return self._inner.worker(run, concurrency=concurrency)

    def upgrade(self) -> None:
        """Make procrastinate's tables where they are missing."""
        owner = self._settings.database.owner_url
        url = self._settings.database_url if owner is None else owner.get_secret_value()
        self._module.applied_schema(url, role="sallyport_app")


def bridge_of(settings: Settings) -> Bridge:
    """Return the bridge. Raises: BridgeMissingError."""
    return Bridge(settings)
