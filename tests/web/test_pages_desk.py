"""Home, search, tenants, lease form and palette, as pages and as fragments."""

from dataclasses import replace
from datetime import timedelta

import pytest

from console.domain.ids import PersonKey, ReviewId, StaffId
from console.domain.reviews import Review, ReviewKind
from tests.web.cast import PEOPLE, Browser, Cast
from tests.web.walks import FRAGMENT, asked, fields, opened

LEASE = "/tenants/nordwind/lease"
REASON = {"reason_code": "CUSTOMER_SUPPORT", "reason_reference": "SUP-48213", "reason_note": "", "minutes": ""}


@pytest.mark.parametrize("path", ["/", "/search", "/search?q=nordwind", "/tenants", LEASE, "/palette", "/requests"])
def test_it_sends_the_same_page_whole_and_as_a_fragment(agent: Browser, path: str) -> None:
    whole, part = agent.get(path), agent.get(path, headers=FRAGMENT)
    assert (whole.status_code, part.status_code) == (200, 200)
    assert "<!doctype html>" in whole.text
    assert "<!doctype html>" not in part.text
    assert whole.text.count("<h1") == 1


def test_it_names_the_next_step_where_nothing_is_open(agent: Browser) -> None:
    text = agent.get("/").text
    assert "Nothing waits for you" in text
    assert "No tenant is open" in text
    assert "Find a tenant" in text
    assert "0 of 12" in text


def test_it_shows_what_is_open_and_what_waits(cast: Cast) -> None:
    agent = opened(cast)
    request = asked(cast, agent).rpartition("/")[2]
    mine = agent.get("/").text
    assert "Nordwind Logistik GmbH" in mine
    assert "waits for finance lead" in mine
    lead = cast.sign_in("finance_lead").get("/").text
    assert "asked by Noor Haddad" in lead
    told = lead.partition(">Notices<")[2]
    assert "Noor Haddad asks: Override a limit. It needs 1 Finance lead, until 21 Nov 2026, 16:00 UTC." in told
    assert f"request …{request[-6:]}" in told
    assert "Nordwind" not in told.partition("</section>")[0]


def test_it_counts_the_reviews_that_somebody_owes(cast: Cast) -> None:
    lead = cast.sign_in("support_lead")
    assert "Mine, to be judged</span>" in lead.get("/").text
    now = cast.clock.now()
    owed = Review(
        id=ReviewId("rev_1"), kind=ReviewKind.SAMPLE, subject="evt_1", title="Seats of Nordwind", tenant=None,
        actor=StaffId("stf_nobody"), actor_name="Nobody", person=PersonKey("local|nobody"), approvers=frozenset(),
        gainers=frozenset(), opened_at=now, due_at=now + timedelta(days=7), owner=PEOPLE["support_lead"].id,
    )  # fmt: skip
    others = replace(owed, id=ReviewId("rev_2"), subject="evt_2", owner=PEOPLE["support_lead_2"].id)
    with cast.house.store.write() as unit:
        for each in (owed, others):
            unit.reviews.add(each)
    line = lead.get("/").text.partition("Mine, to be judged</a>")[2].partition("</li>")[0]
    assert '<b class="num">1</b>' in line
    assert "28 Nov, 12:00 UTC" in line
    assert "Seats of Nordwind" not in line


def test_it_offers_no_search_to_an_administrator(cast: Cast) -> None:
    admin = cast.sign_in("administrator")
    home = admin.get("/").text
    for absent in ("Tenant budget", "data-search", "<dt>Search</dt>"):
        assert absent not in home
    assert admin.get("/search?q=nordwind").status_code == 403


def test_it_sends_nobody_to_tenants_that_they_may_not_open(cast: Cast) -> None:
    text = cast.sign_in("security_auditor").get("/").text
    assert "You have not asked for anything" in text
    for absent in (">Find a tenant", "Tenant budget", "My open leases"):
        assert absent not in text


def test_it_finds_by_name_and_offers_the_lease_page(agent: Browser) -> None:
    text = agent.get("/search?q=logistik").text
    assert "matched" in text.lower()
    assert 'href="/tenants/nordwind/lease"' in text
    assert "Kestrel" not in text


def test_it_offers_the_lease_form_at_once_for_one_exact_hit(agent: Browser) -> None:
    page = agent.get("/search?q=INV-nordwind-1")
    assert "invoice number" in page.text
    assert agent.post(LEASE, fields(page, LEASE) | REASON).status_code == 303


def test_it_tells_no_more_of_a_member_than_that_the_address_matches(agent: Browser) -> None:
    text = agent.get("/search?q=member1@nordwind.example").text
    assert "a member&#39;s e-mail matches" in text
    assert "Member 1 of" not in text


def test_it_leads_to_the_overview_of_a_tenant_that_is_open(cast: Cast) -> None:
    text = opened(cast).get("/search?q=nordwind").text
    assert 'href="/t/nordwind/"' in text
    assert 'action="/tenants/nordwind/lease"' not in text


def test_it_says_why_a_search_cannot_be_understood(agent: Browser) -> None:
    page = agent.get("/search")
    assert "One box for every key" in page.text
    short = agent.get("/search?q=%C3%A4")
    assert short.status_code == 422
    assert "Type at least 3 characters" in short.text


def test_it_opens_a_tenant_with_a_reason(agent: Browser) -> None:
    page = agent.get(LEASE)
    assert "data-focus-on-load" in page.text
    assert "Permits reading and writing, 30 min." in page.text
    assert "12 of 12 tenants left this hour" in page.text
    answer = agent.post(LEASE, fields(page, LEASE) | REASON)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/t/nordwind/")


@pytest.mark.parametrize(
    ("changed", "status", "told"),
    [
        ({"reason_reference": ""}, 422, "Give the ticket, e.g. SUP-48213."),
        ({"reason_reference": "nonsense"}, 422, "The ticket looks like SUP-48213."),
        ({"minutes": "31"}, 422, "Customer support allows 1 to 30 minutes."),
        ({"minutes": "soon"}, 422, "Give whole minutes"),
        ({"reason_code": ""}, 422, "Choose a reason."),
        ({"reason_code": "DATA_REPAIR", "reason_reference": "CHG-1180", "reason_note": "typed"}, 422, "engineering"),
        ({"tenant": "ten_other"}, 422, "This form has no such field"),
    ],
)
def test_it_keeps_what_was_typed_in_a_wrong_lease_form(
    agent: Browser, changed: dict[str, str], status: int, told: str
) -> None:
    page = agent.get(LEASE)
    sent = fields(page, LEASE) | REASON | {"reason_note": "a note I typed"} | changed
    answer = agent.post(LEASE, sent)
    assert answer.status_code == status, answer.text
    assert told in answer.text
    assert sent["reason_note"] in answer.text


def test_it_names_every_fault_of_a_lease_form_at_once(cast: Cast, agent: Browser) -> None:
    page = agent.get(LEASE)
    wrong = {"reason_reference": "nonsense", "reason_note": "n" * 2_001, "minutes": "soon"}
    answer = agent.post(LEASE, fields(page, LEASE) | REASON | wrong)
    assert answer.status_code == 422
    assert "3 fields need mending; nothing was changed" in answer.text
    for name, told in (
        ("reason_reference", "The ticket looks like SUP-48213."),
        ("minutes", "Give whole minutes"),
        ("reason_note", "Keep the note under 2000 characters."),
    ):
        assert f'href="#{name}"' in answer.text
        assert told in answer.text.partition(f'id="{name}-error"')[2].partition("</p>")[0]
        assert wrong[name] in answer.text
    assert cast.count("lease.refused") == 1


def test_it_asks_the_ticket_system_also_when_another_field_is_wrong(agent: Browser) -> None:
    answer = agent.post(
        LEASE, fields(agent.get(LEASE), LEASE) | REASON | {"reason_reference": "ZD-1404", "minutes": "31"}
    )
    assert "2 fields need mending" in answer.text
    assert "There is no such ticket. Check the number." in answer.text
    assert "Customer support allows 1 to 30 minutes." in answer.text


def test_it_opens_nothing_by_a_form_that_sends_a_field_twice(cast: Cast, agent: Browser) -> None:
    sent = fields(agent.get(LEASE), LEASE) | REASON
    answer = agent.post(LEASE, {**sent, "reason_code": [sent["reason_code"]] * 2})
    assert answer.status_code == 422
    assert cast.count("lease.open") == 0


def test_it_lets_only_who_may_open_tenants_see_the_form(cast: Cast) -> None:
    auditor = cast.sign_in("security_auditor")
    assert auditor.get(LEASE).status_code == 403
    assert "Open Nordwind" not in auditor.get("/search?q=nordwind").text
    assert cast.count("lease.refused") == 1


def test_it_ends_a_lease_and_says_so(cast: Cast) -> None:
    agent = opened(cast)
    page = agent.get("/t/nordwind/")
    lease = page.text.partition('action="/leases/')[2].partition("/end")[0]
    assert "The lease has ended" in agent.post(f"/leases/{lease}/end", follow=True).text
    assert agent.post(f"/leases/{lease}x/end").status_code == 404


def test_it_lists_in_the_palette_only_what_a_person_may_do(cast: Cast) -> None:
    agent = opened(cast)
    part = agent.get("/palette?q=over", headers=FRAGMENT)
    assert "Actions on Nordwind Logistik GmbH" in part.text
    assert "<h1" not in part.text
    assert "entitlement.override" in part.text
    assert "Trail" not in agent.get("/palette?q=tra").text
    assert "Kestrel Labs" in agent.get("/palette?q=kestrel").text
    assert "Nothing by that name" in agent.get("/palette?q=zzzz").text


def test_it_takes_the_palette_to_the_tenant_of_the_page(cast: Cast) -> None:
    agent = opened(cast)
    cast.clock.pass_by(seconds=2)
    cast.open_tenant(agent, "kestrel")
    here = {**FRAGMENT, "HX-Current-URL": "http://localhost/t/nordwind/members"}
    assert "Actions on Nordwind" in agent.get("/palette?q=over", headers=here).text
    assert "Actions on Kestrel" in agent.get("/palette?q=over", headers=FRAGMENT).text
