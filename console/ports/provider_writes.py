"""What one tenant's plane remembers of the commands that a billing provider was given."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from console.domain.billing.commands import Command
from console.domain.billing.objects import ObjectKind
from console.domain.billing.writes import ProviderWrite, WriteEvent
from console.domain.ids import ExecutionId


class ProviderWrites(Protocol):
    """Our own record of every command, written before the provider hears of it."""

    def lock(self) -> None:
        """Let nobody else want or settle a command of this tenant until the unit ends, so that bounds hold."""
        ...

    def want(self, command: Command, *, execution: ExecutionId, at: datetime) -> ProviderWrite:
        """Note a command that is to be carried out; raises ConflictError where the execution has one already."""
        ...

    def get(self, execution: ExecutionId) -> ProviderWrite | None:
        """Return the command of an execution; raises MalformedCommandError where it was tampered with."""
        ...

    def pending(self, subject: str | None = None) -> Sequence[ProviderWrite]:
        """Return what is wanted or sent and not settled, of one object or of all, oldest first."""
        ...

    def recent(self, *, limit: int) -> Sequence[ProviderWrite]:
        """Return the newest commands."""
        ...

    def move(
        self,
        write: ProviderWrite,
        event: WriteEvent,
        *,
        at: datetime,
        result: tuple[ObjectKind, str] | None = None,
        error: str | None = None,
    ) -> ProviderWrite | None:
        """Move a command by one conditional update on its version; None when somebody was faster.

        Raises: ConflictError for an event that is not legal in its state.
        """
        ...
