"""What a job's handler may answer, and how it says that its job must never run again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from console.domain.errors import ConsoleError
from console.domain.jobs import Job
from console.ports.store import ControlUnit
from console.usecases.house import House

Record: TypeAlias = Callable[[ControlUnit], None]


class JobRefusedError(ConsoleError):
    """The job must not run, now or later: its authority is gone, or what it is about."""

    code = "job_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The job is over. Shape: `record` writes entries in the transaction that ends it, therefore exactly once."""

    record: Record | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """The job goes on later, without having failed. Shape: `record` as in Done."""

    at: datetime
    record: Record | None = None


def nothing_to_tell(_house: House, _job: Job) -> None:
    """Do nothing; the default of kinds whose work nobody watches."""


def forget_failures(house: House, job: Job) -> None:
    """Let a job that has kept progress within its slice start counting anew.

    So a job is given up only where its workers vanish, or it fails, again and again at the same place: a hard restart
    of many workers, one after another, costs time and nothing else.
    """
    if job.attempts:
        with house.store.write() as unit:
            unit.jobs.got_further(job)


Handler: TypeAlias = Callable[[House, Job], "Done | Again"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind:
    """One kind of job: what it is called, what runs it, and what must hold.

    Shape: a handler that is not idempotent is marked as such; `gave_up` is told when a job is dead, so that what waits
    for it does not wait in silence.
    """

    kind: str
    title: str
    handler: Handler
    is_tenant_bound: bool
    is_idempotent: bool = True
    gave_up: Callable[[House, Job], None] = nothing_to_tell
