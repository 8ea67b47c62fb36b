"""What the doctor makes of what databases, keys and folders say."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pytest

from console.cli.doctor import checkpoint_findings, database_findings, key_findings
from console.cli.works import DatabaseProbe
from console.usecases.examine_house import Level

SQLITE = {
    "journal_mode": "wal",
    "synchronous": "2",
    "foreign_keys": "1",
    "recursive_triggers": "1",
}
POSTGRESQL = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "rolsuper": "off",
    "rolbypassrls": "off",
}


def levels(
    facts: Mapping[str, str], kind: Literal["sqlite", "postgresql"] = "sqlite", *, current: bool = True
) -> list[Level]:
    probe = DatabaseProbe(name="control store", kind=kind, revisions=("r1",), is_current=current, facts=facts)
    return [found.level for found in database_findings(probe)]


@pytest.mark.parametrize(("kind", "facts"), [("sqlite", SQLITE), ("postgresql", POSTGRESQL)])
def test_it_is_content_with_a_safe_database(kind: Literal["sqlite", "postgresql"], facts: dict[str, str]) -> None:
    assert levels(facts, kind) == [Level.OK, Level.OK]


@pytest.mark.parametrize(
    ("kind", "facts", "name", "value"),
    [
        *(("sqlite", SQLITE, name, value) for name, value in (("synchronous", "1"), ("journal_mode", "delete"))),
        *(("sqlite", SQLITE, name, "0") for name in ("foreign_keys", "recursive_triggers")),
        *(("postgresql", POSTGRESQL, name, "off") for name in ("fsync", "synchronous_commit", "full_page_writes")),
        *(("postgresql", POSTGRESQL, name, "on") for name in ("rolsuper", "rolbypassrls")),
    ],
)
def test_it_fails_a_database_that_could_lose_or_leak(
    kind: Literal["sqlite", "postgresql"], facts: dict[str, str], name: str, value: str
) -> None:
    probe = DatabaseProbe(name="x", kind=kind, is_current=True, facts={**facts, name: value})
    wrong = [found for found in database_findings(probe) if found.level is Level.FAIL]
    assert len(wrong) == 1
    assert name in wrong[0].sentence
    assert wrong[0].remedy


def test_it_fails_a_setting_that_the_database_did_not_tell() -> None:
    assert levels({}).count(Level.FAIL) == len(SQLITE)


def test_it_fails_an_old_shape_and_a_silent_database() -> None:
    assert levels(SQLITE, current=False)[0] is Level.FAIL
    silent = DatabaseProbe(name="eu", kind="postgresql", fault="It does not answer.")
    assert [found.level for found in database_findings(silent)] == [Level.FAIL]


@pytest.mark.parametrize(("off_s", "wrong"), [(0, 0), (60, 1), (-60, 1)])
def test_it_compares_the_clocks(off_s: int, wrong: int) -> None:
    clock_us = int((time.time() + off_s) * 1_000_000)
    probe = DatabaseProbe(name="x", kind="postgresql", is_current=True, facts=POSTGRESQL, clock_us=clock_us)
    assert sum(found.level is Level.FAIL for found in database_findings(probe)) == wrong


def test_it_wants_the_key_private(tmp_path: Path) -> None:
    key = tmp_path / "trail.key"
    assert [found.level for found in key_findings(key)] == [Level.WARN]
    key.touch(mode=0o600)
    assert [found.level for found in key_findings(key)] == [Level.OK]
    key.chmod(0o640)
    assert [found.level for found in key_findings(key)] == [Level.FAIL]


def test_it_fails_a_key_it_cannot_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = tmp_path / "trail.key"
    key.touch(mode=0o600)
    monkeypatch.setattr("os.access", lambda _path, _mode: False)
    assert [found.level for found in key_findings(key)] == [Level.FAIL]


def test_it_appends_to_the_checkpoint_folder_and_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    assert [found.level for found in checkpoint_findings(folder)] == [Level.OK]
    assert list(folder.iterdir()) == []
    (tmp_path / "file").touch()
    assert [found.level for found in checkpoint_findings(tmp_path / "file")] == [Level.FAIL]
