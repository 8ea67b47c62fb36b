"""Reviews through real storage: who may judge, what is drawn, what is told, and the figures and pairs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from console.domain import reviews
from console.domain.decisions import Deny, DenyCode
from console.domain.ids import ActionKey, PersonKey, ReasonCode, ReviewId, StaffId
from console.domain.jobs import JobDraft
from console.domain.reasons import Effect, Reason
from console.domain.reviews import Review, ReviewKind, ReviewState, is_sampled
from console.storage.reviews import StoredReviews
from console.usecases import keep_reviews
from console.usecases.keep_reviews import KEEP_REVIEWS_JOB
from console.usecases.open_review import JUDGES, Judged, open_review
from console.usecases.outcomes import BadFields, CountingDown, Ran
from console.usecases.propose_action import propose_action
from console.usecases.read_home import read_home
from console.usecases.read_reviews import read_reviews
from console.usecases.run_jobs import run_due_jobs
from tests.databases import ENGINES, NOON, HandClock
from tests.integration.emergency import FIRE, Emergency
from tests.integration.overtaking import overtake
from tests.integration.stage import CONTRACT, NOTE, Stage, behind, book, new_urls, opened_stage, rows, settle_in, tenant
from tests.web.cast import PEOPLE

DECIDE = ActionKey("review.decide")
WHY = Reason(code=ReasonCode("REVIEW"), reference="REV-2026-11")
BECAUSE = "Looked at the incident and the diff."


@dataclass(frozen=True)
class Bench:
    """A stage with people who judge."""

    stage: Stage
    clock: HandClock

    def open(
        self, subject: str, actor: str, *, approvers: tuple[str, ...] = (), gainers: tuple[str, ...] = (),
        kind: ReviewKind = ReviewKind.BREAK_GLASS,
    ) -> Review:  # fmt: skip
        def person(who: str) -> PersonKey:
            return PersonKey(f"local|{PEOPLE[who].id}")

        judged = Judged(
            subject=subject, title="Suspend the tenant", tenant=None, actor=PEOPLE[actor].id,
            actor_name=PEOPLE[actor].name, person=person(actor), approvers=frozenset(map(person, approvers)),
            gainers=frozenset(map(person, gainers)),
        )  # fmt: skip
        with self.stage.storage.store.write() as unit:
            made = open_review(self.stage.house, unit, kind, judged, now=self.clock.now())
        assert made is not None
        return made

    def judge(self, who: str, review: ReviewId, verdict: str = "ok") -> Any:  # noqa: ANN401  any outcome
        raw: Mapping[str, str] = {"review": review, "verdict": verdict, "because": BECAUSE}
        return propose_action(
            self.stage.house, self.stage.actor(who), key=DECIDE, tenant=None, raw=raw, reason=WHY, mark=None,
            form_id=self.stage.form(),
        )  # fmt: skip

    def keep(self) -> None:
        with self.stage.storage.store.write() as unit:
            unit.jobs.add(JobDraft(kind=KEEP_REVIEWS_JOB, key=self.stage.house.ids.new("tst")), at=self.clock.now())
        while run_due_jobs(self.stage.house, worker="w1", limit=20):
            pass

    def stands(self, review: ReviewId) -> Review:
        with self.stage.storage.store.read() as unit:
            found = unit.reviews.get(review)
        assert found is not None
        return found


@pytest.fixture(params=ENGINES)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    create = request.getfixturevalue("pg_database") if request.param == "postgresql" else str
    url, planes = new_urls(request.param, tmp_path, create)
    clock = HandClock()
    with opened_stage(url, planes, clock=clock) as stage:
        settle_in(stage, ["acme", "zeta"])
        yield Bench(stage, clock)


def code(answer: object) -> DenyCode:
    assert isinstance(answer, Deny), answer
    return answer.code


def test_whoever_had_a_part_in_it_never_judges(bench: Bench) -> None:
    review = bench.open("req_1", "support_lead", approvers=("finance_lead",), gainers=("security_auditor",))
    assert code(bench.judge("support_lead", review.id)) is DenyCode.OWN_REVIEW
    assert code(bench.judge("finance_lead", review.id)) is DenyCode.REVIEWER_APPROVED
    assert code(bench.judge("security_auditor", review.id)) is DenyCode.REVIEWER_GAINS
    assert code(bench.judge("support_agent", review.id)) is DenyCode.ROLE_MISSING
    assert review.owner in {PEOPLE["support_lead_2"].id, PEOPLE["finance_lead_2"].id}
    assert isinstance(bench.judge("support_lead_2", review.id), Ran)
    stands = bench.stands(review.id)
    assert (stands.state, stands.because, stands.decided_by) == (
        ReviewState.OK,
        BECAUSE,
        PEOPLE["support_lead_2"].id,
    )


def test_nobody_chooses_their_judge_by_the_id_of_their_form(bench: Bench) -> None:
    ids = (f"req_{number:020}" for number in range(1_000_000))
    wanted = (each for each in ids if int.from_bytes(sha256(each.encode()).digest()[:4]) % 2_520 == 0)
    owners = {bench.open(subject, "on_call").owner for subject in islice(wanted, 12)}
    assert len(owners) > 1


def test_a_verdict_is_given_once(bench: Bench) -> None:
    review = bench.open("req_1", "on_call")
    assert isinstance(bench.judge("support_lead", review.id), Ran)
    assert isinstance(bench.judge("finance_lead", review.id, "flagged"), BadFields)
    with bench.stage.storage.store.write() as unit:
        assert unit.reviews.move(review, ReviewState.FLAGGED, by=None, because="x", at=bench.clock.now()) is False
        assert unit.reviews.own(review.id, StaffId("stf_x")) is False


def test_one_subject_has_one_review_of_a_kind(bench: Bench) -> None:
    bench.open("req_1", "on_call")
    with bench.stage.storage.store.write() as unit:
        judged = Judged(
            subject="req_1", title="t", tenant=None, actor=PEOPLE["on_call"].id, actor_name="K", person=PersonKey("p")
        )
        assert open_review(bench.stage.house, unit, ReviewKind.BREAK_GLASS, judged, now=NOON) is None
        assert open_review(bench.stage.house, unit, ReviewKind.FLAGGED, judged, now=NOON) is not None


def test_a_flag_is_told_to_security_administrators_and_whoever_acted(bench: Bench) -> None:
    review = bench.open("req_1", "on_call")
    assert isinstance(bench.judge("support_lead", review.id, "flagged"), Ran)
    with bench.stage.storage.store.read() as unit:
        for who in ("on_call", "security_auditor", "administrator"):
            told = unit.outbox.unread(PEOPLE[who].id, limit=5)
            assert "review_flagged" in [each.kind for each in told], who
            assert not any(review.title in each.sentence for each in told), "what leaves the house holds no tenant data"


def test_what_is_overdue_is_told_once(bench: Bench) -> None:
    review = bench.open("req_1", "on_call")
    bench.clock.pass_by(hours=23)
    bench.keep()
    assert bench.stage.entries("review.overdue") == 0
    bench.clock.pass_by(hours=2)
    bench.keep()
    bench.clock.pass_by(hours=2)
    bench.keep()
    assert bench.stage.entries("review.overdue") == 1
    assert bench.stands(review.id).escalated_at is not None
    with bench.stage.storage.store.read() as unit:
        told = unit.outbox.unread(PEOPLE["administrator"].id, limit=5)
    assert [each.kind for each in told].count("review_overdue") == 1
    assert not any(review.title in each.sentence for each in told), "an administrator sees no tenant data"


def test_a_reviewed_use_of_break_glass_lets_that_person_break_it_again(bench: Bench) -> None:
    fire = Emergency(bench.stage, bench.clock)
    fire.open()
    request = fire.begun()
    fire.after(60)
    with bench.stage.storage.store.read() as unit:
        review = unit.reviews.of(ReviewKind.BREAK_GLASS, request.id)
    assert review is not None
    fire.open(slug="zeta")
    assert code(fire.smash(slug="zeta")) is DenyCode.REVIEW_OWED
    assert isinstance(bench.judge("security_auditor", review.id), Ran)
    assert isinstance(fire.smash(slug="zeta"), CountingDown)
    assert FIRE.reference == "INC-2301"


def test_everybody_who_worked_in_a_month_is_reviewed_at_least_once(bench: Bench) -> None:
    for who in ("support_agent", "support_lead"):
        bench.stage.open(who, "acme", CONTRACT)
        assert isinstance(bench.stage.ask(who, "acme", NOTE, {"text": "Called back."}), Ran)
    bench.clock.pass_by(hours=24 * 9)  # 30 November: outside the day that is sampled, inside the month's last days
    bench.keep()
    bench.keep()
    with bench.stage.storage.store.read() as unit:
        drawn = unit.reviews.queue(limit=20)
    assert sorted(each.actor for each in drawn) == sorted(PEOPLE[who].id for who in ("support_agent", "support_lead"))
    assert {each.kind for each in drawn} == {ReviewKind.SAMPLE}
    assert {each.due_at - each.opened_at for each in drawn} == {timedelta(days=7)}


def test_its_figures_stand_on_home_for_those_who_judge(bench: Bench) -> None:
    done, late = bench.open("req_1", "on_call"), bench.open("req_2", "engineer")
    bench.open("req_3", "finance")
    assert isinstance(bench.judge("support_lead", done.id, "flagged"), Ran)
    bench.clock.pass_by(hours=25)
    figures = read_home(bench.stage.house, bench.stage.actor("security_auditor")).reviews
    assert figures is not None
    assert (figures.opened, figures.decided, figures.overdue, figures.flagged) == (3, 1, 2, 1)
    assert read_home(bench.stage.house, bench.stage.actor("support_agent")).reviews is None
    page = read_reviews(bench.stage.house, bench.stage.actor("finance_lead"))
    assert not isinstance(page, Deny)
    assert late.id in {each.id for each in page.queue}
    assert code(read_reviews(bench.stage.house, bench.stage.actor("support_agent"))) is DenyCode.ROLE_MISSING


def test_it_names_pairs_who_approve_each_other_and_nobody_else(bench: Bench) -> None:
    for asker, agreed in (
        ("support_lead", "finance_lead"),
        ("finance_lead", "support_lead"),
        ("finance", "finance_lead"),
    ):
        bench.stage.open(asker, "acme", CONTRACT)
        value = {"support_lead": 200, "finance_lead": 120, "finance": 210}[asker]
        request = bench.stage.filed(asker, "acme", value)
        bench.stage.approve(agreed, request)
    with bench.stage.storage.store.read() as unit:
        pairs = unit.reviews.reciprocal(NOON - timedelta(days=1), limit=5)
        assert unit.reviews.reciprocal(NOON + timedelta(days=1), limit=5) == []
        assert unit.reviews.self_dealing(NOON - timedelta(days=1), limit=5) == []
    assert [{pair.first, pair.second} for pair in pairs] == [{PEOPLE["support_lead"].name, PEOPLE["finance_lead"].name}]
    assert [(pair.first_approved, pair.second_approved) for pair in pairs] == [(1, 1)]


def test_pairs_are_looked_for_by_an_index_and_never_by_a_scan(bench: Bench) -> None:
    is_sqlite = bench.stage.url.startswith("sqlite")
    sql = "SELECT request FROM request_vote WHERE cast_at >= 1 AND verdict = 'approve' AND voided_because IS NULL"
    with bench.stage.storage.store.read() as unit:
        session = unit.reviews._session
        if is_sqlite:
            plan = " ".join(str(row) for row in session.execute(text(f"EXPLAIN QUERY PLAN {sql}")))
        else:
            session.execute(text("SET LOCAL enable_seqscan = off"))
            plan = " ".join(str(row) for row in session.execute(text(f"EXPLAIN {sql}")))
    assert "ix_request_vote_cast_at" in plan


def test_what_is_always_reviewed_is_reviewed_each_time(bench: Bench) -> None:
    assert book().actions[ActionKey("impersonation.widen")].review is ReviewKind.IMPERSONATION_WRITE
    rules = {**book().actions, NOTE: replace(book().actions[NOTE], review=ReviewKind.IMPERSONATION_WRITE)}
    house = behind(bench.stage, book=replace(book(), actions=rules))
    bench.stage.open("support_agent", "acme", CONTRACT)
    for _time in range(2):
        answer = propose_action(
            house, bench.stage.actor("support_agent"), key=NOTE, tenant=tenant("acme"), raw={"text": "Called back."},
            reason=CONTRACT, mark=None, form_id=bench.stage.form(),
        )  # fmt: skip
        assert isinstance(answer, Ran)
        with bench.stage.storage.store.read() as unit:
            (review,) = unit.reviews.about(answer.request.id)
        assert (review.kind, review.actor) == (ReviewKind.IMPERSONATION_WRITE, PEOPLE["support_agent"].id)


SMALL = pytest.mark.parametrize("bench", ["sqlite"], indirect=True)


def works(bench: Bench, who: str, *, often: int) -> list[tuple[str, str]]:
    """Let somebody work, and return entry and request of each piece, oldest first."""
    bench.stage.open(who, "acme", CONTRACT)
    for _ in range(often):
        assert isinstance(bench.stage.ask(who, "acme", NOTE, {"text": "Called back."}), Ran)
        bench.clock.pass_by(seconds=1)
    sql = "SELECT uid, correlation FROM audit_event WHERE action = 'action.executed' AND actor = ? ORDER BY id"
    return [(str(uid), str(about)) for uid, about in rows(bench.stage.url, sql, PEOPLE[who].id)]


def drawing(monkeypatch: pytest.MonkeyPatch, permille: int) -> None:
    """Draw so many of a thousand pieces of work, whatever their effect."""
    monkeypatch.setattr(reviews, "SAMPLED_PERMILLE", dict.fromkeys(Effect, permille))


def drawn(bench: Bench) -> set[str]:
    """Return what is under review by sample."""
    return {str(row[0]) for row in rows(bench.stage.url, "SELECT subject FROM review WHERE kind = 'sample'")}


@SMALL
def test_what_the_draw_says_is_reviewed_and_nothing_else(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep_reviews, "_PAGE", 3)
    drawing(monkeypatch, 500)
    done = works(bench, "support_agent", often=12)
    bench.keep()
    wanted = {about for uid, about in done if is_sampled(uid, Effect.WRITE)}
    assert drawn(bench) == wanted
    assert 0 < len(wanted) < len(done)


@SMALL
def test_it_looks_at_every_piece_of_work_however_many_there_are(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep_reviews, "_PAGE", 1)
    drawing(monkeypatch, 0)
    first = works(bench, "support_agent", often=1)
    done = works(bench, "support_lead", often=52)
    bench.clock.pass_by(days=9)
    bench.keep()
    least = min(done, key=lambda piece: sha256(piece[0].encode()).digest())
    assert drawn(bench) == {first[0][1], least[1]}, "whoever worked first in a month is not left out"
    drawing(monkeypatch, 1_000)
    bench.clock.pass_by(days=-9)
    bench.keep()
    assert drawn(bench) == {about for _uid, about in (*first, *done)}


@SMALL
def test_neither_a_verdict_nor_broken_glass_is_drawn_once_more(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    drawing(monkeypatch, 1_000)
    fire = Emergency(bench.stage, bench.clock)
    fire.open()
    request = fire.begun()
    fire.after(60)
    with bench.stage.storage.store.read() as unit:
        review = unit.reviews.of(ReviewKind.BREAK_GLASS, request.id)
    assert review is not None
    assert isinstance(bench.judge("security_auditor", review.id), Ran)
    own = works(bench, "support_agent", often=1)
    bench.clock.pass_by(minutes=1)
    bench.keep()
    assert (bench.stage.entries("action.executed"), drawn(bench)) == (3, {about for _uid, about in own})


@SMALL
def test_whose_month_holds_much_is_reviewed_for_what_nobody_chose(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawing(monkeypatch, 0)
    done = works(bench, "support_agent", often=6)
    bench.clock.pass_by(days=9)
    bench.keep()
    least = min(done, key=lambda piece: sha256(piece[0].encode()).digest())
    assert drawn(bench) == {least[1]}


@SMALL
def test_what_another_worker_told_as_overdue_is_told_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.open("req_1", "on_call")
    bench.clock.pass_by(hours=25)
    overtake(monkeypatch, StoredReviews, "escalate")
    bench.keep()
    assert bench.stage.entries("review.overdue") == 0
    with bench.stage.storage.store.read() as unit:
        assert "review_overdue" not in [each.kind for each in unit.outbox.unread(PEOPLE["administrator"].id, limit=5)]


@SMALL
def test_what_nobody_is_there_to_judge_waits_without_an_owner(bench: Bench) -> None:
    with bench.stage.storage.store.write() as unit:
        for person in PEOPLE.values():
            if person.role in JUDGES:
                unit.staff.set_active(person.id, is_active=False, at=bench.clock.now())
    review = bench.open("req_1", "on_call")
    assert bench.stands(review.id).owner is None
    assert bench.stage.count("SELECT count(*) FROM notice WHERE kind = 'review_due'") == 0
    bench.clock.pass_by(hours=25)
    bench.keep()
    assert bench.stage.entries("review.overdue") == 1, "who keeps the staff hears of it"
