"""How commands speak: results on stdout as text or JSON, progress and faults on stderr."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

import click
from rich import console as terminal
from rich import progress

from console.domain.staff import Role

Command = Callable[..., Any]
WIDEST_CELL = 60

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")


def say(*lines: str) -> None:
    """Print lines as they are, without control characters that a name may hold."""
    for line in lines:
        click.echo("".join(letter if letter == "\t" or letter.isprintable() else "�" for letter in line))


def say_json(value: object) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(plain(value), ensure_ascii=False, indent=2))


def plain(value: object) -> object:
    """Return a value as JSON knows it; times in ISO 8601, values by their fields."""
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, set | frozenset):
        return sorted(str(plain(item)) for item in value)
    if hasattr(value, "items"):
        return {str(key): plain(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return fields_of(value)
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    return str(value)


def fields_of(value: Any) -> dict[str, object]:  # noqa: ANN401  any dataclass
    """Return the fields of a value as JSON knows them."""
    return {each.name: plain(getattr(value, each.name)) for each in fields(value)}


def say_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print columns of text that fit their widest cell."""
    cells = [[_cell(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    for row in cells:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def roles_told(roles: frozenset[Role]) -> str:
    """Return roles by their names, in a stable order."""
    return ", ".join(sorted(role.value for role in roles)) or "-"


@contextmanager
def progress_bar(title: str, total: float | None) -> Iterator[Callable[[float, str], None]]:
    """Show a bar on stderr where somebody looks at it; give `advanced(done, text)`."""
    console = terminal.Console(stderr=True)
    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.TaskProgressColumn(),
        progress.TextColumn("{task.fields[told]}"),
        progress.TimeElapsedColumn(),
    )
    with progress.Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=total, told="")
        yield lambda done, text: bar.update(task, completed=done, told=text)


def _cell(text: str) -> str:
    return text if len(text) <= WIDEST_CELL else f"{text[: WIDEST_CELL - 1]}…"
