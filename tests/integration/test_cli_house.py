"""The commands that open a house: act, trail, db, doctor, policy, and what stays running."""

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from console.cli.works import DatabaseProbe
from console.domain.import_fields import row_of
from console.settings import Settings, load_settings
from tests.databases import sqlite_url
from tests.integration.cast import CATALOGUE_RECORDS, tenant_records
from tests.integration.cli_works import ROOT, PaperWorks, Terminal

WHY = ("--reason", "STAFF_CHANGE", "--reference", "HR-1")
ADA = ("--set", "name=Ada", "--set", "email=ada@company.example", "--set", "roles=administrator,finance")
POLICY = ("--folder", str(ROOT / "policies"))


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    made = Terminal(tmp_path)
    made.settle(sqlite_url(tmp_path / "control.db"))
    return made


def filled(terminal: Terminal) -> None:
    rows = [row_of(record) for record in (*CATALOGUE_RECORDS, *tenant_records("acme"))]
    file = terminal.folder / "rows.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    assert terminal("directory", "import", str(file)).exit_code == 0


# --- act and actions -------------------------------------------------------------------------------------------------


def test_it_runs_a_control_action_for_the_operator(terminal: Terminal) -> None:
    done = terminal("act", "staff.add", *WHY, *ADA)
    assert done.exit_code == 0, done.output
    assert "Ada can sign in now." in done.stdout
    asked = json.loads(
        terminal("act", "staff.deactivate", *WHY, "--set", "colleague=ada@company.example", "--json").stdout
    )
    assert asked["outcome"] == "ran"


def test_it_shows_what_an_action_would_do_and_does_not_do_it(terminal: Terminal) -> None:
    done = terminal("act", "staff.add", *WHY, *ADA, "--preview")
    assert done.exit_code == 0, done.output
    assert "Add Ada" in done.stdout
    assert "Policy: allow" in done.stdout
    assert json.loads(terminal("act", "staff.add", *WHY, *ADA, "--preview", "--json").stdout)["outcome"] == "previewed"
    assert "Ada can sign in now." in terminal("act", "staff.add", *WHY, *ADA).stdout


@pytest.mark.parametrize("more", [(), ("--preview",), ("--json",)])
def test_it_refuses_the_operator_a_tenant(terminal: Terminal, more: tuple[str, ...]) -> None:
    filled(terminal)
    why = ("--reason", "CUSTOMER_SUPPORT", "--reference", "SUP-1", "--set", "text=hello")
    done = terminal("act", "tenant.add_note", "--tenant", "acme", *why, *more)
    assert done.exit_code == 3
    assert "no_lease" in done.stdout if more == ("--json",) else "Refused (no_lease)" in done.stderr
    (entry,) = json.loads(terminal("trail", "show", "--outcome", "denied", "--json").stdout)
    assert entry["action"] == "request.refused"
    assert entry["governed"] == "tenant.add_note"


def test_it_names_wrong_fields_and_unknown_tenants(terminal: Terminal) -> None:
    wrong = terminal("act", "staff.add", *WHY, "--set", "name=Ada", "--set", "colour=red")
    assert wrong.exit_code == 4
    assert {line.split(":")[0] for line in wrong.stderr.splitlines()} == {"colour", "email"}
    why = ("--reason", "CUSTOMER_SUPPORT", "--reference", "SUP-1")
    assert terminal("act", "tenant.add_note", "--tenant", "nowhere", *why).exit_code == 4
    assert terminal("act", "staff.add", *WHY, "--set", "name").exit_code == 2


def test_it_lists_and_shows_actions(terminal: Terminal) -> None:
    assert "entitlement.override" in terminal("actions", "list").stdout
    assert {"key", "fields", "effect"} <= json.loads(terminal("actions", "list", "--json").stdout)[0].keys()
    shown = terminal("actions", "show", "entitlement.override")
    assert "a whole number, 0 to" in shown.stdout
    assert json.loads(terminal("actions", "show", "staff.add", "--json").stdout)["reach"] == "control"
    assert terminal("actions", "show", "tenant.delete").exit_code == 2


# --- trail -----------------------------------------------------------------------------------------------------------


def test_it_reads_the_trail_and_records_the_reading(terminal: Terminal) -> None:
    filled(terminal)
    lines = terminal("trail", "show").stdout.splitlines()
    assert "imported the directory" in lines[-1]
    entry = json.loads(terminal("trail", "show", "--action", "directory.imported", "--json").stdout)[0]
    assert json.loads(terminal("trail", "show", entry["uid"], "--json").stdout) == entry
    assert '"action": "directory.imported"' in terminal("trail", "show", entry["uid"]).stdout
    assert len(json.loads(terminal("trail", "show", "--action", "trail.read", "--limit", "3", "--json").stdout)) == 3
    assert json.loads(terminal("trail", "show", "--tenant", "acme", "--since", "2026-01-01", "--json").stdout) == []
    assert terminal("trail", "show", "nothing").exit_code == 4


def test_it_proves_the_trail_and_shows_its_head(terminal: Terminal) -> None:
    filled(terminal)
    assert "no checkpoint yet" in terminal("trail", "head").stdout
    settings = _settings(terminal)
    with terminal.works.opened(settings) as rooms:
        rooms.sequencer.run_once()
    assert " entries at 2026-11-21" in terminal("trail", "head").stdout
    assert json.loads(terminal("trail", "head", "--json").stdout)["size"] > 0
    done = terminal("trail", "verify")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("The trail is whole")
    assert json.loads(terminal("trail", "verify", "--json").stdout)["is_sound"] is True


def test_it_calls_nothing_whole_before_the_first_checkpoint(terminal: Terminal) -> None:
    filled(terminal)
    done = terminal("trail", "verify")
    assert done.exit_code == 1
    assert done.stdout.startswith("NOTHING IS PROVEN YET: 0 entries, 0 checkpoints, ")
    assert "sallyport worker --once" in done.stdout
    assert "WHOLE" not in done.stdout.upper()
    told = json.loads(terminal("trail", "verify", "--json").stdout)
    assert (told["is_sound"], told["is_unproven"], told["findings"][0]["kind"]) == (False, True, "nothing_proven")


def test_it_names_the_first_wrong_entry(terminal: Terminal) -> None:
    filled(terminal)
    settings = _settings(terminal)
    with terminal.works.opened(settings) as rooms:
        rooms.sequencer.run_once()
    terminal.works.sink.notes.clear()
    done = terminal("trail", "verify")
    assert done.exit_code == 1
    assert "NOT WHOLE" in done.stdout
    assert "no_outside_copy" in done.stdout or "tail_missing" in done.stdout
    verified = json.loads(terminal("trail", "show", "--action", "trail.verified", "--json").stdout)
    assert verified[0]["outcome"] == "failed"


# --- db and doctor ---------------------------------------------------------------------------------------------------


def test_it_tells_the_shape_of_databases(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    assert terminal("db", "upgrade").exit_code == 0
    done = terminal("db", "current")
    assert done.exit_code == 0
    assert "newest" in done.stdout
    old = [DatabaseProbe(name="control store", kind="sqlite")]
    monkeypatch.setattr(PaperWorks, "probes", lambda _works, _settings: old)
    assert terminal("db", "current").exit_code == 1
    away = [DatabaseProbe(name="eu", kind="postgresql", fault="It does not answer.")]
    monkeypatch.setattr(PaperWorks, "probes", lambda _works, _settings: away)
    silent = terminal("db", "current", "--json")
    assert silent.exit_code == 5
    assert json.loads(silent.stdout)[0]["fault"] == "It does not answer."


def test_it_will_not_work_on_an_old_shape(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    terminal.settle(f"sqlite:///{tmp_path / 'empty.db'}")
    done = terminal("trail", "head")
    assert done.exit_code == 5
    assert "sallyport db upgrade" in done.stderr


def test_it_examines_everything(terminal: Terminal) -> None:
    first = terminal("doctor", "--json")
    assert first.exit_code == 1
    found = {each["subject"]: each["level"] for each in json.loads(first.stdout)}
    assert found["staff"] == "fail"
    for name in ("ada", "bob"):
        ada = ("--set", f"name={name}", "--set", f"email={name}@company.example", "--set", "roles=administrator")
        terminal("act", "staff.add", *WHY, *ada)
    second = terminal("doctor")
    assert second.exit_code == 0, second.output
    assert "ok    settings: Complete, for development." in second.stdout
    assert "warn  quorum: " in second.stdout
    assert " Mend: " in second.stdout


def test_it_names_every_wrong_setting(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    terminal.settle(more='colour = "red"\n')
    done = terminal("doctor")
    assert done.exit_code == 1
    assert "FAIL  settings: colour (SALLYPORT_COLOUR)" in done.stdout
    served = terminal("serve")
    assert served.exit_code == 4
    assert "colour (SALLYPORT_COLOUR)" in served.stderr


def test_it_tells_a_wrong_policy(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    terminal.environ["SALLYPORT_POLICIES"] = str(tmp_path / "rules")
    done = terminal("doctor")
    assert done.exit_code == 1
    assert "FAIL  policy: policies/actions.toml: is missing" in done.stdout


def test_it_fails_a_clock_that_went_back(terminal: Terminal) -> None:
    filled(terminal)
    settings = _settings(terminal)
    with terminal.works.opened(settings) as rooms:
        rooms.sequencer.run_once()
    terminal.works.clock.pass_by(hours=-2)
    assert "FAIL  clock: The clock says 2026-11-21 10:00, before" in terminal("doctor").stdout
    terminal.works.clock.pass_by(days=-3_650)
    assert "FAIL  clock: The clock says 2016" in terminal("doctor").stdout


# --- policy ----------------------------------------------------------------------------------------------------------


def test_it_checks_the_policy(terminal: Terminal, tmp_path: Path) -> None:
    assert terminal("policy", "check", *POLICY).stdout.startswith("The policy is good: ")
    assert json.loads(terminal("policy", "check", *POLICY, "--json").stdout)["is_good"] is True
    (tmp_path / "rules").mkdir()
    wrong = terminal("policy", "check", "--folder", str(tmp_path / "rules"))
    assert wrong.exit_code == 1
    assert "restore" in wrong.stderr
    assert terminal("policy", "test", "--folder", str(tmp_path / "rules")).exit_code == 4


def test_it_explains_a_refusal_and_what_would_make_it_possible(terminal: Terminal) -> None:
    asked = ("policy", "explain", "entitlement.override", "--reason", "CONTRACT_CHANGE", *POLICY)
    refused = terminal(*asked, "--role", "engineer")
    assert refused.exit_code == 3
    assert "what would make it possible:" in refused.stdout
    agreed = terminal(*asked, "--role", "support_agent", "--fact", "is_raise=true", "--fact", "days=30", "--json")
    assert agreed.exit_code == 0, agreed.output
    assert json.loads(agreed.stdout)["answer"].startswith("needs_approval")
    assert terminal(*asked, "--fact", "days=soon").exit_code == 2
    assert terminal(*asked, "--fact", "is_raise=perhaps").exit_code == 2
    assert terminal(*asked, "--fact", "colour=red").exit_code == 2


def test_it_runs_the_worked_cases(terminal: Terminal) -> None:
    done = terminal("policy", "test", *POLICY, "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["unmet"], told["missing"]) == (0, [], [])
    assert terminal("policy", "test", *POLICY).stdout.endswith("cases are met; 0 are missing.\n")
    assert terminal("policy", "coverage", *POLICY).exit_code == 0
    assert json.loads(terminal("policy", "coverage", *POLICY, "--json").stdout)["uncovered"] == []


# --- what stays running ----------------------------------------------------------------------------------------------


def test_it_serves_where_the_settings_or_the_call_say(terminal: Terminal) -> None:
    terminal("serve")
    terminal("serve", "--port", "8123")
    terminal("worker")
    terminal("worker", "--once")
    terminal("demo", "--tenants", "50", "--var", "elsewhere")
    assert terminal.works.asked == [
        ("serve", "127.0.0.1", 8000),
        ("serve", "127.0.0.1", 8123),
        ("work", False),
        ("work", True),
        ("demo", 50, "127.0.0.1", 8000, Path("elsewhere")),
    ]


def test_it_keeps_the_demo_on_this_machine(terminal: Terminal) -> None:
    done = terminal("demo", "--host", "0.0.0.0")  # noqa: S104  it must be refused
    assert done.exit_code == 2
    assert terminal.works.asked == []


def test_it_changes_nothing_of_the_trail_by_examining(terminal: Terminal) -> None:
    settings = _settings(terminal)
    storage = terminal.works._storage(settings)
    try:
        with storage.engines()[1].connect() as connection:
            before = connection.execute(text("SELECT count(*) FROM audit_event")).scalar()
            terminal("doctor")
            terminal("db", "current")
            assert connection.execute(text("SELECT count(*) FROM audit_event")).scalar() == before
    finally:
        storage.close()


def _settings(terminal: Terminal) -> Settings:
    return load_settings({}, terminal.config)
