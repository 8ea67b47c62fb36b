"""Who asks the database for the plan of each statement and says which large table it would read whole."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine, event

LARGE = (
    "audit_event",
    "audit_seq",
    "consent",
    "customer_letter",
    "customer_token",
    "directory_key",
    "directory_tenant",
    "impersonation",
    "impersonation_code",
    "disclosure",
    "lease",
    "notice",
    "override_register",
    "plane_webhook_delivery",
    "plane_billing_object",
    "plane_invoice",
    "plane_member",
    "plane_note",
    "plane_product_job",
    "product_event",
    "product_report",
    "request",
    "request_revision",
    "request_vote",
    "staff_session",
    "throttle_event",
)


class Plans:
    """Asks the database how it would run each SELECT and UPDATE, while it runs them."""

    def __init__(self) -> None:
        self.scans: list[str] = []
        self.asked = 0
        self._is_asking = False

    def watch(self, connection: Connection, _cursor: object, sql: str, values: Sequence[Any], *_rest: object) -> None:
        if self._is_asking or not re.match(r"\s*(SELECT|UPDATE|DELETE|WITH)", sql) or "set_config" in sql:
            return
        self._is_asking = True
        self.asked += 1
        try:
            raw = connection.connection.cursor()
            if connection.dialect.name == "sqlite":
                raw.execute(f"EXPLAIN QUERY PLAN {sql}", values)
                steps = [str(row[3]) for row in raw.fetchall()]
                self.scans += [f"{step}: {sql}" for step in steps if _is_sqlite_scan(step, sql)]
            else:
                raw.execute(f"EXPLAIN (FORMAT JSON) {sql}", values)
                plan = raw.fetchone()
                assert plan is not None
                found = plan[0] if isinstance(plan[0], list) else json.loads(plan[0])
                self.scans += [f"{table}: {sql}" for table in _scanned(found[0]["Plan"]) if table in LARGE]
            raw.close()
        finally:
            self._is_asking = False


def _is_sqlite_scan(step: str, sql: str) -> bool:
    """Return whether a step reads a large table from end to end; walking an index in page order is not that."""
    words = step.split()
    if (
        words[0] != "SCAN"
        or words[1] in {"pair", "json_each", "directory_name"}
        or ("LIMIT" in sql and "INDEX" in step)
    ):
        return False
    real = re.search(rf"(\w+) AS {words[1]}\b", sql)
    table = real[1] if real else words[1]
    is_keyset = "LIMIT" in sql and "ORDER BY audit_event.id DESC" in sql
    return table in LARGE and not is_keyset


def _scanned(plan: dict[str, Any]) -> Iterator[str]:
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    for below in plan.get("Plans", ()):
        yield from _scanned(below)


class Watcher(Protocol):
    """Hears of each statement before it is run."""

    def watch(self, connection: Connection, _cursor: object, sql: str, values: Sequence[Any], *_rest: object) -> None:
        """Hear of one."""
        ...


W = TypeVar("W", bound=Watcher)


@contextmanager
def heard(engine: Engine, watcher: W) -> Iterator[W]:
    """Let somebody hear of each statement of an engine for a while."""
    event.listen(engine, "before_cursor_execute", watcher.watch)
    try:
        yield watcher
    finally:
        event.remove(engine, "before_cursor_execute", watcher.watch)


def watched(engine: Engine) -> AbstractContextManager[Plans]:
    """Let plans be asked for, statement by statement."""
    return heard(engine, Plans())
