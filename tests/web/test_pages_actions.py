"""An action's four steps on one page: nothing typed is lost, nothing runs that was not shown."""

import pytest

from tests.web.cast import Cast
from tests.web.walks import CONTRACT, FRAGMENT, OVERRIDE, SEATS, approved, asked, fields, opened, previewed


def test_it_shows_choices_with_what_holds_now(cast: Cast) -> None:
    agent = opened(cast)
    text = agent.get(f"{OVERRIDE}?feature=seats").text
    assert "Seats · now 200 seats" in text
    assert "now <b>200 seats</b>" in text
    assert agent.get(OVERRIDE, headers=FRAGMENT).status_code == 200


@pytest.mark.parametrize(
    ("path", "field"),
    [
        (OVERRIDE, '<select class="input input--select" id="feature"'),
        (f"{OVERRIDE}?feature=seats", 'id="value"'),
        ("/t/nordwind/actions/tenant.add_note", "<textarea"),
    ],
)
def test_it_puts_the_caret_into_the_first_empty_field_of_any_kind(cast: Cast, path: str, field: str) -> None:
    before, _, after = opened(cast).get(path).text.partition("data-focus-on-load")
    assert field in before[before.rindex("<") :]
    assert "data-focus-on-load" not in after


def test_it_puts_the_caret_into_the_code_where_only_that_is_missing(cast: Cast) -> None:
    agent = opened(cast)
    cast.clock.pass_by(minutes=11)
    _page, form = previewed(agent)
    page = agent.post(OVERRIDE, {**form, **CONTRACT, "step": "preview"})
    before, _, after = page.text.partition("data-focus-on-load")
    assert 'id="step_up_code"' in before[before.rindex("<") :]
    assert "data-focus-on-load" not in after


def test_it_previews_and_names_who_must_approve(cast: Cast) -> None:
    page, form = previewed(opened(cast))
    assert "Ask finance lead to approve" in page.text
    assert "A finance lead must approve before it runs." in page.text
    assert "300 seats" in page.text
    assert form["form_id"].startswith("req_")
    assert cast.count("request.previewed") == 1
    assert cast.count("request.proposed") == 0


def test_it_previews_as_a_fragment(cast: Cast) -> None:
    agent = opened(cast)
    form = fields(agent.get(OVERRIDE), OVERRIDE)
    part = agent.post(OVERRIDE, {**form, **SEATS, "step": "preview"}, headers=FRAGMENT)
    assert part.status_code == 200
    assert "<!doctype" not in part.text
    assert "Ask finance lead to approve" in part.text


def test_it_leaves_the_caret_alone_while_somebody_types(cast: Cast) -> None:
    agent = opened(cast)
    _page, form = previewed(agent)
    part = agent.post(OVERRIDE, {**form, "value": "350", "step": "refresh"}, headers=FRAGMENT)
    assert "350 seats" in part.text
    assert "data-focus-on-load" not in part.text
    unfinished = agent.post(OVERRIDE, {**form, "value": "", "step": "refresh"}, headers=FRAGMENT)
    assert unfinished.status_code == 200
    assert "Fill in" not in unfinished.text


def test_it_files_the_request_and_leads_to_it(cast: Cast) -> None:
    agent = opened(cast)
    page = agent.get(asked(cast, agent))
    assert "Asked. It waits for finance lead." in page.text
    assert "Waiting for approval" in page.text


def test_it_runs_at_once_where_nobody_else_must_agree(cast: Cast) -> None:
    agent = opened(cast)
    path = "/t/nordwind/actions/tenant.add_note"
    page, form = previewed(agent, path, text="They call back on Monday.")
    assert "Nobody else has to agree" in page.text
    done = agent.post(path, form, follow=True)
    assert "Note added." in done.text
    assert cast.count("action.executed") == 1


def test_it_finds_the_first_result_of_a_form_sent_twice(cast: Cast) -> None:
    agent = opened(cast)
    _page, form = previewed(agent)
    first = agent.post(OVERRIDE, {**form, **CONTRACT})
    second = agent.post(OVERRIDE, {**form, **CONTRACT})
    assert first.headers["Location"] == second.headers["Location"]
    assert cast.count("request.proposed") == 1


def test_it_finds_the_first_result_though_the_code_was_used_by_the_first_click(cast: Cast) -> None:
    agent = opened(cast)
    cast.clock.pass_by(minutes=11)
    _page, form = previewed(agent)
    sent = {**form, **CONTRACT, "step_up_code": cast.code("support_agent")}
    first, second = agent.post(OVERRIDE, sent), agent.post(OVERRIDE, sent)
    assert first.status_code == 303
    assert first.headers["Location"] == second.headers["Location"]
    assert cast.count("request.proposed") == 1
    assert cast.count("step_up.refused") == 0


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"value": "many"}, "New value is a whole number"),
        ({"until": "2020-01-01"}, "Choose a day after today"),
        ({"until": "soon"}, "Until is a day like 2027-03-31."),
        ({"feature": "rockets"}, "Choose one of the features in the list."),
        ({"feature": ""}, "Fill in “Feature”."),
        ({"amount": "7"}, "This form has no such field"),
    ],
)
def test_it_keeps_what_was_typed_beside_each_fault(cast: Cast, changed: dict[str, str], told: str) -> None:
    agent = opened(cast)
    form = fields(agent.get(OVERRIDE), OVERRIDE)
    for headers in ({}, FRAGMENT):
        answer = agent.post(OVERRIDE, {**form, **SEATS, **changed, "step": "preview"}, headers=headers)
        assert answer.status_code == 422
        assert told in answer.text
        assert {**SEATS, **changed}["value"] in answer.text
    assert cast.count("request.previewed") == 0


def test_it_refuses_a_wrong_reference_at_its_field(cast: Cast) -> None:
    agent = opened(cast)
    _page, form = previewed(agent)
    answer = agent.post(OVERRIDE, {**form, **CONTRACT, "reason_reference": "nope", "reason_note": "as agreed"})
    assert answer.status_code == 422
    assert "The contract or quote looks like CTR-2026-0117." in answer.text
    assert "as agreed" in answer.text
    assert "300 seats" in answer.text
    assert cast.count("request.proposed") == 0


def test_it_shows_a_new_preview_when_the_form_was_edited_after_the_last_one(cast: Cast) -> None:
    agent = opened(cast)
    _page, form = previewed(agent)
    answer = agent.post(OVERRIDE, {**form, **CONTRACT, "value": "400"})
    assert answer.status_code == 200
    assert "You changed the form after its preview." in answer.text
    assert "400 seats" in answer.text
    assert cast.count("request.proposed") == 0


def test_it_shows_both_sides_when_the_tenant_changed_meanwhile(cast: Cast) -> None:
    agent = opened(cast)
    _page, form = previewed(agent)
    approved(cast.sign_in("finance_lead"), asked(cast, agent, **{**SEATS, "value": "250"}))
    answer = agent.post(OVERRIDE, {**form, **CONTRACT})
    assert answer.status_code == 409
    assert "When you previewed" in answer.text
    assert "200 seats → 300 seats" in answer.text
    assert "250 seats → 300 seats" in answer.text
    assert 'value="CTR-2026-0117"' in answer.text
    again = agent.post(OVERRIDE, {**fields(answer, OVERRIDE), "step": "ask"})
    assert again.status_code == 303


def test_it_asks_for_a_second_factor_in_the_form_itself(cast: Cast) -> None:
    agent = opened(cast)
    cast.clock.pass_by(minutes=11)
    page, form = previewed(agent)
    assert 'name="step_up_code"' in page.text
    assert "Ask finance lead to approve" in page.text
    without = agent.post(OVERRIDE, {**form, **CONTRACT, "step_up_code": ""})
    assert without.status_code == 403
    wrong = agent.post(OVERRIDE, {**fields(without, OVERRIDE), "step": "ask", "step_up_code": "000000"})
    assert wrong.status_code == 422
    assert "The code is wrong" in wrong.text
    right = {**fields(wrong, OVERRIDE), "step": "ask", "step_up_code": cast.code("support_agent")}
    assert agent.post(OVERRIDE, right).status_code == 303


def test_it_names_the_rule_that_refuses_and_the_way_out(cast: Cast) -> None:
    agent = opened(cast)
    page, _form = previewed(agent, feature="seats", value="90000", until="2027-03-01")
    assert "override.ceiling" in page.text
    assert "Stay within 2,000 % of the present value" in page.text
    assert 'value="ask"' not in page.text


def test_it_is_refused_to_a_role_that_has_no_reason_for_it(cast: Cast) -> None:
    agent = opened(cast)
    answer = agent.get("/t/nordwind/actions/tenant.suspend")
    assert answer.status_code == 403
    assert "Suspend tenant" not in answer.text
    assert cast.count("request.refused") == 1


@pytest.mark.parametrize("path", ["/t/nordwind/actions/no.such", "/t/nordwind/actions/staff.add", "/actions/no.such"])
def test_it_is_not_there_for_an_unknown_action(cast: Cast, path: str) -> None:
    agent = opened(cast)
    assert agent.get(path).status_code == 404
    assert agent.post(path, {"step": "preview"}).status_code == 404


def test_it_is_not_there_without_a_lease(cast: Cast) -> None:
    answer = opened(cast).get("/t/kestrel/actions/entitlement.override")
    assert answer.status_code == 404
    assert "Open with a reason" in answer.text


def test_it_walks_an_action_on_the_staff(cast: Cast) -> None:
    admin = cast.sign_in("administrator")
    path = "/actions/staff.add"
    new = {"name": "Robin Hale", "email": "robin@brightline.example", "person": "", "roles": ["engineer", "on_call"]}
    page = admin.post(path, {**fields(admin.get(path), path), **new, "step": "preview"})
    assert page.status_code == 200, page.text
    assert "Add Robin Hale as Engineer, On-call" in page.text
    form = {**fields(page, path), "roles": new["roles"], "step": "ask", "reason_reference": "HR-123"}
    done = admin.post(path, form, follow=True)
    assert "Robin Hale" in done.text
    assert done.status_code == 200


def test_it_shows_whoever_agrees_to_a_colleague_as_whom_that_colleague_signs_in(cast: Cast) -> None:
    admin, path, identity = cast.sign_in("administrator"), "/actions/staff.add", "https://idp.example|somebody-else"
    new = {"name": "Robin Hale", "email": "robin@brightline.example", "person": identity, "roles": ["engineer"]}
    page = admin.post(path, {**fields(admin.get(path), path), **new, "step": "preview"})
    form = {**fields(page, path), "roles": new["roles"], "step": "ask", "reason_reference": "HR-123"}
    asked = admin.post(path, form)
    assert asked.status_code == 303, asked.text
    assert identity in cast.sign_in("security_auditor").get(asked.headers["Location"]).text
