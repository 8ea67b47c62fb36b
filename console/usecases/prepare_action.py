"""Prepare a governed action: its form, its preview, and policy's answer to it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from console.domain.canonical import digest_hex, normal
from console.domain.changes import Preview
from console.domain.decisions import Decision, Deny, DenyCode, Fact
from console.domain.entries import Exposure, TargetRef, TenantRef
from console.domain.field_classes import FieldClass
from console.domain.ids import ActionKey, ReasonCode, TenantId
from console.domain.leases import Lease
from console.domain.reasons import Reason, ReasonRule
from console.domain.reconciling.findings import FindingId
from console.domain.staff import Actor
from console.domain.tenancy import DirectoryRow, TenantScope
from console.ports.actions import Action, Choice, Fault, Reach
from console.ports.store import ControlUnit
from console.usecases.asking import ask, denied, query
from console.usecases.bind_repair import bound_to
from console.usecases.house import House
from console.usecases.offer_actions import reasons_offered
from console.usecases.outcomes import BadFields, Previewed
from console.usecases.parameters import FieldFault, Raw, built
from console.usecases.recording import authorised, emit, refuse, row_ref, tenant_ref
from console.usecases.scopes import directory_row, lease_on, scope_of_lease
from console.usecases.tooling import budget_facts, reading_tools

_NO_REASON = ReasonCode("")
_LONGEST_KEY = 64

_TOUCHED = timedelta(seconds=1)  # one request looks at its lease several times; its clock counts minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an action would run: the tenant's row, lease and scope; all None for the control store."""

    row: DirectoryRow | None
    lease: Lease | None
    scope: TenantScope | None

    @property
    def ref(self) -> TenantRef | None:
        """Return how the tenant is named in entries."""
        return row_ref(self.row, source="lease" if self.lease else "directory")


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionForm:
    """What the page of an action needs before anything is typed."""

    action: Action[Any]
    tenant: DirectoryRow | None
    lease: Lease | None
    choices: Mapping[str, tuple[Choice, ...]]
    current: Mapping[str, str]
    units: Mapping[str, str]
    reasons: tuple[ReasonRule, ...]


def action_form(
    house: House, actor: Actor, *, key: ActionKey, tenant: TenantId | None, typed: Mapping[str, str], is_opening: bool
) -> ActionForm | Deny:
    """Return choices, current values and accepted reasons for an action. Raises: NotFoundError.

    Shape: opening a tenant's form is recorded as a page of it; what is sent from there shows nothing that it did not,
    and its preview is recorded by itself.
    """
    action = house.registry.get(key)
    if action is None or (action.reach is Reach.TENANT) != (tenant is not None):
        return unknown_action(house, actor, key, tenant)
    with house.store.write() as unit:
        answer = _form_in(house, unit, actor, action, typed, tenant=tenant, is_opening=is_opening)
    if isinstance(answer, Deny):
        refuse(house, actor, "request.refused", answer, governed=key)
    return answer


def _form_in(
    house: House,
    unit: ControlUnit,
    actor: Actor,
    action: Action[Any],
    typed: Mapping[str, str],
    *,
    tenant: TenantId | None,
    is_opening: bool,
) -> ActionForm | Deny:
    now = house.clock.now()
    with placed(house, unit, actor, tenant, now=now) as place:
        if isinstance(place, Deny):
            return place
        offered = reasons_offered(house, actor, action, tenant=tenant)
        if isinstance(offered, Deny):
            return offered
        if is_opening and place.lease is not None:
            emit(
                unit,
                actor,
                "tenant.read",
                at=now,
                tenant=place.ref,
                reason=place.lease.reason,
                targets=(TargetRef(type="page", id=action.key, name=f"the form of “{action.title}”"),),
                exposure=Exposure(records=1, fields=(FieldClass.BUSINESS.value,)),
                facts={"lease": place.lease.id},
            )
        with reading_tools(
            house,
            unit,
            action,
            actor=actor,
            requester=(actor.staff, actor.name),
            reason=_reading_reason(place),
            row=place.row,
            scope=place.scope,
            now=now,
        ) as tools:
            return ActionForm(
                action=action,
                tenant=place.row,
                lease=place.lease,
                choices={field.name: action.choices(field.name, tools) for field in action.fields},
                current=action.current(typed, tools),
                units=action.units(typed, tools),
                reasons=tuple(house.book.reasons[code] for code in offered if code in house.book.reasons),
            )


def preview_action(
    house: House,
    actor: Actor,
    *,
    key: ActionKey,
    tenant: TenantId | None,
    raw: Raw,
    reason: Reason,
    finding: FindingId | None = None,
) -> Previewed | BadFields | Deny:
    """Return what an action would do and who would have to agree; the looking is recorded. Raises: NotFoundError.

    Shape: `finding` is one that this would repair.
    """
    action = house.registry.get(key)
    if action is None or (action.reach is Reach.TENANT) != (tenant is not None):
        return unknown_action(house, actor, key, tenant)
    params, plain, faults = built(action, raw)
    if faults:
        return BadFields(faults=faults)
    try:
        with house.store.write() as unit:
            answer = _previewed(
                house, unit, actor, action, params, tenant=tenant, reason=reason, repairs=(finding, plain)
            )
    except Fault as fault:
        return unfit(house, actor, key, tenant, fault)
    if isinstance(answer, Deny):
        refuse(house, actor, "request.refused", answer, governed=key)
    return answer


def unknown_action(house: House, actor: Actor, key: ActionKey, tenant: TenantId | None) -> Deny:
    """Record that somebody asked for an action that is none here, and return the refusal."""
    refusal = denied(DenyCode.UNKNOWN_ACTION, "There is no such action here.")
    named = TargetRef(type="action", id=key[:_LONGEST_KEY])
    refuse(house, actor, "request.refused", refusal, tenant=_ref_of(house, tenant), targets=(named,))
    return refusal


def unfit(house: House, actor: Actor, key: ActionKey, tenant: TenantId | None, fault: Fault) -> BadFields:
    """Record that parameters do not fit the data, as ids of another tenant never do, and return the fault."""
    refusal = denied(DenyCode.BAD_PARAMETER, "A parameter does not fit the data.", fault.remedy, fault.field)
    refuse(house, actor, "request.refused", refusal, governed=key, tenant=_ref_of(house, tenant))
    return BadFields(faults=(FieldFault(field=fault.field, remedy=fault.remedy),))


def _ref_of(house: House, tenant: TenantId | None) -> TenantRef | None:
    with house.store.read() as unit:
        return tenant_ref(unit, tenant, source="directory")


def _previewed(
    house: House,
    unit: ControlUnit,
    actor: Actor,
    action: Action[Any],
    params: object,
    *,
    tenant: TenantId | None,
    reason: Reason,
    repairs: tuple[FindingId | None, Mapping[str, object]],
) -> Previewed | Deny:
    now = house.clock.now()
    with placed(house, unit, actor, tenant, now=now) as place:
        if isinstance(place, Deny):
            return place
        preview = previewed_in(house, unit, actor, action, params, place=place, reason=reason, now=now)
        preview = bound_to(unit, preview, repairs[0], action=action.key, tenant=tenant, plain=repairs[1])
        decision = decided_on(house, unit, actor, action, preview, place=place, reason=reason, now=now)
        emit(
            unit,
            actor,
            "request.previewed",
            at=now,
            governed=action.key,
            tenant=place.ref,
            reason=None if place.lease is None else place.lease.reason,
            authorisation=authorised(house, decision),
            targets=(TargetRef(type=preview.target_type, id=preview.target_id),),
        )
        stepped_up = replace(actor, stepped_up_at=now)
        return Previewed(
            preview=preview,
            decision=decision,
            beyond=decided_on(house, unit, stepped_up, action, preview, place=place, reason=reason, now=now),
            mark=mark_of(preview),
            approve_by=now + timedelta(minutes=house.book.actions[action.key].approve_minutes),
        )


def mark_of(preview: Preview) -> str:
    """Return a short mark of what a preview said, to notice when it says something else at filing."""
    changes = [[change.field, change.before, change.after] for change in preview.every_change]
    return digest_hex(normal({"changes": changes, "fingerprint": dict(preview.fingerprint)}))


@contextmanager
def placed(
    house: House, unit: ControlUnit, actor: Actor, tenant: TenantId | None, *, now: datetime
) -> Iterator[Place | Deny]:
    """Give where an action would run; what is done inside uses its lease. Raises: NotFoundError.

    Shape: the lease's clock is moved last of all, so that whoever ends the lease never waits for us as we for them.
    """
    if tenant is None:
        yield Place(row=None, lease=None, scope=None)
        return
    row = directory_row(unit, tenant)
    lease = lease_on(house, unit, actor, tenant, now=now)
    if isinstance(lease, Deny):
        yield lease
        return
    yield Place(row=row, lease=replace(lease, last_used_at=now), scope=scope_of_lease(lease, row))
    if now - lease.last_used_at >= _TOUCHED:
        unit.leases.touch(lease.id, now)


def previewed_in(
    house: House,
    unit: ControlUnit,
    actor: Actor,
    action: Action[Any],
    params: object,
    *,
    place: Place,
    reason: Reason,
    now: datetime,
) -> Preview:
    """Return the preview, derived from the data as it is in this unit. Raises: Fault."""
    with reading_tools(
        house,
        unit,
        action,
        actor=actor,
        requester=(actor.staff, actor.name),
        reason=reason,
        row=place.row,
        scope=place.scope,
        now=now,
    ) as tools:
        preview: Preview = action.preview(params, tools)
    return preview


def decided_on(
    house: House,
    unit: ControlUnit,
    actor: Actor,
    action: Action[Any],
    preview: Preview,
    *,
    place: Place,
    reason: Reason,
    now: datetime,
) -> Decision:
    """Return policy's answer to an action with these facts."""
    facts: dict[str, Fact] = {**preview.facts, **budget_facts(house, unit, action, actor, now)}
    tenant = None if place.row is None else place.row.id
    leased = None if place.lease is None else place.lease.tenant
    question = query(actor, action.key, now=now, tenant=tenant, leased=leased, reason=reason.code, facts=facts)
    return ask(house, question, unit)


def _reading_reason(place: Place) -> Reason:
    return place.lease.reason if place.lease is not None else Reason(code=_NO_REASON, reference="")
