"""`sallyport db`: the shape of the databases."""

import click

from console.cli.exits import CommandFault, Exit
from console.cli.output import as_json_option, say, say_json, say_table
from console.cli.shell import Shell, pass_shell


@click.group()
def db() -> None:
    """Databases: the control store and every plane.

    Example: sallyport db current
    """


@db.command()
@pass_shell
def upgrade(shell: Shell) -> None:
    """Bring every database to the newest shape; safe to repeat, one machine at a time.

    Example: sallyport db upgrade
    """
    shell.works.upgrade(shell.settings())
    say("Every database has the newest shape.")


@db.command()
@as_json_option
@pass_shell
def current(shell: Shell, *, as_json: bool) -> None:
    """Show which shape each database has; ends with 1 where one is old, with 5 where one is silent.

    Example: sallyport db current --json
    """
    probes = shell.works.probes(shell.settings())
    states = {True: "newest", False: "old: run sallyport db upgrade"}
    if as_json:
        say_json(probes)
    else:
        rows = [
            (probe.name, probe.kind, ", ".join(probe.revisions) or "-", probe.fault or states[probe.is_current])
            for probe in probes
        ]
        say_table(("DATABASE", "KIND", "REVISIONS", "STATE"), rows)
    if any(probe.fault for probe in probes):
        raise CommandFault([], Exit.OUTSIDE)
    if not all(probe.is_current for probe in probes):
        raise CommandFault([], Exit.FAILED)
