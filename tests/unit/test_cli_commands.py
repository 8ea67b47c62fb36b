"""The command line as a whole: every command has help with an example, is documented, and ends with a known code."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import click
import pytest
from click.testing import CliRunner

from console.actions.registry import ActionFaultsError, registered
from console.cli.act import ActionGroup, command_of
from console.cli.exits import CommandFault, Exit, ToldGroup, faults_told
from console.cli.main import build_cli
from console.cli.output import plain, say
from console.cli.shell import account_name
from console.cli.works import Works
from console.domain.errors import (
    BadValueError,
    ConflictError,
    ConsoleError,
    NotFoundError,
    OutsideError,
    TrailUnavailableError,
)
from console.policy.book import PolicyFaultsError
from console.settings import SettingsFaultsError

ROOT = Path(__file__).parents[2]
CLI = build_cli(cast("Works", None))
FAULTS = [
    (SettingsFaultsError(["one", "two"]), Exit.BAD_INPUT, "one\ntwo\n"),
    (PolicyFaultsError(["rule x: mend it"]), Exit.BAD_INPUT, "rule x: mend it\n"),
    (ActionFaultsError(["twice"]), Exit.BAD_INPUT, "twice\n"),
    (NotFoundError("There is no such tenant."), Exit.BAD_INPUT, "There is no such tenant.\n"),
    (BadValueError("Too short.", field="password"), Exit.BAD_INPUT, "password: Too short.\n"),
    (BadValueError("No rows.", remedy="give one"), Exit.BAD_INPUT, "No rows. (give one)\n"),
    (ConflictError("Gone."), Exit.FAILED, "Gone.\n"),
    (ConsoleError("Odd."), Exit.FAILED, "Odd.\n"),
    (OutsideError("Down.", permanent=False), Exit.OUTSIDE, "Down. Try again later.\n"),
    (OutsideError("Old shape.", permanent=True), Exit.OUTSIDE, "Old shape.\n"),
    (TrailUnavailableError("No trail."), Exit.OUTSIDE, "No trail.\n"),
    (KeyboardInterrupt(), Exit.INTERRUPTED, "Interrupted.\n"),
]


def commands(group: click.Group = CLI, path: str = "sallyport") -> Iterator[tuple[str, click.Command]]:
    """Yield every command but the generated ones below `act`."""
    for name, command in sorted(group.commands.items()):
        here = f"{path} {name}"
        if isinstance(command, click.Group) and not isinstance(command, ActionGroup):
            yield from commands(command, here)
        else:
            yield here, command


def groups(group: click.Group = CLI, path: str = "sallyport") -> Iterator[str]:
    """Yield every command that only holds others, the root first."""
    yield path
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from groups(command, f"{path} {name}")


LEAVES = dict(commands())


@pytest.mark.parametrize("path", LEAVES)
def test_it_explains_every_command_with_an_example(path: str) -> None:
    done = CliRunner().invoke(CLI, [*path.split()[1:], "--help"])
    assert done.exit_code == 0
    said = " ".join(done.stdout.split())
    assert re.search(rf"Example: sallyport (--config \S+ )?{re.escape(path.removeprefix('sallyport '))}", said), said
    for option in LEAVES[path].params:
        if isinstance(option, click.Option):
            assert option.help or option.prompt or isinstance(option.type, click.Choice | click.IntRange), option.name


@pytest.mark.parametrize("path", list(groups()))
def test_it_explains_every_group_with_an_example_that_is_a_command(path: str) -> None:
    done = CliRunner().invoke(CLI, [*path.split()[1:], "--help"])
    assert done.exit_code == 0
    shown = re.search(r"Example: (sallyport [^\n]+)", done.stdout)
    assert shown, done.stdout
    assert shown[1].startswith(path)
    assert any(shown[1].startswith(leaf) for leaf in LEAVES)


@pytest.mark.parametrize("path", LEAVES)
def test_it_documents_every_command_with_an_example_and_its_codes(path: str) -> None:
    lines = (ROOT / "docs" / "cli.md").read_text().splitlines()
    rows = [line for line in lines if re.match(rf"\| `{re.escape(path)}[ `]", line)]
    assert len(rows) == 1, f"docs/cli.md needs one row that begins with | `{path}"
    _empty, _command, what, example, codes, _end = re.split(r"(?<!\\)\|", rows[0])
    assert what.strip()
    assert path in example.replace("--config /etc/sallyport.toml ", "")
    known = {str(int(code)) for code in Exit}
    assert {code.strip() for code in codes.split(",")} <= known


def test_it_documents_no_command_that_does_not_exist() -> None:
    text = (ROOT / "docs" / "cli.md").read_text()
    told = re.findall(r"^\| `(sallyport [^`\[A-Z]+?)(?: [\[A-Z][^`]*)?` \|", text, re.MULTILINE)
    assert sorted(told) == sorted(LEAVES)


def test_it_documents_every_exit_code() -> None:
    text = (ROOT / "docs" / "cli.md").read_text()
    for code in Exit:
        assert f"| {int(code)} |" in text


def test_it_names_every_field_of_every_action_in_its_help() -> None:
    for key, action in registered().items():
        done = CliRunner().invoke(CLI, ["act", key, "--help"])
        assert done.exit_code == 0
        for field in action.fields:
            assert field.name in done.stdout
        assert "Example: sallyport act" in done.stdout


def test_it_offers_every_action_and_no_other() -> None:
    listed = CliRunner().invoke(CLI, ["act", "--help"]).stdout
    assert all(key in listed for key in registered())
    assert CliRunner().invoke(CLI, ["act", "tenant.delete"]).exit_code == Exit.USAGE
    action = next(iter(registered().values()))
    assert command_of(action).name == action.key


@pytest.mark.parametrize(("fault", "code", "told"), FAULTS, ids=[told.strip() for _fault, _code, told in FAULTS])
def test_it_ends_an_expected_fault_with_a_sentence_and_a_code(fault: BaseException, code: Exit, told: str) -> None:
    @click.group(cls=ToldGroup)
    def root() -> None:
        """Stand for the command line."""

    @root.command()
    def fail() -> None:
        raise fault

    done = CliRunner().invoke(root, ["fail"])
    assert (done.exit_code, done.stderr, done.stdout) == (code, told, "")


def test_it_hides_no_bug() -> None:
    with pytest.raises(ZeroDivisionError), faults_told():
        raise ZeroDivisionError


def test_it_ends_with_nothing_more_to_say() -> None:
    assert CommandFault([], Exit.REFUSED).exit_code == 3


def test_it_prints_no_control_character(capsys: pytest.CaptureFixture[str]) -> None:
    say("a\x1b[31mb\u202ec", "d\te")
    assert capsys.readouterr().out == "a\ufffd[31mb\ufffdc\nd\te\n"


def test_it_makes_json_of_what_it_knows() -> None:
    assert plain({"a": {Exit.DONE}, "b": (b"\x01", None, 1.5), 3: Path("x")}) == {
        "a": ["0"],
        "b": ["01", None, 1.5],
        "3": "x",
    }


def test_it_names_the_person_behind_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("os.getuid", lambda: 0)
    assert account_name({}) == "root"
    assert account_name({"SUDO_UID": "4211"}) == "uid4211"
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert account_name({"SUDO_UID": "4211"}) == "root"
