"""Take a new password without showing it, and show what an authenticator app needs, once."""

import sys

import click
import segno

from console.cli.exits import CommandFault, Exit
from console.cli.output import say, say_json
from console.usecases.set_credentials import Enrolled

password_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from the first line of standard input."
)


def chosen_password(*, from_stdin: bool) -> str:
    """Return a new password, asked twice without echo or read from a pipe."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    if not sys.stdin.isatty():
        raise CommandFault("There is no terminal to ask at: use --password-stdin.", Exit.USAGE)
    password: str = click.prompt("New password", hide_input=True, confirmation_prompt=True, err=True)
    return password


def tell_enrolment(email: str, enrolled: Enrolled, *, as_json: bool) -> None:
    """Show the address for the authenticator app, as a picture where somebody can scan it."""
    if as_json:
        say_json({"email": email, "provisioning_uri": enrolled.provisioning_uri})
        return
    say(f"Password set for {email}. Add this to an authenticator app now; it is not shown again:")
    say(enrolled.provisioning_uri)
    if sys.stdout.isatty():
        segno.make(enrolled.provisioning_uri).terminal(compact=True)
