"""One person breaks glass on two tenants in the same moment: one is broken, for the other a review is owed."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from console.domain.decisions import Deny
from console.storage.reviews import StoredReviews
from console.usecases.outcomes import CountingDown
from tests.integration.emergency import Emergency, code, fire

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
