"""What every command carries: the settings of this call, the opened house, and who sits at the machine."""

import os
import pwd
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click

from console.cli.works import Rooms, Works
from console.domain.staff import Actor
from console.settings import Settings, load_settings
from console.usecases.operator import operator


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """One call of the command line. Shape: `config` is None where settings are looked for in the usual places."""

    works: Works
    config: Path | None = None
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    def settings(self, **overrides: object) -> Settings:
        """Return the settings; overrides such as `server__port=8080` are checked like any other key."""
        given = {f"SALLYPORT_{name.upper()}": str(value) for name, value in overrides.items() if value is not None}
        return load_settings({**self.environ, **given}, self.config)

    @contextmanager
    def opened(self) -> Iterator[tuple[Rooms, Actor]]:
        """Open the house and return it with the operator, who acts under the name of this command."""
        with self.works.opened(self.settings()) as rooms:
            path = click.get_current_context().command_path
            yield rooms, operator(rooms.house, account=account_name(self.environ), command=path)


pass_shell = click.make_pass_decorator(Shell)


def account_name(environ: Mapping[str, str]) -> str:
    """Return the account at the machine; behind sudo the person who called it, which only root could pretend."""
    behind = environ.get("SUDO_UID", "")
    number = int(behind) if os.geteuid() == 0 and behind.isdigit() else os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid{number}"
