"""Several approved refunds of one payment at once, on a real PostgreSQL: together never more than was captured."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from console.domain.billing.objects import ObjectKind, Payment
from console.domain.requests import Request
from console.storage import provider_writes
from console.storage.provider_writes import StoredProviderWrites
from console.usecases.execute_request import execute_request
from console.usecases.run_jobs import run_due_jobs
from tests.conftest import NewDatabase
from tests.integration.money_stage import PAYMENT, REFUND, Till, opened_till, refund

AT_ONCE = 6
ROUNDS = 12
CAPTURED = PAYMENT.captured_minor
WANTED = "SELECT coalesce(sum(amount_minor), 0) FROM plane_provider_write WHERE state <> 'refused'"


@pytest.fixture
def till(tmp_path: Path, pg_database: NewDatabase) -> Iterator[Till]:
    with opened_till("postgresql", tmp_path, pg_database, slow=True, pool_size=3 * AT_ONCE) as opened:
        yield opened


def at_once(calls: list[Callable[[], object]]) -> list[object]:
    """Let every call begin in the same moment, each in a thread and on a connection of its own."""
    start = threading.Barrier(len(calls), timeout=10)

    def run(call: Callable[[], object]) -> object:
        start.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def executed_at_once(till: Till, requests: list[Request]) -> list[object]:
    """Let finance run them all in the same moment."""
    actor = till.stage.actor("finance")
    return at_once(
        [lambda each=each: execute_request(till.stage.house, actor, request_id=each.id) for each in requests]  # type: ignore[misc]
    )


def refunded(till: Till) -> int:
    """Return how much the provider has given back."""
    payment = till.model.thing(ObjectKind.PAYMENT, PAYMENT.id)
    assert isinstance(payment, Payment)
    return payment.refunded_minor


def test_refunds_at_once_never_pass_what_is_left(till: Till) -> None:
    kinds: dict[str, int] = {}
    for number in range(ROUNDS):
        payment = f"pi_race{number}"
        till.knows(_another(payment))
        requests = [till.agreed(REFUND, refund("40.00", payment=payment)) for _ in range(AT_ONCE)]
        for answer in executed_at_once(till, requests):
            kinds[type(answer).__name__] = kinds.get(type(answer).__name__, 0) + 1
        asked = till.stage.count(f"{WANTED} AND subject = ?", payment)
        assert 4_000 <= asked <= CAPTURED
        if number % 2:  # every second round goes on while what was asked is carried out
            at_once([lambda worker=worker: run_due_jobs(till.stage.house, worker=worker) for worker in ("w1", "w2")])  # type: ignore[misc]
        else:
            till.run()
        found = till.model.thing(ObjectKind.PAYMENT, payment)
        assert isinstance(found, Payment)
        assert found.refunded_minor == asked
    assert kinds.get("Ran", 0) >= ROUNDS
    print(f"{ROUNDS} rounds x {AT_ONCE} refunds of 40.00 out of 99.00: {kinds}")  # noqa: T201


def test_its_race_would_catch_a_bound_that_is_only_read(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    meeting = threading.Barrier(AT_ONCE, timeout=3)
    real = StoredProviderWrites.want

    def careless(*arguments: object, **named: object) -> object:
        with suppress(threading.BrokenBarrierError):
            meeting.wait()
        return real(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr("console.usecases.execute_request.take_turn", lambda *_arguments: None)
    monkeypatch.setattr(StoredProviderWrites, "lock", lambda _self: None)
    monkeypatch.setattr(provider_writes.StoredProviderWrites, "want", careless)
    requests = [till.agreed(REFUND, refund("40.00")) for _ in range(AT_ONCE)]
    executed_at_once(till, requests)
    assert till.stage.count(WANTED) > CAPTURED


def test_a_refund_wanted_while_another_is_settled_is_counted_all_the_time(till: Till) -> None:
    first = till.agreed(REFUND, refund("60.00"))
    execute_request(till.stage.house, till.stage.actor("finance"), request_id=first.id)
    second = till.agreed(REFUND, refund("39.00"))
    third = till.agreed(REFUND, refund("39.00"))
    actor = till.stage.actor("finance")
    at_once(
        [
            lambda: execute_request(till.stage.house, actor, request_id=second.id),
            lambda: execute_request(till.stage.house, actor, request_id=third.id),
            lambda: run_due_jobs(till.stage.house, worker="w1"),
        ]
    )
    till.run()
    assert refunded(till) <= CAPTURED
    assert till.stage.count(WANTED) == refunded(till)


def _another(payment: str) -> Payment:
    return Payment(**{**{name: getattr(PAYMENT, name) for name in PAYMENT.__dataclass_fields__}, "id": payment})
