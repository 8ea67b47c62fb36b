"""What becomes of a request when the world goes on around it: revised under a voter, or its requester out or gone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from console.domain.requests import State
from tests.attacks.door import OVERRIDE, SEATS, SUSPEND, UNPAID, Door, opened_door
from tests.web.walks import approved, fields

ENDING = "/actions/staff.end_sessions"
HIRING = {"reason_code": "STAFF_CHANGE", "reason_reference": "HR-123"}


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with opened_door(tmp_path / "overtaken.db") as door:
        yield door


@pytest.mark.checklist("V15.4.2")
def test_a_vote_on_what_was_replaced_meanwhile_gets_409_and_the_new_diff(door: Door) -> None:
    agent, lead = door.inside(), door.enter("finance_lead")
    request = door.ask(agent)
    path = f"/requests/{request}"
    ballot = fields(lead.get(path), f"{path}/votes")
    form = door.preview(agent, f"{path}/revision", {**SEATS, "value": "900"})
    assert (
        agent.post(f"{path}/revision", {n: v for n, v in form.items() if not n.startswith("reason")}).status_code == 303
    )
    answer = lead.post(f"{path}/votes", {**ballot, "verdict": "approve", "comment": "Agreed in the contract."})
    assert answer.status_code == 409
    shown = answer.text[answer.text.index("What it changes") :]
    assert "900 seats" in shown[: shown.index("</section>")]
    assert "Agreed in the contract." in answer.text
    again = fields(answer, f"{path}/votes")
    assert again["digest"] == door.request(request).digest != ballot["digest"]
    assert not door.votes(request)
    assert lead.post(f"{path}/votes", {**again, "verdict": "approve"}).status_code == 303
    assert [vote.revision for vote in door.votes(request)] == [2]


def test_a_vote_before_a_revision_does_not_count_after_it(door: Door) -> None:
    """One of two has voted when a letter of what was asked for changes: both must vote, on what stands now."""
    lead, second, money = (door.enter(who) for who in ("support_lead", "support_lead_2", "finance_lead"))
    door.open(lead)
    request = door.ask(lead, SUSPEND, UNPAID)
    door.vote(second, request)
    before = door.request(request).digest
    path = f"/requests/{request}/revision"
    form = door.preview(lead, path, {"because": UNPAID["because"].rstrip(".")})
    assert lead.post(path, {n: v for n, v in form.items() if not n.startswith("reason")}).status_code == 303
    assert door.request(request).digest != before
    assert [bool(vote.voided_because) for vote in door.votes(request)] == [True]
    door.vote(money, request)
    assert door.request(request).state is State.PENDING
    assert door.cast.count("action.executed") == 0
    door.vote(second, request)
    assert door.request(request).state is State.EXECUTED


@pytest.mark.checklist("V7.4.2")
def test_a_deactivated_requester_leaves_nothing_behind_that_could_run(door: Door) -> None:
    """By `staff.deactivate`, as an administrator does it: what waits and what was approved is cancelled, by entry."""
    door.run_by_hand()
    agent, lead, administrator = door.inside(), door.enter("finance_lead"), door.enter("administrator")
    ran = door.ask(agent)
    approved(lead, f"/requests/{ran}")
    waits = door.ask(agent, OVERRIDE, {**SEATS, "value": "260"})
    other = door.asked("support_agent_2", OVERRIDE, {**SEATS, "value": "270"})
    states = {each: door.request(each).state for each in (ran, waits, other)}
    assert states == {ran: State.APPROVED, waits: State.PENDING, other: State.PENDING}
    door.ask(administrator, "/actions/staff.deactivate", {"colleague": door.staff("support_agent")}, **HIRING)
    states = {each: door.request(each).state for each in (ran, waits, other)}
    assert states == {ran: State.CANCELLED, waits: State.CANCELLED, other: State.PENDING}
    told = door.cast.entries("request.cancelled")
    assert {entry["correlation"] for entry in told} == {ran, waits}
    assert {entry["actor"]["id"] for entry in told} == {door.staff("administrator")}
    assert lead.post(f"/requests/{ran}/execution").status_code == 409
    assert door.cast.count("action.executed") == 1  # the deactivation
    assert not door.leases("support_agent")
    assert agent.get("/account").status_code == 401


@pytest.mark.checklist("V7.4.5")
def test_an_administrator_ends_every_session_of_somebody(door: Door) -> None:
    """By `staff.end_sessions`: each browser of theirs is out at its next request, nobody else's is."""
    desk, phone, colleague = door.inside(), door.enter(), door.enter("support_agent_2")
    administrator = door.enter("administrator")
    assert [browser.get("/account").status_code for browser in (desk, phone, colleague)] == [200, 200, 200]
    request = door.ask(administrator, ENDING, {"colleague": door.staff("support_agent")}, **HIRING)
    assert door.request(request).state is State.EXECUTED
    assert [browser.get("/account").status_code for browser in (desk, phone, colleague)] == [401, 401, 200]
    assert desk.get("/t/nordwind/").status_code == 401
    assert not door.leases("support_agent")
    (told,) = door.cast.entries("action.executed")
    assert (told["governed"], told["targets"][-1]["id"]) == ("staff.end_sessions", door.staff("support_agent"))
    assert door.enter().get("/account").status_code == 200
