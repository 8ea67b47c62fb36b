"""`sallyport doctor`: look at everything a start relies on, and say how to mend what is wrong."""

import os
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import click

from console.actions.registry import ActionFaultsError
from console.cli.exits import CommandFault, Exit
from console.cli.output import as_json_option, say, say_json
from console.cli.shell import Shell, pass_shell
from console.cli.works import DatabaseProbe
from console.domain.errors import ConsoleError, OutsideError
from console.policy.book import PolicyFaultsError
from console.settings import Settings, SettingsFaultsError
from console.usecases.examine_house import Found, Level, examine_house

# What each database must answer, why, and how to mend it.
_SQLITE: Mapping[str, tuple[frozenset[str], str]] = {
    "journal_mode": (frozenset({"wal"}), "readers would wait for writers"),
    "synchronous": (frozenset({"2", "full", "3", "extra"}), "a power cut could lose committed entries"),
    "foreign_keys": (frozenset({"1", "on"}), "rows could lose what they belong to"),
    "recursive_triggers": (frozenset({"1", "on"}), "REPLACE could change the trail unseen"),
}
_POSTGRESQL: Mapping[str, tuple[frozenset[str], str]] = {
    "fsync": (frozenset({"on"}), "a crash could lose or tear committed entries"),
    "synchronous_commit": (frozenset({"on", "remote_apply", "remote_write", "local"}), "commits could be lost"),
    "full_page_writes": (frozenset({"on"}), "a power cut could tear pages"),
    "rolsuper": (frozenset({"off"}), "a superuser passes every guard of the database"),
    "rolbypassrls": (frozenset({"off"}), "this role passes row level security"),
}
_CLOCK_SLACK_S = 2.0
_MARKS = {Level.OK: "ok  ", Level.WARN: "warn", Level.FAIL: "FAIL"}


@click.command()
@as_json_option
@pass_shell
def doctor(shell: Shell, *, as_json: bool) -> None:
    """Check settings, policy, databases, keys, checkpoints, staff and clock; ends with 1 when one of them fails.

    Example: sallyport doctor --json
    """
    found = list(examined(shell))
    if as_json:
        say_json(found)
    else:
        for each in found:
            remedy = f" Mend: {each.remedy}." if each.remedy else ""
            say(f"{_MARKS[each.level]}  {each.subject}: {each.sentence}{remedy}")
    if any(each.level is Level.FAIL for each in found):
        raise CommandFault([], Exit.FAILED)


def examined(shell: Shell) -> Iterator[Found]:
    """Yield one finding after another; what rests on something broken is left out."""
    try:
        settings = shell.settings()
    except SettingsFaultsError as faults:
        yield from (_fail("settings", fault, "") for fault in faults.faults)
        return
    yield _ok("settings", f"Complete, for {settings.environment}.")
    databases = list(_databases(shell, settings))
    yield from databases
    yield from key_findings(settings.trail_key_file)
    yield from checkpoint_findings(settings.checkpoint_folder)
    yield from _house(shell, settings, is_told=any(each.level is Level.FAIL for each in databases))


def database_findings(probe: DatabaseProbe) -> Iterator[Found]:
    """Yield what one database's own words mean."""
    subject = f"database {probe.name}"
    if probe.fault:
        yield _fail(subject, probe.fault, "start it, or correct its address in the settings")
        return
    if probe.is_current:
        yield _ok(subject, f"Answers, with the newest shape ({', '.join(probe.revisions)}).")
    else:
        yield _fail(subject, "Has an old shape.", "run sallyport db upgrade")
    wanted = _SQLITE if probe.kind == "sqlite" else _POSTGRESQL
    wrong = list(_wrong_facts(subject, probe, wanted))
    yield from wrong
    if not wrong:
        yield _ok(subject, f"{len(wanted)} of its settings keep what is committed.")
    if probe.clock_us is not None and abs(probe.clock_us / 1_000_000 - time.time()) > _CLOCK_SLACK_S:
        yield _fail(subject, "Its clock and this machine's differ.", "keep both by NTP")


def key_findings(path: Path) -> Iterator[Found]:
    """Yield whether the key that signs checkpoints is there, and for nobody else."""
    if not path.exists():
        yield _warn("trail key", "There is none yet.", "the first start makes it; then back it up")
    elif not os.access(path, os.R_OK):
        yield _fail("trail key", "This account cannot read it.", "run as the account that owns it")
    elif stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield _fail("trail key", "Others can read it.", "chmod 600 on the key file; a new key if others had access")
    else:
        yield _ok("trail key", "Readable for this account only.")


def checkpoint_findings(folder: Path) -> Iterator[Found]:
    """Yield whether checkpoints can be appended outside the database, by appending to a file that goes again."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile("ab", dir=folder, prefix=".doctor-") as trial:
            for part in (b"one\n", b"two\n"):
                trial.write(part)
                trial.flush()
                os.fsync(trial.fileno())
            size = Path(trial.name).stat().st_size
    except OSError as broken:
        remedy = "make the folder writable for this account, on a disk that is not the database's"
        yield _fail("checkpoints", f"Cannot be appended: {broken.strerror}.", remedy)
        return
    if size == len(b"one\ntwo\n"):
        yield _ok("checkpoints", "The folder takes what is appended.")
    else:
        yield _fail("checkpoints", "The folder loses what is appended.", "use a local disk")


def _databases(shell: Shell, settings: Settings) -> Iterator[Found]:
    try:
        probes: Iterable[DatabaseProbe] = shell.works.probes(settings)
    except OutsideError as away:
        yield _fail("database", str(away), "start it, or correct its address in the settings")
        return
    for probe in probes:
        yield from database_findings(probe)


def _house(shell: Shell, settings: Settings, *, is_told: bool) -> Iterator[Found]:
    """Yield what is found once the house is open; policy is read before any database is asked."""
    try:
        with shell.works.opened(settings) as rooms:
            book = rooms.house.book
            told = f"{len(book.rules)} rules for {len(book.actions)} actions, version {book.version[:12]}."
            yield _ok("policy", told)
            yield from examine_house(rooms.house)
    except (PolicyFaultsError, ActionFaultsError) as faults:
        yield from (_fail("policy", fault, "") for fault in faults.faults)
    except ConsoleError as fault:
        if not is_told:
            yield _fail("house", str(fault), "")


def _wrong_facts(
    subject: str, probe: DatabaseProbe, wanted: Mapping[str, tuple[frozenset[str], str]]
) -> Iterator[Found]:
    for name, (good, harm) in wanted.items():
        value = probe.facts.get(name, "unknown").lower()
        if value not in good:
            remedy = f"set {name} to {min(good)}" if not name.startswith("rol") else "use a role without this power"
            yield _fail(subject, f"{name} is {value}: {harm}.", remedy)


def _ok(subject: str, sentence: str) -> Found:
    return Found(subject=subject, level=Level.OK, sentence=sentence)


def _warn(subject: str, sentence: str, remedy: str) -> Found:
    return Found(subject=subject, level=Level.WARN, sentence=sentence, remedy=remedy)


def _fail(subject: str, sentence: str, remedy: str) -> Found:
    return Found(subject=subject, level=Level.FAIL, sentence=sentence, remedy=remedy)
