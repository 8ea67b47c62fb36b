"""A house whose process is killed at one of its commits: just before it, or just after."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from console.domain.tenancy import TenantScope
from console.ports.planes import TenantPlane
from console.ports.store import ControlUnit
from console.usecases.house import House


class Killed(BaseException):
    """The process is gone from here on."""


@dataclass
class Fate:
    """Counts the moments at which a process can die, and lets it die at one of them; 0 is never."""

    at: int
    met: int = 0

    def meet(self) -> None:
        """Be at one more moment. Raises: Killed."""
        self.met += 1
        if self.met == self.at:
            raise Killed


class _Store:
    """The real control store, at whose commits a process can die."""

    def __init__(self, real: Any, fate: Fate) -> None:  # noqa: ANN401  the store with all its parts
        self._real = real
        self._fate = fate

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever the store has
        return getattr(self._real, name)

    @contextmanager
    def write(self) -> Iterator[ControlUnit]:
        with self._real.write() as unit:
            yield unit
            self._fate.meet()
        self._fate.meet()


class _Planes:
    """The real planes, at whose commits a process can die."""

    def __init__(self, real: Any, fate: Fate) -> None:  # noqa: ANN401  the planes with all their parts
        self._real = real
        self._fate = fate

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever the planes have
        return getattr(self._real, name)

    @contextmanager
    def write(self, scope: TenantScope) -> Iterator[TenantPlane]:
        with self._real.write(scope) as plane:
            yield plane
            self._fate.meet()
        self._fate.meet()


def mortal(house: House, fate: Fate) -> House:
    """Return the house as a process that dies when its fate says so."""
    return replace(house, store=_Store(house.store, fate), planes=_Planes(house.planes, fate))  # type: ignore[arg-type]
