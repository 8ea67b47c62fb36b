"""The benchmark itself works: every item answers with the expected rows. How fast is never asserted."""

from pathlib import Path

import pytest

from tests.bench import __main__ as bench
from tests.bench import revoking, world
from tests.bench.counting import Counted, TooManyStatementsError
from tests.bench.world import Size
from tests.web.test_impersonation_endings import CAUSES

ITEMS = {
    "W1L", "W2a", "W2r", "W2b", "W2c", "W2s", "W2d", "W2i", "W2p", "W2m", "W3", "W4a", "W4o", "W4w", "W4d",
    "W8a", "W8f", "W8d", "W8t", "W8e", "inbox",
    "W9r", "W9q", "W9f", "W9b", "W9e", "W9p", "W9o",
    "W5", "W5f",
}  # fmt: skip


TINY = Size(tenants=400, entries=2_000)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where a tiny world is built once for all that measure on it."""
    return tmp_path_factory.mktemp("bench")


@pytest.mark.slow
def test_it_measures_every_item_on_a_tiny_world(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "HOME", home)
    plan = bench.Plan(size=TINY, names=frozenset({"pages", "cycle", "policy"}), is_quick=True)
    tables = {table.title.partition(":")[0]: table for table in bench.run(plan)}
    assert {result.key for result in tables["Pages"].results} == ITEMS
    assert [result.key for result in tables["Request cycle"].results] == ["cycle"]
    assert [result.key for result in tables["Policy"].results] == ["one", "page"]


def test_it_ends_where_a_page_asks_too_often() -> None:
    found = Counted(reads=3, writes=1)
    found.hold("W3", most=4)
    with pytest.raises(TooManyStatementsError, match="W3: 4 statements, 3 at most"):
        found.hold("W3", most=3)


@pytest.mark.slow
def test_it_measures_sending_beside_a_bare_loop() -> None:
    plan = bench.Plan(size=bench.QUICK, names=frozenset({"sending"}), is_quick=True)
    (table,) = bench.run(plan)
    assert [result.key for result in table.results] == [
        "send sqlite", "send sqlite, processor time of the sender", "replay sqlite", "plan sqlite",
        "plan sqlite, longest wait of another writer", "enqueue sqlite", "claim and end sqlite",
    ]  # fmt: skip


@pytest.mark.slow
def test_it_measures_appends_and_verifies_what_was_appended() -> None:
    plan = bench.Plan(size=bench.QUICK, names=frozenset({"trail"}), is_quick=True)
    (table,) = bench.run(plan)
    assert [result.key for result in table.results] == [
        f"{name} sqlite" for name in ("append", "ordered", "wall", "drain", "verify")
    ]


@pytest.mark.slow
def test_it_measures_reconciliations_over_fleets_that_agree() -> None:
    plan = bench.Plan(size=bench.QUICK, names=frozenset({"reconciling"}), is_quick=True)
    (table,) = bench.run(plan)
    assert [(result.key, result.cells[-1]) for result in table.results] == [
        ("reconcile 100", "0"), ("reconcile 200", "0"),
    ]  # fmt: skip


@pytest.mark.slow
def test_it_measures_explanations_and_recalculations(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "HOME", home)
    plan = bench.Plan(size=TINY, names=frozenset({"entitlements"}), is_quick=True)
    (table,) = bench.run(plan)
    assert [result.key for result in table.results] == ["engine", "explain", "recalculate", "rewrite"]


@pytest.mark.slow
def test_it_measures_the_product_kit_beside_the_bare_product() -> None:
    plan = bench.Plan(size=bench.QUICK, names=frozenset({"kit"}), is_quick=True)
    (table,) = bench.run(plan)
    assert [result.key for result in table.results] == ["page", "fragment", "data", "file", "member"]


@pytest.mark.slow
def test_it_measures_how_long_ends_take_to_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = {cause: end for cause, end in CAUSES.items() if end.value in {"hand", "frozen"}}
    monkeypatch.setattr(revoking, "CAUSES", chosen)
    plan = bench.Plan(size=bench.QUICK, names=frozenset({"revoke"}), is_quick=True)
    (table,) = bench.run(plan)
    assert [result.key for result in table.results] == ["hand", "frozen", "all"]
