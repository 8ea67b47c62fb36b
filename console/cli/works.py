"""What the command line needs from the composition root, which alone knows databases, servers and adapters."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from console.ports.bulk import Bulk
from console.ports.sequencer import Sequencer
from console.settings import Settings
from console.usecases.house import House


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """An opened house and what only commands may use of it."""

    house: House
    bulk: Bulk
    sequencer: Sequencer


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseProbe:
    """What one database says of itself.

    Shape: `fault` is set when it did not answer, and then the rest is empty; `facts` are the settings as the database
    spells them: journal_mode, synchronous, foreign_keys, recursive_triggers (SQLite, by PRAGMA of a
    house connection), fsync, synchronous_commit, full_page_writes, and of the house's role rolsuper, rolbypassrls
    (PostgreSQL, `on` or `off`). Units: `clock_us` microseconds since 1970 by the database's clock, None on SQLite.
    """

    name: str
    kind: Literal["sqlite", "postgresql"]
    fault: str = ""
    revisions: tuple[str, ...] = ()
    is_current: bool = False
    facts: Mapping[str, str] = field(default_factory=dict)
    clock_us: int | None = None


class Works(Protocol):
    """The composition root as the command line sees it; raises ConsoleError kinds and SettingsFaultsError only."""

    def opened(self, settings: Settings) -> AbstractContextManager[Rooms]:
        """Open the house for one command and close it afterwards; raises OutsideError for an old database shape."""
        ...

    def upgrade(self, settings: Settings) -> None:
        """Bring the control store and every plane to the newest shape."""
        ...

    def probes(self, settings: Settings) -> Sequence[DatabaseProbe]:
        """Ask the control store and every plane how they are; a silent one is a fault in its probe."""
        ...

    def serve(self, settings: Settings) -> None:
        """Serve the console with its worker until a signal ends it."""
        ...

    def work(self, settings: Settings, *, once: bool) -> None:
        """Run the worker's duties until a signal ends it, or each once."""
        ...

    def demo(self, *, tenants: int, host: str, port: int, var: Path) -> None:
        """Make the demo world where it is missing and serve it until a signal ends it."""
        ...
