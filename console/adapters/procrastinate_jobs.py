"""The bridge to procrastinate: it carries ids of jobs between machines, and knows nothing else of them."""

import asyncio
import logging
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import procrastinate

from console.domain.ids import JobId

_QUEUE = "sallyport"
_TASK = "sallyport.run_job"
_POLL_S = 1.0
_TABLES = ("jobs", "events", "workers", "periodic_defers")
_LOG = logging.getLogger(__name__)


def postgres_address(url: str) -> str:
    """Return an address as psycopg takes it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


class ProcrastinateBridge:
    """Defers ids of jobs on the connection of the transaction that makes them, and makes workers that bring them."""

    def __init__(self, url: str) -> None:
        self._app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=postgres_address(url)))
        self._run: Callable[[JobId], object] | None = None
        self._task = self._app.task(name=_TASK, queue=_QUEUE)(self._bring)

    def defer(self, connection: Any, job: JobId, *, run_at: datetime) -> None:  # noqa: ANN401  psycopg's, untyped here
        """Queue the id of a job in the open transaction of a psycopg connection; a rollback takes it back."""
        self._task.configure(connection=connection, schedule_at=run_at).defer(job=job)

    def worker(self, run: Callable[[JobId], object], *, concurrency: int) -> "QueueWorker":
        """Return a worker that calls `run` with every id that comes; ids may come twice, or too early."""
        self._run = run
        return QueueWorker(self._app, concurrency=concurrency)

    def _bring(self, job: str) -> None:
        if self._run is not None:
            self._run(JobId(job))


class QueueWorker:
    """A worker of procrastinate inside a thread of ours."""

    def __init__(self, app: procrastinate.App, *, concurrency: int) -> None:
        self._app = app
        self._concurrency = concurrency
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._serving: asyncio.Task[None] | None = None
        self._is_over = False

    def run(self) -> None:
        """Bring jobs until `stop` is called. Raises: what procrastinate raises when its database is away."""
        try:
            asyncio.run(self._serve())
        except asyncio.CancelledError:
            _LOG.debug("the queue's worker was stopped")

    def stop(self) -> None:
        """End after the jobs that are under way."""
        with self._lock:
            self._is_over = True
            if self._loop is not None and self._serving is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._serving.cancel)

    async def _serve(self) -> None:
        with self._lock:
            if self._is_over:
                return
            self._loop, self._serving = asyncio.get_running_loop(), asyncio.current_task()
        async with self._app.open_async():
            await self._app.run_worker_async(
                queues=[_QUEUE],
                concurrency=self._concurrency,
                install_signal_handlers=False,
                delete_jobs="successful",
                fetch_job_polling_interval=_POLL_S,
            )


def applied_schema(url: str, *, role: str) -> bool:
    """Make procrastinate's tables where they are missing and let a role use them; return whether they were missing."""
    app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=postgres_address(url)))
    with app.open():
        connector = app.connector
        found = connector.execute_query_one("SELECT to_regclass('procrastinate_jobs') IS NOT NULL AS is_there")
        is_missing = not found["is_there"]
        if is_missing:
            app.schema_manager.apply_schema()
        for name in _TABLES:
            table = f"procrastinate_{name}"
            connector.execute_query(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {role}")
            connector.execute_query(f"GRANT USAGE ON SEQUENCE {table}_id_seq TO {role}")
    return is_missing
