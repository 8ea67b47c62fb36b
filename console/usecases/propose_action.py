"""Ask for a governed action: the request that freezes what was previewed, and its run where nobody else must agree."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from console.domain.changes import Preview
from console.domain.decisions import Allow, Deny, DenyCode, NeedsApproval, NeedsStepUp
from console.domain.errors import ConflictError
from console.domain.ids import ActionKey, RequestId, TenantId
from console.domain.reasons import BREAK_GLASS, Effect, Reason
from console.domain.reconciling.findings import FindingId
from console.domain.requests import Request, State, bound_digest
from console.domain.staff import Actor
from console.ports.actions import Action, Fault, Reach
from console.ports.store import ControlUnit
from console.usecases.asking import denied
from console.usecases.bind_repair import bound_to, note_repair
from console.usecases.break_glass import NO_GLASS, Glass, break_glass, may_break_glass, vouched
from console.usecases.eligibility import too_few
from console.usecases.execute_request import run_in_unit, settle
from console.usecases.house import House
from console.usecases.notices import tell_approvers
from console.usecases.open_lease import check_reason
from console.usecases.outcomes import Already, BadFields, Drifted, Proposal, Waiting
from console.usecases.parameters import Raw, built
from console.usecases.prepare_action import (
    Place,
    decided_on,
    mark_of,
    placed,
    previewed_in,
    unfit,
    unknown_action,
)
from console.usecases.recording import RefusedInsideError, authorised, emit, moved_target, refuse, row_ref
from console.usecases.take_turns import take_turn


def propose_action(  # noqa: PLR0913  each is something that the form says
    house: House,
    actor: Actor,
    *,
    key: ActionKey,
    tenant: TenantId | None,
    raw: Raw,
    reason: Reason,
    mark: str | None,
    form_id: RequestId,
    shown_for: Reason | None = None,
    finding: FindingId | None = None,
    glass: Glass | None = None,
) -> Proposal:
    """File a request for an action and, where nobody else has to agree, run it at once.

    Shape: `mark` is what the preview page posted back (None for a caller that showed none) and `shown_for` the reason
    with which it was shown, where that was another; `form_id` makes a form sent twice find its first result;
    `finding` is one that this repairs, to whose digest the request is bound; `glass` is what was typed to break it.
    Raises: NotFoundError, OutsideError.
    """
    action = house.registry.get(key)
    if action is None or (action.reach is Reach.TENANT) != (tenant is not None):
        return unknown_action(house, actor, key, tenant)
    params, plain, faults = built(action, raw)
    if faults:
        return BadFields(faults=faults)
    wrong = check_reason(house, reason, tenant)
    if wrong is not None:
        return _refused(house, actor, key, tenant, wrong, reason)
    seen = None if mark is None else (mark, shown_for or reason)
    is_open = tenant is not None and vouched(house, reason, tenant)
    try:
        with house.store.write() as unit:
            answer = _sent_before(unit, actor, form_id) or _file(
                house, unit, actor, action, (params, plain), tenant=tenant, reason=reason, seen=seen, form_id=form_id,
                beside=(finding, glass or NO_GLASS, is_open),
            )  # fmt: skip
    except RefusedInsideError as inside:
        answer = inside.deny
    except (ConflictError, Fault) as late:
        first = sent_before(house, actor, form_id=form_id)
        if first is None:
            if isinstance(late, Fault):
                return unfit(house, actor, key, tenant, late)
            raise
        answer = first
    if isinstance(answer, Drifted | Deny | NeedsStepUp):
        # The same form may have been sent at the same moment: then what stands in the way is what the faster one did.
        answer = sent_before(house, actor, form_id=form_id) or answer
    if isinstance(answer, Deny | NeedsStepUp):
        return _refused(house, actor, key, tenant, answer, reason)
    return answer if isinstance(answer, Already) else settle(house, actor, answer)


def sent_before(house: House, actor: Actor, *, form_id: RequestId) -> Already | Deny | None:
    """Return what came of a form that was sent already, None for a new one; somebody else's is refused."""
    with house.store.read() as unit:
        return _sent_before(unit, actor, form_id)


def _file(
    house: House,
    unit: ControlUnit,
    actor: Actor,
    action: Action[Any],
    typed: tuple[object, Mapping[str, object]],
    *,
    tenant: TenantId | None,
    reason: Reason,
    seen: tuple[str, Reason] | None,
    form_id: RequestId,
    beside: tuple[FindingId | None, Glass, bool],
) -> Proposal:
    now = house.clock.now()
    with placed(house, unit, actor, tenant, now=now) as place:
        if isinstance(place, Deny):
            return place
        return _filed(
            house, unit, actor, action, typed, place=place, reason=reason, seen=seen, form_id=form_id, beside=beside,
            now=now,
        )  # fmt: skip


def _filed(  # noqa: PLR0913  each is something that the form says, but for where and when
    house: House,
    unit: ControlUnit,
    actor: Actor,
    action: Action[Any],
    typed: tuple[object, Mapping[str, object]],
    *,
    place: Place,
    reason: Reason,
    seen: tuple[str, Reason] | None,
    form_id: RequestId,
    beside: tuple[FindingId | None, Glass, bool],
    now: datetime,
) -> Proposal:
    params, plain = typed
    finding, glass, is_open = beside
    # 1. what would happen there now; nobody else runs there until that has run
    tenant = None if place.row is None else place.row.id
    take_turn(house, unit, action, place.scope)

    def previewed(why: Reason) -> Preview:
        found = previewed_in(house, unit, actor, action, params, place=place, reason=why, now=now)
        return bound_to(unit, found, finding, action=action.key, tenant=tenant, plain=plain)

    preview = previewed(reason)
    if seen is not None:
        shown = preview if seen[1] == reason else previewed(seen[1])
        if seen[0] != mark_of(shown):
            return Drifted(seen=None, now=preview, mark=mark_of(preview))
    # 2. may this person, here, for this reason
    decision = decided_on(house, unit, actor, action, preview, place=place, reason=reason, now=now)
    if isinstance(decision, Deny | NeedsStepUp):
        return decision
    # 3. freeze it under its digest
    request = _frozen(
        house, actor, action, plain, preview, decision, place=place, reason=reason, form_id=form_id, now=now
    )
    if reason.code == BREAK_GLASS:
        return _broken(house, unit, actor, request, decision, place=place, breaking=(glass, is_open), now=now)
    lacking = too_few(unit, request)
    if lacking is not None:
        return lacking
    unit.requests.add(request)
    emit(
        unit,
        actor,
        "request.proposed",
        at=now,
        governed=action.key,
        tenant=place.ref,
        reason=reason,
        authorisation=authorised(house, decision, request),
        targets=moved_target(request),
        changes=preview.every_change if action.effect is not Effect.READ else (),
        correlation=request.id,
    )
    if isinstance(decision, NeedsApproval):
        note_repair(unit, request.id, finding, by=actor.staff)
        tell_approvers(house, unit, request, at=now)
        return Waiting(request=request)
    # 4. nobody else has to agree: run it in the same transaction where the plane allows
    return run_in_unit(house, unit, actor, request, now=now, scope=place.scope)


def _broken(
    house: House,
    unit: ControlUnit,
    actor: Actor,
    request: Request,
    decision: Allow | NeedsApproval,
    *,
    place: Place,
    breaking: tuple[Glass, bool],
    now: datetime,
) -> Proposal:
    if place.row is None or place.lease is None:  # nothing below asks for incident, intent, notice and review
        return denied(DenyCode.BREAK_GLASS_NOT_ALLOWED, "Glass is broken on a tenant only.", "Ask for approval.")
    allowed = may_break_glass(
        house, unit, actor, decision, key=request.action, row=place.row, lease=place.lease, reason=request.reason,
        breaking=breaking, now=now,
    )  # fmt: skip
    if isinstance(allowed, Deny | NeedsStepUp):
        return allowed
    return break_glass(house, unit, actor, request, allowed, row=place.row, glass=breaking[0], now=now)


def _frozen(
    house: House,
    actor: Actor,
    action: Action[Any],
    plain: Mapping[str, object],
    preview: Preview,
    decision: Allow | NeedsApproval,
    *,
    place: Place,
    reason: Reason,
    form_id: RequestId,
    now: datetime,
) -> Request:
    rule = house.book.actions[action.key]
    skips = reason.code == BREAK_GLASS
    undo, limits = house.book.limits.break_glass_undo_seconds, house.book.limits
    approve_by = now + (timedelta(seconds=undo) if skips else timedelta(minutes=rule.approve_minutes))
    run_by = approve_by + timedelta(minutes=limits.break_glass_run_minutes)
    tenant = None if place.row is None else place.row.id
    waits = isinstance(decision, NeedsApproval)
    return Request(
        id=form_id,
        revision=1,
        version=1,
        state=State.COUNTING_DOWN if skips else State.PENDING if waits else State.APPROVED,
        action=action.key,
        action_version=action.version,
        tenant=tenant,
        params=plain,
        preview=preview,
        reason=reason,
        digest=bound_digest(
            action=action.key,
            action_version=action.version,
            tenant=tenant,
            params=plain,
            preview=preview,
            reason=reason,
            requester=actor.person,
            not_after=approve_by,
        ),
        rules=decision.rules,
        needs=decision.needs if isinstance(decision, NeedsApproval) else (),
        policy_version=house.book.version,
        requester=actor.staff,
        requester_person=actor.person,
        requester_name=actor.name,
        drafted_by=actor.person,
        lease=None if place.lease is None else place.lease.id,
        filed_at=now,
        approve_by=approve_by,
        execute_minutes=rule.execute_minutes,
        execute_by=run_by if skips else None if waits else now + timedelta(minutes=rule.execute_minutes),
    )


def _sent_before(unit: ControlUnit, actor: Actor, form_id: RequestId) -> Already | Deny | None:
    before = unit.requests.get(form_id)
    if before is None:
        return None
    if before.requester != actor.staff:
        return denied(DenyCode.NOT_YOURS, "This form belongs to somebody else's request.", "Open the form again.")
    return Already(request=before)


def _refused(
    house: House, actor: Actor, key: ActionKey, tenant: TenantId | None, refusal: Deny | NeedsStepUp, reason: Reason
) -> Deny | NeedsStepUp:
    with house.store.read() as unit:
        row = None if tenant is None else unit.directory.get(tenant)
    refuse(
        house, actor, "request.refused", refusal, governed=key, tenant=row_ref(row, source="directory"), reason=reason
    )
    return refusal
