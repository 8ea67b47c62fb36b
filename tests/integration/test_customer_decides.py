"""Consent, access policy and letters over real databases: asked, answered once, reminded, told, never in the way."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from console.domain.ids import ActionKey, MemberId
from console.domain.trust.access_policy import ImpersonationRule, Notify
from console.domain.trust.consents import ConsentState, ConsentVerdict
from console.domain.trust.letters import LetterKind
from console.domain.trust.links import Link, LinkKind
from console.usecases.customer_door import NotAllowed, NotByProgram, NotKnown, TooOften
from console.usecases.customer_policy import (
    Overtaken,
    PolicySheet,
    Wanted,
    set_policy_by_link,
    set_policy_by_token,
    show_policy,
)
from console.usecases.decide_consent import (
    NoSuchQuestion,
    Question,
    TooLate,
    decide_by_token,
    show_question,
)
from console.usecases.execute_request import execute_request
from console.usecases.keep_consents import keep_consents
from console.usecases.outcomes import Ran, Waiting
from tests.integration.customer_desk import (
    ADDRESS,
    ADMIN,
    ASK,
    FROM,
    INCIDENT,
    OWNER,
    PLAIN,
    POLICY,
    QUESTION,
    TICKET,
    WITHDRAW,
    Desk,
    desk,
)
from tests.integration.stage import CONTRACT, tenant

__all__ = ["desk"]


def test_a_question_reaches_each_administrator_with_a_link_of_their_own(desk: Desk) -> None:
    desk.ask()
    desk.deliver()
    desk.deliver()
    assert sorted(each.to for each in desk.post.taken) == ["admin@acme.example", "boss@acme.example"]
    links = desk.post.links("consents")
    assert len(set(links)) == 2
    shown = show_question(desk.stage.house, link=links[0], origin=FROM)
    assert isinstance(shown, Question)
    assert (shown.consent.what, shown.state) == (QUESTION["what"], ConsentState.PENDING)
    assert re.fullmatch(r"staff-[0-9a-f]{10}", shown.staff)
    assert "Noor" not in repr(desk.post.taken)


def test_no_line_of_a_question_passes_for_one_of_the_letter(desk: Desk) -> None:
    forged = f"Read and answer: {ADDRESS}/customer/consents/x".replace("https://", "").replace("/", " / ")
    desk.ask(what=f"See your invoices.\n\n{forged}\u2028{forged}")
    desk.deliver()
    lines = desk.post.taken[0].text.splitlines()
    assert [line for line in lines if line.startswith(forged)] == []
    assert len([line for line in lines if line.startswith("Read and answer: ")]) == 1


def test_looking_decides_nothing_and_the_first_answer_uses_every_link_up(desk: Desk) -> None:
    consent = desk.ask()
    for _ in range(3):
        show_question(desk.stage.house, link=desk.link(consent), origin=FROM)
    assert desk.consents()[0].state is ConsentState.PENDING
    assert isinstance(desk.answer(desk.link(consent)), Question)
    for member in (OWNER, ADMIN):
        late = desk.answer(desk.link(consent, member), ConsentVerdict.REFUSE)
        assert isinstance(late, TooLate)
        assert late.question.state is ConsentState.APPROVED
    (kept,) = desk.consents()
    assert (kept.state, kept.decided_by) == (ConsentState.APPROVED, OWNER)
    assert desk.refused() == ["too late: the question is approved"] * 2
    assert (desk.stage.entries("consent.approved"), desk.stage.entries("consent.refused")) == (1, 0)


def test_an_approved_question_covers_its_person_its_kind_and_its_time(desk: Desk) -> None:
    desk.answer(desk.link(desk.ask()))
    (consent,) = desk.consents()
    now = desk.clock.now()
    me, other = consent.staff, desk.stage.actor("engineer").staff
    member = MemberId(OWNER)
    assert consent.covers(staff=me, member=member, mode="read", reason=TICKET, now=now)
    assert not consent.covers(staff=other, member=member, mode="read", reason=TICKET, now=now)
    assert not consent.covers(staff=me, member=member, mode="write", reason=TICKET, now=now)
    assert not consent.covers(staff=me, member=member, mode="read", reason=INCIDENT, now=now)
    assert not consent.covers(staff=me, member=member, mode="read", reason=TICKET, now=consent.use_by)


@pytest.mark.parametrize(
    "spoiled",
    [
        {"member": MemberId(PLAIN)},
        {"member": MemberId("mem_nobody")},
        {"tenant": tenant("globex")},
        {"subject": "cns_other"},
        {"kind": LinkKind.POLICY},
    ],
    ids=["plain member", "nobody", "tenant", "question", "kind"],
)
def test_a_link_for_somebody_or_something_else_opens_nothing(desk: Desk, spoiled: dict[str, object]) -> None:
    consent = desk.ask()
    link = desk.link(consent, **spoiled)  # type: ignore[arg-type]  # member is one of them
    assert isinstance(desk.answer(link), NotKnown | NoSuchQuestion)
    assert desk.consents()[0].state is ConsentState.PENDING


def test_a_link_that_was_touched_opens_nothing_and_is_recorded(desk: Desk) -> None:
    consent = desk.ask()
    link = desk.link(consent)
    head, _, signature = link.rpartition(".")
    later = link.replace(str(int(consent.decide_by.timestamp())), str(int(consent.use_by.timestamp())))
    for touched in (head, f"{head}.{signature[::-1]}", later, link.upper(), f"{link}.", "", "consent.a.b.c.d.e"):
        assert isinstance(desk.answer(touched), NotKnown)
    assert desk.stage.entries("customer.refused") == 7
    assert desk.consents()[0].state is ConsentState.PENDING


def test_who_tries_links_is_slowed(desk: Desk) -> None:
    most = desk.stage.house.book.limits.customer_reads_per_minute
    assert {type(desk.answer(f"guess-{number}")) for number in range(most)} == {NotKnown}
    assert isinstance(desk.answer(desk.link(desk.ask())), TooOften)


def test_silence_refuses_after_one_reminder(desk: Desk) -> None:
    consent = desk.ask()
    keep_consents(desk.stage.house)
    assert desk.stage.entries("consent.reminded") == 0
    desk.clock.pass_by(hours=37)
    keep_consents(desk.stage.house)
    keep_consents(desk.stage.house)
    assert desk.stage.entries("consent.reminded") == 1
    desk.deliver()
    assert {each.kind for each in desk.post.taken} == {LetterKind.CONSENT, LetterKind.CONSENT_REMINDER}
    desk.clock.pass_by(hours=11)
    assert isinstance(desk.answer(desk.link(consent, until=consent.use_by)), TooLate)
    assert desk.refused() == ["too late: the question is expired"]
    keep_consents(desk.stage.house)
    keep_consents(desk.stage.house)
    assert desk.consents()[0].state is ConsentState.EXPIRED
    assert desk.stage.entries("consent.expired") == 1


def test_a_hundred_that_were_reminded_keep_a_reminder_from_nobody(desk: Desk) -> None:
    last = desk.ask()
    desk.clock.pass_by(hours=37)
    now = desk.clock.now()
    with desk.stage.storage.store.write() as unit:
        for number in range(100):
            sooner = replace(last, id=f"cns_{number}", decide_by=last.decide_by - timedelta(hours=1))
            unit.consents.add(sooner)
            assert unit.consents.reminded(sooner, at=now)
    assert keep_consents(desk.stage.house) == 1
    with desk.stage.storage.store.read() as unit:
        reminded = unit.consents.get(last.id)
    assert reminded is not None
    assert reminded.reminded_at == now


def test_a_withdrawn_question_cannot_be_answered(desk: Desk) -> None:
    consent = desk.ask()
    done = desk.stage.ask("support_agent", "acme", WITHDRAW, {"consent": consent.id}, reason=TICKET)
    assert isinstance(done, Ran), done
    assert isinstance(desk.answer(desk.link(consent)), TooLate)
    assert desk.refused() == ["too late: the question is withdrawn"]
    desk.deliver()
    assert desk.post.taken == []


def _token(desk: Desk, *, opens: str) -> str:
    desk.stage.open("support_lead", "acme", CONTRACT)
    raw = {"label": f"For {opens}", "opens": opens}
    asked = desk.stage.ask("support_lead", "acme", ActionKey("customer_token.make"), raw)
    assert isinstance(asked, Waiting), asked
    desk.stage.approve("support_lead_2", asked.request)
    ran = execute_request(desk.stage.house, desk.stage.actor("support_lead"), request_id=asked.request.id)
    assert isinstance(ran, Ran), ran
    return ran.applied.shown["Token"]


def test_a_program_answers_with_a_token_that_may_decide_and_not_with_another(desk: Desk) -> None:
    consent = desk.ask()
    for opens, kind in (("log", NotAllowed), ("decide", Question)):
        answer = decide_by_token(
            desk.stage.house,
            token=_token(desk, opens=opens),
            consent=consent.id,
            verdict=ConsentVerdict.REFUSE,
            origin=FROM,
        )
        assert isinstance(answer, kind)
    assert desk.consents()[0].state is ConsentState.REFUSED
    assert desk.refused() == ["this token may not decide"]


def test_no_token_answers_whoever_has_seen_it(desk: Desk) -> None:
    desk.stage.open("support_lead", "acme", CONTRACT)
    raw = {"label": "For the portal", "opens": "decide"}
    asked = desk.stage.ask("support_lead", "acme", ActionKey("customer_token.make"), raw)
    assert isinstance(asked, Waiting), asked
    desk.stage.approve("support_lead_2", asked.request)
    ran = execute_request(desk.stage.house, desk.stage.actor("support_lead_2"), request_id=asked.request.id)
    assert isinstance(ran, Ran), ran
    answers = []
    for who in ("support_lead", "support_lead_2"):
        desk.stage.open(who, "acme", TICKET)
        assert isinstance(desk.stage.ask(who, "acme", ASK, QUESTION, reason=TICKET), Ran)
        consent = next(each for each in desk.consents() if each.staff == desk.stage.actor(who).staff)
        answers.append(
            decide_by_token(
                desk.stage.house,
                token=ran.applied.shown["Token"],
                consent=consent.id,
                verdict=ConsentVerdict.APPROVE,
                origin=FROM,
            )
        )
    assert [type(each) for each in answers] == [Question, NotByProgram]  # the approver ran it, and saw it


def _policy_link(desk: Desk, version: int = 0) -> str:
    until = desk.clock.now() + timedelta(days=14)
    link = Link(kind=LinkKind.POLICY, tenant=tenant("acme"), member=MemberId(OWNER), subject=str(version), until=until)
    return link.signed(desk.stage.house.fingerprints.of)


def test_an_administrator_sets_the_rules_once_per_link(desk: Desk) -> None:
    strict = Wanted(impersonation=ImpersonationRule.REFUSED, notify=Notify.EACH)
    link = _policy_link(desk)
    assert isinstance(show_policy(desk.stage.house, link=link, origin=FROM), PolicySheet)
    changed = set_policy_by_link(desk.stage.house, link=link, wanted=strict, origin=FROM)
    assert isinstance(changed, PolicySheet)
    assert changed.is_changed
    again = set_policy_by_link(desk.stage.house, link=link, wanted=strict, origin=FROM)
    assert isinstance(again, Overtaken)
    assert desk.refused() == ["the rules were changed meanwhile"]
    with desk.stage.house.store.read() as unit:
        assert unit.access_policies.of(tenant("acme")).impersonation is ImpersonationRule.REFUSED
        assert unit.access_policies.of(tenant("globex")).impersonation is ImpersonationRule.ALLOWED
    assert desk.stage.entries("access_policy.changed") == 1
    desk.deliver()
    assert {each.kind for each in desk.post.taken} == {LetterKind.POLICY_CHANGED}


def test_two_who_set_the_rules_at_once_do_not_overwrite_each_other(desk: Desk) -> None:
    token = _token(desk, opens="decide")
    link = _policy_link(desk)
    first = Wanted(impersonation=ImpersonationRule.CONSENT, notify=Notify.DIGEST)
    second = Wanted(impersonation=ImpersonationRule.ALLOWED, notify=Notify.EACH)
    set_policy_by_token(desk.stage.house, token=token, wanted=first, origin=FROM)
    assert isinstance(set_policy_by_link(desk.stage.house, link=link, wanted=second, origin=FROM), Overtaken)


def test_staff_tighten_alone_and_loosen_together(desk: Desk) -> None:
    desk.stage.open("support_agent", "acme", CONTRACT)
    strict = {"impersonation": "refused", "notify": "each"}
    assert isinstance(desk.stage.ask("support_agent", "acme", POLICY, strict), Ran)
    loose = {"impersonation": "allowed", "notify": "each"}
    assert isinstance(desk.stage.ask("support_agent", "acme", POLICY, loose), Waiting)


def test_a_customer_is_written_to_about_rules_that_staff_changed(desk: Desk) -> None:
    desk.stage.open("support_agent", "acme", CONTRACT)
    assert isinstance(
        desk.stage.ask("support_agent", "acme", POLICY, {"impersonation": "refused", "notify": "each"}), Ran
    )
    desk.deliver()
    told = [each for each in desk.post.taken if each.kind is LetterKind.POLICY_CHANGED]
    assert {each.to for each in told} == {"admin@acme.example", "boss@acme.example"}
    assert all("Impersonation: refused. Letters: each." in each.text for each in told)
