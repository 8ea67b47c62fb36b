"""`sallyport staff`: who works here; every change is a governed action with a reason."""

import click

from console.cli.asking import ask_for, refusal_lines, staff_reason, tell, with_reference
from console.cli.exits import CommandFault, Exit
from console.cli.output import as_json_option, roles_told, say, say_json, say_table
from console.cli.passwords import chosen_password, password_option, tell_enrolment
from console.cli.shell import Shell, pass_shell
from console.domain.decisions import Deny
from console.domain.ids import ActionKey
from console.domain.staff import Role, StaffMember
from console.usecases.outcomes import Ran
from console.usecases.read_staff import read_staff
from console.usecases.set_credentials import Enrolled, lacks_password, set_credentials

_ROLES = click.Choice([role.value for role in Role])
_roles_option = click.option("--role", "roles", type=_ROLES, multiple=True, required=True, help="Repeat for several.")


@click.group()
def staff() -> None:
    """Staff accounts: add, list, change, deactivate.

    Example: sallyport staff list
    """


@staff.command()
@click.option("--name", required=True, help="The person's name.")
@click.option("--email", required=True, help="The address they sign in with.")
@_roles_option
@click.option("--person", default="", help="issuer|subject at the identity provider; empty for a local account.")
@with_reference
@as_json_option
@pass_shell
def add(
    shell: Shell,
    name: str,
    email: str,
    *,
    roles: tuple[str, ...],
    person: str,
    reference: str,
    note: str,
    as_json: bool,
) -> None:
    """Let a colleague in.

    Example: sallyport staff add --name "Robin Ode" --email robin@example.com --role support_agent --reference HR-123
    """
    raw = {"name": name, "email": email, "person": person, "roles": roles}
    with shell.opened() as (rooms, actor):
        answer = ask_for(rooms, actor, key=ActionKey("staff.add"), raw=raw, reason=staff_reason(reference, note))
        is_missing = isinstance(answer, Ran) and lacks_password(rooms.house, email=email, person=person)
    tell(answer, as_json=as_json)
    if is_missing and not as_json:
        say(f"They need a password first: sallyport staff set-password {email}")


@staff.command("list")
@as_json_option
@pass_shell
def list_staff(shell: Shell, *, as_json: bool) -> None:
    """List everybody with their roles and last sign-in.

    Example: sallyport staff list --json
    """
    members: list[StaffMember] = []
    with shell.opened() as (rooms, actor):
        page = read_staff(rooms.house, actor, after=None)
        while not isinstance(page, Deny):
            members += page.members
            if page.older is None:
                break
            page = read_staff(rooms.house, actor, after=page.older)
    if isinstance(page, Deny):
        raise CommandFault(refusal_lines(page), Exit.REFUSED)
    if as_json:
        say_json(members)
        return
    say_table(("ADDRESS", "NAME", "ROLES", "STATE", "LAST SEEN", "ID"), [_row(member) for member in members])


@staff.command()
@click.argument("email")
@_roles_option
@with_reference
@as_json_option
@pass_shell
def set_roles(shell: Shell, email: str, *, roles: tuple[str, ...], reference: str, note: str, as_json: bool) -> None:
    """Replace the roles of a local account.

    Example: sallyport staff set-roles robin@example.com --role support_lead --reference HR-124
    """
    _on_colleague(shell, "staff.change_roles", email, reference=reference, note=note, as_json=as_json, roles=roles)


@staff.command()
@click.argument("email")
@with_reference
@as_json_option
@pass_shell
def deactivate(shell: Shell, email: str, *, reference: str, note: str, as_json: bool) -> None:
    """Switch an account off; its sessions, leases and requests end with it.

    Example: sallyport staff deactivate robin@example.com --reference HR-125
    """
    _on_colleague(shell, "staff.deactivate", email, reference=reference, note=note, as_json=as_json)


@staff.command()
@click.argument("email")
@with_reference
@as_json_option
@pass_shell
def reactivate(shell: Shell, email: str, *, reference: str, note: str, as_json: bool) -> None:
    """Switch an account on again, with the roles it had.

    Example: sallyport staff reactivate robin@example.com --reference HR-126
    """
    _on_colleague(shell, "staff.reactivate", email, reference=reference, note=note, as_json=as_json)


@staff.command()
@click.argument("email")
@with_reference
@as_json_option
@pass_shell
def end_sessions(shell: Shell, email: str, *, reference: str, note: str, as_json: bool) -> None:
    """End every session of a colleague, and the leases opened in them.

    Example: sallyport staff end-sessions robin@example.com --reference HR-127
    """
    _on_colleague(shell, "staff.end_sessions", email, reference=reference, note=note, as_json=as_json)


@staff.command()
@click.argument("email")
@password_option
@as_json_option
@pass_shell
def set_password(shell: Shell, email: str, *, password_stdin: bool, as_json: bool) -> None:
    """Give a local account a password and a fresh one-time-code secret, shown once.

    Example: sallyport staff set-password robin@example.com
    """
    password = chosen_password(from_stdin=password_stdin)
    with shell.opened() as (rooms, actor):
        enrolled = set_credentials(rooms.house, actor, email=email, password=password)
    if not isinstance(enrolled, Enrolled):
        raise CommandFault(refusal_lines(enrolled), Exit.REFUSED)
    tell_enrolment(email, enrolled, as_json=as_json)


def _on_colleague(
    shell: Shell,
    key: str,
    email: str,
    *,
    reference: str,
    note: str,
    as_json: bool,
    roles: tuple[str, ...] = (),
) -> None:
    raw: dict[str, str | tuple[str, ...]] = {"colleague": email}
    if roles:
        raw["roles"] = roles
    with shell.opened() as (rooms, actor):
        answer = ask_for(rooms, actor, key=ActionKey(key), raw=raw, reason=staff_reason(reference, note))
    tell(answer, as_json=as_json)


def _row(member: StaffMember) -> tuple[str, ...]:
    seen = "-" if member.last_seen_at is None else f"{member.last_seen_at:%Y-%m-%d %H:%M}"
    state = "active" if member.is_active else "deactivated"
    return member.email, member.name, roles_told(member.roles), state, seen, member.id
