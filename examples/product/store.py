"""Fieldnote's own data in SQLite; every question names its tenant."""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

Row = sqlite3.Row
_SCHEMA = Path(__file__).with_name("schema.sql")
_PROJECTS = ("Harbour survey", "Roof inspection", "Night shift rota", "Pump replacement", "Site handover", "Cable map")


@dataclass(frozen=True, slots=True)
class Store:
    """One file; each request opens a connection of its own. `watch` sees every statement, for tests."""

    file: Path
    watch: Callable[[str], None] | None = None

    def open(self) -> sqlite3.Connection:
        """Return a connection in which every statement counts at once."""
        connection = sqlite3.connect(self.file, isolation_level=None, timeout=5)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        if self.watch is not None:
            connection.set_trace_callback(self.watch)
        return connection

    def make(self, seed: Mapping[str, Any], *, secret: str) -> None:
        """Make the file from a seed where there is none; every member begins with the same hashed password."""
        if self.file.exists():
            return
        draft = self.file.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        connection = sqlite3.connect(draft)
        with connection:
            connection.executescript(_SCHEMA.read_text(encoding="utf-8"))
            for tenant in seed["tenants"]:
                _fill(connection, tenant, secret=secret)
        connection.close()
        draft.replace(self.file)


def read_seed(file: Path) -> Mapping[str, Any]:
    """Return tenants with members and invoices from a JSON file."""
    found: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def now_text() -> str:
    """Return this moment as it is stored."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def new_id(kind: str) -> str:
    """Return a new id, its kind in front."""
    return f"{kind}_{uuid4().hex[:12]}"


def many(connection: sqlite3.Connection, sql: str, *values: object) -> Sequence[Row]:
    """Return all rows."""
    return connection.execute(sql, values).fetchall()


def one(connection: sqlite3.Connection, sql: str, *values: object) -> Row | None:
    """Return the first row; None when there is none."""
    found: Row | None = connection.execute(sql, values).fetchone()
    return found


def _fill(connection: sqlite3.Connection, tenant: Mapping[str, Any], *, secret: str) -> None:
    key = tenant["id"]
    connection.execute(
        "INSERT INTO tenant VALUES (?, ?, ?, ?, ?, NULL)",
        (key, tenant["slug"], tenant["name"], tenant["plan"], "DE02 1203 0000 0000 2020 51"),
    )
    connection.executemany(
        "INSERT INTO member VALUES (?, ?, ?, ?, ?, ?, ?, 0, NULL)",
        [(m["id"], key, m["name"], m["email"], m["role"], secret, m["is_active"]) for m in tenant["members"]],
    )
    connection.executemany(
        "INSERT INTO invoice VALUES (?, ?, ?, ?, ?, ?)",
        [(i["number"], key, i["state"], i["amount_minor"], i["currency"], i["issued_on"]) for i in tenant["invoices"]],
    )
    first = tenant["members"][0]["name"] if tenant["members"] else "Fieldnote"
    connection.executemany(
        "INSERT INTO project VALUES (?, ?, ?, 'open', ?, ?)",
        [(f"prj_{key}_{number}", key, name, now_text(), first) for number, name in enumerate(_PROJECTS, start=1)],
    )
