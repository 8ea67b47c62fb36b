"""Small things on the screen that say what is, to whom it matters."""

from dataclasses import replace
from pathlib import Path

import pytest

from console.adapters.notice_folder import NoticeFolder
from console.domain.catalogue import CATALOGUE
from console.domain.tenancy import TenantStatus
from console.usecases.deliver_notices import deliver_notices
from console.usecases.note_findings import tell_of_finding
from console.web.shaping import CLASS_ICONS
from tests.attacks.door import Door
from tests.reconciling import A_FINDING
from tests.web.cast import Cast, on_stage
from tests.web.walks import OVERRIDE, SEATS, approved, asked, fields, opened
from tests.web.world import TENANTS


@pytest.fixture
def drifted(cast: Cast, tmp_path: Path) -> str:
    """Give the address of a request that went stale after its approval, because another one was faster."""
    door = Door(cast=cast, file=tmp_path)
    door.run_by_hand()
    agent = opened(cast)
    lead = cast.sign_in("finance_lead")
    paths = [asked(cast, agent), asked(cast, agent, **{**SEATS, "value": "260"})]
    for path in paths:
        assert approved(lead, path).status_code == 303
    for path in reversed(paths):
        lead.get(path)
        lead.post(f"{path}/execution")
    return paths[0]


def test_a_stale_request_was_approved_and_its_clocks_stand(cast: Cast, drifted: str) -> None:
    text = cast.sign_in("support_agent").get(drifted).text
    line = text.partition('class="stateline"')[2].partition("</ol>")[0]
    assert [label in line for label in ("Asked", "Approved", "Out of date")] == [True] * 3
    clocks = text.partition('class="clocks"')[2].partition("Votes</h2>")[0]
    assert "in time" in clocks
    assert "no longer runs" in clocks
    assert ">over<" not in clocks
    assert "Withdraw request" in text


def test_only_the_requester_is_offered_to_withdraw(cast: Cast, drifted: str) -> None:
    text = cast.sign_in("finance_lead").get(drifted).text
    assert text.count("Out of date") == 2  # its mark, and where it ended: one word for one thing
    assert "Stale" not in text
    assert "Withdraw request" not in text
    assert "Take it back or change it" not in text


def test_a_withdrawn_request_says_the_word_of_its_button(cast: Cast) -> None:
    agent = opened(cast)
    path = asked(cast, agent)
    agent.get(path)
    text = agent.get(agent.post(f"{path}/cancellation").headers["Location"]).text
    assert text.count("Withdrawn") == 2
    assert "Cancelled" not in text
    assert "Withdrawn" in agent.get("/requests?tab=mine").text


def test_whoever_votes_reads_the_reason_by_its_name_before_the_buttons(cast: Cast) -> None:
    path = asked(cast, opened(cast))
    reason, _, vote = cast.sign_in("finance_lead").get(path).text.partition("Your vote</h2>")
    assert "Contract change" in reason
    assert "CTR-" in reason.partition("Reason</h2>")[2]
    assert 'value="approve"' in vote


def test_the_form_of_an_override_names_the_unit_of_its_feature(cast: Cast) -> None:
    agent = opened(cast)
    assert "field__unit" not in agent.get(OVERRIDE).text
    chosen = agent.get(f"{OVERRIDE}?feature=seats").text
    assert '<span class="field__unit">seats</span>' in chosen


def test_a_missing_value_is_named_by_its_label(cast: Cast) -> None:
    agent = opened(cast)
    form = fields(agent.get(OVERRIDE), OVERRIDE)
    answer = agent.post(OVERRIDE, {**form, **SEATS, "until": "", "step": "preview"})
    assert "Fill in “Until”." in answer.text


def test_nothing_is_offered_that_has_nothing_to_act_on(cast: Cast) -> None:
    agent = opened(cast)
    for path in ("/t/nordwind/", "/t/nordwind/entitlements", "/palette"):
        assert "actions/entitlement.end_override" not in agent.get(path).text, path
    approved(cast.sign_in("finance_lead"), asked(cast, agent))
    assert "actions/entitlement.end_override" in agent.get("/t/nordwind/entitlements").text
    lead = opened(cast, "support_lead")
    assert "actions/tenant.suspend" in lead.get("/t/nordwind/").text
    assert "actions/tenant.resume" not in lead.get("/t/nordwind/").text


def test_a_suspended_tenant_is_offered_to_be_resumed_only(cast: Cast) -> None:
    lead = opened(cast, "support_lead")
    with cast.house.store.write() as unit:
        row = unit.directory.by_slug("nordwind")
        assert row is not None
        unit.directory.set_status(row.id, TenantStatus.SUSPENDED)
    text = lead.get("/t/nordwind/").text
    assert "actions/tenant.resume" in text
    assert "actions/tenant.suspend" not in text


def test_an_auditor_who_opens_no_tenant_sees_no_such_place(cast: Cast) -> None:
    for who, is_shown in (("security_auditor", False), ("administrator", False), ("engineer", True)):
        rail = cast.sign_in(who).get("/").text.partition("<nav")[2].partition("</nav>")[0]
        assert ('href="/tenants"' in rail) is is_shown, who


def test_a_notice_in_the_trail_names_the_person(cast: Cast, tmp_path: Path) -> None:
    asked(cast, opened(cast))
    assert deliver_notices(cast.house, NoticeFolder(tmp_path / "notices"))
    told = [entry["targets"][0] for entry in cast.entries("notice.sent")]
    assert "Mara Lindqvist" in {target["name"] for target in told}


def test_every_class_of_entry_has_a_sign_of_its_source() -> None:
    classes = {described.class_ for described in CATALOGUE.values()}
    assert classes - CLASS_ICONS.keys() == set()


def test_a_finding_is_called_by_its_title_in_what_happened(cast: Cast) -> None:
    finding = replace(A_FINDING, kind="payment_without_invoice", tenant=TENANTS["nordwind"])
    with cast.house.store.write() as unit:
        tell_of_finding(unit, "finding.opened", finding, at=cast.clock.now())
    text = cast.sign_in("security_auditor").get("/trail").text
    assert "found “Payment without invoice” on Nordwind Logistik GmbH" in text


def test_each_environment_has_its_own_badge(tmp_path: Path) -> None:
    words = {"development": "Development", "demo": "Demo data", "staging": "Staging", "production": "Production"}
    for name, word in words.items():
        with on_stage(tmp_path / f"{name}.db", environment=name) as cast:
            text = cast.stranger().get("/sign-in").text
        assert word in text, name
        assert f"env--{name}" in text or f"ribbon--{name}" in text
