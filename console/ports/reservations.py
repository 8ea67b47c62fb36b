"""What no two executions may be at in the same moment, on whatever planes their tenants are."""

from datetime import datetime
from typing import Protocol

from console.domain.ids import ExecutionId


class Reservations(Protocol):
    """Names that executions hold from their start to their end, inside one unit of the control store."""

    def take(self, name: str, *, execution: ExecutionId, at: datetime) -> bool:
        """Hold a name for an execution; False while another one holds it.

        Shape: waits for a unit that holds it and has not ended, so that what follows sees what that one did.
        """
        ...

    def free(self, execution: ExecutionId) -> None:
        """Let go of whatever an execution holds."""
        ...
