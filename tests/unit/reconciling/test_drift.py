"""Every break is found as exactly what it is: one finding of its kind, nothing else, in all 37 rows."""

from collections import Counter
from dataclasses import dataclass, replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from console.adapters.demo.books import DemoBooks, demo_books
from console.adapters.demo.drift import OF_ACCOUNT, OF_TENANTS, SHOWN, broken_account, world_books
from console.adapters.demo.drift_account import account_books
from console.adapters.demo.generator import DEFAULT_SEED
from console.adapters.demo.sketches import sketched
from console.domain.billing.objects import Subscription
from console.domain.reconciling.catalogue import KINDS, ROWS
from console.domain.reconciling.detecting import detect_account, detect_tenant
from console.domain.reconciling.findings import Direction, RepairClass
from tests.unit.reconciling.worlds import KINDS_OF_TENANTS, NOW, clean, pair, tenants_for

_EACH = 6


@dataclass
class Score:
    """What was found of what was broken."""

    right: int = 0
    missed: int = 0
    false: int = 0

    def add(self, kind: str, found: list[str]) -> None:
        """Count one broken tenant."""
        hits = found.count(kind)
        self.right += min(hits, 1)
        self.missed += hits == 0
        self.false += len(found) - min(hits, 1)


def test_every_kind_has_a_break_and_every_row_a_kind() -> None:
    assert set(OF_TENANTS) | set(OF_ACCOUNT) == set(KINDS)
    assert {kind.number for kind in KINDS.values()} == set(range(1, ROWS + 1))


@pytest.mark.parametrize("kind", KINDS_OF_TENANTS)
def test_it_finds_exactly_what_was_broken(kind: str) -> None:
    tried = 0
    for index, books in tenants_for(kind, wanted=_EACH):
        found = detect_tenant(books.compared())
        assert [each.kind for each in found] == [kind], index
        (candidate,) = found
        assert candidate.tenant == books.tenant
        assert candidate.objects
        assert candidate.at_risk_minor >= 0
        assert candidate.currency is not None or not candidate.at_risk_minor
        assert candidate.ours != candidate.theirs
        tried += 1
    assert tried >= 3


@pytest.mark.parametrize("kind", sorted(OF_ACCOUNT))
@pytest.mark.parametrize("seed", range(6))
def test_it_finds_exactly_what_was_broken_in_the_account(kind: str, seed: int) -> None:
    start = account_books((clean(index) for index in range(1, 40)), now=NOW)
    books = broken_account(start, kind, seed=seed)
    assert books is not None
    assert [each.kind for each in detect_account(books)] == [kind]


def test_it_measures_precision_and_recall_of_every_kind(capsys: pytest.CaptureFixture[str]) -> None:
    scores = {kind: Score() for kind in sorted(KINDS, key=lambda key: (KINDS[key].number, key))}
    for kind in OF_TENANTS:
        for _, books in tenants_for(kind, wanted=3):
            scores[kind].add(kind, [each.kind for each in detect_tenant(books.compared())])
    start = account_books((clean(index) for index in range(1, 40)), now=NOW)
    for kind in OF_ACCOUNT:
        for seed in range(3):
            books_of_all = broken_account(start, kind, seed=seed)
            assert books_of_all is not None
            scores[kind].add(kind, [each.kind for each in detect_account(books_of_all)])
    with capsys.disabled():
        print(_table(scores))  # noqa: T201  the figures are the claim
    assert all(score.right and not score.missed and not score.false for score in scores.values())
    assert len({KINDS[kind].number for kind, score in scores.items() if score.right}) == ROWS


def _table(scores: dict[str, Score]) -> str:
    rows = [f"\n{'row':>3} {'kind':43} {'broken':>6} {'found':>6} {'false':>6} {'precision':>9} {'recall':>7}"]
    for kind, score in scores.items():
        broken = score.right + score.missed
        precision = score.right / max(score.right + score.false, 1)
        recall = score.right / max(broken, 1)
        rows.append(
            f"{KINDS[kind].number:>3} {kind:43} {broken:>6} {score.right:>6} {score.false:>6} "
            f"{precision:>9.0%} {recall:>7.0%}"
        )
    return "\n".join(rows)


@settings(max_examples=80)
@given(
    index=st.integers(1, 150),
    first=st.sampled_from(KINDS_OF_TENANTS),
    second=st.sampled_from(KINDS_OF_TENANTS),
    seed=st.integers(0, 50),
)
def test_it_finds_both_of_two_breaks_that_have_nothing_in_common(
    index: int, first: str, second: str, seed: int
) -> None:
    made = pair(index, first, second, seed=seed)
    assume(made is not None and made[1])
    assert made is not None
    assert sorted(each.kind for each in detect_tenant(made[0].compared())) == sorted((first, second))


@settings(max_examples=80)
@given(
    index=st.integers(1, 150),
    first=st.sampled_from(KINDS_OF_TENANTS),
    second=st.sampled_from(KINDS_OF_TENANTS),
    seed=st.integers(0, 50),
)
def test_two_breaks_of_one_thing_raise_nothing_else(index: int, first: str, second: str, seed: int) -> None:
    made = pair(index, first, second, seed=seed)
    assume(made is not None)
    assert made is not None
    assert {each.kind for each in detect_tenant(made[0].compared())} <= {first, second}


def test_a_kind_that_heals_says_how_and_nobody_else_does() -> None:
    for kind in KINDS.values():
        if kind.heals:
            assert kind.repair is RepairClass.SAFE
            assert kind.action in {"billing.resync", "entitlement.recalculate"}
        assert (kind.action is None) is (kind.repair is RepairClass.INVESTIGATE)


def test_the_demo_shows_a_handful_of_true_findings() -> None:
    found = Counter[str]()
    for books in world_books((sketched(DEFAULT_SEED, index, now=NOW) for index in range(1, 120)), now=NOW):
        found.update(each.kind for each in detect_tenant(books.compared()))
    assert found == Counter(SHOWN)


def test_the_traps_are_left_as_they_are() -> None:
    sketches = [sketched(DEFAULT_SEED, index, now=NOW) for index in range(18)]
    assert list(world_books(iter(sketches), now=NOW)) == [demo_books(each, now=NOW) for each in sketches]


def test_it_finds_how_far_the_provider_has_come_with_collecting() -> None:
    """An open invoice on both sides, which the provider has tried to collect once more than the mirror knows."""
    fields = set()
    for _, books in tenants_for("invoice_status_drift", wanted=60):
        (candidate,) = detect_tenant(books.compared())
        fields.add(candidate.differs)
        if candidate.differs in {"attempts", "next_attempt_at"}:
            assert (candidate.at_risk_minor, candidate.direction) == (0, Direction.NOBODY)
    assert {"status", "attempts"} <= fields


def test_a_mirror_from_before_anchors_were_read_says_nothing_of_them_and_hides_nothing() -> None:
    def before(books: DemoBooks) -> DemoBooks:
        old = tuple(
            replace(each, anchored_at=None) if isinstance(each, Subscription) else each for each in books.mirror
        )
        return replace(books, mirror=old)

    assert [detect_tenant(before(clean(index)).compared()) for index in range(1, 60)] == [()] * 59
    for kind in ("limit_mismatch", "sub_status_drift", "sub_plan_drift", "proration_mismatch"):
        for index, books in tenants_for(kind, wanted=3):
            assert [each.kind for each in detect_tenant(before(books).compared())] == [kind], (kind, index)
