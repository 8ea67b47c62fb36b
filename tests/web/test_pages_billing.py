"""The billing page of an opened tenant: how far the provider has come with collecting what is owed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from console.domain.ids import SHARED_PLANE
from console.domain.tenancy import ScopeBasis, TenantScope
from console.usecases.scopes import NO_REASON, SYSTEM
from tests.billing import AN_INVOICE, DAY, told
from tests.web.cast import Cast
from tests.web.money_stage import bank
from tests.web.walks import opened
from tests.web.world import TENANTS

PAGE = "/t/nordwind/billing"


def owing(cast: Cast, attempts: int, *, again: bool) -> None:
    """Let the mirror hold an invoice that was tried so often."""
    bank(cast, "nordwind")
    now = cast.clock.now()
    scope = TenantScope(
        tenant=TENANTS["nordwind"], plane=SHARED_PLANE, staff=SYSTEM, basis=ScopeBasis.JOB, reason=NO_REASON,
        not_after=now + timedelta(minutes=5),
    )  # fmt: skip
    mine = replace(AN_INVOICE, id="in_nordwind2", customer="cus_nordwind", subscription="sub_nordwind2")
    tried = replace(mine, attempts=attempts, next_attempt_at=now + 3 * DAY if again else None)
    with cast.house.store.write() as unit:
        unit.tenant(scope).mirror.put(told(tried, at=now + timedelta(seconds=1)))


@pytest.mark.parametrize(
    ("again", "sentence", "state"),
    [(True, "tried 2 times, again on", "Tried again"), (False, "tried 2 times, never", "Given up")],
)
def test_it_says_how_far_collecting_has_come(cast: Cast, again: bool, sentence: str, state: str) -> None:
    owing(cast, 2, again=again)
    page = opened(cast).get(PAGE)
    assert page.status_code == 200
    assert "Collecting what is owed" in page.text
    assert sentence in page.text
    assert state in page.text


def test_it_says_nothing_of_collecting_where_nothing_was_tried_in_vain(cast: Cast) -> None:
    bank(cast, "nordwind")
    assert "Collecting what is owed" not in opened(cast).get(PAGE).text
