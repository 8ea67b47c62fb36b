"""Acceptance tests 40 and 45: without a reason nothing is revealed or opened, and the answer asks for it.

A program or an old page that knows nothing of reasons meets a server that demands them: it is told what is missing.
"""

import pytest

from console.domain.imports import member_id_of
from tests.web.cast import Browser, Cast
from tests.web.walks import FRAGMENT, OVERRIDE, SEATS, fields, opened
from tests.web.world import NORDWIND

LEASE = "/tenants/nordwind/lease"
REVEAL = "/t/nordwind/actions/member.reveal"
EMAIL = {"member": member_id_of(NORDWIND, "nordwind-m1"), "field": "email"}
CLEAR = "member1@nordwind.example"
REASONS = ("reason_", "shown_")  # what was typed, and the reason of the lease that the form carries along


def without_reason(browser: Browser, path: str, asked: str) -> dict[str, str]:
    """Return what a form would send, but for its reason."""
    form = fields(browser.get(f"{path}{asked}"), path)
    return {name: value for name, value in form.items() if not name.startswith(REASONS)}


@pytest.mark.parametrize("headers", [{}, FRAGMENT], ids=["page", "fragment"])
def test_a_lease_form_that_knows_no_reasons_is_told_what_is_missing(cast: Cast, headers: dict[str, str]) -> None:
    agent = cast.sign_in("support_agent")
    agent.get(LEASE)
    answer = agent.post(LEASE, {}, headers=headers)
    assert answer.status_code == 422
    assert '<a href="#reason_code">Reason</a>: Choose a reason.' in answer.text
    assert 'name="reason_code"' in answer.text
    assert cast.count("lease.open") == 0


@pytest.mark.parametrize(
    ("sent", "missing"),
    [
        ({"reason_code": "CUSTOMER_SUPPORT"}, "reason_reference"),
        ({"reason_code": "NO_SUCH_CODE", "reason_reference": "ZD-1"}, "reason_code"),
        ({"reason_reference": "ZD-1"}, "reason_code"),
    ],
    ids=["no reference", "unknown code", "no code"],
)
def test_it_names_the_part_of_a_reason_that_is_missing(cast: Cast, sent: dict[str, str], missing: str) -> None:
    agent = cast.sign_in("support_agent")
    agent.get(LEASE)
    answer = agent.post(LEASE, sent)
    assert 400 <= answer.status_code < 500
    assert f'href="#{missing}"' in answer.text
    assert cast.count("lease.open") == 0


@pytest.mark.parametrize("step", ["preview", "ask"])
def test_an_action_without_reason_is_answered_with_a_form_that_asks_for_it(cast: Cast, step: str) -> None:
    agent = opened(cast)
    answer = agent.post(OVERRIDE, {**without_reason(agent, OVERRIDE, ""), **SEATS, "step": step})
    assert 'name="reason_code"' in answer.text
    assert (cast.count("request.filed"), cast.count("action.executed")) == (0, 0)


def test_nothing_is_revealed_without_a_reason(cast: Cast) -> None:
    agent = opened(cast)
    form = without_reason(agent, REVEAL, f"?member={EMAIL['member']}&field=email")
    for step in ("preview", "ask"):
        answer = agent.post(REVEAL, {**form, **EMAIL, "step": step})
        assert CLEAR not in answer.text
        assert 'name="reason_code"' in answer.text
    assert cast.count("action.executed") == 0


@pytest.mark.parametrize(
    ("code", "reference"), [("NO_SUCH_CODE", "SUP-1"), ("CUSTOMER_SUPPORT", ""), ("LEGAL_PROCESS", "MAT-12")]
)
def test_nothing_is_revealed_for_a_reason_that_does_not_do(cast: Cast, code: str, reference: str) -> None:
    agent = opened(cast)
    form = without_reason(agent, REVEAL, f"?member={EMAIL['member']}&field=email")
    why = {"reason_code": code, "reason_reference": reference, "reason_note": ""}
    answer = agent.post(REVEAL, {**form, **EMAIL, **why, "step": "ask"})
    assert CLEAR not in answer.text
    assert cast.count("action.executed") == 0
