"""How fast policy answers, printed (`pytest -s`) and never asserted: the machine is shared."""

import time

from console.policy.book import PolicyBook
from console.policy.decide import decide, decide_many
from tests.policy.test_decide import OVERRIDE


def test_it_prints_its_speed(book: PolicyBook) -> None:
    lines = []
    for name, per_call, call in (
        ("one at a time", 1, lambda: decide(book, OVERRIDE)),
        ("a page of 30", 30, lambda: decide_many(book, [OVERRIDE] * 30)),
    ):
        rounds = 300 // per_call
        started = time.perf_counter()
        for _ in range(rounds):
            call()
        spent = time.perf_counter() - started
        lines.append(
            f"{name}: {rounds * per_call / spent:,.0f} decisions/s, {spent / rounds / per_call * 1e6:,.0f} us each"
        )
    print("\n".join(lines))  # noqa: T201  the measurement is the point
    assert len(lines) == 2
