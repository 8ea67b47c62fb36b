"""What the actions on the customer's side refuse in the light of the data, and what they leave behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from console.domain.decisions import Deny, DenyCode
from console.domain.ids import ActionKey, ReasonCode, RequestId
from console.domain.reasons import Reason
from console.usecases.execute_request import execute_request
from console.usecases.outcomes import BadFields, Proposal, Ran, Waiting
from console.usecases.propose_action import propose_action
from tests.databases import HandClock
from tests.integration.customer_desk import ASK, POLICY, QUESTION, TICKET, WITHDRAW
from tests.integration.stage import CONTRACT, Stage, opened_stage, settle_in, tenant
from tests.web.cast import PEOPLE, peopled_sqlite

MATTER = Reason(code=ReasonCode("LEGAL_PROCESS"), reference="MAT-12", note="A court order, file 7.")
LEFT = Reason(code=ReasonCode("STAFF_CHANGE"), reference="HR-123")
MAKE, REVOKE, HOLD, RELEASE, WEBHOOK, COUNTRY = (
    ActionKey(key)
    for key in (
        "customer_token.make", "customer_token.revoke", "legal_hold.set", "legal_hold.release", "customer_webhook.set",
        "staff.set_country",
    )
)  # fmt: skip


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with opened_stage(peopled_sqlite(tmp_path / "c.db"), {}, clock=HandClock()) as opened:
        settle_in(opened, ["acme", "globex"])
        yield opened


def asked(stage: Stage, key: ActionKey, reason: Reason, **raw: str) -> Proposal:
    """Ask as a support lead who has the tenant open."""
    stage.open("support_lead", "acme", reason)
    return stage.ask("support_lead", "acme", key, raw, reason=reason)


def together(stage: Stage, key: ActionKey, reason: Reason, **raw: str) -> Ran:
    """Let a second support lead agree, and run it."""
    answer = asked(stage, key, reason, **raw)
    assert isinstance(answer, Waiting), answer
    voted = stage.approve("support_lead_2", answer.request)
    ran = voted.execution or execute_request(stage.house, stage.actor("support_lead"), request_id=answer.request.id)
    assert isinstance(ran, Ran), ran
    return ran


def remedy(answer: object) -> str:
    assert isinstance(answer, BadFields), answer
    return answer.faults[0].remedy


def test_a_token_is_shown_once_and_has_a_name_of_its_own(stage: Stage) -> None:
    ran = together(stage, MAKE, CONTRACT, label="SIEM", opens="log")
    token = ran.applied.shown["Token"]
    assert "has a token of this name" in remedy(asked(stage, MAKE, CONTRACT, label="SIEM", opens="decide"))
    assert remedy(asked(stage, MAKE, CONTRACT, label="Other", opens="everything"))
    kept = stage.count("SELECT count(*) FROM audit_event WHERE instr(body, ?) > 0", token)
    assert (kept, token in (ran.request.outcome or "")) == (0, False)


def test_a_token_is_revoked_once(stage: Stage) -> None:
    together(stage, MAKE, CONTRACT, label="SIEM", opens="log")
    with stage.house.store.read() as unit:
        (token,) = unit.customer_tokens.of(tenant("acme"))
    assert isinstance(asked(stage, REVOKE, TICKET, token=token.id), Ran)
    assert "revoked already" in remedy(asked(stage, REVOKE, TICKET, token=token.id))
    assert "no such token" in remedy(asked(stage, REVOKE, TICKET, token="cut_none"))


@pytest.mark.parametrize("until", ["2026-11-21", "2027-12-31"], ids=["today", "too far"])
def test_a_hold_ends_between_tomorrow_and_a_year(stage: Stage, until: str) -> None:
    answer = asked(stage, HOLD, MATTER, until=until)
    assert isinstance(answer, Deny)
    assert answer.code is DenyCode.EXPIRY_TOO_FAR


def test_a_hold_is_released_once_and_only_on_its_own_tenant(stage: Stage) -> None:
    together(stage, HOLD, MATTER, until="2026-12-31")
    with stage.house.store.read() as unit:
        (hold,) = unit.legal_holds.of(tenant("acme"))
    stage.open("support_lead", "globex", MATTER)
    elsewhere = stage.ask("support_lead", "globex", RELEASE, {"hold": hold.id}, reason=MATTER)
    assert "no such hold" in remedy(elsewhere)
    together(stage, RELEASE, MATTER, hold=hold.id)
    assert "keeps nothing back" in remedy(asked(stage, RELEASE, MATTER, hold=hold.id))


def test_rules_that_hold_already_are_no_change(stage: Stage) -> None:
    assert "holds already" in remedy(asked(stage, POLICY, CONTRACT, impersonation="allowed", notify="digest"))
    assert remedy(asked(stage, POLICY, CONTRACT, impersonation="maybe", notify="digest"))
    assert remedy(asked(stage, POLICY, CONTRACT, impersonation="allowed", notify="shout"))


def test_letters_are_silenced_only_for_a_legal_matter_and_by_two(stage: Stage) -> None:
    refused = asked(stage, POLICY, CONTRACT, impersonation="allowed", notify="none")
    assert isinstance(refused, Deny)
    assert refused.code is DenyCode.REASON_NOT_ACCEPTED
    together(stage, POLICY, MATTER, impersonation="allowed", notify="none")


def test_somebody_asks_a_tenant_three_things_at_a_time(stage: Stage) -> None:
    for _ in range(3):
        assert isinstance(asked(stage, ASK, TICKET, **QUESTION), Ran)
    assert "withdraw one first" in remedy(asked(stage, ASK, TICKET, **QUESTION))
    with stage.house.store.read() as unit:
        first = unit.consents.of_tenant(tenant("acme"), limit=9)[0]
    assert isinstance(asked(stage, WITHDRAW, TICKET, consent=first.id), Ran)
    assert "withdrawn already" in remedy(asked(stage, WITHDRAW, TICKET, consent=first.id))
    assert isinstance(asked(stage, ASK, TICKET, **QUESTION), Ran)


def test_a_webhook_is_set_with_a_secret_shown_once_and_taken_away(stage: Stage) -> None:
    assert "give an address" in remedy(asked(stage, WEBHOOK, CONTRACT, url=""))
    assert "name, password" in remedy(asked(stage, WEBHOOK, CONTRACT, url="https://a:b@siem.example/in"))
    ran = together(stage, WEBHOOK, CONTRACT, url="https://siem.acme.example/in")
    assert ran.applied.shown["Signing secret"].startswith("whsec_")
    together(stage, WEBHOOK, CONTRACT, url="")
    with stage.house.store.read() as unit:
        assert unit.letters.webhook(tenant("acme")) is None


def test_a_country_is_noted_and_forgotten(stage: Stage) -> None:
    colleague = PEOPLE["support_lead"].id

    def noted(country: str) -> Proposal:
        return propose_action(
            stage.house,
            stage.actor("administrator"),
            key=COUNTRY,
            tenant=None,
            raw={"colleague": colleague, "country": country},
            reason=LEFT,
            mark=None,
            form_id=RequestId(stage.house.ids.new("req")),
        )

    assert isinstance(noted("de"), Ran)
    assert "noted already" in remedy(noted("DE"))
    assert remedy(noted("Germany"))
    assert isinstance(noted(""), Ran)
    with stage.house.store.read() as unit:
        assert unit.disclosures.countries([colleague]) == {}
