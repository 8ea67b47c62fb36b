"""The inbox and the page of a request: who may do what, and what came of it."""

from typing import Any

import pytest

from console.domain.ids import ExecutionId, RequestId
from console.domain.requests import State
from console.domain.staff import Role
from tests.databases import NOON
from tests.web.cast import PEOPLE, Browser, Cast
from tests.web.walks import CONTRACT, FRAGMENT, OVERRIDE, SEATS, approved, asked, fields, opened, previewed


@pytest.fixture
def waiting(cast: Cast) -> tuple[Browser, str]:
    """Give the requester's browser and the address of a request that waits for a finance lead."""
    agent = opened(cast)
    return agent, asked(cast, agent)


def test_it_shows_the_inbox_tab_by_tab(cast: Cast, waiting: tuple[Browser, str]) -> None:
    agent, path = waiting
    lead = cast.sign_in("finance_lead")
    assert path in lead.get("/requests").text
    assert path in lead.get("/requests?tab=all", headers=FRAGMENT).text
    assert "You have not asked for anything" in lead.get("/requests?tab=mine").text
    assert path in agent.get("/requests?tab=mine").text
    assert "Nothing waits for you" in agent.get("/requests?tab=anything").text


def test_it_lists_a_request_of_others_without_what_it_is_about(cast: Cast, waiting: tuple[Browser, str]) -> None:
    agent, path = waiting
    told = ("Nordwind Logistik GmbH", "300 seats", "CTR-2026-0117", path)
    for who in ("finance_lead", "security_auditor"):
        assert all(text in cast.sign_in(who).get("/requests?tab=all").text for text in told), who
    assert all(text in agent.get("/requests?tab=all").text for text in told)
    for who in ("administrator", "support_agent_2", "engineer"):
        page = cast.sign_in(who).get("/requests?tab=all").text
        assert "Override a limit" in page, who
        assert not any(text in page for text in told), who


def test_it_shows_everything_an_approver_needs(cast: Cast, waiting: tuple[Browser, str]) -> None:
    text = cast.sign_in("finance_lead").get(waiting[1]).text
    for told in ("200 seats", "300 seats", "0 of 1", "Can approve: Mara Lindqvist, Ravi Menon", "To approve", "To run",
                 "CTR-2026-0117", "override.paid_raise", 'value="approve"', "Nordwind Logistik GmbH"):  # fmt: skip
        assert told in text, told


def _nobody_leads_finance(cast: Cast) -> None:
    with cast.house.store.write() as unit:
        for who in ("finance_lead", "finance_lead_2"):
            unit.staff.set_roles(PEOPLE[who].id, frozenset({Role.FINANCE}), at=cast.clock.now())


def test_it_says_when_too_few_could_still_approve(cast: Cast, waiting: tuple[Browser, str]) -> None:
    agent, path = waiting
    assert "cannot be approved as things stand" not in agent.get(path).text
    _nobody_leads_finance(cast)
    assert "cannot be approved as things stand" in agent.get(path).text


def test_it_files_nothing_that_nobody_could_approve(cast: Cast) -> None:
    agent = opened(cast)
    _nobody_leads_finance(cast)
    _page, form = previewed(agent)
    refused = agent.post(OVERRIDE, {**form, **CONTRACT})
    assert refused.status_code == 403
    assert "quorum_impossible" in refused.text
    assert "it lacks 1 Finance lead" in refused.text
    assert (cast.count("request.refused"), cast.count("request.proposed")) == (1, 0)


def test_it_runs_once_after_the_last_vote(cast: Cast, waiting: tuple[Browser, str]) -> None:
    lead = cast.sign_in("finance_lead")
    answer = approved(lead, waiting[1])
    assert answer.status_code == 303
    text = lead.get(waiting[1]).text
    assert "Your vote was the last one needed. It ran." in text
    assert text.count(": 300 seats until ") == 1, "the page says once what came of it"
    assert "confirmed by one-time code" in text
    assert "1 of 1" in text
    assert "Voted for “Override a limit” on Nordwind Logistik GmbH" in text
    assert cast.count("action.executed") == 1
    assert "300 seats" in waiting[0].get("/t/nordwind/entitlements").text


def test_its_notices_leave_the_house_without_what_it_is_about(cast: Cast, waiting: tuple[Browser, str]) -> None:
    lead = cast.sign_in("finance_lead")
    assert approved(lead, waiting[1]).status_code == 303
    with cast.house.store.read() as unit:
        told = [each for who in PEOPLE.values() for each in unit.outbox.unread(who.id, limit=50)]
    assert {"approval_wanted", "approved", "executed"} <= {each.kind for each in told}
    said = {each.kind: each.sentence for each in told}
    assert said["approved"] == "Override a limit: Mara Lindqvist approved your request."
    assert said["executed"] == "Override a limit: done."
    for notice in told:
        assert not any(text in notice.sentence for text in ("300", "Nordwind", "CTR-2026-0117")), notice


def test_it_shows_the_requester_no_vote_but_why(cast: Cast, waiting: tuple[Browser, str]) -> None:
    agent, path = waiting
    text = agent.get(path).text
    assert 'value="approve"' not in text
    assert "Your vote" in text
    refused = agent.post(f"{path}/votes", {"verdict": "approve", "digest": "0" * 64, "comment": ""})
    assert refused.status_code == 403
    assert "self_approval" in refused.text
    assert cast.count("request.vote_refused") == 1


def test_it_shows_a_run_whose_outcome_nobody_knows_and_offers_no_second_one(
    cast: Cast, waiting: tuple[Browser, str]
) -> None:
    """A process that dies between its intent and its outcome leaves this; the recovery asks what came of it."""
    agent, path = waiting
    with cast.house.store.write() as unit:
        found = unit.requests.get(RequestId(path.rpartition("/")[2]))
        assert found is not None
        assert unit.requests.move(found, State.EXECUTING, execution=ExecutionId("exe_lost"), started_at=NOON)
    page = agent.get(path)
    assert "Running" in page.text
    assert f"{path}/execution" not in page.text
    assert agent.post(f"{path}/execution").status_code == 409
    assert cast.count("action.executed") == 0


def test_it_needs_a_comment_to_reject(cast: Cast, waiting: tuple[Browser, str]) -> None:
    lead = cast.sign_in("finance_lead")
    bare = approved(lead, waiting[1], verdict="reject")
    assert bare.status_code == 422
    assert "Say why you reject" in bare.text
    done = approved(lead, waiting[1], verdict="reject", comment="No contract is signed.")
    assert done.status_code == 303
    text = waiting[0].get(waiting[1]).text
    assert "Rejected" in text
    assert "No contract is signed." in text


def test_it_refuses_a_vote_on_another_digest(cast: Cast, waiting: tuple[Browser, str]) -> None:
    lead = cast.sign_in("finance_lead")
    lead.get(waiting[1])
    answer = lead.post(f"{waiting[1]}/votes", {"verdict": "approve", "digest": "0" * 64, "comment": "typed"})
    assert answer.status_code == 409
    assert "stale_digest" in answer.text
    assert "typed" in answer.text


@pytest.mark.parametrize("sent", [{"verdict": "maybe"}, {"verdict": "approve", "person": "somebody"}])
def test_it_refuses_a_wrong_vote_form(cast: Cast, waiting: tuple[Browser, str], sent: dict[str, Any]) -> None:
    lead = cast.sign_in("finance_lead")
    lead.get(waiting[1])
    assert lead.post(f"{waiting[1]}/votes", {"digest": "", **sent}).status_code == 422
    assert cast.count("request.vote") == 0


def test_it_takes_the_second_factor_with_the_vote(cast: Cast, waiting: tuple[Browser, str]) -> None:
    lead = cast.sign_in("finance_lead")
    cast.clock.pass_by(minutes=11)
    assert 'name="step_up_code"' in lead.get(waiting[1]).text
    assert approved(lead, waiting[1], step_up_code="").status_code == 403
    wrong = approved(lead, waiting[1], step_up_code="000000")
    assert wrong.status_code == 422
    assert "The code is wrong" in wrong.text
    assert approved(lead, waiting[1], step_up_code=cast.code("finance_lead")).status_code == 303
    assert cast.count("action.executed") == 1


def test_it_is_withdrawn_by_who_asked_and_nobody_else(cast: Cast, waiting: tuple[Browser, str]) -> None:
    agent, path = waiting
    lead = cast.sign_in("finance_lead")
    assert lead.post(f"{path}/cancellation").status_code in {403, 404}
    done = agent.post(f"{path}/cancellation", follow=True)
    assert "The request is withdrawn" in done.text
    assert agent.post(f"{path}/execution").status_code == 409
    assert lead.post(f"{path}/execution").status_code == 404


def test_it_is_revised_in_the_same_steps(cast: Cast, waiting: tuple[Browser, str]) -> None:
    agent, path = waiting
    revision = f"{path}/revision"
    page = agent.get(revision)
    assert 'value="300"' in page.text
    shown = agent.post(revision, {**fields(page, revision), **SEATS, "value": "250", "step": "preview"})
    assert "File revision and ask finance lead to approve" in shown.text
    done = agent.post(revision, {**fields(shown, revision), "step": "ask"}, follow=True)
    assert "Revision 2 is filed" in done.text
    assert "Revision 1" in done.text
    lead = cast.sign_in("finance_lead")
    assert lead.get(revision).status_code == 404


def test_it_is_not_shown_to_others(cast: Cast, waiting: tuple[Browser, str]) -> None:
    for who in ("administrator", "engineer"):
        answer = cast.sign_in(who).get(waiting[1])
        assert answer.status_code in {403, 404}
        assert "300 seats" not in answer.text


def test_it_links_the_auditor_into_the_trail(cast: Cast, waiting: tuple[Browser, str]) -> None:
    text = cast.sign_in("security_auditor").get(waiting[1]).text
    assert "/trail?correlation=req_" in text
    assert "/trail/ent_" in text
    assert "/trail" not in waiting[0].get(waiting[1]).text


@pytest.mark.parametrize("path", ["/requests/req_nothing", "/requests/req_nothing/revision"])
def test_it_is_not_there_for_an_unknown_id(agent: Browser, path: str) -> None:
    assert agent.get(path).status_code == 404


@pytest.mark.parametrize("verb", ["votes", "execution", "cancellation", "revocation"])
def test_it_takes_no_verb_on_an_unknown_id(agent: Browser, verb: str) -> None:
    agent.get("/")
    sent = {"verdict": "approve", "digest": "", "because": "why"} if verb == "votes" else {"because": "why"}
    assert agent.post(f"/requests/req_nothing/{verb}", sent).status_code == 404


def test_it_says_so_when_its_time_ran_out(cast: Cast, waiting: tuple[Browser, str]) -> None:
    cast.clock.pass_by(minutes=241)
    text = cast.sign_in("finance_lead").get(waiting[1]).text
    assert text.count("Expired unapproved") == 2
    assert 'value="approve"' not in text
