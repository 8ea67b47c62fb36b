"""`sallyport init`: from an empty folder to a console that its first administrator can sign in to."""

import os
import secrets
from pathlib import Path

import click

from console.cli.asking import ask_for, refusal_lines, staff_reason, tell
from console.cli.exits import CommandFault, Exit
from console.cli.output import say
from console.cli.passwords import chosen_password, password_option, tell_enrolment
from console.cli.shell import Shell, pass_shell
from console.domain.ids import ActionKey
from console.domain.staff import Role
from console.settings import Settings, load_settings
from console.settings.load import DEFAULT_FILE
from console.usecases.outcomes import BadFields
from console.usecases.set_credentials import Enrolled, lacks_password, set_credentials

_PRIVATE = 0o600
_TAKEN = ("email", "Somebody signs in with this address already.")  # what staff.add says then
_SECRETS = ("session_key", "fingerprint_key", "sealing_key")
_ENVIRONMENTS = click.Choice(["development", "staging", "production"])


@click.command()
@click.option("--environment", type=_ENVIRONMENTS, default="production", show_default=True)
@click.option("--var", type=click.Path(path_type=Path), default=Path("var"), show_default=True, help="Data folder.")
@click.option("--database", "database_url", help="Address of the control store; one SQLite file in VAR when left out.")
@click.option("--host-name", default="localhost", show_default=True, help="The name that browsers call it by.")
@click.option("--name", prompt="Name of the first administrator")
@click.option("--email", prompt="Address they sign in with")
@click.option("--person", default="", help="issuer|subject at the identity provider; empty for a local account.")
@click.option("--reference", prompt="Case or change ticket behind this (e.g. CHG-1)", help="For the trail.")
@password_option
@pass_shell
def init(
    shell: Shell,
    *,
    environment: str,
    var: Path,
    database_url: str | None,
    host_name: str,
    name: str,
    email: str,
    person: str,
    reference: str,
    password_stdin: bool,
) -> None:
    """Make the settings file with fresh secrets, the database, the first administrator and the first checkpoint.

    What is there already is kept, and what is missing is made up for, so it is safe to repeat.

    Example: sallyport init --name "Ada Byron" --email ada@example.com --reference CHG-1
    """
    file = shell.config or DEFAULT_FILE
    if file.exists():
        say(f"{file} is kept.")
    else:
        write_settings(file, settings_text(environment, var=var, database_url=database_url, host_name=host_name))
        say(f"{file} is written, with fresh secrets, readable for this account only: back it up.")
    settings = load_settings(shell.environ, file)
    settings.var.mkdir(parents=True, exist_ok=True, mode=0o700)
    shell.works.upgrade(settings)
    say("The database has its newest shape.")
    opened = Shell(works=shell.works, config=file, environ=shell.environ)
    password = _missing_password(opened, email, person=person, from_stdin=password_stdin)
    _add(opened, name=name, email=email, person=person, reference=reference)
    if password is not None:
        _enrol(opened, email, password)
    _sign_trail(opened, settings.checkpoint_folder)
    say(*_next_steps(settings))


def settings_text(environment: str, *, var: Path, database_url: str | None, host_name: str) -> str:
    """Return a complete settings file with secrets of its own."""
    # Without an identity provider production has only the emergency way in; docs/settings.md says how to add one.
    passwords = "emergency" if environment == "production" else "on"
    hosts = ", ".join(_quoted(host) for host in dict.fromkeys((host_name, "localhost", "127.0.0.1")))
    lines = [
        "# Settings of this installation; every key is explained in docs/settings.md. Keep it secret: it holds keys.",
        f"environment = {_quoted(environment)}",
        f"var = {_quoted(str(var))}",
        f'local_passwords = {_quoted(passwords)}  # "off" once [oidc] names your identity provider',
        "",
        "[server]",
        f"trusted_hosts = [{hosts}]",
        "",
        *(["[database]", f"url = {_quoted(database_url)}", ""] if database_url else []),
        "[secrets]",
        *(f"{key} = {_quoted(secrets.token_hex(32))}" for key in _SECRETS),
        "",
    ]
    return "\n".join(lines)


def write_settings(file: Path, text: str) -> None:
    """Write a new file that only this account can read; never over another."""
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    except OSError as broken:
        raise CommandFault(f"{file}: cannot be written: {broken.strerror}.", Exit.BAD_INPUT) from broken
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())


def _missing_password(shell: Shell, email: str, *, person: str, from_stdin: bool) -> str | None:
    """Return the password that the account lacks, None where it lacks none; asked for before anybody is added."""
    with shell.opened() as (rooms, _actor):
        if lacks_password(rooms.house, email=email, person=person):
            password = chosen_password(from_stdin=from_stdin)
            fault = rooms.house.passwords.fault(password, email=email)
            if fault is not None:
                raise CommandFault([f"password: {fault}", "Nobody was added: run init again."], Exit.BAD_INPUT)
            return password
    if from_stdin:
        say(f"The password is not used: {email} lacks none. To set another: sallyport staff set-password {email}")
    return None


def _add(shell: Shell, *, name: str, email: str, person: str, reference: str) -> None:
    """Add the administrator; where the address has an account it stays as it is."""
    raw = {"name": name, "email": email, "person": person, "roles": Role.ADMINISTRATOR.value}
    with shell.opened() as (rooms, actor):
        answer = ask_for(rooms, actor, key=ActionKey("staff.add"), raw=raw, reason=staff_reason(reference, ""))
    if isinstance(answer, BadFields) and _TAKEN in {(fault.field, fault.remedy) for fault in answer.faults}:
        say(f"{email} has an account already; it is kept as it is.")
        return
    tell(answer, as_json=False)


def _enrol(shell: Shell, email: str, password: str) -> None:
    with shell.opened() as (rooms, actor):
        enrolled = set_credentials(rooms.house, actor, email=email, password=password)
    if not isinstance(enrolled, Enrolled):
        raise CommandFault(refusal_lines(enrolled), Exit.REFUSED)
    tell_enrolment(email, enrolled, as_json=False)


def _sign_trail(shell: Shell, folder: Path) -> None:
    """Vouch for what was written so far, outside the database: without that a wiped trail would look like a new one."""
    with shell.opened() as (rooms, _actor):
        while rooms.sequencer.run_once():
            pass
    say(f"The trail so far is signed, by a checkpoint in {folder}.")


def _next_steps(settings: Settings) -> tuple[str, ...]:
    return (
        "",
        "Next: sallyport doctor, then sallyport serve.",
        f"Back up the settings file, {settings.trail_key_file} and {settings.checkpoint_folder} (docs/operations.md).",
    )


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
