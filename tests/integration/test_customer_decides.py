"""Consent, access policy and letters over real databases: asked, answered once, reminded, told, never in the way."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from console.domain.ids import ActionKey, MemberId
from console.domain.imports import MemberRecord, member_id_of
from console.domain.trust.consents import Consent, ConsentState, ConsentVerdict
from console.domain.trust.letters import LetterKind
from console.domain.trust.links import LinkKind
from console.storage.consents import StoredConsents
from console.usecases.customer_door import NotAllowed, NotByProgram, NotKnown, TooOften
from console.usecases.decide_consent import (
    NoSuchQuestion,
    Question,
    TooLate,
    decide_by_token,
    list_questions,
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
    QUESTION,
    SMALL,
    TICKET,
    WITHDRAW,
    Desk,
    desk,
    token_of,
)
from tests.integration.overtaking import overtake
from tests.integration.stage import CONTRACT, tenant
from tests.web.cast import LONG_AGO

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


def test_a_program_answers_with_a_token_that_may_decide_and_not_with_another(desk: Desk) -> None:
    consent = desk.ask()
    for opens, kind in (("log", NotAllowed), ("decide", Question)):
        answer = decide_by_token(
            desk.stage.house,
            token=token_of(desk, opens=opens),
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


@SMALL
@pytest.mark.parametrize("spoiled", [{"subject": "cns_other"}, {"tenant": "globex"}])
def test_a_link_to_a_question_that_its_tenant_was_not_asked_shows_nothing(desk: Desk, spoiled: dict[str, str]) -> None:
    with desk.stage.storage.bulk.write() as bulk:
        bulk.put([
            MemberRecord(
                tenant="globex", external_id="boss", name="Boss", email="boss@globex.example", phone=None,
                role="owner", is_active=True, joined_at=LONG_AGO, last_seen_at=None,
            )
        ])  # fmt: skip
    consent = desk.ask()
    if "tenant" in spoiled:
        link = desk.link(consent, member_id_of("globex", "boss"), tenant=tenant("globex"))
    else:
        link = desk.link(consent, **spoiled)
    assert isinstance(show_question(desk.stage.house, link=link, origin=FROM), NoSuchQuestion)
    assert desk.stage.entries("consent.read") == 0


@SMALL
def test_a_program_lists_its_tenants_questions_only_with_a_token_that_may_decide(desk: Desk) -> None:
    house, consent = desk.stage.house, desk.ask()
    assert isinstance(list_questions(house, token="guess", origin=FROM), NotKnown)
    assert isinstance(list_questions(house, token=token_of(desk, opens="log"), origin=FROM), NotAllowed)
    assert desk.stage.entries("consent.read") == 0
    listed = list_questions(house, token=token_of(desk, opens="decide"), origin=FROM)
    assert isinstance(listed, list)
    assert [each.consent.id for each in listed] == [consent.id]
    unknown = decide_by_token(
        house, token="guess", consent=consent.id, verdict=ConsentVerdict.APPROVE, origin=FROM
    )  # fmt: skip
    assert isinstance(unknown, NotKnown)
    assert desk.consents()[0].state is ConsentState.PENDING


@SMALL
def test_a_question_that_was_answered_as_its_time_ran_out_is_not_called_expired(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answered(book: StoredConsents, consent: Consent, *_given: object, **_named: object) -> None:
        assert settling(book, consent, ConsentState.APPROVED, by=OWNER, at=consent.decide_by)

    settling = StoredConsents.settle
    consent = desk.ask()
    desk.clock.pass_by(hours=48)
    overtake(monkeypatch, StoredConsents, "settle", answered)
    assert keep_consents(desk.stage.house) == 0
    assert desk.stage.entries("consent.expired") == 0
    with desk.stage.house.store.read() as unit:
        assert [each.kind for each in unit.outbox.unread(consent.staff, limit=9)] == []


@SMALL
def test_a_question_is_reminded_of_once_and_not_before_half_of_its_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.ask(answer_hours="4")  # shorter than the notice that a reminder gives
    desk.clock.pass_by(hours=1, minutes=59)
    assert keep_consents(desk.stage.house) == 0
    desk.clock.pass_by(minutes=1)
    overtake(monkeypatch, StoredConsents, "reminded")
    assert (keep_consents(desk.stage.house), desk.stage.entries("consent.reminded")) == (0, 0)
