"""The kill switch through real storage: everything that is not reading is refused at once, wherever it would happen."""

from datetime import timedelta
from typing import Any

import pytest

from console.domain.decisions import Deny, DenyCode
from console.domain.freezes import Door
from console.domain.ids import ActionKey
from console.domain.jobs import JobDraft, JobState
from console.domain.leases import LeaseEnd
from console.domain.reasons import Effect
from console.domain.requests import State, Verdict
from console.policy.book import MACHINERY
from console.policy.decide import neutral_facts
from console.usecases import run_jobs
from console.usecases.asking import ask, query
from console.usecases.execute_request import execute_request, run_in_unit
from console.usecases.job_kinds import KINDS
from console.usecases.open_lease import open_lease
from console.usecases.opened_tenant import one, read_opened
from console.usecases.outcomes import Ran, Waiting
from console.usecases.read_home import read_home, read_places
from console.usecases.recording import RefusedInsideError
from console.usecases.run_jobs import run_due_jobs
from console.usecases.search_directory import search_directory
from console.usecases.vote_on_request import Voted, vote_on_request
from tests.integration.kill_switch import DRILL, LIFT, LOOKS_BY_ITSELF, READS, SET, TAKES_AWAY, Switch, code, switch
from tests.integration.stage import CONTRACT, registry, tenant
from tests.web.cast import PEOPLE

__all__ = ["switch"]


def test_it_closes_every_tenant_and_opens_none(switch: Switch) -> None:
    lease = switch.stage.open("support_agent", "acme")
    switch.freeze()
    with switch.stage.storage.store.read() as unit:
        ended = unit.leases.get(lease.id)
    assert ended is not None
    assert ended.ended_by is LeaseEnd.FROZEN
    again = open_lease(
        switch.stage.house, switch.stage.actor("finance"), tenant=tenant("zeta"), reason=CONTRACT, minutes=None
    )
    assert code(again) is DenyCode.FROZEN
    assert switch.stage.entries("lease.end") == 1
    assert switch.stage.entries("lease.refused") == 1


def test_one_person_freezes_at_once_and_two_lift(switch: Switch) -> None:
    freeze = switch.freeze(who="administrator")
    alone = switch.control("administrator", LIFT, {"freeze": freeze})
    assert isinstance(alone, Waiting)
    switch.stage.see("on_call", alone.request.id)
    assert isinstance(switch.stage.approve("on_call", alone.request), Voted)
    switch.stage.open("support_agent", "acme")
    assert isinstance(switch.note(), Ran)


def test_it_pauses_votes_and_executions_until_it_is_lifted(switch: Switch) -> None:
    switch.stage.open("support_agent", "acme")
    waiting, approved = (switch.stage.filed("support_agent", "acme", value) for value in (200, 300))
    switch.stage.approve("finance_lead", approved)
    assert switch.stage.now(approved.id).state is State.APPROVED
    freeze = switch.freeze()
    switch.stage.see("finance_lead", waiting.id)
    vote = vote_on_request(
        switch.stage.house, switch.stage.actor("finance_lead"), request_id=waiting.id, digest=waiting.digest,
        verdict=Verdict.APPROVE,
    )  # fmt: skip
    assert code(vote) is DenyCode.FROZEN
    run = execute_request(switch.stage.house, switch.stage.actor("support_agent"), request_id=approved.id)
    assert code(run) is DenyCode.FROZEN
    assert (switch.stage.now(waiting.id).state, switch.stage.now(approved.id).state) == (State.PENDING, State.APPROVED)
    assert switch.stage.entries("request.vote_refused") == switch.stage.entries("request.execute_refused") == 1
    switch.thaw(freeze)
    run = execute_request(switch.stage.house, switch.stage.actor("support_agent"), request_id=approved.id)
    assert isinstance(run, Ran)


def test_the_executor_refuses_by_itself_whatever_was_decided_before(switch: Switch) -> None:
    switch.stage.open("support_agent", "acme")
    request = switch.stage.filed("support_agent", "acme", 200)
    switch.stage.approve("finance_lead", request)
    approved = switch.stage.now(request.id)
    switch.freeze("tenant", "acme")
    house, actor = switch.stage.house, switch.stage.actor("support_agent")
    with pytest.raises(RefusedInsideError) as inside, house.store.write() as unit:
        run_in_unit(house, unit, actor, approved, now=house.clock.now())
    assert inside.value.deny.code is DenyCode.FROZEN


def test_reading_goes_on(switch: Switch) -> None:
    switch.freeze()
    house, actor = switch.stage.house, switch.stage.actor("support_agent")
    assert read_home(house, actor).may_open
    assert not isinstance(search_directory(house, actor, typed="acme"), Deny)
    frozen = read_places(house, actor).frozen
    assert frozen is not None
    assert frozen.sentence == "Everything is frozen"


def test_one_person_is_frozen_and_nobody_else(switch: Switch) -> None:
    mine, theirs = switch.stage.open("support_agent", "acme"), switch.stage.open("support_lead", "acme")
    switch.freeze("person", PEOPLE["support_agent"].email)
    with switch.stage.storage.store.read() as unit:
        assert (unit.leases.get(mine.id), unit.leases.get(theirs.id)) != (None, None)
        ended = [each.id for each in (mine, theirs) if unit.leases.get(each.id).ended_by]  # type: ignore[union-attr]
    assert ended == [mine.id]
    assert code(switch.note("support_agent")) is DenyCode.NO_LEASE
    assert isinstance(switch.note("support_lead"), Ran)


def test_a_vendor_is_frozen_with_all_of_its_people(switch: Switch) -> None:
    for who in ("support_agent", "finance"):
        switch.vendor(who, "northwind")
        switch.stage.open(who, "acme")
    switch.stage.open("support_lead", "acme")
    switch.freeze("vendor", "northwind")
    for who in ("support_agent", "finance"):
        answer = open_lease(
            switch.stage.house, switch.stage.actor(who), tenant=tenant("zeta"), reason=CONTRACT, minutes=None
        )
        assert code(answer) is DenyCode.FROZEN
    assert isinstance(switch.note("support_lead"), Ran)
    # whoever joins the vendor later lies under it, and whoever leaves it does not
    switch.vendor("support_lead", "northwind")
    assert code(switch.note("support_lead")) is DenyCode.FROZEN
    switch.vendor("support_lead", None)
    assert isinstance(switch.note("support_lead"), Ran)


def test_one_tenant_is_frozen_and_no_other(switch: Switch) -> None:
    for slug in ("acme", "zeta"):
        switch.stage.open("support_agent", slug)
    switch.freeze("tenant", "acme")
    house, actor = switch.stage.house, switch.stage.actor("support_agent")
    assert code(open_lease(house, actor, tenant=tenant("acme"), reason=CONTRACT, minutes=None)) is DenyCode.FROZEN
    assert isinstance(switch.note(slug="zeta"), Ran)


def test_what_a_frozen_person_asked_for_is_run_by_nobody(switch: Switch) -> None:
    switch.stage.open("support_agent", "acme")
    request = switch.stage.filed("support_agent", "acme", 200)
    switch.stage.approve("finance_lead", request)
    switch.freeze("person", PEOPLE["support_agent"].email)
    run = execute_request(switch.stage.house, switch.stage.actor("finance_lead"), request_id=request.id)
    assert code(run) is DenyCode.FROZEN


def test_a_frozen_person_neither_freezes_nor_lifts_nor_votes_on_it(switch: Switch) -> None:
    everything = switch.freeze()
    switch.freeze("person", PEOPLE["on_call"].email, who="administrator")
    assert code(switch.control("on_call", SET, {"scope": "tenant", "subject": "acme"})) is DenyCode.FROZEN
    assert code(switch.control("on_call", LIFT, {"freeze": everything})) is DenyCode.FROZEN
    lifting = switch.control("administrator", LIFT, {"freeze": everything})
    switch.stage.see("on_call", lifting.request.id)
    vote = vote_on_request(
        switch.stage.house, switch.stage.actor("on_call"), request_id=lifting.request.id,
        digest=lifting.request.digest, verdict=Verdict.APPROVE,
    )  # fmt: skip
    assert code(vote) is DenyCode.FROZEN


def test_a_plane_elsewhere_is_frozen_too(switch: Switch) -> None:
    switch.stage.open("support_agent", "faraway")
    assert isinstance(switch.note(slug="faraway"), Ran)
    request = switch.stage.filed("support_agent", "faraway", 200)
    switch.stage.approve("finance_lead", request)
    switch.freeze("tenant", "faraway")
    run = execute_request(switch.stage.house, switch.stage.actor("support_agent"), request_id=request.id)
    assert code(run) is DenyCode.FROZEN


def test_every_kind_of_job_rests_and_goes_on_afterwards(switch: Switch) -> None:
    with switch.stage.storage.store.write() as unit:
        jobs = {
            kind: unit.jobs.add(
                JobDraft(kind=kind, key=f"test:{kind}", tenant=tenant("acme") if each.is_tenant_bound else None),
                at=switch.clock.now(),
            )
            for kind, each in KINDS.items()
        }
    freeze = switch.freeze()
    while run_due_jobs(switch.stage.house, worker="w1", limit=50):
        pass
    with switch.stage.storage.store.read() as unit:
        stood = {kind: unit.jobs.get(job) for kind, job in jobs.items() if job is not None}
    assert {kind for kind, job in stood.items() if job is None or job.state is not JobState.QUEUED} == set()
    assert {kind for kind, job in stood.items() if job is None or job.attempts or job.last_error} == set()
    assert switch.stage.entries("job.paused") == len(KINDS)
    switch.clock.pass_by(minutes=1)
    while run_due_jobs(switch.stage.house, worker="w1", limit=50):
        pass
    assert switch.stage.entries("job.paused") == len(KINDS)  # told once, however long it lasts
    switch.thaw(freeze)
    switch.clock.pass_by(minutes=1)
    assert run_due_jobs(switch.stage.house, worker="w1", limit=1) == 1


def test_a_job_of_a_frozen_person_rests_in_the_middle(switch: Switch) -> None:
    handed = []
    with switch.stage.storage.store.write() as unit:
        unit.jobs.add(
            JobDraft(kind="webhook.hold", key="test", tenant=tenant("acme"), actor=PEOPLE["engineer"].id),
            at=switch.clock.now(),
        )
    kind = KINDS["webhook.hold"]

    def frozen_meanwhile(house: Any, job: Any) -> Any:  # noqa: ANN401  a handler
        switch.freeze("person", PEOPLE["engineer"].email)
        with house.store.write() as unit:
            handed.append(unit)
        return kind.handler(house, job)

    with pytest.MonkeyPatch.context() as patch:
        changed = dict(KINDS) | {
            "webhook.hold": type(kind)(
                kind=kind.kind, title=kind.title, handler=frozen_meanwhile, is_tenant_bound=kind.is_tenant_bound
            )
        }
        patch.setattr(run_jobs, "KINDS", changed)
        run_due_jobs(switch.stage.house, worker="w1")
    assert handed == []
    assert switch.stage.entries("job.paused") == 1


def test_no_action_and_no_verb_is_left_out(switch: Switch) -> None:
    policy = switch.stage.house.book
    assert policy.paused - MACHINERY == {key for key, each in registry().items() if each.effect is not Effect.READ}
    assert MACHINERY - policy.paused == READS - {ActionKey("tenant.read")} | TAKES_AWAY | LOOKS_BY_ITSELF


def test_every_action_asks_for_the_freeze_in_its_unit(switch: Switch) -> None:
    switch.freeze()
    house = switch.stage.house
    for key in sorted(house.book.paused):
        asked = query(
            switch.stage.actor("support_agent"), key, now=house.clock.now(), tenant=tenant("acme"),
            leased=tenant("acme"), facts=dict(neutral_facts(house.book, key)),
        )  # fmt: skip
        with pytest.raises(TypeError, match="ask in the unit"):
            ask(house, asked)
        with house.store.read() as unit:
            answer = ask(house, asked, unit)
        assert isinstance(answer, Deny)
        if key not in house.book.containing:
            said = {house.book.rules[rule].deny_code for rule in answer.rules}
            assert DenyCode.FROZEN in said, key


def test_a_drill_measures_every_door_and_refuses_nobody(switch: Switch) -> None:
    switch.stage.open("support_agent", "acme")
    assert isinstance(switch.control("on_call", DRILL, {}), Ran)
    assert isinstance(switch.note(), Ran)
    switch.clock.pass_by(seconds=1)
    run_due_jobs(switch.stage.house, worker="w1")
    with switch.stage.storage.store.read() as unit:
        assert unit.freezes.standing() == []
        (drill,) = unit.freezes.newest(limit=5)
        seen = unit.freezes.sightings(drill.id)
    assert drill.is_drill
    assert {each.door for each in seen} == set(Door)
    took = {each.door: each.at - drill.set_at for each in seen}
    assert took[Door.ASKING] == timedelta()  # real work saw it before the drill's own questions
    assert took[Door.JOBS] == timedelta(seconds=1)
    assert switch.stage.entries("freeze.rehearsed") == 1
    switch.clock.pass_by(minutes=11)
    with switch.stage.storage.store.write() as unit:
        assert unit.freezes.drills(staff=None, tenant=None, now=switch.clock.now()) == []


def test_pages_of_an_opened_tenant_are_gone_on_the_next_request(switch: Switch) -> None:
    switch.stage.open("support_agent", "acme")
    switch.freeze("tenant", "acme")
    answer = read_opened(
        switch.stage.house, switch.stage.actor("support_agent"), tenant("acme"), page="members",
        read=lambda _unit, opened, _plane: opened, records=one,
    )  # fmt: skip
    assert code(answer) is DenyCode.NO_LEASE
