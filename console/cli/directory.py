"""`sallyport directory`: bring real tenants in."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import click

from console.cli.asking import refusal_lines
from console.cli.exits import CommandFault, Exit
from console.cli.output import as_json_option, progress_bar, say, say_json
from console.cli.shell import Shell, pass_shell
from console.domain.decisions import Deny, NeedsStepUp
from console.domain.import_fields import KINDS
from console.domain.import_rows import LONGEST_LINE, FileForm, form_of, read_records
from console.domain.imports import RowFault
from console.usecases.import_directory import Imported, ImportMode, ImportSource, import_directory

_FORMS = click.Choice([form.value for form in FileForm])
_KINDS = click.Choice(list(KINDS))


class ReadFile:
    """The lines of one file, and what was read of it so far."""

    def __init__(self, file: BinaryIO) -> None:
        """Begin before the first line."""
        self._file = file
        self._digest = sha256()
        self.bytes_read = 0

    def lines(self) -> Iterator[bytes]:
        """Yield pieces of at most the longest permitted line."""
        while raw := self._file.readline(LONGEST_LINE + 1):
            self._digest.update(raw)
            self.bytes_read += len(raw)
            yield raw

    def sha256(self) -> str:
        """Return the digest of the whole file, also where reading ended early."""
        for _rest in self.lines():
            pass
        return self._digest.hexdigest()


@click.group()
def directory() -> None:
    """Fill the directory of tenants, and what belongs to them.

    Example: sallyport directory import tenants.csv --kind tenant --dry-run
    """


@directory.command("import")
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@click.option("--format", "form_name", type=_FORMS, help="How the file is written; by its ending when left out.")
@click.option("--kind", type=_KINDS, help="What every row is, where the rows do not say it in a field `kind`.")
@click.option("--partial", is_flag=True, help="Keep the good rows although others are wrong.")
@click.option("--dry-run", is_flag=True, help="Check everything, keep nothing.")
@as_json_option
@pass_shell
def import_file(
    shell: Shell, path: Path, *, form_name: str | None, kind: str | None, partial: bool, dry_run: bool, as_json: bool
) -> None:
    """Import tenants, members, plans, subscriptions and more; all of it or nothing, and again as often as you like.

    Example: sallyport directory import tenants.csv --kind tenant --dry-run
    """
    if partial and dry_run:
        raise click.UsageError("--partial keeps rows and --dry-run keeps none: give one of the two.")
    form = FileForm(form_name) if form_name else form_of(path.name)
    if form is None:
        raise click.UsageError(f"{path.name}: say how it is written with --format csv or --format jsonl.")
    mode = ImportMode.TRIAL if dry_run else ImportMode.PARTIAL if partial else ImportMode.WHOLE
    try:
        answer = _imported(shell, path, form=form, kind=kind, mode=mode)
    except OSError as broken:
        raise CommandFault(f"{path.name}: cannot be read: {broken.strerror}. Nothing was kept.", Exit.OUTSIDE) from None
    except KeyboardInterrupt:
        raise CommandFault("Interrupted: everything was rolled back, nothing was kept.", Exit.INTERRUPTED) from None
    if isinstance(answer, Deny | NeedsStepUp):
        raise CommandFault(refusal_lines(answer), Exit.REFUSED)
    _tell(answer, mode, as_json=as_json)


def _imported(
    shell: Shell, path: Path, *, form: FileForm, kind: str | None, mode: ImportMode
) -> Imported | Deny | NeedsStepUp:
    with (
        path.open("rb") as file,
        progress_bar(path.name, path.stat().st_size) as advanced,
        shell.opened() as (rooms, actor),
    ):
        reading = ReadFile(file)
        source = ImportSource(
            name=path.name, rows=read_records(reading.lines(), form=form, kind=kind), sha256=reading.sha256
        )
        return import_directory(
            rooms.house, rooms.bulk, actor, source=source, mode=mode, progress=_shown(reading, advanced)
        )


def _shown(reading: ReadFile, advanced: Callable[[float, str], None]) -> Callable[[int], None]:
    return lambda rows: advanced(reading.bytes_read, f"{rows:,} rows")


def _tell(answer: Imported, mode: ImportMode, *, as_json: bool) -> None:
    if as_json:
        say_json(answer)
    else:
        counts = ", ".join(f"{count:,} {kind}" for kind, count in answer.counts.items()) or "no good row"
        say(f"{answer.rows:,} rows read ({counts}), {answer.fault_count:,} faults.", _end(answer, mode))
    if answer.fault_count:
        raise CommandFault([] if as_json else list(_fault_lines(answer)), Exit.BAD_INPUT)


def _fault_lines(answer: Imported) -> Iterator[str]:
    yield from map(_fault_line, answer.faults)
    if answer.fault_count > len(answer.faults):
        yield f"… and {answer.fault_count - len(answer.faults):,} more faults."


def _fault_line(fault: RowFault) -> str:
    return f"line {fault.line}: {fault.field}: {fault.remedy}" if fault.field else f"line {fault.line}: {fault.remedy}"


def _end(answer: Imported, mode: ImportMode) -> str:
    if answer.is_kept:
        return "The good rows were kept." if answer.fault_count else "Everything was kept."
    if mode is ImportMode.TRIAL:
        return "This was a dry run: nothing was kept."
    if mode is ImportMode.PARTIAL:
        return "No row was good: nothing was kept."
    return "Nothing was kept: mend the faults, or keep the good rows with --partial."
