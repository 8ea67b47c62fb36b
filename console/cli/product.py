"""`sallyport product`: the product in which staff act for members."""

import click

from console.cli.asking import refusal_lines
from console.cli.exits import CommandFault, Exit
from console.cli.output import as_json_option, say, say_json
from console.cli.shell import Shell, pass_shell
from console.domain.decisions import Deny, NeedsStepUp
from console.usecases.rotate_product_key import rotate_product_key


@click.group()
def product() -> None:
    """Look after the product in which staff act for members.

    Example: sallyport product rotate-key
    """


@product.command("rotate-key")
@as_json_option
@pass_shell
def rotate_key(shell: Shell, *, as_json: bool) -> None:
    """Make a new key for its tokens; those of the old one stay good, and of that only the public half is kept.

    Example: sallyport product rotate-key
    """
    with shell.opened() as (rooms, operator):
        made = rotate_product_key(rooms.house, operator)
    if isinstance(made, Deny | NeedsStepUp):
        raise CommandFault(refusal_lines(made), Exit.REFUSED)
    if as_json:
        say_json({"kid": made})
    else:
        say(f"Tokens are signed with the key {made} from now on.")
