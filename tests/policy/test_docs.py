"""The pages about policy say what policy says."""

import re

import pytest

from console.domain.decisions import DenyCode
from console.policy.book import Limits, PolicyBook
from tests.policy.governed import POLICIES
from tests.policy.refusals import FILE, MEANING, drawn

PAGE = (POLICIES.parent / "docs" / "policy.md").read_text(encoding="utf-8")


def test_it_documents_every_deny_code(book: PolicyBook) -> None:
    assert set(MEANING) == set(DenyCode)
    assert drawn(book) == FILE.read_text(encoding="utf-8"), "run `.venv/bin/python -m tests.policy.refusals`"


@pytest.mark.parametrize("name", Limits.__slots__)
def test_it_reads_every_limit_where_it_holds(name: str) -> None:
    code = [path.read_text(encoding="utf-8") for path in (POLICIES.parent / "console").rglob("*.py")]
    rules = [path.read_text(encoding="utf-8") for path in POLICIES.glob("*.cedar")]
    assert any(re.search(rf"\.{name}\b", text) for text in [*code, *rules]), "a limit that nobody reads is no limit"


@pytest.mark.parametrize("code", DenyCode)
def test_it_gives_every_deny_code_somewhere(code: DenyCode, book: PolicyBook) -> None:
    told = {"decisions.py", "errors.py", "wording.py"}  # where codes are listed, and not given
    files = [path for path in (POLICIES.parent / "console").rglob("*.py") if path.name not in told]
    marks = re.compile(rf'DenyCode\.{code.name}\b|"{code.value}"')
    assert any(rule.deny_code is code for rule in book.rules.values()) or any(
        marks.search(path.read_text(encoding="utf-8")) for path in files
    )


def test_it_documents_every_reason_tier_and_policy_file(book: PolicyBook) -> None:
    files = [path.name for path in sorted(POLICIES.iterdir()) if path.is_file()]
    wanted = [*book.reasons, *book.tiers, *files, *book.limits.__slots__]
    assert [name for name in wanted if f"`{name}`" not in PAGE] == []


def test_it_documents_the_reason_table_as_it_stands(book: PolicyBook) -> None:
    for rule in book.reasons.values():
        effects = ", ".join(sorted(rule.effects, key=["read", "write", "dangerous"].index))
        minutes = f"{rule.lease_minutes} min" if rule.lease_minutes else "no lease"
        assert f"| `{rule.code}` | {rule.reference_example} | {effects} | {minutes} |" in PAGE
