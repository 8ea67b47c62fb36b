"""Find the tenant that an address names."""

from console.domain.errors import NotFoundError
from console.domain.ids import TenantId
from console.domain.tenancy import DirectoryRow
from console.usecases.house import House


def find_tenant(house: House, *, slug: str) -> DirectoryRow:
    """Return the directory row behind a slug or tenant id. Raises: NotFoundError."""
    with house.store.read() as unit:
        row = unit.directory.by_slug(slug) or unit.directory.get(TenantId(slug))
    if row is None:
        raise NotFoundError("There is no such tenant.")
    return row
