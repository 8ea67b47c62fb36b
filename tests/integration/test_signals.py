"""Signals on both databases: each entry is looked at once, what is asked for at once happens, and somebody answers."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from console.domain.decisions import Deny, DenyCode, NeedsStepUp
from console.domain.ids import ActionKey, EntryUid, ReasonCode
from console.domain.leases import LeaseEnd
from console.domain.reasons import Reason
from console.domain.reviews import ReviewKind
from console.domain.signals import Act, Response, Signal, SignalId, SignalKey, SignalRule, State
from console.ports.trail import EntryFilter
from console.usecases.open_lease import end_lease, open_lease
from console.usecases.outcomes import BadFields, Proposal, Ran
from console.usecases.propose_action import propose_action
from console.usecases.read_requests import read_inbox
from console.usecases.read_signals import SignalPage, SignalsPage, read_signal, read_signals
from console.usecases.watch_trail import _past, watch_trail
from tests.conftest import NewDatabase
from tests.databases import ENGINES, NOON, HandClock
from tests.integration.cast import PaperSigner, PaperSink
from tests.integration.stage import CONTRACT, Stage, book, new_urls, opened_stage, rows, settle_in, tenant

SLUGS = ("acme", "bolt", "cargo", "delta")
MANY, SAME = SignalKey("distinct_tenants"), SignalKey("same_tenant")
SETTLE = ActionKey("signal.settle")
REVIEW = Reason(code=ReasonCode("REVIEW"), reference="REV-2026-11")


def rules(*wanted: SignalRule) -> dict[SignalKey, SignalRule]:
    return {rule.key: rule for rule in wanted}


def tuned(key: SignalKey, *, at_least: int, response: Response | None = None) -> SignalRule:
    """Return a rule of the house that fires sooner."""
    rule = book().signals[key]
    return replace(rule, at_least=at_least, response=response or rule.response)


@pytest.fixture(params=ENGINES)
def stage(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Stage]:
    url, planes = new_urls(request.param, tmp_path, pg_database)
    policy = replace(book(), signals=rules(tuned(MANY, at_least=3)))
    with opened_stage(url, planes, clock=HandClock(NOON), policy=policy) as opened:
        settle_in(opened, SLUGS)
        yield opened


def visit(stage: Stage, who: str, *slugs: str) -> None:
    """Open tenants one after another, and close each."""
    for slug in slugs:
        lease = stage.open(who, slug)
        end_lease(stage.house, stage.actor(who), lease=lease.id)


def watch(stage: Stage) -> None:
    """Let the sequencer place what is there, and look at all of it."""
    sequencer = stage.storage.sequencer(PaperSigner(), PaperSink())
    while sequencer.run_once():
        pass
    while watch_trail(stage.house):
        pass


def signals(stage: Stage, *, is_open: bool = True) -> list[Signal]:
    with stage.storage.store.read() as unit:
        return list(unit.signals.page(is_open=is_open, before=None, limit=50, beside=None))


def settle(stage: Stage, who: str, signal: SignalId, verdict: str = "harmless") -> Proposal:
    raw = {"signal": signal, "verdict": verdict, "note": "She worked through a list of a colleague."}
    return propose_action(
        stage.house, stage.actor(who), key=SETTLE, tenant=None, raw=raw, reason=REVIEW, mark=None, form_id=stage.form()
    )


def test_it_raises_a_signal_once_however_long_it_goes_on(stage: Stage) -> None:
    visit(stage, "support_agent", "acme", "bolt")
    watch(stage)
    assert signals(stage) == []
    visit(stage, "support_agent", "cargo", "delta")
    watch(stage)
    watch(stage)
    (signal,) = signals(stage)
    assert signal.rule == MANY
    assert signal.staff == stage.actor("support_agent").staff
    assert signal.summary == "4 tenants within 1 h"
    assert signal.hits == 2
    assert len(signal.evidence) == 4
    assert stage.entries("signal.raised") == 1


def test_an_entry_is_looked_at_once_whatever_rules_come_later(tmp_path: Path, pg_database: NewDatabase) -> None:
    url, planes = new_urls("sqlite", tmp_path, pg_database)
    with opened_stage(url, planes, clock=HandClock(NOON), policy=replace(book(), signals={})) as stage:
        settle_in(stage, SLUGS)
        visit(stage, "support_agent", *SLUGS)
        watch(stage)
        house = replace(stage.house, book=replace(book(), signals=rules(tuned(MANY, at_least=3))))
        assert not watch_trail(house)
        assert signals(stage) == []


def test_a_second_factor_is_wanted_before_the_next_act_with_a_reason(stage: Stage) -> None:
    visit(stage, "support_agent", "acme", "bolt", "cargo")
    watch(stage)
    with stage.storage.store.read() as unit:
        member = unit.staff.get(stage.actor("support_agent").staff)
    assert member is not None
    assert member.confirm_after == NOON
    before = replace(stage.actor("support_agent"), stepped_up_at=NOON, confirm_after=NOON)
    answer = open_lease(stage.house, before, tenant=tenant("delta"), reason=CONTRACT, minutes=None)
    assert isinstance(answer, NeedsStepUp)
    after = replace(before, stepped_up_at=NOON + timedelta(seconds=1))
    assert isinstance(stage.house.clock, HandClock)
    stage.house.clock.pass_by(seconds=1)
    assert not isinstance(
        open_lease(stage.house, after, tenant=tenant("delta"), reason=CONTRACT, minutes=None), Deny | NeedsStepUp
    )


def test_a_frozen_person_opens_nothing_and_loses_what_was_open(stage: Stage) -> None:
    rule = tuned(MANY, at_least=3, response=Response.FREEZE)
    cold = replace(stage, house=replace(stage.house, book=replace(book(), signals=rules(rule))))
    visit(cold, "support_agent", "acme", "bolt")
    held = cold.open("support_agent", "cargo")
    watch(cold)
    answer = open_lease(cold.house, cold.actor("support_agent"), tenant=tenant("delta"), reason=CONTRACT, minutes=None)
    assert isinstance(answer, Deny)
    assert answer.code is DenyCode.FROZEN
    with cold.storage.store.read() as unit:
        (freeze,) = unit.freezes.standing()
        lease = unit.leases.get(held.id)
    assert (freeze.subject, freeze.set_by) == (cold.actor("support_agent").staff, None)
    assert freeze.reason.reference == signals(cold)[0].id
    assert lease is not None
    assert lease.ended_by is LeaseEnd.FROZEN
    cold.open("support_agent_2", "delta")


@pytest.mark.parametrize("response", list(Response))
def test_one_that_nobody_settles_is_answered_again_when_it_begins_anew(stage: Stage, response: Response) -> None:
    rule = tuned(MANY, at_least=3, response=response)
    open_ended = replace(stage, house=replace(stage.house, book=replace(book(), signals=rules(rule))))
    clock = stage.house.clock
    assert isinstance(clock, HandClock)
    visit(open_ended, "support_agent", "acme", "bolt", "cargo")
    watch(open_ended)
    for days, answers in ((0, 1), (1, 2), (2, 3)):
        clock.pass_by(minutes=1, days=min(days, 1))
        with open_ended.storage.store.write() as unit:
            for freeze in unit.freezes.standing():
                unit.freezes.lift(freeze.id, by=open_ended.actor("on_call").staff, at=clock.now())
        clock.pass_by(minutes=1)
        visit(open_ended, "support_agent", *(("delta",) if days == 0 else ("acme", "bolt", "cargo")))
        watch(open_ended)
        assert open_ended.entries("signal.raised") == answers
        assert len(notices(open_ended, "security_auditor")) == answers
        with open_ended.storage.store.read() as unit:
            member = unit.staff.get(open_ended.actor("support_agent").staff)
            is_frozen = bool(unit.freezes.standing())
        assert member is not None
        assert is_frozen is (response is Response.FREEZE and days > 0)
        if response is Response.STEP_UP and days:
            assert member.confirm_after == clock.now()
    (signal,) = signals(open_ended)
    assert signal.hits > 3


def test_those_who_answer_are_told_and_never_whom_it_is_about(stage: Stage) -> None:
    visit(stage, "support_lead", "acme", "bolt", "cargo")
    watch(stage)
    told = {who for who in ("support_lead", "support_lead_2", "security_auditor", "finance") if notices(stage, who)}
    assert told == {"support_lead_2", "security_auditor"}


def notices(stage: Stage, who: str) -> list[str]:
    with stage.storage.store.read() as unit:
        unread = unit.outbox.unread(stage.actor(who).staff, limit=50)
    return [notice.path for notice in unread if notice.kind == "signal"]


def test_somebody_else_says_what_it_was_and_only_once(stage: Stage) -> None:
    visit(stage, "support_lead", "acme", "bolt", "cargo")
    watch(stage)
    (signal,) = signals(stage)
    own = settle(stage, "support_lead", signal.id)
    assert isinstance(own, Deny)
    assert own.code is DenyCode.SELF_TARGET
    assert isinstance(settle(stage, "security_auditor", signal.id, "confirmed"), Ran)
    again = settle(stage, "support_lead_2", signal.id)
    assert isinstance(again, BadFields)
    assert signals(stage) == []
    (settled,) = signals(stage, is_open=False)
    assert settled.state is State.CONFIRMED
    assert settled.settled_by == stage.actor("security_auditor").staff
    assert settled.note.startswith("She worked")


def test_what_is_confirmed_is_reviewed_and_what_is_harmless_is_not(stage: Stage) -> None:
    for who, verdict in (("support_agent", "harmless"), ("support_agent_2", "confirmed")):
        visit(stage, who, "acme", "bolt", "cargo")
        watch(stage)
        (signal,) = signals(stage)
        assert isinstance(settle(stage, "security_auditor", signal.id, verdict), Ran)
    (actor,) = rows(stage.url, "SELECT actor FROM review WHERE kind = ?", ReviewKind.FLAGGED.value)
    assert actor == (stage.actor("support_agent_2").staff,)


def test_it_goes_on_as_a_new_signal_once_it_was_settled(stage: Stage) -> None:
    visit(stage, "support_agent", "acme", "bolt", "cargo")
    watch(stage)
    (first,) = signals(stage)
    assert isinstance(settle(stage, "security_auditor", first.id), Ran)
    visit(stage, "support_agent", "delta")
    watch(stage)
    (second,) = signals(stage)
    assert second.id != first.id
    assert stage.entries("signal.raised") == 2


def test_a_signal_about_many_is_settled_by_none_of_them(stage: Stage) -> None:
    house = replace(stage.house, book=replace(book(), signals=rules(tuned(SAME, at_least=2))))
    crowded = replace(stage, house=house)
    visit(crowded, "support_lead", "acme")
    visit(crowded, "support_lead_2", "acme")
    watch(crowded)
    (signal,) = signals(crowded)
    for who in ("support_lead", "support_lead_2"):
        answer = settle(crowded, who, signal.id)
        assert isinstance(answer, Deny)
        assert answer.code is DenyCode.SELF_TARGET


def test_the_pages_show_it_to_those_who_answer_and_record_that(stage: Stage) -> None:
    visit(stage, "support_agent", "acme", "bolt", "cargo")
    watch(stage)
    page = read_signals(stage.house, stage.actor("security_auditor"), is_open=True, before=None)
    assert isinstance(page, SignalsPage)
    assert page.waiting == 1
    (signal,) = page.signals
    one = read_signal(stage.house, stage.actor("security_auditor"), signal=signal.id)
    assert isinstance(one, SignalPage)
    assert len(one.entries) == 3
    assert stage.entries("signal.read") == 2
    assert isinstance(read_signals(stage.house, stage.actor("finance"), is_open=True, before=None), Deny)
    assert stage.entries("signal.read_refused") == 1


def test_two_watchers_raise_it_once(tmp_path: Path, pg_database: NewDatabase) -> None:
    url, planes = new_urls("postgresql", tmp_path, pg_database)
    policy = replace(book(), signals=rules(tuned(MANY, at_least=3)))
    with opened_stage(url, planes, clock=HandClock(NOON), policy=policy) as stage:
        settle_in(stage, SLUGS)
        sequencer = stage.storage.sequencer(PaperSigner(), PaperSink())
        for who in ("support_agent", "support_agent_2", "support_lead"):
            visit(stage, who, "acme", "bolt", "cargo")
            while sequencer.run_once():
                pass
            watchers = [threading.Thread(target=watch_trail, args=(stage.house,)) for _ in range(6)]
            for each in watchers:
                each.start()
            for each in watchers:
                each.join()
        assert [signal.hits for signal in signals(stage)] == [1, 1, 1]
        assert stage.entries("signal.raised") == 3


def test_a_signal_keeps_what_was_written(stage: Stage) -> None:
    visit(stage, "support_agent", "acme", "bolt", "cargo")
    watch(stage)
    (signal,) = signals(stage)
    for change in ("staff = 'somebody'", "rule = 'other'", "raised_at = 1"):
        with pytest.raises(Exception, match="keeps what was written"):
            stage.count(f"UPDATE signal SET {change} WHERE id = ? RETURNING 1", signal.id)
    assert isinstance(settle(stage, "security_auditor", signal.id), Ran)
    with pytest.raises(Exception, match="keeps what was written"):
        stage.count("UPDATE signal SET state = 'open' WHERE id = ? RETURNING 1", signal.id)
    with stage.storage.store.read() as unit:
        raised = unit.reader.page(EntryFilter(action="signal.raised"), before=None, limit=5)
    assert len(raised) == 1


@pytest.mark.parametrize("stage", ["sqlite"], indirect=True)
def test_what_happens_on_no_tenant_is_no_act_on_the_same_one(stage: Stage) -> None:
    everywhere = replace(tuned(SAME, at_least=1), actions=frozenset({"lease.open", "request.inbox_read"}))
    house = replace(stage.house, book=replace(book(), signals=rules(everywhere)))
    looking = replace(stage, house=house)
    for who in ("support_lead", "support_lead_2"):
        read_inbox(house, looking.actor(who), tab="all", after=None)
    watch(looking)
    assert signals(looking) == []
    visit(looking, "support_lead", "acme")
    watch(looking)
    assert [signal.tenant for signal in signals(looking)] == [tenant("acme")]
    nowhere = Act(
        uid=EntryUid("ent_1"), at=NOON, actor=looking.actor("support_lead").staff, action="request.inbox_read"
    )
    with looking.storage.store.read() as unit:
        assert _past(unit, everywhere, nowhere) == (), "it reads nobody's acts, and not everybody's"
