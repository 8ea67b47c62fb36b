"""Acceptance test 42: policy is files, so nobody changes it from inside, and no change of it goes unseen.

An approval that a change takes away leaves a worked case unmet, so that no build passes with it; a policy that differs
from the last one is an entry and a notice; and what was asked under the old one keeps what it needed.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from console.cli.policy import policy
from console.domain.decisions import Deny
from console.domain.requests import State
from console.domain.staff import Role
from console.policy.book import PolicyBook, PolicyFaultsError
from console.policy.cases import load_cases, run_cases
from console.policy.load import load_book
from console.usecases.execute_request import execute_request
from console.usecases.start_house import start_house
from tests.conftest import NewDatabase
from tests.databases import ENGINES, HandClock
from tests.integration.stage import (
    OVERRIDE,
    Stage,
    behind,
    book,
    by_hand,
    new_urls,
    opened_stage,
    registry,
    settle_in,
)  # fmt: skip
from tests.policy.folders import copied, swap
from tests.policy.governed import POLICIES
from tests.web.cast import on_stage

TIERS = re.findall(r'@id\("([^"]+)"\)(?:\n@(?!id)[^\n]*)*?\n@tier\("([^"]+)"\)', "\n".join(
    path.read_text() for path in sorted(POLICIES.glob("*.cedar"))
))  # fmt: skip
OVERRIDE_RULES = ("override.paid_raise", "override.unpaid", "override.large")
_AT_ONCE = 100
CASES = [case for file in load_cases(POLICIES) for case in file.cases]


@pytest.fixture(params=ENGINES)
def stage(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Stage]:
    url, planes = new_urls(request.param, tmp_path, pg_database)
    with opened_stage(url, planes, clock=HandClock(), policy=by_hand(book(), OVERRIDE)) as stage:
        settle_in(stage, ["acme"])
        yield stage


def loaded(folder: Path) -> PolicyBook:
    return load_book(folder, [(each.key, each.effect, each.reach.value) for each in registry().values()])


def without_approval(rule: str) -> Callable[[Path], None]:
    """Return the edit that lets what a rule permits go through without anybody else."""

    def edit(folder: Path) -> None:
        for path in folder.glob("*.cedar"):
            text = path.read_text()
            path.write_text(re.sub(rf'(@id\("{re.escape(rule)}"\)(?:\n@[^\n]*)*?)\n@tier\("[^"]+"\)', r"\1", text))

    return edit


def test_it_knows_every_rule_that_asks_for_approval() -> None:
    every = "\n".join(path.read_text() for path in POLICIES.glob("*.cedar"))
    assert len(TIERS) == len(re.findall(r"^@tier", every, re.MULTILINE))
    assert len(TIERS) >= 30


@pytest.mark.parametrize("rule", [rule for rule, _tier in TIERS])
def test_no_approval_is_taken_away_unseen(tmp_path: Path, rule: str) -> None:
    folder = copied(tmp_path, without_approval(rule))
    try:
        changed = loaded(folder)
    except PolicyFaultsError:
        return  # the tier belonged to this rule alone: the console does not even start
    assert changed.version != book().version
    parts = (CASES[start : start + _AT_ONCE] for start in range(0, len(CASES), _AT_ONCE))
    assert any(not outcome.is_met for part in parts for outcome in run_cases(changed, part))


@pytest.mark.parametrize("many", ["0", "-1"])
def test_no_approval_is_asked_of_nobody(tmp_path: Path, many: str) -> None:
    with pytest.raises(PolicyFaultsError):
        loaded(copied(tmp_path, swap("actions.toml", "{ thaw_second = 1 }", f"{{ thaw_second = {many} }}")))


def test_nothing_in_the_console_writes_policy(tmp_path: Path) -> None:
    with on_stage(tmp_path / "cast.db") as cast:
        ours = [rule for rule in cast.app.url_map.iter_rules() if rule.rule.startswith("/policy")]
    assert ours
    assert {method for rule in ours for method in rule.methods or ()} <= {"GET", "HEAD", "OPTIONS"}
    assert [key for key in registry() if key.startswith("policy.")] == []
    assert sorted(policy.commands) == ["check", "coverage", "explain", "test"], "all of them only read"


def test_another_policy_than_at_the_last_start_is_recorded_and_told(stage: Stage, tmp_path: Path) -> None:
    start_house(stage.house, settings_digest="d")
    start_house(stage.house, settings_digest="d")
    assert stage.entries("policy.changed") == 0
    other = loaded(copied(tmp_path, swap("limits.toml", "reveals_per_hour", "reveals_per_hour ")))
    assert other.version != stage.house.book.version
    for _ in range(2):
        start_house(behind(stage, book=other), settings_digest="d")
    assert stage.entries("policy.changed") == 1
    with stage.house.store.read() as unit:
        people = unit.staff.eligible((Role.ADMINISTRATOR, Role.SECURITY_AUDITOR))
    assert stage.count("SELECT count(*) FROM notice WHERE kind = 'policy_changed'") == len(people) > 1


def test_what_was_asked_before_keeps_what_it_needed(stage: Stage, tmp_path: Path) -> None:
    stage.open("support_agent", "acme")
    request = stage.filed("support_agent", "acme", 200)
    changed = loaded(copied(tmp_path, *[without_approval(rule) for rule in OVERRIDE_RULES]))
    later = behind(stage, book=by_hand(changed, OVERRIDE))
    answer = execute_request(later, stage.actor("support_agent", later), request_id=request.id)
    assert isinstance(answer, Deny), answer
    assert stage.now(request.id).state is State.PENDING
