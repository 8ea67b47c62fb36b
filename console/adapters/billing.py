"""No billing provider."""

from datetime import datetime

from console.domain.billing.canonical_form import Snapshot
from console.domain.billing.commands import Command
from console.domain.billing.objects import ObjectKind
from console.domain.errors import OutsideError
from console.ports.billing import NO_PROVIDER, ProviderPage


class NoProvider:
    """Stands where no billing provider is connected: every question and every command is refused."""

    name = NO_PROVIDER

    def fetch(self, kind: ObjectKind, thing: str) -> Snapshot | None:
        """Raise OutsideError: there is nobody to ask."""
        raise _nobody()

    def page(
        self,
        kind: ObjectKind,
        *,
        customer: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> ProviderPage:
        """Raise OutsideError: there is nobody to ask."""
        raise _nobody()

    def invoice_of_number(self, *, customer: str, number: str) -> Snapshot | None:
        """Raise OutsideError: there is nobody to ask."""
        raise _nobody()

    def carry_out(self, command: Command, *, key: str) -> Snapshot:
        """Raise OutsideError: there is nobody to act."""
        raise _nobody()

    def carried_out(self, command: Command, *, key: str) -> Snapshot | None:
        """Raise OutsideError: there is nobody to ask."""
        raise _nobody()


def _nobody() -> OutsideError:
    return OutsideError("No billing provider is connected; set billing.adapter.", permanent=True)
