"""What the invented provider keeps: documents, events, idempotency keys and its clock, in one SQLite file."""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

Document: TypeAlias = dict[str, Any]
FILE = "provider.sqlite3"
_LISTS = (
    "CREATE INDEX IF NOT EXISTS object_time ON object (type, created, seq)",
    "CREATE INDEX IF NOT EXISTS object_customer ON object (customer, type, created, seq) WHERE customer IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS object_parent ON object (parent, type, created, seq) WHERE parent IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS object_other ON object (other, type, created, seq) WHERE other IS NOT NULL",
)
_FILLING_CACHE_KIB = 131_072  # rows arrive in no order of their ids
_USUAL_CACHE_KIB = 2_000
_SHAPE = """
CREATE TABLE IF NOT EXISTS object (
    seq INTEGER PRIMARY KEY, type TEXT NOT NULL, id TEXT NOT NULL, created INTEGER NOT NULL, customer TEXT,
    parent TEXT, other TEXT, status TEXT, doc TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS object_id ON object (type, id);
CREATE TABLE IF NOT EXISTS idempotent (
    key TEXT PRIMARY KEY, asked TEXT NOT NULL, at INTEGER NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS delivery (
    event TEXT PRIMARY KEY, due REAL NOT NULL, attempt INTEGER NOT NULL, mood TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
_PUT = (
    "INSERT INTO object (type, id, created, customer, parent, other, status, doc) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (type, id) DO UPDATE SET created = excluded.created, customer = excluded.customer, "
    "parent = excluded.parent, other = excluded.other, status = excluded.status, doc = excluded.doc"
)
_written = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
# By type: the fields by which a document can be found.
_PARENTS: Mapping[str, str] = {
    "subscription_item": "subscription",
    "invoiceitem": "subscription",
    "billing.meter": "event_name",
    "entitlements.feature": "lookup_key",
    "product_feature": "product",
    "billing.meter_event": "meter",
    "credit_note": "invoice",
    "charge": "payment_intent",
    "refund": "payment_intent",
    "dispute": "payment_intent",
    "balance_transaction": "payout",
    "event": "type",
}
_OTHERS: Mapping[str, str] = {
    "refund": "charge",
    "dispute": "charge",
    "balance_transaction": "source",
    "price": "product",
    "invoiceitem": "invoice",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list asks for. Shape: `equal` are columns of the table; `created` bounds by their Stripe names."""

    type: str
    equal: Mapping[str, str]
    created: Mapping[str, int]
    limit: int
    after: tuple[int, int] | None = None
    before: tuple[int, int] | None = None
    without_status: str | None = None
    types: tuple[str, ...] = ()


class Book:
    """The provider's own records; one file, a connection for each thread."""

    def __init__(self, file: Path, *, now: Callable[[], float] = time.time) -> None:
        self._file = file
        self._now = now
        self._own = threading.local()
        self._lock = threading.RLock()
        self._opened: list[sqlite3.Connection] = []
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._connection().executescript(_SHAPE)
        self._list_all()
        file.chmod(0o600)

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            while self._opened:
                self._opened.pop().close()
        self._own = threading.local()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Let everything inside happen, or nothing."""
        book = self._connection()
        with self._lock:
            if book.in_transaction:
                yield
                return
            book.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                book.execute("ROLLBACK")
                raise
            book.execute("COMMIT")

    def begin_filling(self) -> None:
        """Leave off keeping lists in order while a whole world comes; what dies before the end is mended at opening."""
        for index in _LISTS:
            self._connection().execute(f"DROP INDEX IF EXISTS {index.split()[5]}")
        self._connection().execute(f"PRAGMA cache_size = -{_FILLING_CACHE_KIB}")

    def end_filling(self) -> None:
        """Put all lists in order at once."""
        self._list_all()
        self._connection().execute(f"PRAGMA cache_size = -{_USUAL_CACHE_KIB}")

    def now(self) -> int:
        """Return the provider's time in seconds; its clock may have been moved."""
        return int(self._now()) + int(self.setting("clock", "0"))

    def setting(self, name: str, otherwise: str) -> str:
        """Return a setting."""
        row = self._connection().execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return otherwise if row is None else str(row[0])

    def set(self, name: str, value: str) -> None:
        """Keep a setting."""
        self._connection().execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, value))

    def put(self, document: Document) -> Document:
        """Keep a document, new or changed."""
        self._connection().execute(_PUT, row_of(document))
        return document

    def put_all(self, documents: Iterable[Document]) -> int:
        """Keep many documents quickly and return how many."""
        return int(self._connection().executemany(_PUT, map(row_of, documents)).rowcount)

    def get(self, kind: str, thing: str) -> Document | None:
        """Return a document."""
        asked = "SELECT doc FROM object WHERE type = ? AND id = ?"
        row = self._connection().execute(asked, (kind, thing)).fetchone()
        return None if row is None else json.loads(row[0])

    def remove(self, kind: str, thing: str) -> None:
        """Forget a document."""
        self._connection().execute("DELETE FROM object WHERE type = ? AND id = ?", (kind, thing))

    def place(self, kind: str, thing: str) -> tuple[int, int] | None:
        """Return where a document stands in its lists."""
        asked = "SELECT created, seq FROM object WHERE type = ? AND id = ?"
        row = self._connection().execute(asked, (kind, thing)).fetchone()
        return None if row is None else (row[0], row[1])

    def listed(self, wanted: Wanted) -> list[Document]:
        """Return documents newest first; with `before`, those that follow that place most closely."""
        conditions = ["type = ?"]
        values: list[str | int] = [wanted.type, *wanted.equal.values()]
        conditions += [f"{name} = ?" for name in wanted.equal]
        signs = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
        for name, bound in wanted.created.items():
            conditions.append(f"created {signs[name]} ?")
            values.append(bound)
        if wanted.without_status is not None:
            conditions.append("status IS NOT ?")
            values.append(wanted.without_status)
        if wanted.types:
            conditions.append(f"parent IN ({', '.join('?' * len(wanted.types))})")
            values += wanted.types
        for sign, place in (("<", wanted.after), (">", wanted.before)):
            if place is not None:
                conditions.append(f"(created, seq) {sign} (?, ?)")
                values += place
        way = "ASC" if wanted.before is not None else "DESC"
        asked = f"SELECT doc FROM object WHERE {' AND '.join(conditions)} ORDER BY created {way}, seq {way} LIMIT ?"  # noqa: S608  names are ours
        found = [json.loads(row[0]) for row in self._connection().execute(asked, (*values, wanted.limit))]
        return found[::-1] if wanted.before is not None else found

    def rows(self, asked: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """Return what a statement of this folder finds, or change what it changes."""
        with closing(self._connection().execute(asked, tuple(values))) as found:
            return found.fetchall()

    def _list_all(self) -> None:
        for index in _LISTS:
            self._connection().execute(index)

    def _connection(self) -> sqlite3.Connection:
        own: sqlite3.Connection | None = getattr(self._own, "book", None)
        if own is None:
            own = sqlite3.connect(self._file, timeout=10, isolation_level=None, check_same_thread=False)
            own.execute("PRAGMA journal_mode = WAL")
            own.execute("PRAGMA synchronous = NORMAL")
            self._own.book = own
            with self._lock:
                self._opened.append(own)
        return own


def row_of(document: Document) -> tuple[Any, ...]:
    """Return the row of a document: itself, and the fields by which it can be found."""
    kind = document["object"]
    customer, parent, other = document.get("customer"), document.get(_PARENTS.get(kind, "")), None
    if kind == "invoice":
        parent = ((document.get("parent") or {}).get("subscription_details") or {}).get("subscription")
    elif kind == "invoice_payment":
        parent, other = document["payment"].get("payment_intent"), document["invoice"]
    elif kind in _OTHERS:
        other = document.get(_OTHERS[kind])
    doc = _written(document)
    return (kind, document["id"], document["created"], customer, parent, other, document.get("status"), doc)
