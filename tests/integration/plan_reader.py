"""Asks a database how it would look something up, in such a way that it does not matter how few rows there are.

SQLite plans without statistics, as it does for whoever never ran ANALYZE: whether an index serves is then a matter of
the schema alone. PostgreSQL is told that every table is large and that reading one whole is the last resort; where the
plan still walks, others of equal worth are tried, so that what is left over is what no index serves. Everything is
asked in one transaction that is rolled back.

A walk in the order of an index is none where a LIMIT ends it and nothing drops rows on the way. What it cannot tell is
how many rows a condition on an index leaves over for a filter to drop: a statement of a tenant passes when an index
leads to the tenant, and one that reads a partial index in its order passes on SQLite. What the planners choose among
many rows, and what they sort, is asked in test_storage_plans and its siblings.
"""

import re
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import psycopg

from console.storage.engines import parsed_url
from tests.integration.plan_recorder import TABLES, Asked

Plan = Mapping[str, Any]
Step = tuple[int, int, int, str]
_WALKS = frozenset({"Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Index Scan"})
_READS_ALL = frozenset(
    {"Sort", "Incremental Sort", "Aggregate", "WindowAgg", "Hash", "Unique", "Materialize", "Bitmap Heap Scan"}
)
# Ways of equal worth in small tables; the last one asks whether an index gives the order.
_WITHOUT = (
    ("seqscan",),
    ("seqscan", "hashjoin", "mergejoin", "material"),
    ("seqscan", "hashjoin", "mergejoin", "bitmapscan", "sort", "incremental_sort"),
)
_MOST_INDEXES = 12
_PRETEND = """
    UPDATE pg_class SET reltuples = 1e6, relpages = 1
    WHERE relkind IN ('r', 'i') AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0
"""


_FIRST_COLUMNS = """
    SELECT index.relname, first.attname FROM pg_class AS index
    JOIN pg_attribute AS first ON first.attrelid = index.oid AND first.attnum = 1 WHERE index.relkind = 'i'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """A step of a plan that reads a table, or an index, from end to end."""

    table: str
    step: str
    asked: Asked
    index: str | None = None

    def __str__(self) -> str:
        return f"{self.asked.by} walks {self.table} ({self.step}): {' '.join(self.asked.sql.split())}"


def walks(url: str, asked: Iterable[Asked], *, without: str = "") -> Iterator[Walk]:
    """Return every walk; `without` names an index that is dropped before and there again afterwards."""
    return (_of_sqlite if url.startswith("sqlite") else _of_postgresql)(url, asked, without)


def _of_sqlite(url: str, asked: Iterable[Asked], without: str) -> Iterator[Walk]:
    with closing(sqlite3.connect(str(parsed_url(url).database), isolation_level=None)) as raw:
        assert not raw.execute("SELECT name FROM sqlite_master WHERE name LIKE 'sqlite_stat_'").fetchall()
        raw.execute("BEGIN")
        if without:
            raw.execute(f"DROP INDEX {without}")
        partial = {name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE % WHERE %'")}
        for each in asked:
            steps = raw.execute(f"EXPLAIN QUERY PLAN {each.sql}", each.values or ()).fetchall()
            yield from _in_steps(each, steps, partial)
        raw.execute("ROLLBACK")


def _in_steps(asked: Asked, steps: Sequence[Step], partial: Collection[str]) -> Iterator[Walk]:
    """Yield the walks; the outermost loop may follow the row ids or an index as far as a LIMIT lets it.

    It may not where a WHERE is left to drop rows on the way, or groups are made: only a partial index has taken it in.
    """
    begun = set[int]()
    for _, parent, _, step in steps:
        word, _, rest = step.partition(" ")
        if word not in {"SCAN", "SEARCH"}:
            continue
        is_outermost = parent not in begun
        begun.add(parent)
        is_sorted = any(p == parent and other.startswith("USE TEMP B-TREE") for _, p, _, other in steps)
        table = _meant(asked.sql, rest.split()[0])
        is_whole = not re.search("WHERE|GROUP BY", asked.sql) or rest.split()[-1] in partial
        is_bounded = is_outermost and "LIMIT" in asked.sql and is_whole and not is_sorted
        if word == "SCAN" and table in TABLES and not is_bounded:
            yield Walk(table=table, step=step, asked=asked)


def _meant(sql: str, name: str) -> str:
    alias = re.search(rf'\b(?:FROM|JOIN|UPDATE)\s+"?(\w+)"?\s+AS\s+{name}\b', sql)
    return alias[1] if alias else name


def _of_postgresql(url: str, asked: Iterable[Asked], without: str) -> Iterator[Walk]:
    with psycopg.connect(url.replace("+psycopg", "")) as raw:
        if without:
            raw.execute(f"DROP INDEX {without}".encode())
        raw.execute(_PRETEND)
        raw.execute("SELECT set_config('app.tenant', 'ten_x', true)")
        server = _Server(raw, dict(raw.execute(_FIRST_COLUMNS).fetchall()))
        for each in asked:
            yield from min(server.tried(each), key=len)
        raw.rollback()


@dataclass(frozen=True)
class _Server:
    """One transaction of a superuser. Shape: `first` is the first column of each index."""

    raw: psycopg.Connection
    first: Mapping[str, str]

    def tried(self, asked: Asked) -> Iterator[list[Walk]]:
        """Yield what each way walks until one walks nothing; at last indexes that are walked are hidden one by one."""
        found: list[Walk] = []
        for way in _WITHOUT:
            found = self.explained(asked, way)
            yield found
            if not found:
                return
        self.raw.execute("SAVEPOINT all_there")
        for _ in range(_MOST_INDEXES):
            index = next((each.index for each in found if each.index), None)
            if index is None:
                break
            self.raw.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = %s::regclass", [index])
            found = self.explained(asked, _WITHOUT[0])
            yield found
        self.raw.execute("ROLLBACK TO SAVEPOINT all_there")

    def explained(self, asked: Asked, way: Sequence[str]) -> list[Walk]:
        """Return the walks of the plan that the server makes without some of its means."""
        for name in {each for other in _WITHOUT for each in other}:
            self.raw.execute(f"SET LOCAL enable_{name} = {'off' if name in way else 'on'}".encode())
        self.raw.execute(f"SET LOCAL ROLE {asked.role}".encode())
        told = self.raw.execute(f"EXPLAIN (FORMAT JSON) {asked.sql}".encode(), asked.values).fetchone()
        self.raw.execute("RESET ROLE")
        assert told is not None
        return list(self.in_plan(asked, told[0][0]["Plan"]))

    def in_plan(self, asked: Asked, plan: Plan, *, is_bounded: bool = False, table: str = "") -> Iterator[Walk]:
        """Yield the walks; what a LIMIT ends may follow an index, or the table, as long as nothing drops rows."""
        kind, table = plan["Node Type"], plan.get("Relation Name", table)
        if kind in _WALKS and table in TABLES and not self.is_led(plan):
            is_dropping = "Filter" in plan or "Index Cond" in plan
            if is_dropping or not is_bounded:
                index, dropped = plan.get("Index Name"), plan.get("Index Cond", "") + plan.get("Filter", "")
                yield Walk(table=table, step=f"{kind} {index} {dropped}", asked=asked, index=index)
        is_bounded = kind == "Limit" or (is_bounded and kind not in _READS_ALL)
        for place, below in enumerate(plan.get("Plans", ())):
            yield from self.in_plan(asked, below, is_bounded=is_bounded and place == 0, table=table)

    def is_led(self, plan: Plan) -> bool:
        """Return whether a condition leads to a place in an index: it names the first column; others read it whole."""
        first = self.first.get(plan.get("Index Name", ""))
        return first is not None and re.search(rf"\b{first}\b", plan.get("Index Cond", "")) is not None
