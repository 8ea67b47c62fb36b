"""What a dispute does on our side, over every order of what a provider may say."""

from dataclasses import replace
from itertools import product

from console.domain.billing.disputes import Standing, standing_of
from console.domain.reconciling.books import Hold
from console.domain.reconciling.holds import noted, worded
from tests.billing import A_DISPUTE

WORDS = ("needs_response", "under_review", "lost", "won", "warning_closed", "a_new_word")


def test_it_is_reversed_at_most_once_and_never_opened_again_whatever_order_the_news_come_in() -> None:
    for news in product(WORDS, repeat=4):
        hold: Hold | None = None
        for word in news:
            dispute = replace(A_DISPUTE, status=word)
            after = noted(dispute, hold, plan="pro" if hold is None else "another")
            if after is None:
                continue
            assert after.reversals == (1 if standing_of(dispute) is Standing.LOST else 0)
            assert hold is None or hold.outcome is None or after.outcome is not None
            assert (after.plan_at_purchase, after.plan_used) == ("pro", "pro")
            hold = after
            assert noted(dispute, hold, plan="another") is None


def test_a_word_that_nobody_knows_changes_nothing() -> None:
    strange = replace(A_DISPUTE, status="a_new_word")
    assert (standing_of(strange), noted(strange, None, plan="pro")) == (None, None)


def test_it_is_said_in_words() -> None:
    open_ = noted(A_DISPUTE, None, plan=None)
    assert open_ is not None
    said = [worded(None), worded(open_), worded(replace(open_, outcome="lost")), worded(replace(open_, outcome="won"))]
    assert said == [None, "held, nothing taken back", "reversed once", "restored"]
