"""The product's own background jobs of a tenant, as they are shown; nothing here steers them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ProductJobState(StrEnum):
    """Where a job of the product stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductJob:
    """One job of the product; `run_at` is when it is due or began; `last_error` is redacted wherever it is shown."""

    id: str
    kind: str
    queue: str
    state: ProductJobState
    attempts: int
    created_at: datetime
    run_at: datetime
    finished_at: datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductJobRecord:
    """One job of the product as an import brings it; `tenant` is the tenant's external id."""

    tenant: str
    external_id: str
    job: str
    state: str
    attempts: int
    created_at: datetime
    run_at: datetime
    queue: str = "default"
    finished_at: datetime | None = None
    last_error: str | None = None
