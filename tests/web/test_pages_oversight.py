"""Trail, staff and policy: open to those who answer for them, and to nobody else."""

import pytest

from tests.web.cast import Browser, Cast
from tests.web.walks import FRAGMENT, opened


@pytest.fixture
def auditor(cast: Cast) -> Browser:
    """Give the browser of a security auditor after a support agent has worked."""
    opened(cast).get("/t/nordwind/")
    return cast.sign_in("security_auditor")


@pytest.mark.parametrize("path", ["/trail", "/staff", "/policy"])
def test_it_is_shown_whole_and_as_a_fragment(auditor: Browser, path: str) -> None:
    whole, part = auditor.get(path), auditor.get(path, headers=FRAGMENT)
    assert whole.status_code == part.status_code == 200
    assert "<!doctype" not in part.text
    assert whole.text.count("<h1") == 1


@pytest.mark.parametrize("path", ["/trail", "/trail/ent_x", "/staff", "/policy"])
def test_it_is_refused_to_support(agent: Browser, path: str) -> None:
    answer = agent.get(path)
    assert answer.status_code == 403
    assert "role_missing" in answer.text


def test_it_tells_entries_in_sentences_and_filters_them(auditor: Browser) -> None:
    assert "opened Nordwind Logistik GmbH" in auditor.get("/trail").text
    page = auditor.get("/trail?action=lease.open&outcome=success")
    assert "opened Nordwind" in page.text
    assert "signed in" not in page.text.partition("<tbody")[2]
    assert 'href="/trail?outcome=success"' in page.text
    assert "No entry matches" in auditor.get("/trail?actor=stf_nobody").text


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("action=no.such", "There is no entry of that name."),
        ("outcome=odd", "Choose one of"),
        ("since=yesterday", "Give a day like"),
        ("since=0001-01-01", "Give a day from 2000"),
        ("until=9999-12-31", "Give a day from 2000"),
        ("tenant=%27or", "Give an id"),
    ],
)
def test_it_says_what_is_wrong_with_a_filter(auditor: Browser, query: str, told: str) -> None:
    answer = auditor.get(f"/trail?{query}")
    assert answer.status_code == 422
    assert told in answer.text


def test_it_shows_an_entry_whole(auditor: Browser) -> None:
    page = auditor.get("/trail?action=lease.open")
    path = "/trail/ent_" + page.text.partition('href="/trail/ent_')[2].partition('"')[0]
    text = auditor.get(path).text
    for told in ("Noor Haddad", "CUSTOMER_SUPPORT", "Canonical body", "Leaf", "More like this"):
        assert told in text, told
    assert auditor.get("/trail/ent_nothing").status_code == 404


def test_it_pages_by_key(cast: Cast, auditor: Browser) -> None:
    for _ in range(55):
        auditor.get("/staff")
    page = auditor.get("/trail?action=staff.listed")
    older = page.text.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert "before=" in older
    assert "action=staff.listed" in older
    second = auditor.get(older)
    assert 'rel="prev"' in second.text
    assert 'rel="next"' not in second.text


def test_it_lists_the_staff_with_what_an_administrator_may_ask_for(cast: Cast, auditor: Browser) -> None:
    text = cast.sign_in("administrator").get("/staff").text
    assert "Noor Haddad" in text
    assert "Support agent" in text
    assert "/actions/staff.deactivate?colleague=stf_" in text
    assert "/actions/staff.add" in text
    assert "/actions/staff" not in auditor.get("/staff").text


def test_it_says_the_policy_in_words(auditor: Browser) -> None:
    text, access = auditor.get("/policy").text, auditor.get("/policy?area=access").text
    assert "Support, and finance with a contract, propose raising a paid limit; a finance lead approves." in access
    assert "CUSTOMER_SUPPORT" in text
    assert "Tenants per hour" in text
    assert "Plan a bulk replay" not in text
    machinery = auditor.get("/policy?area=webhooks").text
    assert "Plan a bulk replay" in machinery
    assert "Tenants per hour" not in machinery
    money = auditor.get("/policy?area=money").text
    assert "Close a period" in money
    assert "Close a period" not in text + machinery
    assert max(map(len, (text, access, machinery, money))) < 60_000
