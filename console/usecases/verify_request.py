"""Everything that must hold in the moment of execution, read afresh; what does not hold is stored and recorded."""

from dataclasses import replace
from datetime import datetime

from console.domain.changes import Preview
from console.domain.decisions import Deny, DenyCode, Fact, NeedsApproval, NeedsStepUp, Query
from console.domain.requests import RUNNABLE, Event, Request, State, after
from console.domain.staff import Actor, StaffMember
from console.ports.actions import Fault
from console.ports.store import ControlUnit
from console.usecases.asking import ask, denied, query
from console.usecases.bind_repair import bound_again
from console.usecases.break_glass import withdraw_review
from console.usecases.eligibility import tally
from console.usecases.house import House
from console.usecases.notices import tell_approvers, tell_of_tampering, tell_requester
from console.usecases.outcomes import Drifted
from console.usecases.parameters import built, raw_of
from console.usecases.recording import RefusedInsideError, authorised, emit, request_target, tenant_ref
from console.usecases.scopes import directory_row, scope_of_request
from console.usecases.tooling import budget_facts, reading_tools


def verified(
    house: House, unit: ControlUnit, actor: Actor, request: Request, *, now: datetime
) -> Deny | NeedsStepUp | Drifted | None:
    """Return why a request must not run now, or None.

    1 the executor · 2 the clocks and the state · 3 the executor's second factor · 4 the digest · 5 the action's
    version · 6 the votes, unless they are skipped · 7 the requester · 8 the world it was derived from
    """
    votes = [v for v in unit.requests.votes(request.id) if v.revision == request.revision and v.voided_because is None]
    # 1: a bystander learns nothing of how the request stands
    facts: dict[str, Fact] = {
        "action_key": request.action,
        "is_requester": actor.person in request.requesters,
        "has_voted": any(vote.person == actor.person for vote in votes),
    }
    who = ask(
        house,
        query(actor, "request.execute", now=now, tenant=request.tenant, requesters=request.requesters, facts=facts),
        unit,
    )
    if isinstance(who, Deny):
        return who
    # 2
    lapsed = expire(house, unit, actor, request, now=now)
    if lapsed is not None:
        return lapsed
    if request.state not in RUNNABLE:
        return wrong_state(request)
    counts_down = request.state is State.COUNTING_DOWN
    if counts_down and now < request.approve_by:
        return denied(DenyCode.WRONG_STATE, "It still counts down.", f"It fires at {request.approve_by:%H:%M:%S} UTC.")
    # 3
    if isinstance(who, NeedsStepUp):
        return who
    # 4
    if any(digest != request.digest for digest in (request.recomputed_digest(), *(vote.digest for vote in votes))):
        return tampered(house, unit, actor, request, now=now)
    # 5
    action = house.registry.get(request.action)
    if action is None or action.version != request.action_version:
        return denied(DenyCode.ACTION_CHANGED, "This action works differently now.", "File the request again.")
    # 6
    if not counts_down and tally(unit, request, votes).missing:
        return _votes_void(house, unit, actor, request, now=now)
    # 7 and 8
    return _still_fits(house, unit, actor, request, now=now)


def expire(house: House, unit: ControlUnit, actor: Actor, request: Request, *, now: datetime) -> Deny | None:
    """Store that a clock has ended a request, exactly once, and return the refusal; None while it runs."""
    state = request.state_at(now)
    if state is request.state:
        return None
    if unit.requests.move(request, state, finished_at=now, ended_because="its time ran out"):
        withdraw_review(unit, request, because="its time ran out before it fired", at=now)
        emit(
            unit,
            actor,
            "request.expired",
            at=now,
            governed=request.action,
            reason=request.reason,
            tenant=tenant_ref(unit, request.tenant, source="request"),
            targets=request_target(request, moves=True),
            correlation=request.id,
            facts={"state": state.value},
        )
        tell_requester(house, unit, request, kind="expired", sentence="your request ran out of time.", at=now)
    return denied(DenyCode.EXPIRED, f"The request is {state.value.replace('_', ' ')}.", "File the request again.")


def wrong_state(request: Request) -> Deny:
    """Return the refusal that names the state a request is in."""
    return denied(DenyCode.WRONG_STATE, f"The request is {request.state.value}.", "Look at the request again.")


def overtaken(house: House, request: Request, deny: Deny) -> Deny:
    """Return a refusal that rolled its unit back; a lost race names the state in which the winner left the request."""
    if deny.code is not DenyCode.WRONG_STATE:
        return deny
    with house.store.read() as unit:
        request = unit.requests.get(request.id) or request
    state = request.state.value.replace("_", " ")
    return replace(deny, sentence=f"Somebody else was faster: the request is {state}.")


def tampered(house: House, unit: ControlUnit, actor: Actor, request: Request, *, now: datetime) -> Deny:
    """Raise the alarm: what is stored is not what was filed and approved; return the refusal."""
    deny = denied(
        DenyCode.DIGEST_MISMATCH, "The stored request is not what was approved.", "Tell security; file it again."
    )
    emit(
        unit,
        actor,
        "approval.digest_mismatch",
        at=now,
        governed=request.action,
        authorisation=authorised(house, deny, request),
        tenant=tenant_ref(unit, request.tenant, source="request"),
        targets=request_target(request),
        correlation=request.id,
    )
    tell_of_tampering(house, unit, request, at=now)
    return deny


def _votes_void(house: House, unit: ControlUnit, actor: Actor, request: Request, *, now: datetime) -> Deny:
    """Send a request back to its approvers, because a vote no longer counts."""
    to = after(request.state, Event.VOID_VOTES)
    lost = tally(unit, request, unit.requests.votes(request.id)).void
    if to is not None and unit.requests.move(request, to, execute_by=None):
        unit.requests.void_votes(request.id, because="the voter is no longer eligible", staff=lost)
        waiting = replace(request, state=to, version=request.version + 1, execute_by=None)
        emit(
            unit,
            actor,
            "request.votes_voided",
            at=now,
            governed=request.action,
            tenant=tenant_ref(unit, request.tenant, source="request"),
            targets=request_target(request, moves=True),
            correlation=request.id,
            facts={"votes": len(lost)},
        )
        tell_approvers(house, unit, waiting, at=now)
    return denied(
        DenyCode.NOT_AN_APPROVER, "A vote no longer counts: the voter lost the role.", "Somebody else must approve."
    )


def _still_fits(
    house: House, unit: ControlUnit, actor: Actor, request: Request, *, now: datetime
) -> Deny | NeedsStepUp | Drifted | None:
    requester = unit.staff.get(request.requester)
    if requester is None or not requester.is_active:
        return denied(DenyCode.STAFF_INACTIVE, "The person who asked is no longer active.", "Somebody else must ask.")
    try:
        current = _preview_now(house, unit, actor, request, now=now)
    except Fault as fault:
        _store_drift(house, unit, actor, request, None, now=now)
        return denied(DenyCode.PRECONDITION_STALE, fault.remedy, "Revise the request, or cancel it.")
    if not current.is_as(request.preview):
        _store_drift(house, unit, actor, request, current, now=now)
        return Drifted(seen=request.preview, now=current, request=request)
    decision = ask(house, _asked_again(house, unit, request, requester, current, now=now), unit)
    if isinstance(decision, Deny):
        return decision
    if (
        isinstance(decision, NeedsApproval)
        and request.state is not State.COUNTING_DOWN
        and tally(unit, request, unit.requests.votes(request.id), decision.needs).missing
    ):
        return denied(DenyCode.ACTION_CHANGED, "Policy asks for more approval than it did.", "Revise the request.")
    return None


def _preview_now(house: House, unit: ControlUnit, actor: Actor, request: Request, *, now: datetime) -> Preview:
    action = house.registry[request.action]
    params, _plain, faults = built(action, raw_of(request.params))
    if faults:
        raise Fault(faults[0].field, faults[0].remedy)
    row = None if request.tenant is None else directory_row(unit, request.tenant)
    scope = None if row is None else scope_of_request(request, row, actor, now=now)
    with reading_tools(
        house,
        unit,
        action,
        actor=actor,
        requester=(request.requester, request.requester_name),
        reason=request.reason,
        row=row,
        scope=scope,
        now=now,
    ) as tools:
        preview: Preview = action.preview(params, tools)
    return bound_again(unit, preview, request)


def _asked_again(
    house: House, unit: ControlUnit, request: Request, requester: StaffMember, preview: Preview, *, now: datetime
) -> Query:
    """Return the requester's question as policy would hear it today; the factor was checked when it was filed."""
    asker = Actor(
        staff=requester.id,
        person=requester.person,
        name=requester.name,
        email=requester.email,
        roles=requester.roles,
        kind=requester.kind,
        stepped_up_at=now,
    )
    budget = budget_facts(house, unit, house.registry[request.action], asker, now)
    return query(
        asker,
        request.action,
        now=now,
        tenant=request.tenant,
        leased=request.tenant,
        reason=request.reason.code,
        facts={**preview.facts, **budget},
    )


def _store_drift(
    house: House, unit: ControlUnit, actor: Actor, request: Request, current: Preview | None, *, now: datetime
) -> None:
    if not unit.requests.move(request, State.STALE, drift=current, ended_because="the tenant changed meanwhile"):
        raise RefusedInsideError(wrong_state(request))
    unit.requests.void_votes(request.id, because="the tenant changed meanwhile")
    withdraw_review(unit, request, because="the tenant changed before it fired", at=now)
    emit(
        unit,
        actor,
        "request.stale",
        at=now,
        governed=request.action,
        reason=request.reason,
        tenant=tenant_ref(unit, request.tenant, source="request"),
        targets=request_target(request, moves=True),
        correlation=request.id,
        changes=() if current is None else current.every_change,
    )
    tell_requester(
        house, unit, request, kind="stale", sentence="your request is out of date; the tenant changed.", at=now
    )
