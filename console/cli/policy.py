"""`sallyport policy`: check, try and explain the rules, without a database."""

from pathlib import Path

import click

from console.actions.registry import registered
from console.cli.exits import CommandFault, Exit
from console.cli.output import as_json_option, say, say_json
from console.domain.decisions import Deny, Fact, Query
from console.domain.ids import ActionKey, PersonKey, ReasonCode, StaffId, TenantId
from console.domain.staff import Role, StaffKind
from console.policy.book import PolicyBook, PolicyFaultsError
from console.policy.cases import Case, load_cases, missing_cases, run_cases
from console.policy.coverage import coverage as coverage_of
from console.policy.explain import explain as explanation_of
from console.policy.explain import said
from console.policy.load import load_book
from console.policy.schema import neutral
from console.policy.signals import load_signal_cases, missing_signal_cases

_ASKER, _SOMEBODY = PersonKey("asker"), PersonKey("somebody else")
_TENANT = TenantId("ten_example")
_FRESH_S = 60
_TRUTHS = {"true": True, "false": False}

_folder_option = click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("policies"),
    envvar="SALLYPORT_POLICIES",
    show_default=True,
    help="The policy folder.",
)


@click.group()
def policy() -> None:
    """Check, try and explain the rules in policies/.

    Example: sallyport policy check
    """


@policy.command()
@_folder_option
@as_json_option
def check(folder: Path, *, as_json: bool) -> None:
    """Check that rules, schema, tables and actions fit together; every fault names its mend.

    Example: sallyport policy check --folder policies
    """
    book: PolicyBook | None = None
    faults: tuple[str, ...] = ()
    try:
        book = _book(folder)
    except PolicyFaultsError as found:
        faults = found.faults
    if as_json:
        say_json({"is_good": book is not None, "version": book.version if book else None, "faults": faults})
    elif book is not None:
        counts = f"{len(book.rules)} rules, {len(book.actions)} actions, {len(book.reasons)} reasons"
        say(f"The policy is good: {counts}. Version {book.version[:12]}.")
    if faults:
        raise CommandFault([] if as_json else faults, Exit.FAILED)


@policy.command()
@_folder_option
@as_json_option
def test(folder: Path, *, as_json: bool) -> None:
    """Run the worked cases in policies/cases and policies/signals.

    Example: sallyport policy test
    """
    book = _book(folder)
    files = load_cases(folder)
    outcomes = run_cases(book, _cases(folder))
    signals = load_signal_cases(folder, book.signals)
    unmet = [f"{one.case.file}: {one.case.name}: {one.fault}" for one in outcomes if not one.is_met]
    unmet += [f"{one.file}: {one.name}: the signal is not what was expected" for one in signals if not one.is_met]
    missing = [*missing_cases(book, files), *missing_signal_cases(book.signals, signals)]
    count = len(outcomes) + len(signals)
    if as_json:
        say_json({"cases": count, "unmet": unmet, "missing": missing})
    else:
        say(f"{count - len(unmet)} of {count} cases are met; {len(missing)} are missing.")
    if unmet or missing:
        raise CommandFault([] if as_json else [*unmet, *missing], Exit.FAILED)


@policy.command()
@_folder_option
@as_json_option
def coverage(folder: Path, *, as_json: bool) -> None:
    """Show which rules decide no worked case.

    Example: sallyport policy coverage
    """
    book = _book(folder)
    found = coverage_of(book, run_cases(book, _cases(folder)))
    if as_json:
        say_json({"cases": found.cases, "uncovered": [rule.id for rule in found.uncovered]})
    else:
        say(*found.lines())
    if found.uncovered:
        raise CommandFault([], Exit.FAILED)


@policy.command()
@click.argument("key")
@click.option("--role", "roles", type=click.Choice([role.value for role in Role]), multiple=True, help="Of the asker.")
@click.option(
    "--kind", type=click.Choice([kind.value for kind in StaffKind]), default=StaffKind.PERSON.value, show_default=True
)
@click.option("--reason", help="A reason code, e.g. CONTRACT_CHANGE.")
@click.option("--no-lease", is_flag=True, help="The asker has not opened the tenant.")
@click.option("--no-step-up", is_flag=True, help="The asker has shown no second factor.")
@click.option("--own-request", is_flag=True, help="The asker is the person who requested it.")
@click.option("--fact", "facts", multiple=True, metavar="NAME=VALUE", help="A circumstance; the mildest when left out.")
@_folder_option
@as_json_option
def explain(
    key: str,
    *,
    roles: tuple[str, ...],
    kind: str,
    reason: str | None,
    no_lease: bool,
    no_step_up: bool,
    own_request: bool,
    facts: tuple[str, ...],
    folder: Path,
    as_json: bool,
) -> None:
    """Say what policy answers to a question, by which rules, and what would make it possible.

    Example: sallyport policy explain entitlement.override --role support_agent --reason CONTRACT_CHANGE
    """
    book = _book(folder)
    question = Query(
        actor=StaffId("stf_asker"),
        person=_ASKER,
        roles=frozenset(Role(role) for role in roles),
        kind=StaffKind(kind),
        action=ActionKey(key),
        tenant=_TENANT,
        leased_tenant=None if no_lease else _TENANT,
        reason=None if reason is None else ReasonCode(reason),
        step_up_age_s=-1 if no_step_up else _FRESH_S,
        requesters=frozenset({_ASKER if own_request else _SOMEBODY}),
        facts=_facts(book, ActionKey(key), facts),
    )
    found = explanation_of(book, question)
    if as_json:
        rules = [rule.id for rule in found.rules]
        say_json({"answer": said(found.decision), "rules": rules, "possible": found.possible, "errors": found.errors})
    else:
        say(*found.lines())
    if isinstance(found.decision, Deny):
        raise CommandFault([], Exit.REFUSED)


def _book(folder: Path) -> PolicyBook:
    return load_book(folder, [(action.key, action.effect, action.reach.value) for action in registered().values()])


def _cases(folder: Path) -> list[Case]:
    return [case for file in load_cases(folder) for case in file.cases]


def _facts(book: PolicyBook, key: ActionKey, given: tuple[str, ...]) -> dict[str, Fact]:
    """Return the mildest facts of a question with the given ones over them, each in the schema's type."""
    question = book.handles.questions.get(key)
    facts = {} if question is None else neutral(question)
    for pair in given:
        name, equals, text = pair.partition("=")
        if not equals or name not in facts:
            names = ", ".join(sorted(facts)) or "none"
            raise click.BadParameter(f"{pair!r}: write NAME=VALUE with one of: {names}.", param_hint="--fact")
        facts[name] = _typed(name, text, like=facts[name])
    return facts


def _typed(name: str, text: str, *, like: Fact) -> Fact:
    if isinstance(like, bool):
        if text not in _TRUTHS:
            raise click.BadParameter(f"{name} is true or false.", param_hint="--fact")
        return _TRUTHS[text]
    if isinstance(like, int):
        if not text.lstrip("-").isdigit():
            raise click.BadParameter(f"{name} is a whole number.", param_hint="--fact")
        return int(text)
    return text
