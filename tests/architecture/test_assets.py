"""Style sheets use defined tokens only, and every file of other people's is what its package holds."""

import hashlib
import re
import tomllib

import pytest

from console.actions.registry import OWN
from tests.architecture.tree import ROOT

STATIC = ROOT / "static"
CSS = STATIC / "css"
SHEETS = sorted(path.name for path in CSS.glob("*.css"))
OTHERS = {".woff2", ".min.js"}


def plain(name: str) -> str:
    """Return a sheet without its comments."""
    return re.sub(r"/\*.*?\*/", "", (CSS / name).read_text(), flags=re.DOTALL)


def whole() -> str:
    return "\n".join(plain(name) for name in SHEETS)


def test_it_defines_every_property_that_is_used() -> None:
    defined = set(re.findall(r"(--[\w-]+)\s*:", whole()))
    used = set(re.findall(r"var\((--[\w-]+)", whole()))
    assert used - defined == set()


def test_it_uses_every_token() -> None:
    tokens = set(re.findall(r"(--[\w-]+)\s*:", plain("tokens.css")))
    scripts = "\n".join(path.read_text() for path in (STATIC / "js").glob("*.js"))
    assert {token for token in tokens if f"var({token}" not in whole() and token not in scripts} == set()


def written() -> set[str]:
    """Return every word that can put a class on an element: of templates, of scripts, and the console's own."""
    places = [(ROOT / "templates", "*.html"), (STATIC / "js", "*.js"), (ROOT / "console", "*.py")]
    return {
        word for at, files in places for path in at.rglob(files) for word in re.findall(r"[\w-]+", path.read_text())
    }


def is_worn(name: str, words: set[str]) -> bool:
    """Return whether a class is written out, or is put together from its block and a word of its own."""
    block, joint, modifier = name.partition("--")
    return name in words or bool(joint and {f"{block}--", modifier} <= words)


def test_it_has_no_class_that_nothing_wears() -> None:
    classes = set(re.findall(r"\.([a-z][\w-]*)", re.sub(r"url\([^)]*\)", "", whole())))
    words = written()
    assert len(classes) > 300
    assert {name for name in classes if not is_worn(name, words)} == set()
    assert not is_worn("panel--marble", words)


@pytest.mark.parametrize("name", [name for name in SHEETS if name != "tokens.css"])
def test_it_names_colours_in_the_tokens_only(name: str) -> None:
    colours = r"#[0-9a-fA-F]{3,8}\b|\b(?:rgba?|hsla?|oklch|oklab|lab|lch|color)\("
    assert re.findall(colours, re.sub(r"url\([^)]*\)", "", plain(name))) == []


@pytest.mark.parametrize("name", SHEETS)
def test_it_needs_no_force_and_no_ids(name: str) -> None:
    text = plain(name)
    assert "!important" not in text
    selectors = re.findall(r"([^{};]+)\{", text)
    assert [selector.strip() for selector in selectors if re.search(r"#[a-zA-Z]", selector)] == []
    assert not re.search(r"@import|https?://(?!www\.w3\.org)", text)


def listed() -> list[dict[str, str]]:
    found: list[dict[str, str]] = tomllib.loads((STATIC / "VENDORED.toml").read_text())["file"]
    return found


@pytest.mark.checklist("V3.6.1")
def test_it_ships_what_the_packages_hold() -> None:
    for entry in listed():
        path = ROOT / entry["file"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"], entry["name"]
        assert (ROOT / entry["licence_file"]).is_file(), entry["name"]
        assert entry["version"]
        assert entry["source"].startswith("npm:")


def test_it_lists_every_file_of_other_people() -> None:
    names = {entry["file"] for entry in listed()}
    found = {
        str(path.relative_to(ROOT))
        for path in [*STATIC.rglob("*"), *(ROOT / "tests" / "vendor").glob("*")]
        if path.name.endswith(tuple(OTHERS)) or path.parent.name == "vendor"
    }
    assert {name for name in found - names if "LICENSE" not in name} == set()
    assert "static/icons/lucide.svg" in names


def test_it_draws_every_action_with_a_sign_that_is_there() -> None:
    drawn = set(re.findall(r'id="([^"]+)"', (STATIC / "icons" / "lucide.svg").read_text()))
    assert {f"{action.key}: {action.icon}" for action in OWN if action.icon not in drawn} == set()


def test_it_loads_every_sheet_and_script() -> None:
    head = (ROOT / "templates" / "components" / "head.html").read_text()
    assert {name for name in SHEETS if f'"{name.removesuffix(".css")}"' not in head} == set()
    for script in (STATIC / "js").glob("*.js"):
        assert f"js/{script.name}" in head
