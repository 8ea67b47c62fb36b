"""The exit codes of every command, and the one place that turns a fault into a sentence and a code."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any

import click

from console.actions.registry import ActionFaultsError
from console.domain.errors import (
    BadValueError,
    ConflictError,
    ConsoleError,
    NotFoundError,
    OutsideError,
    TrailUnavailableError,
)
from console.policy.book import PolicyFaultsError
from console.settings import SettingsFaultsError


class Exit(IntEnum):
    """What a command ends with; scripts rely on it. Source: docs/cli.md."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    BAD_INPUT = 4
    OUTSIDE = 5
    INTERRUPTED = 130


class CommandFault(click.ClickException):
    """Ends a command with lines on stderr and an exit code."""

    def __init__(self, lines: str | Iterable[str], code: Exit) -> None:
        """Keep what to say."""
        self.lines = (lines,) if isinstance(lines, str) else tuple(lines)
        super().__init__("\n".join(self.lines))
        self.code = code

    @property
    def exit_code(self) -> int:  # type: ignore[override]  # click reads it, and never sets it on an instance
        """Return what the process ends with."""
        return int(self.code)

    def show(self, file: Any = None) -> None:  # noqa: ANN401  click hands on any open file
        """Say it on stderr, one line each."""
        for line in self.lines:
            click.echo(line, file=file, err=True)


_FAULT_LISTS = (SettingsFaultsError, PolicyFaultsError, ActionFaultsError)
_CODES: tuple[tuple[type[ConsoleError], Exit], ...] = (
    (TrailUnavailableError, Exit.OUTSIDE),
    (OutsideError, Exit.OUTSIDE),
    (NotFoundError, Exit.BAD_INPUT),
    (BadValueError, Exit.BAD_INPUT),
    (ConflictError, Exit.FAILED),
    (ConsoleError, Exit.FAILED),
)


@contextmanager
def faults_told() -> Iterator[None]:
    """Turn every expected fault into lines and an exit code; a bug keeps its traceback."""
    try:
        yield
    except _FAULT_LISTS as faults:
        raise CommandFault(faults.faults, Exit.BAD_INPUT) from faults
    except ConsoleError as fault:
        raise CommandFault(_sentence(fault), _code(fault)) from fault
    except KeyboardInterrupt as stop:
        raise CommandFault("Interrupted.", Exit.INTERRUPTED) from stop


class ToldGroup(click.Group):
    """The root of the command line: everything below it ends with a documented code."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  click's own signature
        """Run the command."""
        with faults_told():
            return super().invoke(ctx)


def _code(fault: ConsoleError) -> Exit:
    return next(code for kind, code in _CODES if isinstance(fault, kind))


def _sentence(fault: ConsoleError) -> str:
    field, remedy = fault.facts.get("field"), fault.facts.get("remedy")
    told = f"{field}: {fault}" if field else str(fault)
    hint = " Try again later." if isinstance(fault, OutsideError) and not fault.permanent else ""
    return f"{told} ({remedy})" if remedy else f"{told}{hint}"
