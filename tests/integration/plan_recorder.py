"""Takes down what the product asks its databases: each statement once, with values, who asked and as which role."""

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, TypeAlias

from sqlalchemy import Connection, Engine, event, text

from console.storage import bases

Values: TypeAlias = Any  # as the driver takes them: a tuple, a mapping, several of either, or none
TABLES = frozenset({*bases.ControlBase.metadata.tables, *bases.PlaneBase.metadata.tables})
_STORAGE = Path(bases.__file__).parent
_LOOKS_UP = re.compile(r"\s*(SELECT|UPDATE|DELETE|WITH|INSERT\b.*\bSELECT)\b", re.DOTALL)
_NAMED = re.compile(r'\b(?:FROM|JOIN|UPDATE)\s+"?(\w+)')
# They run what others ask.
PLUMBING = frozenset({"engines", "faults", "guards", "prepared", "rows", "sheets", "sittings", "transactions"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One statement. Shape: `by` is the nearest public function of storage, `role` the one of PostgreSQL."""

    sql: str
    values: Values
    by: str
    role: str | None

    @property
    def tables(self) -> frozenset[str]:
        return TABLES.intersection(_NAMED.findall(self.sql))


class Recorder:
    """Listens where both ways of asking pass: what SQLAlchemy executes, and what storage prepared itself."""

    def __init__(self) -> None:
        self.asked: dict[tuple[str | None, str], Asked] = {}
        self.functions: set[str] = set()

    @contextmanager
    def listening(self, engines: Iterable[Engine]) -> Iterator[None]:
        """Take down what goes through some engines inside the block."""
        distinct = set(engines)
        roles = {engine.pool: _role_of(engine) for engine in distinct}  # an engine with options shares the pool

        def heard(connection: Connection, _cursor: object, sql: str, values: Values, _: object, is_many: bool) -> None:
            self._take_down(sql, values[0] if is_many and values else values, roles[connection.engine.pool])

        for engine in distinct:
            event.listen(engine, "before_cursor_execute", heard)
        try:
            yield
        finally:
            for engine in distinct:
                event.remove(engine, "before_cursor_execute", heard)

    def _take_down(self, sql: str, values: Values, role: str | None) -> None:
        callers = list(_callers(sys._getframe(2)))
        self.functions.update(callers)
        if (role, sql) not in self.asked and _LOOKS_UP.match(sql):
            by = next((name for name in callers if not name.rpartition(".")[2].startswith("_")), "nobody")
            self.asked[role, sql] = Asked(sql=sql, values=values, by=by, role=role)


def _role_of(engine: Engine) -> str | None:
    if engine.dialect.name != "postgresql":
        return None
    with engine.connect() as connection:
        return str(connection.scalar(text("SELECT current_user")))


def _callers(frame: FrameType | None) -> Iterator[str]:
    """Yield the functions of storage that a statement comes from, the nearest first."""
    while frame is not None:
        name = _named(frame.f_code)
        if name:
            yield name
        frame = frame.f_back


@cache
def _named(code: CodeType) -> str:
    """Return module.Class.function of what is storage's own and asks, nothing for the rest."""
    path = Path(code.co_filename)
    if _STORAGE not in path.parents or path.stem in PLUMBING:
        return ""
    return f"{path.stem}.{code.co_qualname.partition('.<locals>')[0]}"
