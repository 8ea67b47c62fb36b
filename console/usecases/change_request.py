"""Cancel, revoke or revise a request, each only where its state allows."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from console.domain.changes import Preview
from console.domain.decisions import Allow, Deny, DenyCode, Fact, NeedsApproval, NeedsStepUp
from console.domain.errors import NotFoundError
from console.domain.ids import RequestId
from console.domain.requests import Event, Request, State, after, bound_digest
from console.domain.staff import Actor
from console.domain.tenancy import DirectoryRow, TenantScope
from console.ports.actions import Fault
from console.ports.store import ControlUnit
from console.usecases.asking import ask, denied, query, refusal_of
from console.usecases.bind_repair import bound_to, finding_of
from console.usecases.break_glass import never_runs, withdraw_review
from console.usecases.eligibility import seats_held, too_few
from console.usecases.house import House
from console.usecases.notices import tell_approvers, tell_requester
from console.usecases.outcomes import BadFields, Drifted
from console.usecases.parameters import Raw, built
from console.usecases.prepare_action import mark_of, unfit
from console.usecases.recording import RefusedInsideError, authorised, emit, moved_target, refuse_on, tenant_ref
from console.usecases.scopes import directory_row, lease_on, scope_of_lease
from console.usecases.tooling import budget_facts, reading_tools
from console.usecases.verify_request import expire, overtaken, wrong_state


def cancel_request(house: House, actor: Actor, *, request_id: RequestId) -> Request | Deny | NeedsStepUp:
    """Withdraw one's own request before it runs. Raises: NotFoundError."""
    return _end(house, actor, request_id, verb="request.cancel", event=Event.CANCEL, because="withdrawn")


def revoke_request(house: House, actor: Actor, *, request_id: RequestId, because: str) -> Request | Deny | NeedsStepUp:
    """Take an approval back before it runs. Raises: NotFoundError."""
    return _end(
        house, actor, request_id, verb="request.revoke", event=Event.REVOKE, because=because.strip()[:300] or "revoked"
    )


def revise_request(
    house: House, actor: Actor, *, request_id: RequestId, raw: Raw, mark: str | None
) -> Request | BadFields | Drifted | Deny | NeedsStepUp:
    """Change what is asked for: a new revision, a new digest, and every vote is void.

    Shape: `mark` is what the preview page posted back, None for a caller that showed none.
    Raises: NotFoundError.
    """
    now = house.clock.now()
    request = _found(house, request_id)
    try:
        with house.store.write() as unit:
            request = unit.requests.get(request_id) or request
            answer = _revise_in(house, unit, actor, request, raw, mark=mark, now=now)
    except RefusedInsideError as inside:
        answer = overtaken(house, request, inside.deny)
    except Fault as fault:
        return unfit(house, actor, request.action, request.tenant, fault)
    if isinstance(answer, Deny | NeedsStepUp):
        refuse_on(house, actor, "request.refused", answer, request)
    return answer


def _end(
    house: House, actor: Actor, request_id: RequestId, *, verb: str, event: Event, because: str
) -> Request | Deny | NeedsStepUp:
    now = house.clock.now()
    request = _found(house, request_id)
    try:
        with house.store.write() as unit:
            request = unit.requests.get(request_id) or request
            answer = _end_in(house, unit, actor, request, verb=verb, event=event, because=because, now=now)
    except RefusedInsideError as inside:
        answer = overtaken(house, request, inside.deny)
    if isinstance(answer, Deny | NeedsStepUp):
        refuse_on(house, actor, f"{verb}_refused", answer, request)
    return answer


def _end_in(
    house: House,
    unit: ControlUnit,
    actor: Actor,
    request: Request,
    *,
    verb: str,
    event: Event,
    because: str,
    now: datetime,
) -> Request | Deny | NeedsStepUp:
    facts: dict[str, Fact] = {"is_requester": actor.person in request.requesters}
    if event is Event.REVOKE:
        facts["holds_seat"] = bool(seats_held(unit, request, unit.staff.get(actor.staff), request.needs))
    decision = ask(
        house, query(actor, verb, now=now, tenant=request.tenant, requesters=request.requesters, facts=facts), unit
    )
    refusal = refusal_of(decision) or expire(house, unit, actor, request, now=now)
    if refusal is not None:
        return refusal
    to = after(request.state, event)
    if to is None:
        return wrong_state(request)
    if not unit.requests.move(request, to, finished_at=now, ended_because=because):
        raise RefusedInsideError(
            denied(DenyCode.WRONG_STATE, "Somebody else was faster.", "Look at the request again.")
        )
    done = replace(request, state=to, version=request.version + 1, finished_at=now, ended_because=because)
    withdraw_review(unit, request, because="stopped before it fired", at=now)
    emit(
        unit,
        actor,
        "request.cancelled" if event is Event.CANCEL else "request.revoked",
        at=now,
        governed=request.action,
        reason=request.reason,
        authorisation=authorised(house, decision, request),
        tenant=tenant_ref(unit, request.tenant, source="request"),
        targets=moved_target(done),
        correlation=request.id,
        facts={"because": because},
    )
    if actor.staff != request.requester:
        tell_requester(house, unit, done, kind="revoked", sentence=f"{actor.name} revoked the approval.", at=now)
    return done


def _revise_in(
    house: House, unit: ControlUnit, actor: Actor, request: Request, raw: Raw, *, mark: str | None, now: datetime
) -> Request | BadFields | Drifted | Deny | NeedsStepUp:
    # 1. only the requester, only while it waits or went stale, and only with the tenant open again
    facts: dict[str, Fact] = {"is_requester": actor.person in request.requesters}
    decision = ask(
        house,
        query(actor, "request.revise", now=now, tenant=request.tenant, requesters=request.requesters, facts=facts),
        unit,
    )
    refusal = refusal_of(decision) or expire(house, unit, actor, request, now=now) or never_runs(unit, request)
    if refusal is not None:
        return refusal
    to = after(request.state, Event.REVISE)
    if to is None:
        return wrong_state(request)
    typed = built(house.registry[request.action], raw)
    if typed[2]:
        return BadFields(faults=typed[2])
    row = None if request.tenant is None else directory_row(unit, request.tenant)
    lease = None if row is None else lease_on(house, unit, actor, row.id, now=now)
    if isinstance(lease, Deny):
        return lease
    scope = None if row is None or lease is None else scope_of_lease(lease, row)
    # 2. the new preview, which is what was shown, and the answer of policy to it
    preview = _previewed(house, unit, actor, request, typed, at=(row, scope, now))
    if mark is not None and mark != mark_of(preview):
        return Drifted(seen=None, now=preview, mark=mark_of(preview), request=request)
    answer = _answered(house, unit, actor, request, preview, now=now)
    if not isinstance(answer, NeedsApproval):
        return answer
    # 3. the new revision under the same fence
    revised = _revision(house, request, typed[1], preview, answer, to=to, now=now)
    return too_few(unit, revised) or _kept(house, unit, actor, request, revised, answer, now=now)


def _previewed(
    house: House,
    unit: ControlUnit,
    actor: Actor,
    request: Request,
    typed: tuple[object, Mapping[str, object], object],
    *,
    at: tuple[DirectoryRow | None, TenantScope | None, datetime],
) -> Preview:
    action, (row, scope, now) = house.registry[request.action], at
    with reading_tools(
        house,
        unit,
        action,
        actor=actor,
        requester=(actor.staff, actor.name),
        reason=request.reason,
        row=row,
        scope=scope,
        now=now,
    ) as tools:
        preview: Preview = action.preview(typed[0], tools)
    return bound_to(unit, preview, finding_of(request), action=action.key, tenant=request.tenant, plain=typed[1])


def _answered(
    house: House, unit: ControlUnit, actor: Actor, request: Request, preview: Preview, *, now: datetime
) -> NeedsApproval | Deny | NeedsStepUp:
    asked = query(
        actor,
        request.action,
        now=now,
        tenant=request.tenant,
        leased=request.tenant,
        reason=request.reason.code,
        facts={**preview.facts, **budget_facts(house, unit, house.registry[request.action], actor, now)},
    )
    answer = ask(house, asked, unit)
    if isinstance(answer, Allow):  # it would wait for nobody until its clock ended it
        return denied(DenyCode.ACTION_CHANGED, "Nobody has to agree to this any more.", "Cancel it and ask again.")
    return answer


def _kept(
    house: House,
    unit: ControlUnit,
    actor: Actor,
    request: Request,
    revised: Request,
    answer: NeedsApproval,
    *,
    now: datetime,
) -> Request:
    if not unit.requests.revise(request, revised):
        raise RefusedInsideError(
            denied(DenyCode.WRONG_STATE, "Somebody else was faster.", "Look at the request again.")
        )
    emit(
        unit,
        actor,
        "request.revised",
        at=now,
        governed=request.action,
        reason=request.reason,
        authorisation=authorised(house, answer, revised),
        tenant=tenant_ref(unit, request.tenant, source="request"),
        targets=moved_target(revised),
        changes=revised.preview.every_change,
        correlation=request.id,
    )
    tell_approvers(house, unit, revised, at=now)
    return revised


def _revision(
    house: House,
    request: Request,
    plain: Mapping[str, object],
    preview: Preview,
    answer: NeedsApproval,
    *,
    to: State,
    now: datetime,
) -> Request:
    rule = house.book.actions[request.action]
    approve_by = now + timedelta(minutes=rule.approve_minutes)
    return replace(
        request,
        revision=request.revision + 1,
        version=request.version + 1,
        state=to,
        params=plain,
        preview=preview,
        action_version=house.registry[request.action].version,
        rules=answer.rules,
        needs=answer.needs,
        policy_version=house.book.version,
        approve_by=approve_by,
        execute_by=None,
        drift=None,
        ended_because=None,
        digest=bound_digest(
            action=request.action,
            action_version=house.registry[request.action].version,
            tenant=request.tenant,
            params=plain,
            preview=preview,
            reason=request.reason,
            requester=request.requester_person,
            not_after=approve_by,
        ),
    )


def _found(house: House, request_id: RequestId) -> Request:
    with house.store.read() as unit:
        request = unit.requests.get(request_id)
    if request is None:
        raise NotFoundError("There is no such request.")
    return request
