"""What a customer's administrators are written to about staff: when, how much, and what becomes of it on the way."""

from dataclasses import dataclass, field, replace

import pytest

from console.adapters.letter_sinks import LettersByWay, WebhookLetters
from console.domain.imports import MemberRecord
from console.domain.trust.access_policy import Notify
from console.domain.trust.consents import ConsentVerdict
from console.domain.trust.letters import LetterKind, Way
from console.domain.webhooks import AttemptOutcome, KeyAlgorithm
from console.ports.customer_letters import CustomerWebhook
from console.ports.sending import Answer
from console.usecases.decide_consent import Question
from console.usecases.deliver_letters import deliver_letters
from console.usecases.publish_accesses import publish_accesses
from console.usecases.queue_letters import queue_letter
from tests.integration.customer_desk import ADDRESS, NOTE, SMALL, TICKET, Desk, deeds, desk
from tests.integration.kill_world import sequencer_in
from tests.integration.stage import behind, tenant
from tests.web.cast import LONG_AGO
from tests.webhook_fakes import OpenKeys

__all__ = ["desk"]


def test_a_code_that_writes_each_time_writes_of_openings_and_deeds(desk: Desk) -> None:
    deeds(desk)
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
    deeds(desk)
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
    deeds(desk)
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
    deeds(desk)
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
    deeds(desk)
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


@SMALL
def test_a_customer_that_the_law_keeps_in_the_dark_gets_no_letter_of_an_access(desk: Desk) -> None:
    with desk.stage.house.store.write() as unit:
        silent = replace(unit.access_policies.of(tenant("acme")), notify=Notify.NONE)
        assert unit.access_policies.put(tenant("acme"), silent, by="test", at=desk.clock.now())
        queue_letter(desk.stage.house, unit, tenant("acme"), LetterKind.ACCESS, about="1", at=desk.clock.now())
    deeds(desk)
    desk.deliver()
    assert (desk.post.taken, desk.stage.entries("letter.given_up")) == ([], 0)


@SMALL
def test_a_letter_about_accesses_that_are_not_shown_is_not_written(desk: Desk) -> None:
    with desk.stage.house.store.write() as unit:
        queue_letter(desk.stage.house, unit, tenant("acme"), LetterKind.ACCESS, about="9", at=desk.clock.now())
    desk.deliver()
    desk.deliver()
    assert (desk.post.taken, desk.stage.entries("letter.given_up")) == ([], 0)
