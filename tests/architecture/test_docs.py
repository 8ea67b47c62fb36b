"""The documents mention all that exists, and nothing that does not."""

import re

import pytest

from console.actions.registry import registered
from console.domain.catalogue import CATALOGUE
from console.domain.decisions import DenyCode
from tests.architecture.tree import ROOT

DOCS = ROOT / "docs"
REGISTRY = registered()
CASES = ROOT / "policies" / "cases"


def text(name: str) -> str:
    return (DOCS / name).read_text()


@pytest.mark.parametrize("key", sorted(REGISTRY))
def test_it_documents_and_tries_every_action(key: str) -> None:
    action = REGISTRY[key]  # type: ignore[index]  # a key as text
    assert action.documentation.endswith(".")
    assert action.customer_sees.endswith(".")
    assert f"`{key}`" in text("policy.md") + text("roles.md")
    assert f"`{key}`" in text("roles.md")
    assert (CASES / f"{key}.toml").is_file()
    policies = "\n".join(path.read_text() for path in (ROOT / "policies").glob("*.cedar"))
    assert f'Action::"{key}"' in policies or f'"{key}"' in (ROOT / "policies" / "actions.toml").read_text()


@pytest.mark.parametrize("code", list(DenyCode))
def test_it_documents_every_refusal(code: DenyCode) -> None:
    assert f"| `{code}` |" in text("refusals.md")


@pytest.mark.checklist("V16.1.1")
def test_it_documents_every_entry() -> None:
    catalogue = text("trail.md").partition("## Catalogue")[2]
    rows = dict(re.findall(r"^\| `([a-z_.]+)` \| ([^|]+) \|", catalogue, re.MULTILINE))
    assert set(rows) == set(CATALOGUE)
    wrong = {name for name, sentence in rows.items() if sentence.strip() != CATALOGUE[name].sentence}
    assert wrong == set()


def test_it_leads_to_every_document() -> None:
    index = text("index.md") + (ROOT / "README.md").read_text()
    assert {path.name for path in DOCS.glob("*.md") if path.name != "index.md" and path.name not in index} == set()


def test_it_links_to_what_exists() -> None:
    pages = [*DOCS.glob("*.md"), *ROOT.glob("*.md")]
    links = [(page, target) for page in pages for target in re.findall(r"\]\(([^)#\s]+)", page.read_text())]
    inside = [(page, target) for page, target in links if "://" not in target and not target.startswith("mailto:")]
    assert [f"{page.name} -> {target}" for page, target in inside if not (page.parent / target).exists()] == []
