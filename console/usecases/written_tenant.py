"""Opens one tenant's data for the machinery's own writing, on whichever database it lives."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from console.domain.tenancy import TenantScope
from console.ports.planes import TenantPlane
from console.ports.store import ControlUnit
from console.usecases.freezing import refuse_frozen_job
from console.usecases.house import House


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenTenant:
    """One tenant in one transaction. Shape: `unit` is the control store in the very same one, None on a far plane."""

    plane: TenantPlane
    unit: ControlUnit | None


@contextmanager
def written_tenant(house: House, scope: TenantScope) -> Iterator[WrittenTenant]:
    """Open a transaction on a tenant that commits on success. Raises: OutsideError, FrozenError."""
    if house.planes.shares_control(scope.plane):
        with house.store.write() as unit:
            refuse_frozen_job(house, unit, scope)
            yield WrittenTenant(plane=unit.tenant(scope), unit=unit)
        return
    with house.store.read() as unit:
        refuse_frozen_job(house, unit, scope)
    with house.planes.write(scope) as plane:
        yield WrittenTenant(plane=plane, unit=None)
