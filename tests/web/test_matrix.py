"""Every route by every role by every lease: it answers as docs/roles.md says, and nothing leaks or changes."""

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from console.domain.staff import Role
from console.web import gate
from console.web.gate import Gate
from tests.web.cast import Browser, Cast, on_stage
from tests.web.matrix import (
    LEASES,
    MASKED,
    OTHER,
    PRIVATE,
    THIS,
    WORDS,
    World,
    asked,
    denied_in,
    furnished,
    gated,
    lease,
    lines,
    newest_in,
    path_of,
    stored_in,
    table,
)

# What is refused changes nothing and leaves one denied entry; a form with a fault changes nothing either.
REFUSED = frozenset({401, 403, 404, 409})
UNDONE = REFUSED | {422}


@dataclass(frozen=True)
class Stage:
    """One role's stage: the cast, the world of a colleague, and the file as somebody with the database sees it."""

    cast: Cast
    world: World
    file: sqlite3.Connection


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    file = tmp_path / "matrix.db"
    # One connection for all looks: a new one reads the whole schema first, which takes longer than the rows.
    with on_stage(file) as cast, closing(sqlite3.connect(file)) as raw:
        yield Stage(cast, furnished(cast), raw)


def changed(before: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    return sorted(name for name in now if now[name] != before.get(name))


def held(state: str) -> str | None:
    return {"none": None, "this": THIS, "other": OTHER}[state]


def leaks(text: str, state: str) -> list[str]:
    """Return what a page shows of a tenant that is not open, or shows unmasked."""
    closed = [canary for slug, canaries in PRIVATE.items() if slug != held(state) for canary in canaries]
    return [canary for canary in (*closed, *MASKED) if canary in text]


def test_it_lists_every_endpoint_in_the_table(cast: Cast) -> None:
    assert {line.name for line in lines(cast.app, gated(cast.app))} == set(table())
    behind = [name for name in cast.app.view_functions if gate.kind_of(cast.app, name) in {Gate.SIGNED_IN, Gate.TENANT}]
    assert sorted(behind) == gated(cast.app)


def test_it_uses_only_words_that_the_legend_explains() -> None:
    assert {word for words in table().values() for word in words.values()} <= set(WORDS)
    text = (Path(__file__).parents[2] / "docs" / "roles.md").read_text()
    for word, (none, this, other) in WORDS.items():
        assert f"| {word} | {none} | {this} | {other} |" in text, word


@pytest.mark.checklist("V8.1.1")
@pytest.mark.checklist("V8.2.1")
@pytest.mark.checklist("V8.2.2")
@pytest.mark.checklist("V8.4.1")
@pytest.mark.checklist("V14.2.6")
@pytest.mark.checklist("V16.5.4")
@pytest.mark.parametrize("role", list(Role))
def test_it_answers_as_the_table_says_and_leaks_nothing(stage: Stage, role: Role) -> None:
    cast, world, expected = stage.cast, stage.world, table()
    browser = cast.sign_in(role.value)
    faults = []
    for state in LEASES:
        lease(cast, role.value, held(state))
        before = stored_in(stage.file)
        for line in lines(cast.app, gated(cast.app)):
            path, newest = path_of(world, line), newest_in(stage.file)
            status, text = asked(browser, line, path)
            wanted = WORDS[expected[line.name][role]][LEASES.index(state)]
            if status != wanted:
                faults.append(f"{line.name} with lease {state}: {status}, not {wanted}")
            faults += [f"{line.name} with lease {state} shows {canary}" for canary in leaks(text, state)]
            now = stored_in(stage.file)
            if now != before and (line.method == "GET" or status in UNDONE):
                faults.append(f"{line.name} with lease {state} changed {changed(before, now)}")
            before = now
            denied = denied_in(stage.file, since=newest)
            if len(denied) != (status in REFUSED):
                faults.append(f"{line.name} with lease {state}: {status}, and entries {denied}")
        cast.sign_in(role.value, browser=browser)
    assert not faults, "\n".join(faults)


@pytest.mark.checklist("V3.5.3")
def test_it_changes_nothing_for_a_head_and_answers_it_as_a_get(stage: Stage) -> None:
    browser = stage.cast.sign_in("support_agent")
    lease(stage.cast, "support_agent", THIS)
    before = stored_in(stage.file)
    for line in lines(stage.cast.app, gated(stage.cast.app)):
        if line.method == "GET":
            path = path_of(stage.world, line)
            answer = browser.client.head(path)
            assert (answer.status_code, answer.text) == (browser.get(path).status_code, ""), line.name
    assert stored_in(stage.file) == before


@pytest.mark.checklist("V8.2.1")
def test_it_shows_a_stranger_nothing(stage: Stage) -> None:
    stranger, before = stage.cast.stranger(), stored_in(stage.file)
    for line in lines(stage.cast.app, gated(stage.cast.app)):
        answer = stranger.client.open(path_of(stage.world, line), method=line.method)
        assert answer.status_code == 401, line.name
        assert not leaks(answer.text, "none")
        assert "Kestrel" not in answer.text
        assert "Nordwind" not in answer.text
    assert stored_in(stage.file) == before


@pytest.mark.checklist("V8.2.3")
@pytest.mark.checklist("V14.2.6")
@pytest.mark.parametrize(
    "typed", ["member1@kestrel.example", "kestrel", "INV-kestrel-1", "cus_kestrel", "msg_kestrel1"]
)
def test_it_shows_no_private_field_in_a_search(cast: Cast, agent: Browser, typed: str) -> None:
    text = agent.get(f"/search?q={typed}").text
    assert "Kestrel Labs" in text
    shown = re.sub(r'<input[^>]*type="search"[^>]*>', "", text).replace(typed, "")
    assert not [canary for canary in (*PRIVATE[OTHER], "Member 1", "member1") if canary in shown]
