"""`sallyport act KEY` and `actions`: the governed actions, each command made from its definition."""

from collections.abc import Sequence
from typing import Any

import click

from console.actions.registry import registered
from console.cli.asking import ask_for, preview_of, tell
from console.cli.output import as_json_option, say, say_json, say_table
from console.cli.shell import Shell, pass_shell
from console.domain.ids import ActionKey, ReasonCode
from console.domain.reasons import Reason
from console.ports.actions import Action, Input, ParamField, Reach
from console.usecases.find_tenant import find_tenant

_ASKED_AS = {Input.INTEGER: "a whole number", Input.DATE: "a day like 2027-03-31", Input.ROLES: "roles, by commas"}


class ActionGroup(click.Group):
    """Offers every registered action as a command, those of other packages too."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the keys of all actions."""
        return sorted(registered())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of one action, or None."""
        action = registered().get(ActionKey(cmd_name))
        return None if action is None else command_of(action)


@click.group(cls=ActionGroup)
def act() -> None:
    """Ask for a governed action as the operator at the machine; policy decides, as for everybody.

    The operator has no access to tenants: what needs one is refused with exit code 3, and recorded.

    Example: sallyport act staff.deactivate --reason STAFF_CHANGE --reference HR-125 --set colleague=robin@example.com
    """


@click.group()
def actions() -> None:
    """List the registered actions: what each takes, changes and shows the customer.

    Example: sallyport actions list
    """


@actions.command("list")
@as_json_option
def list_actions(*, as_json: bool) -> None:
    """List every action.

    Example: sallyport actions list
    """
    found = [action for _key, action in sorted(registered().items())]
    if as_json:
        say_json([_described(action) for action in found])
        return
    rows = [(action.key, action.effect.value, action.reach.value, action.title) for action in found]
    say_table(("KEY", "EFFECT", "REACH", "TITLE"), rows)


@actions.command()
@click.argument("key")
@as_json_option
def show(key: str, *, as_json: bool) -> None:
    """Show one action with its fields.

    Example: sallyport actions show entitlement.override
    """
    action = registered().get(ActionKey(key))
    if action is None:
        raise click.BadParameter(f"there is no action {key!r}; see sallyport actions list.", param_hint="KEY")
    if as_json:
        say_json(_described(action))
        return
    say(f"{action.key} (version {action.version}): {action.title}", action.documentation)
    say(f"Effect: {action.effect.value}. Reach: {action.reach.value}. The customer sees: {action.customer_sees}", "")
    say(*(f"  {line}" for line in field_lines(action)))


def command_of(action: Action[Any]) -> click.Command:
    """Return the command of one action; its help comes from the definition."""
    takes_tenant = action.reach is Reach.TENANT
    fields = "\n".join(["\b", "Fields:", *(f"  {line}" for line in field_lines(action))])
    example = f"Example: sallyport act {action.key} {'--tenant acme ' if takes_tenant else ''}--reason CODE"
    sets = " ".join(f"--set {field.name}=…" for field in action.fields if field.is_required)
    options = [
        click.Option(["--reason"], required=True, help="A reason code of policies/reasons.toml."),
        click.Option(["--reference"], required=True, help="Ticket, contract, invoice or incident behind it."),
        click.Option(["--note"], default="", help="What happened, in a sentence or two."),
        click.Option(["--set", "pairs"], multiple=True, metavar="FIELD=VALUE", help="One field; repeat for each."),
        click.Option(["--preview"], is_flag=True, help="Show what would change, and change nothing."),
        click.Option(["--json", "as_json"], is_flag=True, help="Print JSON for scripts."),
    ]
    if takes_tenant:
        options.insert(0, click.Option(["--tenant"], required=True, help="Slug or id of the tenant."))

    @pass_shell
    def run(shell: Shell, /, **given: Any) -> None:  # noqa: ANN401  click hands on what the options say
        _run(shell, action, **given)

    text = f"{action.documentation}\n\n{example} --reference REF {sets}\n\n{fields}"
    return click.Command(action.key, callback=run, params=list[click.Parameter](options), help=text)


def field_lines(action: Action[Any]) -> Sequence[str]:
    """Return one line per field: its name, what it takes, and what it is for."""
    width = max((len(field.name) for field in action.fields), default=0)
    return [f"{field.name.ljust(width)}  {_takes(field)}" for field in action.fields] or ["none"]


def _takes(field: ParamField) -> str:
    shape = _ASKED_AS.get(field.input, "text")
    if field.input is Input.INTEGER:
        shape = f"{shape}, {field.least or 0:,} to {field.most or 0:,} {field.unit}".rstrip()
    elif field.pattern_example:
        shape = f"text like {field.pattern_example}"
    needed = "" if field.is_required else " (optional)"
    return f"{field.label}: {shape}{needed}. {field.help}".rstrip()


def _run(
    shell: Shell,
    action: Action[Any],
    *,
    reason: str,
    reference: str,
    note: str,
    pairs: tuple[str, ...],
    preview: bool,
    as_json: bool,
    tenant: str | None = None,
) -> None:
    raw = _fields(pairs)
    why = Reason(code=ReasonCode(reason), reference=reference, note=note)
    ask = preview_of if preview else ask_for
    with shell.opened() as (rooms, actor):
        place = None if tenant is None else find_tenant(rooms.house, slug=tenant).id
        answer = ask(rooms, actor, key=action.key, raw=raw, reason=why, tenant=place)
    tell(answer, as_json=as_json)


def _fields(pairs: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or name in found:
            raise click.BadParameter(f"{pair!r}: write FIELD=VALUE, each field once.", param_hint="--set")
        found[name] = value
    return found


def _described(action: Action[Any]) -> dict[str, object]:
    """Return a definition without its functions."""
    return {
        "key": action.key,
        "version": action.version,
        "title": action.title,
        "effect": action.effect,
        "reach": action.reach,
        "fields": action.fields,
        "documentation": action.documentation,
        "customer_sees": action.customer_sees,
        "undo": action.undo,
    }
