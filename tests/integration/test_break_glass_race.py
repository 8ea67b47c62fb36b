"""What happens in the very moment in which glass is broken, or in which it would fire."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest

from console.domain.break_glass import GlassUse
from console.domain.decisions import Deny
from console.domain.jobs import Job
from console.domain.requests import State
from console.domain.reviews import ReviewKind, ReviewState
from console.storage.break_glass import StoredGlass
from console.storage.reviews import StoredReviews
from console.usecases.break_glass import FIRE_JOB
from console.usecases.change_request import cancel_request, revoke_request
from console.usecases.fire_break_glass import fire_break_glass
from console.usecases.outcomes import CountingDown
from tests.integration.emergency import Emergency, code, fire
from tests.integration.race_world import Meeting, meeting_house

__all__ = ["fire"]


def test_it_is_broken_once_by_two_forms_in_the_same_moment(fire: Emergency, monkeypatch: pytest.MonkeyPatch) -> None:
    slugs = ("acme", "zeta")
    for slug in slugs:
        fire.open(slug=slug)
    both, asked = threading.Barrier(2), StoredReviews.owed_by

    def owed_by(self: StoredReviews, person: object) -> object:
        found = asked(self, person)  # type: ignore[arg-type]
        with suppress(threading.BrokenBarrierError):
            both.wait(timeout=1)  # each has looked before the other has written, unless something makes it wait
        return found

    monkeypatch.setattr(StoredReviews, "owed_by", owed_by)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda slug: fire.smash(slug=slug), slugs))
    broken = [each for each in answers if isinstance(each, CountingDown)]
    refused = [each for each in answers if isinstance(each, Deny)]
    assert (len(broken), [code(each).value for each in refused]) == (1, ["review_owed"])


def test_glass_is_broken_though_its_tenant_is_opened_again_in_another_tab(
    fire: Emergency, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each act moves its lease's clock, and a use names its person; an opening holds the person, then the lease."""
    fire.open()
    fire.clock.pass_by(seconds=60)
    meeting, add = Meeting(2, patience_s=0.5), StoredGlass.add

    def late(self: StoredGlass, use: GlassUse) -> None:
        meeting.arrive()
        add(self, use)

    monkeypatch.setattr(StoredGlass, "add", late)
    with ThreadPoolExecutor(2) as pool:
        broken, opened = pool.submit(fire.smash), pool.submit(fire.open)
        assert isinstance(broken.result(), CountingDown)
        opened.result()


@pytest.mark.parametrize("undo", ["cancel", "revoke"])
def test_it_is_stopped_or_fires_and_its_review_says_which(fire: Emergency, undo: str) -> None:
    fire.open()
    request = fire.begun()
    fire.clock.pass_by(seconds=60)
    stage = fire.stage
    house = meeting_house(stage, Meeting(2, patience_s=0.5))
    (job,) = [each for each in claimed(fire) if each.kind == FIRE_JOB]

    def stop() -> object:
        if undo == "cancel":
            return cancel_request(house, stage.actor("on_call"), request_id=request.id)
        return revoke_request(house, stage.actor("security_auditor"), request_id=request.id, because="no")

    with ThreadPoolExecutor(2) as pool:
        stopping, firing = pool.submit(stop), pool.submit(fire_break_glass, house, job)
        answer = stopping.result()
        firing.result()
    state = stage.now(request.id).state
    assert state in {State.EXECUTED, State.CANCELLED, State.REVOKED}
    assert isinstance(answer, Deny) is (state is State.EXECUTED), answer
    with stage.storage.store.read() as unit:
        review = unit.reviews.of(ReviewKind.BREAK_GLASS, request.id)
    assert review is not None
    assert (review.state is ReviewState.WITHDRAWN) is (state is not State.EXECUTED)
    assert stage.entries("action.executed", request.id) == (state is State.EXECUTED)


def claimed(fire: Emergency) -> list[Job]:
    now = fire.clock.now()
    with fire.stage.storage.store.write() as unit:
        return list(unit.jobs.claim(worker="w1", now=now, until=now + timedelta(minutes=1), limit=9))
