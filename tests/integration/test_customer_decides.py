"""Consent, access policy and letters over real databases: asked, answered once, reminded, told, never in the way."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from console.adapters.letter_sinks import LettersByWay, WebhookLetters
from console.domain.canonical import parse_canonical
from console.domain.errors import OutsideError
from console.domain.ids import ActionKey, MemberId, ReasonCode
from console.domain.imports import MemberRecord, member_id_of
from console.domain.reasons import Reason
from console.domain.staff import Origin
from console.domain.trust.access_policy import ImpersonationRule, Notify
from console.domain.trust.consents import Consent, ConsentState, ConsentVerdict
from console.domain.trust.letters import LetterKind, Way
from console.domain.trust.links import Link, LinkKind
from console.domain.webhooks import AttemptOutcome, KeyAlgorithm
from console.ports.customer_letters import CustomerWebhook, Envelope
from console.ports.trail import EntryFilter
from console.ports.webhooks import Answer
from console.storage.access_policies import StoredAccessPolicies
from console.storage.consents import StoredConsents
from console.usecases.customer_door import NotAllowed, NotByProgram, NotKnown, TooOften
from console.usecases.customer_policy import (
    Overtaken,
    PolicySheet,
    Wanted,
    read_policy_by_token,
    set_policy_by_link,
    set_policy_by_token,
    show_policy,
)
from console.usecases.decide_consent import (
    NoSuchQuestion,
    Question,
    TooLate,
    decide_by_link,
    decide_by_token,
    list_questions,
    show_question,
)
from console.usecases.deliver_letters import deliver_letters
from console.usecases.execute_request import execute_request
from console.usecases.keep_consents import keep_consents
from console.usecases.outcomes import Ran, Waiting
from console.usecases.publish_accesses import publish_accesses
from console.usecases.queue_letters import queue_letter
from tests.conftest import NewDatabase
from tests.databases import ENGINES, HandClock
from tests.integration.kill_world import sequencer_in
from tests.integration.overtaking import overtake
from tests.integration.stage import CONTRACT, Stage, behind, new_urls, opened_stage, settle_in, tenant
from tests.web.cast import LONG_AGO
from tests.webhook_fakes import OpenKeys

TICKET = Reason(code=ReasonCode("CUSTOMER_SUPPORT"), reference="SUP-48213")
INCIDENT = Reason(code=ReasonCode("INCIDENT_RESPONSE"), reference="INC-2301")
ASK, WITHDRAW, POLICY, NOTE = (
    ActionKey(key) for key in ("consent.ask", "consent.withdraw", "access_policy.set", "tenant.add_note")
)
QUESTION = {
    "what": "See why your invoice of November shows two taxes.",
    "member": "",
    "mode": "read",
    "minutes": "20",
    "answer_hours": "48",
}
FROM = Origin(ip="192.0.2.9")
ADDRESS = "https://console.example"
OWNER, ADMIN, PLAIN = (member_id_of("acme", name) for name in ("boss", "admin", "plain"))


@dataclass
class Post:
    """A sink that keeps what it takes, and can be away; one address may be out of reach, for good or for now."""

    taken: list[Envelope] = field(default_factory=list)
    is_away: bool = False
    lost: str = ""
    is_lost_for_good: bool = True

    def send(self, envelope: Envelope) -> None:
        if envelope.to == self.lost:
            raise OutsideError("Nobody lives there.", permanent=self.is_lost_for_good)
        if self.is_away:
            raise OutsideError("The post office is closed.", permanent=False)
        self.taken.append(envelope)

    def links(self, path: str) -> list[str]:
        """Return the tokens of links in what was taken."""
        return re.findall(rf"{ADDRESS}/customer/{path}/(\S+)", "\n".join(each.text for each in self.taken))


@dataclass
class Desk:
    """A stage with administrators of the customer, a clock and a post office."""

    stage: Stage
    clock: HandClock
    folder: Path
    post: Post = field(default_factory=Post)

    def deliver(self) -> None:
        deliver_letters(self.stage.house, self.post, address=ADDRESS)

    def ask(self, **changed: str) -> Consent:
        """Ask the customer and return the question."""
        self.stage.open("support_agent", "acme", TICKET)
        answer = self.stage.ask("support_agent", "acme", ASK, {**QUESTION, **changed}, reason=TICKET)
        assert isinstance(answer, Ran), answer
        return self.consents()[0]

    def consents(self) -> list[Consent]:
        with self.stage.house.store.read() as unit:
            return list(unit.consents.of_tenant(tenant("acme"), limit=9))

    def link(self, consent: Consent, member: str = OWNER, **changed: object) -> str:
        """Return the link as the letter holds it, or one that is nearly it."""
        said: dict[str, object] = {
            "kind": LinkKind.CONSENT,
            "tenant": consent.tenant,
            "member": MemberId(member),
            "subject": consent.id,
            "until": consent.decide_by,
        }
        return Link(**{**said, **changed}).signed(self.stage.house.fingerprints.of)  # type: ignore[arg-type]

    def refused(self) -> list[str]:
        """Return why the customer was refused, each time, and that each refusal names the tenant."""
        with self.stage.house.store.read() as unit:
            found = unit.reader.page(EntryFilter(action="customer.refused"), before=None, limit=50)
        bodies = [parse_canonical(entry.body) for entry in reversed(found)]
        return [str(body["error"]) for body in bodies if isinstance(body, dict) and body["tenant"]]

    def answer(self, link: str, verdict: ConsentVerdict = ConsentVerdict.APPROVE) -> object:
        return decide_by_link(self.stage.house, link=link, verdict=verdict, origin=FROM)


SMALL = pytest.mark.parametrize("desk", ["sqlite"], indirect=True)


@pytest.fixture(params=ENGINES)
def desk(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Desk]:
    url, planes = new_urls(request.param, tmp_path, pg_database)
    clock = HandClock()
    with opened_stage(url, planes, clock=clock) as stage:
        settle_in(stage, ["acme", "globex"])
        people = [
            MemberRecord(
                tenant="acme", external_id=name, name=name.title(), email=f"{name}@acme.example", phone=None,
                role=role, is_active=True, joined_at=LONG_AGO, last_seen_at=None,
            )
            for name, role in (("boss", "owner"), ("admin", "admin"), ("plain", "member"))
        ]  # fmt: skip
        with stage.storage.bulk.write() as bulk:
            bulk.put(people)
        yield Desk(stage, clock, tmp_path)


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


def _work(desk: Desk) -> None:
    desk.stage.open("support_agent", "acme", INCIDENT)
    assert isinstance(desk.stage.ask("support_agent", "acme", NOTE, {"text": "Called them."}, reason=INCIDENT), Ran)
    sequencer_in(desk.stage, desk.folder).run_once()
    while publish_accesses(desk.stage.house):
        pass


def test_a_code_that_writes_each_time_writes_of_openings_and_deeds(desk: Desk) -> None:
    _work(desk)
    desk.deliver()
    said = [each.text for each in desk.post.taken if each.to == "boss@acme.example"]
    assert len(said) == 2
    assert any("Opened your workspace" in text and "INC-2301" in text for text in said)
    assert all("Noor" not in text and "Called them" not in text for text in said)


@pytest.mark.parametrize(("hour", "wait"), [(6, 18), (0, 12), (14, 2)])
def test_a_digest_comes_once_at_the_hour_that_policy_says(desk: Desk, hour: int, wait: int) -> None:
    limits = replace(desk.stage.house.book.limits, customer_digest_hour_utc=hour)
    desk.stage = replace(desk.stage, house=behind(desk.stage, book=replace(desk.stage.house.book, limits=limits)))
    desk.stage.open("support_agent", "acme", TICKET)
    desk.stage.ask("support_agent", "acme", NOTE, {"text": "Called them."}, reason=TICKET)
    sequencer_in(desk.stage, desk.folder).run_once()
    publish_accesses(desk.stage.house)
    desk.deliver()
    assert desk.post.taken == []
    desk.clock.pass_by(hours=wait, minutes=-1)
    desk.deliver()
    assert desk.post.taken == []
    desk.clock.pass_by(minutes=1)
    desk.deliver()
    assert [each.kind for each in desk.post.taken] == [LetterKind.DIGEST] * 2
    assert desk.post.taken[0].text.count("SUP-48213") >= 2


@pytest.mark.parametrize("lost", ["admin@acme.example", "boss@acme.example"])
@pytest.mark.parametrize("is_for_good", [True, False])
def test_one_who_cannot_be_reached_keeps_a_letter_from_nobody_else(
    desk: Desk,
    lost: str,
    is_for_good: bool,
) -> None:
    desk.post.lost, desk.post.is_lost_for_good = lost, is_for_good
    _work(desk)
    desk.deliver()
    told = {each.to for each in desk.post.taken}
    assert told == {"admin@acme.example", "boss@acme.example"} - {lost}
    assert (desk.stage.entries("letter.sent") > 0) is is_for_good
    assert desk.stage.entries("letter.given_up") == 0


def test_a_letter_that_can_reach_nobody_is_given_up(desk: Desk) -> None:
    with desk.stage.storage.bulk.write() as bulk:
        bulk.put(
            [
                MemberRecord(
                    tenant="acme", external_id="boss", name="Boss", email="boss@acme.example", phone=None,
                    role="member", is_active=True, joined_at=LONG_AGO, last_seen_at=None,
                )
            ]
        )  # fmt: skip
    desk.post.lost = "admin@acme.example"
    _work(desk)
    desk.deliver()
    assert desk.stage.entries("letter.given_up") >= 1


def test_a_digest_that_is_cut_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.usecases.deliver_letters._MOST_LINES", 1)
    desk.stage.open("support_agent", "acme", TICKET)
    desk.stage.ask("support_agent", "acme", NOTE, {"text": "Called them."}, reason=TICKET)
    sequencer_in(desk.stage, desk.folder).run_once()
    publish_accesses(desk.stage.house)
    desk.clock.pass_by(hours=18)
    desk.deliver()
    assert "There are more: your access log has all of them, from number 2 on." in desk.post.taken[0].text


def test_a_post_office_that_is_closed_is_tried_again_and_holds_nothing_up(desk: Desk) -> None:
    desk.post.is_away = True
    _work(desk)
    consent = desk.ask()
    for _ in range(3):
        desk.deliver()
        desk.clock.pass_by(minutes=10)
    assert isinstance(desk.answer(desk.link(consent), ConsentVerdict.REFUSE), Question)
    assert desk.stage.count("SELECT max(tries) FROM customer_letter") >= 2
    desk.post.is_away = False
    desk.clock.pass_by(hours=10)
    desk.deliver()
    assert LetterKind.ACCESS in {each.kind for each in desk.post.taken}


def test_a_letter_that_nobody_takes_is_given_up_and_says_so(desk: Desk) -> None:
    desk.post.is_away = True
    _work(desk)
    for _ in range(9):
        desk.clock.pass_by(days=2)
        desk.deliver()
    assert desk.stage.entries("letter.given_up") >= 1
    with desk.stage.house.store.read() as unit:
        kept = unit.letters.given_up(tenant("acme"), limit=9)
    assert {each.because for each in kept} == {"The post office is closed."}


@dataclass
class Receiver:
    """A receiver that answers as a test says."""

    status: int = 200
    bodies: list[bytes] = field(default_factory=list)

    def fault_of(self, url: str) -> str | None:
        return None

    def post(self, url: str, *, headers: dict[str, str], body: bytes) -> Answer:
        assert {"webhook-id", "webhook-timestamp", "webhook-signature"} <= set(headers)
        self.bodies.append(body)
        is_good = self.status == 200
        outcome = AttemptOutcome.SUCCESS if is_good else AttemptOutcome.REFUSED
        return Answer(outcome=outcome, status=self.status, took_ms=1)


def test_a_webhook_gets_the_letter_signed(desk: Desk) -> None:
    keys, receiver = OpenKeys(), Receiver()
    with desk.stage.house.store.write() as unit:
        unit.letters.set_webhook(
            CustomerWebhook(
                tenant=tenant("acme"),
                url="https://siem.acme.example/in",
                secret_sealed=keys.make(KeyAlgorithm.V1).sealed,
                set_at=desk.clock.now(),
                set_by="stf_1",
            )
        )
    desk.ask()
    sinks = LettersByWay(mail=desk.post, webhook=WebhookLetters(receiver, keys))  # type: ignore[arg-type]
    deliver_letters(desk.stage.house, sinks, address=ADDRESS)
    (body,) = receiver.bodies
    assert b"staff_access.consent" in body
    assert b"/customer/consents/" not in body, "a link is for a person and never in a webhook"
    assert {each.way for each in desk.post.taken} == {Way.MAIL}


REFUSED = Wanted(impersonation=ImpersonationRule.REFUSED, notify=Notify.EACH)


@SMALL
def test_a_link_that_shows_the_rules_opens_nothing_else_and_nothing_once_it_is_used(desk: Desk) -> None:
    house, consent = desk.stage.house, desk.ask()
    for link in (desk.link(consent), "guess"):
        assert isinstance(show_policy(house, link=link, origin=FROM), NotKnown)
        assert isinstance(set_policy_by_link(house, link=link, wanted=REFUSED, origin=FROM), NotKnown)
    used = _policy_link(desk)
    set_policy_by_link(house, link=used, wanted=REFUSED, origin=FROM)
    assert isinstance(show_policy(house, link=used, origin=FROM), Overtaken)
    assert desk.refused() == ["the rules were changed meanwhile"]
    assert (desk.stage.entries("access_policy.read"), desk.stage.entries("access_policy.changed")) == (0, 1)


@SMALL
def test_a_program_reads_and_tightens_the_rules_only_with_a_token_that_may_decide(desk: Desk) -> None:
    house, log, decide = desk.stage.house, _token(desk, opens="log"), _token(desk, opens="decide")
    for token, kind in (("guess", NotKnown), (log, NotAllowed), (decide, PolicySheet)):
        assert isinstance(read_policy_by_token(house, token=token, origin=FROM), kind)
        assert isinstance(set_policy_by_token(house, token=token, wanted=REFUSED, origin=FROM), kind)
    assert desk.refused() == ["this token may not decide"] * 2
    assert (desk.stage.entries("access_policy.read"), desk.stage.entries("access_policy.changed")) == (1, 1)
    sheet = read_policy_by_token(house, token=decide, origin=FROM)
    assert isinstance(sheet, PolicySheet)
    assert (sheet.policy.impersonation, sheet.policy.version) == (ImpersonationRule.REFUSED, 1)


@SMALL
def test_rules_that_stand_already_are_not_changed_and_nobody_is_written_to(desk: Desk) -> None:
    token = _token(desk, opens="decide")
    assert isinstance(set_policy_by_token(desk.stage.house, token=token, wanted=REFUSED, origin=FROM), PolicySheet)
    again = set_policy_by_token(desk.stage.house, token=token, wanted=REFUSED, origin=FROM)
    assert isinstance(again, PolicySheet)
    assert (again.is_changed, again.policy.version, desk.stage.entries("access_policy.changed")) == (False, 1, 1)


@SMALL
def test_whoever_sets_the_rules_a_moment_later_is_told_and_writes_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def somebody_else(book: StoredAccessPolicies, *_given: object, **_named: object) -> None:
        loose = replace(book.of(tenant("acme")), notify=Notify.DIGEST)
        assert putting(book, tenant("acme"), loose, by="somebody else", at=desk.clock.now())

    putting = StoredAccessPolicies.put
    overtake(monkeypatch, StoredAccessPolicies, "put", somebody_else)
    answer = set_policy_by_link(desk.stage.house, link=_policy_link(desk), wanted=REFUSED, origin=FROM)
    assert isinstance(answer, Overtaken)
    assert (desk.refused(), desk.stage.entries("access_policy.changed")) == (["the rules were changed meanwhile"], 0)
    with desk.stage.house.store.read() as unit:
        assert unit.access_policies.of(tenant("acme")).impersonation is ImpersonationRule.ALLOWED


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
    assert isinstance(list_questions(house, token=_token(desk, opens="log"), origin=FROM), NotAllowed)
    assert desk.stage.entries("consent.read") == 0
    listed = list_questions(house, token=_token(desk, opens="decide"), origin=FROM)
    assert isinstance(listed, list)
    assert [each.consent.id for each in listed] == [consent.id]
    unknown = decide_by_token(
        house, token="guess", consent=consent.id, verdict=ConsentVerdict.APPROVE, origin=FROM
    )  # fmt: skip
    assert isinstance(unknown, NotKnown)
    assert desk.consents()[0].state is ConsentState.PENDING


@SMALL
def test_a_customer_that_the_law_keeps_in_the_dark_gets_no_letter_of_an_access(desk: Desk) -> None:
    with desk.stage.house.store.write() as unit:
        silent = replace(unit.access_policies.of(tenant("acme")), notify=Notify.NONE)
        assert unit.access_policies.put(tenant("acme"), silent, by="test", at=desk.clock.now())
        queue_letter(desk.stage.house, unit, tenant("acme"), LetterKind.ACCESS, about="1", at=desk.clock.now())
    _work(desk)
    desk.deliver()
    assert (desk.post.taken, desk.stage.entries("letter.given_up")) == ([], 0)


@SMALL
def test_a_letter_about_accesses_that_are_not_shown_is_not_written(desk: Desk) -> None:
    with desk.stage.house.store.write() as unit:
        queue_letter(desk.stage.house, unit, tenant("acme"), LetterKind.ACCESS, about="9", at=desk.clock.now())
    desk.deliver()
    desk.deliver()
    assert (desk.post.taken, desk.stage.entries("letter.given_up")) == ([], 0)


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
