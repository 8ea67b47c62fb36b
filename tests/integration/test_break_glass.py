"""Break-glass through real storage: who may, what it tells, how it fires, how it is stopped, and what it owes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from console.domain.decisions import Allow, Deny, DenyCode, NeedsStepUp
from console.domain.freezes import Freeze, FreezeScope
from console.domain.ids import ActionKey, FreezeId, ReasonCode
from console.domain.jobs import Job
from console.domain.reasons import Reason, ReferenceVerdict
from console.domain.requests import Request, State
from console.domain.reviews import ReviewKind, ReviewState
from console.domain.staff import Role
from console.storage.requests import StoredRequests
from console.usecases import propose_action as propose
from console.usecases.break_glass import FIRE_JOB, Glass
from console.usecases.change_request import cancel_request, revoke_request
from console.usecases.control_tools import UnitTools
from console.usecases.end_execution import fail
from console.usecases.execute_request import execute_request
from console.usecases.fire_break_glass import fire_break_glass
from console.usecases.house import House
from console.usecases.job_outcomes import Again, Done, JobRefusedError
from console.usecases.keep_time import end_overdue
from console.usecases.outcomes import CountingDown, Ran
from console.usecases.prepare_action import Place
from console.usecases.propose_action import propose_action
from console.usecases.run_jobs import run_due_jobs
from tests.databases import ENGINES, HandClock
from tests.integration.overtaking import overtake
from tests.integration.stage import Stage, behind, new_urls, opened_stage, rows, settle_in, tenant
from tests.web.cast import PEOPLE

FIRE = Reason(code=ReasonCode("BREAK_GLASS"), reference="INC-2301", note="Everybody is locked out.")
SUSPEND = ActionKey("tenant.suspend")
WHY = {"because": "The tenant floods everybody."}


@dataclass(frozen=True)
class Emergency:
    """A stage on which production burns."""

    stage: Stage
    clock: HandClock

    def open(self, who: str = "on_call", slug: str = "acme", reason: Reason = FIRE) -> None:
        self.stage.open(who, slug, reason)

    def smash(
        self,
        who: str = "on_call",
        slug: str = "acme",
        *,
        typed: str | None = None,
        drill: bool = False,
        house: House | None = None,
        reason: Reason = FIRE,
        key: ActionKey = SUSPEND,
        age_s: int = 0,
    ) -> Any:  # noqa: ANN401  any outcome
        house = house or self.stage.house
        actor = self.stage.actor(who)
        actor = replace(actor, stepped_up_at=self.clock.now() - timedelta(seconds=age_s))
        return propose_action(
            house,
            actor,
            key=key,
            tenant=tenant(slug),
            raw=WHY if key == SUSPEND else {},
            reason=reason,
            mark=None,
            form_id=self.stage.form(),
            glass=Glass(typed=slug if typed is None else typed, is_drill=drill),
        )

    def begun(self, **how: Any) -> Request:  # noqa: ANN401  as smash takes it
        answer = self.smash(**how)
        assert isinstance(answer, CountingDown), answer
        return answer.request

    def after(self, seconds: int) -> None:
        self.clock.pass_by(seconds=seconds)
        while run_due_jobs(self.stage.house, worker="w1", limit=20):
            pass

    def told(self, who: str) -> list[str]:
        with self.stage.storage.store.read() as unit:
            return [each.kind for each in unit.outbox.unread(PEOPLE[who].id, limit=20)]


@pytest.fixture(params=ENGINES)
def fire(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Emergency]:
    create = request.getfixturevalue("pg_database") if request.param == "postgresql" else str
    url, planes = new_urls(request.param, tmp_path, create, far=True)
    clock = HandClock()
    with opened_stage(url, planes, clock=clock) as stage:
        settle_in(stage, ["acme", "zeta"], far=["faraway"])
        yield Emergency(stage, clock)


def code(answer: object) -> DenyCode:
    assert isinstance(answer, Deny), answer
    return answer.code


def test_no_glass_is_broken_where_there_is_no_tenant_whatever_the_book_says(fire: Emergency) -> None:
    lift, book = ActionKey("freeze.lift"), fire.stage.house.book
    listed = replace(book.actions[lift], break_glass_allowed=True)  # the loader refuses such a list, too
    house = replace(fire.stage.house, book=replace(book, actions={**book.actions, lift: listed}))
    with house.store.write() as unit:
        unit.freezes.add(
            Freeze(
                id=FreezeId("frz_1"), scope=FreezeScope.TENANT, subject=tenant("acme"), name="Acme", is_drill=False,
                set_by=PEOPLE["administrator"].id, set_at=house.clock.now(), reason=FIRE,
            )
        )  # fmt: skip
    answer = propose_action(
        house,
        replace(fire.stage.actor("on_call"), stepped_up_at=fire.clock.now()),
        key=lift,
        tenant=None,
        raw={"freeze": "frz_1"},
        reason=FIRE,
        mark=None,
        form_id=fire.stage.form(),
    )
    assert code(answer) is DenyCode.REASON_NOT_ACCEPTED  # what policy was asked when it was loaded still holds


@pytest.mark.parametrize("slug", ["acme", "faraway"])
def test_it_counts_down_fires_once_and_owes_a_review(fire: Emergency, slug: str) -> None:
    fire.open(slug=slug)
    request = fire.begun(slug=slug)
    assert request.state is State.COUNTING_DOWN
    assert request.approve_by - request.filed_at == timedelta(seconds=60)
    fire.after(59)
    assert fire.stage.now(request.id).state is State.COUNTING_DOWN
    fire.after(1)
    assert fire.stage.now(request.id).state is State.EXECUTED
    fire.after(60)
    assert fire.stage.entries("action.executed", request.id) == 1
    assert fire.stage.entries("break_glass.begun", request.id) == 1
    with fire.stage.storage.store.read() as unit:
        review = unit.reviews.of(ReviewKind.BREAK_GLASS, request.id)
        row = unit.directory.get(tenant(slug))
    assert review is not None
    assert review.due_at == request.filed_at + timedelta(hours=24)
    assert row is not None
    assert row.status.value == "suspended"


@pytest.mark.checklist("EAM-90")
def test_everybody_who_was_skipped_and_security_is_told_at_once(fire: Emergency) -> None:
    fire.open()
    answer = fire.smash()
    assert isinstance(answer, CountingDown)
    skipped = [who for who in PEOPLE if "break_glass" in fire.told(who)]
    assert set(skipped) == {
        "support_lead", "support_lead_2", "finance_lead", "finance_lead_2", "security_auditor",
    }  # fmt: skip
    assert answer.told == len(skipped)
    assert "break_glass" not in fire.told("on_call")


def test_nobody_to_tell_means_no_start(fire: Emergency) -> None:
    fire.open()
    with fire.stage.storage.store.write() as unit:
        for who in PEOPLE:
            if who != "on_call":
                unit.staff.set_roles(PEOPLE[who].id, frozenset({Role.SUPPORT_AGENT}), at=fire.clock.now())
    assert code(fire.smash()) is DenyCode.NOBODY_TOLD


def test_a_notice_that_cannot_be_written_stops_the_start(fire: Emergency) -> None:
    fire.open()
    name = "notice_is_out"
    if fire.stage.url.startswith("sqlite"):
        sql = f"CREATE TRIGGER {name} BEFORE INSERT ON notice BEGIN SELECT RAISE(ABORT, 'out'); END"
    else:
        sql = "ALTER TABLE notice ADD CONSTRAINT notice_is_out CHECK (kind <> 'break_glass')"
    rows(fire.stage.url, sql)
    with pytest.raises(Exception, match="out"):
        fire.smash()
    assert fire.stage.count("SELECT count(*) FROM request") == 0
    assert fire.stage.count("SELECT count(*) FROM break_glass_use") == 0


def test_the_requester_stops_it_within_the_minute(fire: Emergency) -> None:
    fire.open()
    request = fire.begun()
    assert isinstance(cancel_request(fire.stage.house, fire.stage.actor("on_call"), request_id=request.id), Request)
    fire.after(120)
    assert fire.stage.now(request.id).state is State.CANCELLED
    assert fire.stage.entries("action.executed", request.id) == 0
    with fire.stage.storage.store.read() as unit:
        review = unit.reviews.of(ReviewKind.BREAK_GLASS, request.id)
        assert unit.reviews.owed_by(request.requester_person) is None
    assert review is not None
    assert review.state is ReviewState.WITHDRAWN


def test_an_approver_who_was_skipped_stops_it_and_nobody_else(fire: Emergency) -> None:
    fire.open()
    request = fire.begun()
    stranger = revoke_request(fire.stage.house, fire.stage.actor("finance"), request_id=request.id, because="No.")
    assert code(stranger) is DenyCode.NOT_YOURS
    stopped = revoke_request(fire.stage.house, fire.stage.actor("support_lead"), request_id=request.id, because="No.")
    assert isinstance(stopped, Request)
    fire.after(120)
    assert fire.stage.now(request.id).state is State.REVOKED


def test_nobody_runs_it_before_its_minute_is_over(fire: Emergency) -> None:
    fire.open()
    request = fire.begun()
    early = execute_request(fire.stage.house, fire.stage.actor("on_call"), request_id=request.id)
    assert code(early) is DenyCode.WRONG_STATE
    fire.clock.pass_by(seconds=60)
    run = execute_request(fire.stage.house, fire.stage.actor("on_call"), request_id=request.id)
    assert isinstance(run, Ran)


def test_a_runner_that_was_down_too_long_fires_nothing(fire: Emergency) -> None:
    fire.open()
    request = fire.begun()
    fire.clock.pass_by(minutes=7)
    assert end_overdue(fire.stage.house) >= 1
    fire.after(0)
    assert fire.stage.now(request.id).state is State.EXPIRED_APPROVED
    assert fire.stage.entries("action.executed", request.id) == 0


@pytest.mark.checklist("EAM-90")
def test_an_unreviewed_use_blocks_that_persons_next_one(fire: Emergency) -> None:
    fire.open()
    fire.begun()
    fire.after(60)
    fire.open(slug="zeta")
    assert code(fire.smash(slug="zeta")) is DenyCode.REVIEW_OWED
    assert isinstance(fire.smash(slug="zeta", drill=True), CountingDown)


@pytest.mark.parametrize(
    ("how", "wanted"),
    [
        ({"typed": "ACME"}, DenyCode.INTENT_NOT_TYPED),
        ({"typed": ""}, DenyCode.INTENT_NOT_TYPED),
        ({"key": ActionKey("webhook.test_send")}, DenyCode.REASON_NOT_ACCEPTED),
    ],
)
def test_it_refuses_what_is_not_meant(fire: Emergency, how: dict[str, Any], wanted: DenyCode) -> None:
    fire.open()
    answer = fire.smash(**how)
    if how.get("key"):
        assert not isinstance(answer, CountingDown | Ran)
        return
    assert code(answer) is wanted
    assert fire.stage.entries("request.refused") == 1


@pytest.mark.parametrize("verdict", [ReferenceVerdict.UNCHECKED])
def test_without_a_ticket_system_that_vouches_there_is_no_emergency(fire: Emergency, verdict: ReferenceVerdict) -> None:
    class Silent:
        def verdict(self, *, kind: str, reference: str, tenant: object) -> ReferenceVerdict:
            return verdict

    fire.open()
    assert code(fire.smash(house=behind(fire.stage, tickets=Silent()))) is DenyCode.REFERENCE_UNVOUCHED


@pytest.mark.parametrize(
    ("reference", "wanted"),
    [
        ("INC-404", DenyCode.REFERENCE_UNKNOWN),
        ("INC-403", DenyCode.REFERENCE_FOREIGN),
        ("INC-410", DenyCode.REFERENCE_CLOSED),
    ],
)
def test_the_incident_is_open_and_names_this_tenant(fire: Emergency, reference: str, wanted: DenyCode) -> None:
    fire.open()
    assert code(fire.smash(reason=replace(FIRE, reference=reference))) is wanted


def test_it_needs_the_lease_that_was_opened_for_it(fire: Emergency) -> None:
    fire.open(reason=Reason(code=ReasonCode("INCIDENT_RESPONSE"), reference="INC-2301"))
    assert code(fire.smash()) is DenyCode.REASON_NOT_ACCEPTED
    fire.open()
    other = replace(FIRE, reference="INC-2302")
    assert code(fire.smash(reason=other)) is DenyCode.REASON_NOT_ACCEPTED
    lease = fire.stage.open("on_call", "acme", FIRE)
    assert lease.not_after - lease.opened_at == timedelta(minutes=15)


def test_it_asks_for_a_fresh_second_factor(fire: Emergency) -> None:
    fire.open()
    assert isinstance(fire.smash(age_s=601), NeedsStepUp)


@pytest.mark.checklist("EAM-90")
def test_a_drill_rehearses_all_of_it_and_changes_nothing(fire: Emergency) -> None:
    fire.open()
    request = fire.begun(drill=True)
    assert "break_glass" in fire.told("security_auditor")
    fire.after(60)
    ended = fire.stage.now(request.id)
    assert (ended.state, ended.ended_because) == (
        State.CANCELLED,
        "it was a drill; it would have run, and nothing was changed",
    )
    assert fire.stage.entries("break_glass.rehearsed", request.id) == 1
    assert fire.stage.entries("action.executed", request.id) == 0
    with fire.stage.storage.store.read() as unit:
        assert unit.reviews.owed_by(request.requester_person) is None
        assert unit.glass.tainting(tenant("acme"), fire.clock.now()) is None
        row = unit.directory.get(tenant("acme"))
    assert row is not None
    assert row.status.value == "active"


def test_it_taints_the_tenant_for_a_week(fire: Emergency) -> None:
    fire.open()
    request = fire.begun()
    fire.after(60)
    with fire.stage.storage.store.read() as unit:
        day = timedelta(days=1)
        for moment, is_tainted in (
            (request.filed_at - timedelta(seconds=1), False),
            (request.filed_at + 6 * day, True),
            (request.filed_at + 7 * day - timedelta(seconds=1), True),
            (request.filed_at + 7 * day, False),
        ):
            assert (unit.glass.tainting(tenant("acme"), moment) is not None) is is_tainted
        assert unit.glass.tainting(tenant("zeta"), request.filed_at + day) is None


def test_a_deactivated_person_fires_nothing(fire: Emergency) -> None:
    fire.open()
    request = fire.begun()
    with fire.stage.storage.store.write() as unit:
        unit.staff.set_active(PEOPLE["on_call"].id, is_active=False, at=fire.clock.now())
    fire.after(60)
    assert fire.stage.now(request.id).state is State.COUNTING_DOWN
    assert fire.stage.entries("action.executed", request.id) == 0
    assert fire.stage.entries("job.refused") == 1


def test_a_tenant_that_changed_meanwhile_is_left_as_it_is(fire: Emergency) -> None:
    fire.open()
    request = fire.begun()
    rows(fire.stage.url, "UPDATE plane_account SET status = 'suspended' WHERE tenant_id = ?", tenant("acme"))
    fire.after(60)
    assert fire.stage.now(request.id).state is State.STALE
    assert fire.stage.entries("action.executed", request.id) == 0


def expired(fire: Emergency, request: Request) -> None:
    fire.clock.pass_by(minutes=7)
    end_overdue(fire.stage.house)


def expired_as_it_was_run(fire: Emergency, request: Request) -> None:
    fire.clock.pass_by(minutes=7)
    execute_request(fire.stage.house, fire.stage.actor("on_call"), request_id=request.id)


def overtaken_by_the_tenant(fire: Emergency, request: Request) -> None:
    rows(fire.stage.url, "UPDATE plane_account SET status = 'suspended' WHERE tenant_id = ?", tenant("acme"))
    fire.after(60)


def failed(fire: Emergency, request: Request) -> None:
    fire.clock.pass_by(seconds=60)
    with fire.stage.storage.store.write() as unit:
        fail(fire.stage.house, unit, fire.stage.actor("on_call"), request, "It does not work.", at=fire.clock.now())


def stopped(fire: Emergency, request: Request) -> None:
    cancel_request(fire.stage.house, fire.stage.actor("on_call"), request_id=request.id)


def left_by_its_requester(fire: Emergency, request: Request) -> None:
    with fire.stage.storage.store.write() as unit:
        actor = fire.stage.actor("administrator")
        tools = UnitTools(house=fire.stage.house, unit=unit, actor=actor, tenant=None)
        tools.end_everything_of(PEOPLE["on_call"].id, at=fire.clock.now())


ENDINGS: Mapping[Callable[[Emergency, Request], None], State] = {
    expired: State.EXPIRED_APPROVED,
    expired_as_it_was_run: State.EXPIRED_APPROVED,
    overtaken_by_the_tenant: State.STALE,
    failed: State.FAILED,
    stopped: State.CANCELLED,
    left_by_its_requester: State.CANCELLED,
}


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda ending: ending.__name__)
def test_a_use_that_did_nothing_owes_no_review_and_casts_no_shadow(
    fire: Emergency, ending: Callable[[Emergency, Request], None]
) -> None:
    fire.open()
    request = fire.begun()
    ending(fire, request)
    assert fire.stage.now(request.id).state is ENDINGS[ending]
    with fire.stage.storage.store.read() as unit:
        review = unit.reviews.of(ReviewKind.BREAK_GLASS, request.id)
        assert unit.reviews.owed_by(request.requester_person) is None
        assert unit.glass.tainting(tenant("acme"), fire.clock.now()) is None
    assert review is not None
    assert review.state is ReviewState.WITHDRAWN
    assert fire.stage.entries("action.executed", request.id) == 0
    fire.open(slug="zeta")
    assert isinstance(fire.smash(slug="zeta"), CountingDown)


SMALL = pytest.mark.parametrize("fire", ["sqlite"], indirect=True)


def firing(fire: Emergency) -> Job:
    """Return the job that fires what counts down."""
    with fire.stage.storage.store.read() as unit:
        (job,) = unit.jobs.page(state=None, kind=FIRE_JOB, fingerprint=None, tenant=None, before=None, limit=1)
    return job


@SMALL
@pytest.mark.parametrize("spoiled", [{"payload": {}}, {"actor": PEOPLE["engineer"].id}, {"actor": None}])
def test_no_job_fires_what_nobody_broke_glass_for(fire: Emergency, spoiled: dict[str, Any]) -> None:
    fire.open()
    request = fire.begun()
    fire.clock.pass_by(seconds=60)
    with pytest.raises(JobRefusedError, match="no such use of break-glass"):
        fire_break_glass(fire.stage.house, replace(firing(fire), **spoiled))
    assert fire.stage.now(request.id).state is State.COUNTING_DOWN


@SMALL
def test_a_job_that_comes_too_early_waits_and_one_that_comes_too_late_does_nothing(fire: Emergency) -> None:
    fire.open()
    request, job = fire.begun(), firing(fire)
    fire.clock.pass_by(seconds=59)
    assert fire_break_glass(fire.stage.house, job) == Again(at=request.approve_by)
    assert fire.stage.now(request.id).state is State.COUNTING_DOWN
    fire.after(1)
    assert fire_break_glass(fire.stage.house, job) == Done()
    assert fire.stage.entries("action.executed", request.id) == 1


@SMALL
def test_a_drill_that_somebody_stops_as_it_ends_was_not_rehearsed(
    fire: Emergency, monkeypatch: pytest.MonkeyPatch
) -> None:
    fire.open()
    request = fire.begun(drill=True)
    overtake(monkeypatch, StoredRequests, "move")
    fire.after(60)
    assert fire.stage.now(request.id).state is State.CANCELLED
    assert fire.stage.entries("break_glass.rehearsed") == 0
    assert "drill" not in fire.told("on_call")


@SMALL
def test_no_glass_is_broken_where_there_is_no_tenant_even_if_policy_allowed_it(fire: Emergency) -> None:
    nowhere = Place(row=None, lease=None, scope=None)
    fire.open()
    request = fire.begun()
    with fire.stage.storage.store.write() as unit:
        answer = propose._broken(
            fire.stage.house, unit, fire.stage.actor("on_call"), request, Allow(rules=()), place=nowhere,
            breaking=(Glass(typed="acme", is_drill=False), True), now=fire.clock.now(),
        )  # fmt: skip
    assert code(answer) is DenyCode.BREAK_GLASS_NOT_ALLOWED
