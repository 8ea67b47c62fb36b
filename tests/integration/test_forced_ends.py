"""Whatever ends an impersonation or a lease by force writes it in its own transaction, and once."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest

from console.domain.errors import OutsideError
from console.domain.freezes import FreezeScope
from console.domain.ids import ActionKey, ImpersonationId, ReasonCode, RequestId, SessionKey, StaffId
from console.domain.impersonations import Impersonation, ImpersonationEnd
from console.domain.leases import LeaseEnd
from console.domain.reasons import Reason, ReferenceVerdict
from console.domain.staff import Origin, Role
from console.domain.trust.access_policy import ImpersonationRule, Notify
from console.domain.trust.tokens import CustomerToken, token_hash
from console.ports.outbox import Notice
from console.storage.requests import StoredRequests
from console.usecases import leases_ending
from console.usecases.control_tools import UnitTools
from console.usecases.customer_policy import PolicySheet, Wanted, set_policy_by_token
from console.usecases.deliver_notices import deliver_notices
from console.usecases.end_impersonation import end_impersonation, sweep_impersonations
from console.usecases.impersonation_standing import holder_of, ticket_of
from console.usecases.keep_time import end_overdue
from console.usecases.outcomes import Ran, Waiting
from console.usecases.own_sessions import revoke_session
from console.usecases.propose_action import propose_action
from console.usecases.spend_consent import to_begin
from tests.conftest import NewDatabase
from tests.integration.overtaking import overtake
from tests.integration.stage import CONTRACT
from tests.web.cast import PEOPLE, Browser, Cast, on_stage, peopled_postgres, peopled_url
from tests.web.customer_stage import DECIDES
from tests.web.product_stage import TICKET, Entered, Kit, actor, begun, entered, member
from tests.web.world import NORDWIND, TENANTS

AGENT, LEAD = PEOPLE["support_agent"].id, PEOPLE["support_lead"].id
INCIDENT = Reason(code=ReasonCode("CONTAINMENT"), reference="INC-2301")
ENDS = ("impersonation.ended", "impersonation.expired")
LEASE_ENDS = ("lease.end", "lease.expired")
ROUNDS = 6


def asked(cast: Cast, who: str, key: str, **raw: str) -> None:
    """Run a control action as somebody who has just confirmed who they are."""
    cast.sign_in(who)
    answer = propose_action(
        cast.house, actor(cast, who), key=ActionKey(key), tenant=None, raw=raw, reason=INCIDENT, mark=None,
        form_id=RequestId(cast.house.ids.new("req")),
    )  # fmt: skip
    assert isinstance(answer, Ran), answer


def by_freezing_all(cast: Cast, agent: Browser, inside: Entered) -> None:
    asked(cast, "on_call", "freeze.set", scope="all", subject="")


def by_freezing_the_person(cast: Cast, agent: Browser, inside: Entered) -> None:
    asked(cast, "on_call", "freeze.set", scope="person", subject=PEOPLE["support_agent"].email)


def by_freezing_the_tenant(cast: Cast, agent: Browser, inside: Entered) -> None:
    asked(cast, "on_call", "freeze.set", scope="tenant", subject="nordwind")


def by_freezing_the_vendor(cast: Cast, agent: Browser, inside: Entered) -> None:
    with cast.house.store.write() as unit:
        unit.staff.set_vendor(AGENT, "northwind")
    asked(cast, "on_call", "freeze.set", scope="vendor", subject="northwind")


def by_closing_the_tenant(cast: Cast, agent: Browser, inside: Entered) -> None:
    with cast.house.store.read() as unit:
        (lease,) = unit.leases.open_of(AGENT)
    assert agent.post(f"/leases/{lease.id}/end").status_code == 303


def by_opening_it_anew(cast: Cast, agent: Browser, inside: Entered) -> None:
    assert cast.open_tenant(agent, "nordwind", reference="ZD-99999").status_code == 303


def by_signing_out(cast: Cast, agent: Browser, inside: Entered) -> None:
    assert agent.post("/sign-out").status_code == 303


def by_revoking_the_session(cast: Cast, agent: Browser, inside: Entered) -> None:
    me = actor(cast, "support_agent")
    assert me.session is not None
    assert revoke_session(cast.house, me, key=me.session) is None


def by_losing_the_role(cast: Cast, agent: Browser, inside: Entered) -> None:
    cast.sign_in("administrator")
    with cast.house.store.write() as unit:
        unit.staff.set_roles(AGENT, frozenset({Role.FINANCE}), at=cast.clock.now())
        tools = UnitTools(house=cast.house, unit=unit, actor=actor(cast, "administrator"), tenant=None)
        assert tools.end_without_role(AGENT, at=cast.clock.now()) == 1


def by_deactivation(cast: Cast, agent: Browser, inside: Entered) -> None:
    cast.sign_in("administrator")
    with cast.house.store.write() as unit:
        unit.staff.set_active(AGENT, is_active=False, at=cast.clock.now())
        tools = UnitTools(house=cast.house, unit=unit, actor=actor(cast, "administrator"), tenant=None)
        tools.end_everything_of(AGENT, at=cast.clock.now())


def by_the_customer(cast: Cast, agent: Browser, inside: Entered) -> None:
    made = CustomerToken(
        id="cut_1", tenant=TENANTS["nordwind"], label="Program", may_decide=True, made_by=LEAD,
        made_at=cast.clock.now(),
    )  # fmt: skip
    with cast.house.store.write() as unit:
        unit.customer_tokens.add(made, hashed=token_hash(DECIDES) or "")
    wanted = Wanted(impersonation=ImpersonationRule.CONSENT, notify=Notify.DIGEST)
    assert isinstance(set_policy_by_token(cast.house, token=DECIDES, wanted=wanted, origin=Origin()), PolicySheet)


def by_the_member(cast: Cast, agent: Browser, inside: Entered) -> None:
    event = {"id": "evt-1", "kind": "member.password_reset", "tenant": NORDWIND, "member": "nordwind-m2",
             "at": "2026-11-21T12:00:00Z"}  # fmt: skip
    assert Kit(cast).call("/product/events", document=event).status_code == 200


Cause = Callable[[Cast, Browser, Entered], None]
CAUSES: Mapping[Cause, ImpersonationEnd] = {
    by_freezing_all: ImpersonationEnd.FROZEN,
    by_freezing_the_person: ImpersonationEnd.FROZEN,
    by_freezing_the_tenant: ImpersonationEnd.FROZEN,
    by_freezing_the_vendor: ImpersonationEnd.FROZEN,
    by_closing_the_tenant: ImpersonationEnd.LEASE_END,
    by_opening_it_anew: ImpersonationEnd.LEASE_END,
    by_signing_out: ImpersonationEnd.SIGN_OUT,
    by_revoking_the_session: ImpersonationEnd.SIGN_OUT,
    by_losing_the_role: ImpersonationEnd.ROLE_LOST,
    by_deactivation: ImpersonationEnd.DEACTIVATED,
    by_the_customer: ImpersonationEnd.OPTED_OUT,
    by_the_member: ImpersonationEnd.MEMBER_RESET,
}
KEEPS_THE_LEASE = {by_losing_the_role, by_the_customer, by_the_member}


@pytest.fixture(params=["sqlite", "postgresql"])
def cast(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Cast]:
    with on_stage(peopled_url(request.param, tmp_path / "cast.db", pg_database)) as cast:
        yield cast


def kept(cast: Cast, sid: ImpersonationId) -> Impersonation:
    with cast.house.store.read() as unit:
        row = unit.impersonations.get(sid)
    assert row is not None
    return row


def ends(cast: Cast, sid: ImpersonationId) -> list[str]:
    """Return why an impersonation ended, as each entry of its end tells it."""
    return [entry["facts"]["because"] for action in ENDS for entry in cast.entries(action)
            if entry["correlation"] == sid]  # fmt: skip


def lease_ends(cast: Cast) -> list[str]:
    return [entry["facts"]["lease"] for action in LEASE_ENDS for entry in cast.entries(action)]


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.__name__)
def test_its_cause_writes_the_end_itself_and_nobody_writes_it_again(cast: Cast, cause: Cause) -> None:
    agent = cast.sign_in("support_agent")
    inside = entered(cast, agent)
    agent.get("/account")
    cause(cast, agent, inside)
    word = CAUSES[cause]
    row = kept(cast, inside.sid)
    assert (row.ended_by, ends(cast, inside.sid)) == (word, [word.value])
    closed = lease_ends(cast)
    assert len(closed) == len(set(closed)) == (0 if cause in KEEPS_THE_LEASE else 1)
    end_overdue(cast.house)
    assert Kit(cast).introspect(inside.token)["ended_by"] == word.value
    end_overdue(cast.house)
    assert ends(cast, inside.sid) == [word.value]
    assert lease_ends(cast) == closed


def crowd(cast: Cast) -> list[ImpersonationId]:
    """Let two people act for members, with five opened tenants between them."""
    for who in ("support_agent", "support_lead"):
        browser = cast.sign_in(who)
        for slug in ("nordwind", "kestrel"):
            cast.open_tenant(browser, slug)
    return [begun(cast, "support_agent", slug="nordwind"), begun(cast, "support_lead", slug="kestrel", number=1)]


def test_a_freeze_of_everything_ends_everybodys_and_spares_other_scopes(cast: Cast) -> None:
    sids = crowd(cast)
    asked(cast, "on_call", "freeze.set", scope="tenant", subject="kestrel")
    assert [kept(cast, sid).ended_by for sid in sids] == [None, ImpersonationEnd.FROZEN]
    asked(cast, "administrator", "freeze.set", scope="all", subject="")
    assert [ends(cast, sid) for sid in sids] == [["frozen"], ["frozen"]]
    assert len(lease_ends(cast)) == len(set(lease_ends(cast))) == 4
    said = cast.entries("action.executed")[-1]
    assert said["governed"] == "freeze.set"


def test_what_one_transaction_does_not_end_the_sweep_does_once_each(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    sids = crowd(cast)
    monkeypatch.setattr(leases_ending, "AT_ONCE", 1)
    asked(cast, "on_call", "freeze.set", scope="all", subject="")
    assert sum(kept(cast, sid).ended_by is not None for sid in sids) in {1, 2}, "one by itself, one with its lease"
    assert len(lease_ends(cast)) == 1
    with cast.house.store.write() as unit:
        (freeze,) = unit.freezes.standing()
        tools = UnitTools(house=cast.house, unit=unit, actor=actor(cast, "on_call"), tenant=None)
        assert not tools.end_under(freeze, at=cast.clock.now()), "it is not lifted while something lies under it"
    end_overdue(cast.house)
    end_overdue(cast.house)
    with cast.house.store.read() as unit:
        assert not unit.leases.open_under(FreezeScope.ALL, "", limit=9)
    assert [ends(cast, sid) for sid in sids] == [["frozen"], ["frozen"]]
    assert len(lease_ends(cast)) == len(set(lease_ends(cast))) == 4


class Sink:
    """Where notices go outside the house; away until it is told to be there."""

    def __init__(self) -> None:
        self.is_away, self.taken = True, list[Notice]()

    def send(self, notice: Notice) -> None:
        if self.is_away:
            raise OutsideError("Nobody takes notices.", permanent=False)
        self.taken.append(notice)


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.__name__)
def test_an_outage_of_notices_holds_no_end_up(cast: Cast, cause: Cause) -> None:
    sink = Sink()
    agent = cast.sign_in("support_agent")
    inside = entered(cast, agent)
    agent.get("/account")
    assert deliver_notices(cast.house, sink) == 0
    cause(cast, agent, inside)
    assert kept(cast, inside.sid).ended_by is CAUSES[cause]
    assert deliver_notices(cast.house, sink) == 0
    with cast.house.store.read() as unit:
        waiting = [notice.id for notice in unit.outbox.undelivered(limit=99)]
    sink.is_away = False
    deliver_notices(cast.house, sink)
    assert [notice.id for notice in sink.taken] == waiting
    assert bool(waiting) == (CAUSES[cause] is ImpersonationEnd.FROZEN)


def test_what_its_clock_ended_before_is_told_so(cast: Cast) -> None:
    agent = cast.sign_in("support_agent")
    inside = entered(cast, agent)
    cast.clock.pass_by(minutes=11)
    asked(cast, "on_call", "freeze.set", scope="all", subject="")
    assert ends(cast, inside.sid) == [ImpersonationEnd.IDLE.value]


def test_freezing_ending_by_hand_signing_out_and_asking_at_once_write_one_end(pg_database: NewDatabase) -> None:
    with on_stage(peopled_postgres(pg_database)) as cast:
        for _ in range(ROUNDS):
            agent = cast.sign_in("support_agent")
            inside = entered(cast, agent)
            me = actor(cast, "support_agent")
            assert me.session is not None
            cast.sign_in("on_call")
            freezer = actor(cast, "on_call")
            gate = Barrier(5)
            form = RequestId(cast.house.ids.new("req"))
            doing: list[Callable[[], object]] = [
                partial(
                    propose_action, cast.house, freezer, key=ActionKey("freeze.set"), tenant=None,
                    raw={"scope": "all", "subject": ""}, reason=INCIDENT, mark=None, form_id=form,
                ),
                partial(end_impersonation, cast.house, me, impersonation=inside.sid),
                partial(revoke_session, cast.house, me, key=me.session),
                partial(Kit(cast).introspect, inside.token, activity=True),
                partial(end_overdue, cast.house),
            ]  # fmt: skip

            def run(each: Callable[[], object], gate: Barrier = gate) -> object:
                gate.wait()
                return each()

            with ThreadPoolExecutor(len(doing)) as pool:
                answers = list(pool.map(run, doing))
            assert isinstance(answers[0], Ran), answers[0]
            assert len(ends(cast, inside.sid)) == 1
            row = kept(cast, inside.sid)
            assert row.ended_by is not None
            assert ends(cast, inside.sid) == [row.ended_by.value]
            with cast.house.store.write() as unit:
                for each in unit.freezes.standing():
                    unit.freezes.lift(each.id, by=PEOPLE["on_call"].id, at=cast.clock.now())
        assert len(lease_ends(cast)) == len(set(lease_ends(cast))) == ROUNDS


SMALL = pytest.mark.parametrize("cast", ["sqlite"], indirect=True)


@SMALL
def test_whoever_begins_anew_after_the_clock_ended_one_has_ended_that_first(cast: Cast) -> None:
    agent = cast.sign_in("support_agent")
    first = entered(cast, agent)
    cast.clock.pass_by(minutes=11)
    second = begun(cast, number=1)
    assert (kept(cast, first.sid).ended_by, ends(cast, first.sid)) == (ImpersonationEnd.IDLE, ["idle"])
    assert kept(cast, second).ended_by is None


@SMALL
def test_whoever_is_deactivated_acts_for_nobody_even_if_their_lease_was_closed_behind_it(cast: Cast) -> None:
    agent = cast.sign_in("support_agent")
    inside = entered(cast, agent)
    cast.sign_in("administrator")
    with cast.house.store.write() as unit:
        (lease,) = unit.leases.open_of(AGENT)
        assert unit.leases.end(lease.id, by=LeaseEnd.TIME, at=cast.clock.now())
        assert unit.sessions.revoke(inside_session(cast), cast.clock.now())
        tools = UnitTools(house=cast.house, unit=unit, actor=actor(cast, "administrator"), tenant=None)
        assert tools.end_everything_of(AGENT, at=cast.clock.now()) == 1
    assert (kept(cast, inside.sid).ended_by, ends(cast, inside.sid)) == (ImpersonationEnd.DEACTIVATED, ["deactivated"])


def inside_session(cast: Cast) -> SessionKey:
    """Return the session in which somebody acts."""
    with cast.house.store.read() as unit:
        (session,) = unit.sessions.live_of(AGENT, cast.clock.now())
    return session.key


@SMALL
def test_a_request_that_somebody_moved_as_its_asker_left_is_not_called_cancelled(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = cast.sign_in("support_agent")
    cast.open_tenant(agent, "nordwind")
    answer = propose_action(
        cast.house, actor(cast, "support_agent"), key=ActionKey("access_policy.set"), tenant=TENANTS["nordwind"],
        raw={"impersonation": "refused", "notify": "each"}, reason=CONTRACT, mark=None,
        form_id=RequestId(cast.house.ids.new("req")),
    )  # fmt: skip
    assert isinstance(answer, Ran), answer
    looser = propose_action(
        cast.house, actor(cast, "support_agent"), key=ActionKey("access_policy.set"), tenant=TENANTS["nordwind"],
        raw={"impersonation": "allowed", "notify": "each"}, reason=CONTRACT, mark=None,
        form_id=RequestId(cast.house.ids.new("req")),
    )  # fmt: skip
    assert isinstance(looser, Waiting), looser
    cast.sign_in("administrator")
    overtake(monkeypatch, StoredRequests, "move")
    with cast.house.store.write() as unit:
        tools = UnitTools(house=cast.house, unit=unit, actor=actor(cast, "administrator"), tenant=None)
        tools.end_everything_of(AGENT, at=cast.clock.now())
    assert cast.entries("request.cancelled") == []


@SMALL
def test_the_sweep_goes_on_batch_by_batch(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.usecases.end_impersonation._BATCH", 1)
    sids = crowd(cast)
    cast.clock.pass_by(minutes=11)
    assert sweep_impersonations(cast.house) == 2
    assert [ends(cast, sid) for sid in sids] == [["idle"], ["idle"]]


@SMALL
def test_a_reason_that_policy_no_longer_knows_holds_nothing_open(cast: Cast) -> None:
    agent = cast.sign_in("support_agent")
    inside = entered(cast, agent)
    others = {code: rule for code, rule in cast.house.book.reasons.items() if code != TICKET.code}
    cast.house = replace(cast.house, book=replace(cast.house.book, reasons=others))
    assert ticket_of(cast.house, kept(cast, inside.sid), now=cast.clock.now()) is ReferenceVerdict.UNKNOWN
    sweep_impersonations(cast.house)
    assert kept(cast, inside.sid).ended_by is not None


@SMALL
def test_an_entry_names_by_their_id_whom_nobody_knows_any_more(cast: Cast) -> None:
    agent = cast.sign_in("support_agent")
    row = replace(kept(cast, entered(cast, agent).sid), staff=StaffId("stf_gone"))
    with cast.house.store.read() as unit:
        holder = holder_of(unit, row)
    assert (holder.id, holder.name, holder.roles) == ("stf_gone", "stf_gone", ())


@SMALL
def test_without_a_lease_nobody_may_begin(cast: Cast) -> None:
    with cast.house.store.read() as unit:
        assert to_begin(unit, None, member(), now=cast.clock.now()) == (False, None)
