"""A sender that wakes up after its claim has lapsed, in the moment in which another takes its endpoint over."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from console.domain.webhooks import DeliveryState, Endpoint
from console.storage.webhook_endpoints import StoredEndpoints
from console.usecases import claim_deliveries
from console.usecases.claim_deliveries import claimed_batch, free_lapsed
from console.usecases.send_deliveries import _sent, send_endpoint
from console.usecases.settle_batch import settle_batch
from tests.integration.race_world import Meeting
from tests.integration.test_sending import URL, Bench, bench

__all__ = ["bench"]


def test_they_do_not_wait_in_a_circle_and_say_the_same(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    house, endpoint = bench.ground.house, bench.ground.endpoint(URL)
    made = bench.ground.messages(endpoint, 2)
    held = claimed_batch(house, bench.due(endpoint), sender="s1")
    assert held is not None
    tally = _sent(house, held)
    bench.clock.pass_by(seconds=house.book.sending.claim_seconds)
    meeting, release = Meeting(2, patience_s=0.5), StoredEndpoints.release_endpoint

    def given_back(self: StoredEndpoints, its: Endpoint, *, by: str) -> None:
        if by == "s1":
            meeting.arrive()
        release(self, its, by=by)

    def freed(*given: Any, **named: Any) -> None:  # noqa: ANN401  as the real one
        meeting.arrive()
        free_lapsed(*given, **named)

    monkeypatch.setattr(StoredEndpoints, "release_endpoint", given_back)
    monkeypatch.setattr(claim_deliveries, "free_lapsed", freed)
    with ThreadPoolExecutor(2) as pool:
        woken = pool.submit(settle_batch, house, held, tally)
        taking_over = pool.submit(send_endpoint, house, bench.due(endpoint), sender="s2")
        woken.result()
        again = taking_over.result()
    told = ["interrupted", "2xx"] if again else ["2xx"]
    assert [bench.ground.outcomes(each) for each in made] == [told] * 2
    assert [bench.ground.delivery(each).state for each in made] == [DeliveryState.DELIVERED] * 2
