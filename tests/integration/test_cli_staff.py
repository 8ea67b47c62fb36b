"""`sallyport init` and `staff`: every change is a governed action of the operator, and recorded."""

import json
import sqlite3
import stat
from pathlib import Path

import pytest

from console.cli.beginning import settings_text, write_settings
from console.settings import load_settings
from tests.databases import sqlite_url
from tests.integration.cli_works import ROOT, Terminal
from tests.products import token_keys

PASSWORD = "a long pass phrase 42 herons"
ROBIN = ("staff", "add", "--name", "Robin Ode", "--email", "robin@company.example", "--role", "support_agent")


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    made = Terminal(tmp_path)
    made.settle(sqlite_url(tmp_path / "control.db"))
    return made


def entries(terminal: Terminal, action: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(terminal("trail", "show", "--action", action, "--json").stdout)
    return found


def begun(folder: Path) -> Terminal:
    """Return an installation that `init` has just made."""
    terminal = Terminal(folder, environ={"SALLYPORT_POLICIES": str(ROOT / "policies")})
    told = ("--var", str(folder / "var"), "--name", "Ada Byron", "--email", "ada@company.example", "--password-stdin")
    done = terminal("init", *told, "--reference", "CHG-1", typed=f"{PASSWORD}\n")
    assert done.exit_code == 0, done.output
    return terminal


def test_it_begins_an_installation_from_an_empty_folder(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, environ={"SALLYPORT_POLICIES": str(ROOT / "policies")})
    told = ("init", "--var", str(tmp_path / "var"), "--name", "Ada Byron", "--email", "ada@company.example")
    done = terminal(*told, "--reference", "CHG-1", "--password-stdin", typed=f"{PASSWORD}\n")
    assert done.exit_code == 0, done.output
    assert stat.S_IMODE(terminal.config.stat().st_mode) == 0o600
    assert "otpauth://" in done.stdout
    assert PASSWORD not in done.output
    before = terminal.config.read_text()
    again = terminal(*told, "--reference", "CHG-1", "--password-stdin", typed="another pass phrase 77 otters\n")
    assert again.exit_code == 0, again.output
    assert "kept" in again.stdout
    assert "otpauth://" not in again.stdout
    assert terminal.config.read_text() == before
    assert len(entries(terminal, "staff.credentials_set")) == 1


def test_it_leaves_a_first_checkpoint_outside_so_that_a_wiped_trail_is_found(tmp_path: Path) -> None:
    terminal = begun(tmp_path)
    assert terminal("trail", "verify").stdout.startswith("The trail is whole: ")
    with sqlite3.connect(tmp_path / "var" / "sallyport.db") as house:
        names = house.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'audit_%'")
        for (name,) in names.fetchall():
            house.execute(f"DROP TRIGGER {name}")
        for table in ("audit_seq", "audit_event"):
            house.execute(f"DELETE FROM {table}")
    wiped = terminal("trail", "verify")
    assert wiped.exit_code == 1
    assert "tail_missing" in wiped.stdout


def test_it_asks_for_the_password_before_it_adds_anybody(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, environ={"SALLYPORT_POLICIES": str(ROOT / "policies")})
    told = ("init", "--var", str(tmp_path / "var"), "--name", "Ada Byron", "--email", "ada@company.example")
    silent = terminal(*told, "--reference", "CHG-1")
    assert silent.exit_code == 2
    assert "--password-stdin" in silent.stderr
    assert "can sign in" not in silent.stdout
    assert json.loads(terminal("staff", "list", "--json").stdout) == []
    again = terminal(*told, "--reference", "CHG-1", "--password-stdin", typed=f"{PASSWORD}\n")
    assert again.exit_code == 0, again.output
    assert "otpauth://" in again.stdout


def test_it_makes_up_for_a_password_that_the_first_administrator_lacks(terminal: Terminal) -> None:
    ada = ("--name", "Ada Byron", "--email", "ada@company.example", "--reference", "CHG-1")
    added = terminal("staff", "add", *ada, "--role", "administrator")
    assert "sallyport staff set-password ada@company.example" in added.stdout
    lacking = terminal("doctor").stdout
    assert "warn  sign-in: ada@company.example has no password and cannot sign in." in lacking
    assert terminal("init", *ada).exit_code == 2
    done = terminal("init", *ada, "--password-stdin", typed=f"{PASSWORD}\n")
    assert done.exit_code == 0, done.output
    assert "it is kept as it is" in done.stdout
    assert "otpauth://" in done.stdout
    assert "sign-in" not in terminal("doctor").stdout
    once_more = terminal("init", *ada, "--password-stdin", typed="another pass phrase 77 otters\n")
    assert "The password is not used: ada@company.example lacks none." in once_more.stdout
    assert terminal("init", *ada).exit_code == 0


def test_it_asks_for_no_password_where_the_identity_provider_knows_the_person(terminal: Terminal) -> None:
    ada = ("--name", "Ada Byron", "--email", "ada@company.example", "--person", "https://login.example|ada")
    done = terminal("init", *ada, "--reference", "CHG-1")
    assert done.exit_code == 0, done.output
    assert "otpauth://" not in done.stdout
    assert "sign-in" not in terminal("doctor").stdout


def test_it_adds_nobody_with_a_weak_first_password(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, environ={"SALLYPORT_POLICIES": str(ROOT / "policies")})
    told = ("init", "--var", str(tmp_path / "var"), "--name", "Ada Byron", "--email", "ada@company.example")
    done = terminal(*told, "--reference", "CHG-1", "--password-stdin", typed="short\n")
    assert done.exit_code == 4
    assert done.stderr.splitlines()[-1] == "Nobody was added: run init again."
    assert "can sign in" not in done.stdout
    again = terminal(*told, "--reference", "CHG-1", "--password-stdin", typed=f"{PASSWORD}\n")
    assert "otpauth://" in again.stdout


@pytest.mark.parametrize("environment", ["development", "staging", "production"])
def test_it_writes_settings_that_are_accepted(tmp_path: Path, environment: str) -> None:
    file = tmp_path / "made.toml"
    odd = tmp_path / 'a "quoted" folder'
    write_settings(file, settings_text(environment, var=odd, database_url="sqlite:///x.db", host_name="admin.example"))
    settings = load_settings({}, file)
    assert settings.environment == environment
    assert settings.var == odd
    assert "admin.example" in settings.server.trusted_hosts
    assert settings.database_url == "sqlite:///x.db"


def test_it_never_writes_over_settings(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path / "nowhere")
    done = terminal("init", "--name", "Ada", "--email", "ada@company.example", "--reference", "CHG-1")
    assert done.exit_code == 4
    assert "cannot be written" in done.stderr


def test_it_lets_a_colleague_in_by_a_governed_action(terminal: Terminal) -> None:
    done = terminal(*ROBIN, "--reference", "HR-1")
    assert done.exit_code == 0, done.output
    (entry,) = entries(terminal, "action.executed")
    assert entry["governed"] == "staff.add"
    assert entry["actor"]["kind"] == "operator"  # type: ignore[index]  # the body of an entry
    assert entry["request"]["route"] == "sallyport staff add"  # type: ignore[index]  # the body of an entry
    listed = json.loads(terminal("staff", "list", "--json").stdout)
    assert [(member["email"], member["roles"]) for member in listed] == [("robin@company.example", ["support_agent"])]
    assert "Robin Ode" in terminal("staff", "list").stdout


def test_it_names_the_field_that_is_wrong(terminal: Terminal) -> None:
    terminal(*ROBIN, "--reference", "HR-1")
    again = terminal(*ROBIN, "--reference", "HR-1")
    assert again.exit_code == 4
    assert again.stderr == "email: Somebody signs in with this address already.\n"
    asked = json.loads(terminal(*ROBIN, "--reference", "HR-1", "--json").stdout)
    assert asked["outcome"] == "badfields"


def test_it_demands_a_reference_of_the_right_form(terminal: Terminal) -> None:
    done = terminal(*ROBIN, "--reference", "because")
    assert done.exit_code == 3
    assert "reference_malformed" in done.stderr
    assert "HR-123" in done.stderr
    assert entries(terminal, "request.refused")


def test_it_changes_roles_and_switches_accounts_off_and_on(terminal: Terminal) -> None:
    terminal(*ROBIN, "--reference", "HR-1")
    for command in (
        ("set-roles", "ROBIN@company.example", "--role", "support_lead", "--role", "finance"),
        ("deactivate", "robin@company.example"),
        ("reactivate", "robin@company.example"),
    ):
        done = terminal("staff", *command, "--reference", "HR-2")
        assert done.exit_code == 0, done.output
    (member,) = json.loads(terminal("staff", "list", "--json").stdout)
    assert member["roles"] == ["finance", "support_lead"]
    assert member["is_active"] is True


def test_it_ends_no_sessions_where_there_are_none(terminal: Terminal) -> None:
    terminal(*ROBIN, "--reference", "HR-1")
    done = terminal("staff", "end-sessions", "robin@company.example", "--reference", "HR-2")
    assert done.exit_code == 4
    assert "not signed in" in done.stderr


def test_it_says_that_there_is_no_such_colleague(terminal: Terminal) -> None:
    done = terminal("staff", "deactivate", "nobody@company.example", "--reference", "HR-2")
    assert done.exit_code == 4
    assert done.stderr.startswith("colleague: ")


def test_it_sets_a_password_without_showing_it(terminal: Terminal) -> None:
    terminal(*ROBIN, "--reference", "HR-1")
    done = terminal("staff", "set-password", "robin@company.example", "--password-stdin", typed=f"{PASSWORD}\n")
    assert done.exit_code == 0, done.output
    assert "otpauth://totp/" in done.stdout
    assert PASSWORD not in done.output
    weak = terminal("staff", "set-password", "robin@company.example", "--password-stdin", typed="short\n")
    assert weak.exit_code == 4
    assert weak.stderr.startswith("password: ")
    told = terminal("staff", "set-password", "robin@company.example", "--password-stdin", "--json", typed=PASSWORD)
    assert json.loads(told.stdout)["provisioning_uri"].startswith("otpauth://")


def test_it_tells_by_which_rule_it_sets_a_password(terminal: Terminal) -> None:
    terminal(*ROBIN, "--reference", "HR-1")
    terminal("staff", "set-password", "robin@company.example", "--password-stdin", typed=f"{PASSWORD}\n")
    (entry,) = entries(terminal, "staff.credentials_set")
    assert entry["authorisation"]["rules"] == ["desk.credentials"]  # type: ignore[index]  # the body of an entry


def test_it_asks_for_no_password_where_nobody_could_type_one(terminal: Terminal) -> None:
    done = terminal("staff", "set-password", "robin@company.example")
    assert done.exit_code == 2
    assert "--password-stdin" in done.stderr


def test_it_sets_no_password_for_a_stranger(terminal: Terminal) -> None:
    done = terminal("staff", "set-password", "nobody@company.example", "--password-stdin", typed=f"{PASSWORD}\n")
    assert done.exit_code == 4
    assert "Nobody signs in" in done.stderr


def test_it_changes_the_key_of_the_product_and_records_it(terminal: Terminal) -> None:
    before = token_keys().published()["keys"]
    done = terminal("product", "rotate-key", "--json")
    assert done.exit_code == 0, done.output
    kid = json.loads(done.stdout)["kid"]
    keys = [each["kid"] for each in token_keys().published()["keys"]]
    assert keys == [kid, *(each["kid"] for each in before)]
    said = terminal("product", "rotate-key").stdout
    assert said.startswith("Tokens are signed with the key ")
    assert kid not in said
    assert len(entries(terminal, "product.key_rotated")) == 2
