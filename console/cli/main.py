"""The root of the command line."""

from pathlib import Path

import click

from console.cli.act import act, actions
from console.cli.beginning import init
from console.cli.database import db
from console.cli.directory import directory
from console.cli.doctor import doctor
from console.cli.exits import ToldGroup
from console.cli.policy import policy
from console.cli.product import product
from console.cli.reconcile import reconcile
from console.cli.running import demo, serve, worker
from console.cli.shell import Shell
from console.cli.staff import staff
from console.cli.trail import trail
from console.cli.works import Works

COMMANDS = (init, serve, demo, worker, doctor, staff, directory, product, policy, trail, reconcile, db, act, actions)
_EPILOG = (
    "Exit codes: 0 done, 1 a check failed, 2 wrong usage, 3 refused by policy, 4 bad input, "
    "5 the database or another system is down, 130 interrupted."
)


def build_cli(works: Works) -> click.Group:
    """Return the whole command line, working through what the composition root gives."""

    @click.group("sallyport", cls=ToldGroup, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
    @click.option(
        "--config",
        type=click.Path(path_type=Path),
        envvar="SALLYPORT_CONFIG",
        help="The settings file; sallyport.toml in this folder when left out.",
    )
    @click.version_option(package_name="sallyport")
    @click.pass_context
    def root(context: click.Context, config: Path | None) -> None:
        """Sallyport: governed access of a company's own staff to its customers' tenants.

        Example: sallyport demo
        """
        context.obj = Shell(works=works, config=config)

    for command in COMMANDS:
        root.add_command(command)
    return root
