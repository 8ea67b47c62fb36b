"""Where a kind of import record is written to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from console.storage.bases import PlaneBase
from console.storage.fleet.upserts import Clash


@dataclass(frozen=True, slots=True)
class Target:
    """One table that a kind of record is written to; `values` gives None where a record has nothing for it."""

    row: type[PlaneBase]
    key: tuple[str, ...]
    values: Callable[[Any], dict[str, Any] | None]
    clash: Clash = Clash.REPLACE
