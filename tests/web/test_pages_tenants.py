"""The workspace of an opened tenant."""

import pytest

from tests.bench.counting import counted
from tests.web.cast import Cast
from tests.web.walks import FRAGMENT, OVERRIDE, approved, asked, fields, opened

MOST_STATEMENTS = 23
PAGES = ["", "members", "entitlements", "notes", "entries"]


@pytest.mark.parametrize("page", PAGES)
def test_it_shows_each_page_under_the_lease(cast: Cast, page: str) -> None:
    agent = opened(cast)
    whole, part = agent.get(f"/t/nordwind/{page}"), agent.get(f"/t/nordwind/{page}", headers=FRAGMENT)
    assert whole.status_code == part.status_code == 200
    assert "tenantbar" in whole.text
    assert "Nordwind Logistik GmbH · Sallyport</title>" in part.text
    assert "Kestrel" not in whole.text
    assert len(whole.text) < 60_000


@pytest.mark.parametrize("page", PAGES)
def test_it_is_not_there_without_a_lease(cast: Cast, page: str) -> None:
    agent = opened(cast)
    answer = agent.get(f"/t/kestrel/{page}")
    assert answer.status_code == 404
    assert 'href="/tenants/kestrel/lease"' in answer.text
    assert "member1" not in answer.text


def test_it_is_not_there_for_an_unknown_tenant(cast: Cast) -> None:
    assert opened(cast).get("/t/nobody/").status_code == 404


def test_it_says_first_what_is_wrong_and_offers_the_mending_action(cast: Cast) -> None:
    agent = opened(cast)
    page = agent.get("/t/nordwind/")
    assert "Paid, but locked out" in page.text
    assert "/t/nordwind/actions/billing.resync?invoice=INV-nordwind-1" in page.text
    mended = agent.get("/t/nordwind/actions/billing.resync?invoice=INV-nordwind-1")
    assert "past_due → paid" in mended.text
    form = fields(mended, "/t/nordwind/actions/billing.resync")
    done = agent.post("/t/nordwind/actions/billing.resync", {**form, "step": "ask"}, follow=True)
    assert "The mirror says paid for INV-nordwind-1 now." in done.text
    assert "Paid, but locked out" not in agent.get("/t/nordwind/").text


def test_it_tells_what_changed_lately_among_what_staff_did(cast: Cast) -> None:
    agent = opened(cast)
    lately = agent.get("/t/nordwind/").text.partition("What changed lately")[2].partition("</ol>")[0]
    expected = ("Invoice INV-nordwind-1 issued", "12,499.00 EUR", "Webhook endpoint added", "Became a customer")
    for told in expected:
        assert told in lately, told
    assert lately.index("Opened Nordwind") < lately.index("Invoice INV-nordwind-1 issued")


def test_what_changed_lately_costs_no_statement_of_its_own(cast: Cast) -> None:
    agent = opened(cast)
    agent.get("/t/nordwind/")
    with counted(cast.storage.engines()) as found:
        assert agent.get("/t/nordwind/").status_code == 200
    assert found.statements <= MOST_STATEMENTS, found.seen.most_common(5)


def test_it_masks_members(cast: Cast) -> None:
    text = opened(cast).get("/t/nordwind/members").text
    assert "member1@nordwind.example" not in text
    assert "m•••@n•••.example" in text
    assert "123456" not in text


def test_it_reveals_one_field_once_and_masks_it_again(cast: Cast) -> None:
    agent = opened(cast)
    member = fields_of_reveal(agent.get("/t/nordwind/members").text)
    path = "/t/nordwind/actions/member.reveal"
    page = agent.get(f"{path}?member={member}&field=email")
    assert "as for your lease" in page.text
    assert "member1@nordwind.example" not in page.text
    answer = agent.post(path, {**fields(page, path), "step": "ask"})
    assert answer.status_code == 200
    assert "@nordwind.example" in answer.text
    assert 'data-remask-seconds="60"' in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Refresh"] == "60; url=/t/nordwind/members"
    again = agent.post(path, {**fields(page, path), "step": "ask"}, follow=True)
    assert "@nordwind.example" not in again.text
    assert "This form was sent before" in again.text


def test_it_shows_who_decides_a_limit_and_who_does_not(cast: Cast) -> None:
    agent = opened(cast)
    path = asked(cast, agent)
    approved(cast.sign_in("finance_lead"), path)
    text = agent.get("/t/nordwind/entitlements").text
    assert "Override by Noor Haddad (CTR-2026-0117)" in text
    assert "replaced by the override" in text
    assert f"{OVERRIDE}?feature=seats" in text
    assert "actions/entitlement.end_override?override=ovr_" in text


def test_it_shows_notes_and_takes_a_new_one(cast: Cast) -> None:
    agent = opened(cast)
    assert "A note about Nordwind" in agent.get("/t/nordwind/notes").text
    path = "/t/nordwind/actions/tenant.add_note"
    page = agent.post(path, {**fields(agent.get(path), path), "text": "<b>call back</b> شركة", "step": "preview"})
    agent.post(path, {**fields(page, path), "step": "ask"})
    assert "&lt;b&gt;call back&lt;/b&gt; شركة" in agent.get("/t/nordwind/notes").text


def test_it_shows_what_staff_did_here_and_no_way_into_the_trail(cast: Cast) -> None:
    text = opened(cast).get("/t/nordwind/entries").text
    assert "opened Nordwind Logistik GmbH" in text
    assert "/trail/" not in text


def fields_of_reveal(text: str) -> str:
    """Return the first member whom a way to a reveal names."""
    return text.partition("member.reveal?member=")[2].partition("&")[0]
