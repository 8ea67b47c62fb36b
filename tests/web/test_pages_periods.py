"""One accounting period as finance sees it: who asked for and who agreed to each of its closings."""

from dataclasses import replace
from datetime import timedelta

from console.domain.ids import RequestId
from console.domain.periods import Agreement, PeriodEvent, PeriodState, Signer
from tests.web.cast import PEOPLE, Cast
from tests.web.period_stage import OCTOBER, period_in

WHO = "Who agreed"


def signer(who: str) -> Signer:
    """Return somebody as a period keeps them."""
    return Signer(staff=PEOPLE[who].id, name=PEOPLE[who].name)


def agreed(cast: Cast, event: PeriodEvent, asked: str, *agreed_by: str, hours: int) -> Agreement:
    """Return what people agreed to, some hours from now."""
    return Agreement(
        event=event, asked_by=signer(asked), agreed_by=tuple(map(signer, agreed_by)),
        at=cast.clock.now() + timedelta(hours=hours), request=RequestId(f"req_{hours}"),
    )  # fmt: skip


def closed_with(cast: Cast, *agreements: Agreement) -> str:
    """Return the page of October, closed, with what it keeps of the people who agreed."""
    period_in(cast, PeriodState.CLOSED)
    with cast.house.store.write() as unit:
        assert unit.periods.save(replace(unit.periods.get(OCTOBER), agreements=agreements))
    answer = cast.sign_in("finance").get(f"/reconciliation/periods/{OCTOBER}")
    assert answer.status_code == 200
    return answer.text


def test_it_says_who_asked_and_who_agreed_the_newest_first(cast: Cast) -> None:
    page = closed_with(
        cast,
        agreed(cast, PeriodEvent.CLOSE, "finance", "finance_lead", hours=1),
        agreed(cast, PeriodEvent.REOPEN, "finance", "finance_lead", "support_lead", hours=2),
        agreed(cast, PeriodEvent.CLOSE, "finance_lead", "finance_lead_2", hours=3),
    )
    assert page.count(WHO) == 1
    told = page.partition(WHO)[2]
    newest, middle = (told.index(signer(who).name) for who in ("finance_lead_2", "support_lead"))
    assert newest < middle < told.rindex(signer("finance").name)
    assert f"{signer('finance_lead').name}, {signer('support_lead').name}" in told
    assert f"asked for by {signer('finance_lead').name}, agreed by {signer('finance_lead_2').name}" in page


def test_it_says_so_where_nobody_else_agreed_and_shows_no_list_where_none_is_kept(cast: Cast) -> None:
    assert WHO not in closed_with(cast)
    page = closed_with(cast, agreed(cast, PeriodEvent.CLOSE, "finance_lead", hours=1))
    assert "nobody else" in page.partition(WHO)[2]
