"""The one executor: nothing else in the house applies an action."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from console.domain.changes import Applied
from console.domain.decisions import Deny, DenyCode, NeedsStepUp
from console.domain.errors import ConflictError, NotFoundError, OutsideError, TrailUnavailableError, UncertainError
from console.domain.ids import ExecutionId, RequestId
from console.domain.requests import Request, State
from console.domain.staff import Actor
from console.domain.tenancy import TenantScope, TenantStatus
from console.ports.actions import Action, Fault, Landing
from console.ports.planes import TenantPlane
from console.ports.store import ControlUnit
from console.usecases.asking import denied
from console.usecases.break_glass import never_runs
from console.usecases.end_execution import fail, finished, params_of, record
from console.usecases.freezing import FrozenError, refusal_by, why_not_run
from console.usecases.house import House
from console.usecases.outcomes import Execution, Failed, Ran, Unsettled
from console.usecases.recalculate_access import apply_with_access
from console.usecases.recording import RefusedInsideError, refuse_on
from console.usecases.scopes import directory_row, plane_in, scope_of_request
from console.usecases.take_turns import take_turn, take_turn_there
from console.usecases.tooling import tools_for
from console.usecases.verify_request import overtaken, verified

A = TypeVar("A")


def execute_request(house: House, actor: Actor, *, request_id: RequestId) -> Execution:
    """Run an approved request once, or say why not. Raises: NotFoundError, OutsideError."""
    now = house.clock.now()
    with house.store.read() as unit:
        request = unit.requests.get(request_id)
    if request is None:
        raise NotFoundError("There is no such request.")
    try:
        with house.store.write() as unit:
            _wait_for(house, unit, actor, request, now=now)
            request = unit.requests.get(request_id) or request
            answer: Execution = (
                verified(house, unit, actor, request, now=now)
                or never_runs(unit, request)
                or run_in_unit(house, unit, actor, request, now=now)
            )
    except RefusedInsideError as inside:
        answer = overtaken(house, request, inside.deny)
    except Fault as fault:
        answer = _failed(house, actor, request, fault.remedy)
    answer = settle(house, actor, answer)
    if isinstance(answer, Deny | NeedsStepUp):
        refuse_on(house, actor, "request.execute_refused", answer, request)
    return answer


def _wait_for(house: House, unit: ControlUnit, actor: Actor, request: Request, *, now: datetime) -> None:
    action = house.registry.get(request.action)
    if action is not None:
        row = None if request.tenant is None else directory_row(unit, request.tenant)
        scope = None if row is None else scope_of_request(request, row, actor, now=now)
        take_turn(house, unit, action, scope)


def run_in_unit(
    house: House,
    unit: ControlUnit,
    actor: Actor,
    request: Request,
    *,
    now: datetime,
    scope: TenantScope | None = None,
) -> Ran | Unsettled:
    """Start the single execution; on the control store's own database, finish it in the same transaction.

    Shape: `scope` is the one under which the unit works already (a unit opens one), else the request's own.
    Raises: RefusedInsideError when somebody was faster or a freeze came, Fault when the action finds that the world no
    longer fits; both must roll the unit back.
    """
    action = house.registry[request.action]
    frozen = why_not_run(house, unit, request, executor=actor.staff, now=now)
    if frozen is not None:
        raise RefusedInsideError(refusal_by(frozen))
    execution = ExecutionId(house.ids.new("exe"))
    if not unit.requests.move(request, State.EXECUTING, execution=execution, executor=actor.staff, started_at=now):
        raise RefusedInsideError(
            denied(DenyCode.WRONG_STATE, "Somebody else was faster.", "Look at the request again.")
        )
    running = replace(
        request,
        state=State.EXECUTING,
        version=request.version + 1,
        execution=execution,
        executor=actor.staff,
        started_at=now,
    )
    row = None if request.tenant is None else directory_row(unit, request.tenant)
    is_home = row is None or action.lands is Landing.BOOKS_ALONE
    if row is not None and not is_home:
        scope = scope or scope_of_request(request, row, actor, now=now)
    plane = None if scope is None or is_home else plane_in(house, unit, scope)
    _reserve(unit, action, running, at=now)
    if action.budget is not None:
        unit.throttles.hit(action.budget, request.requester, at=now)
    if plane is None and not is_home and action.lands is Landing.PLANE:
        record(house, unit, actor, running, "action.intent", at=now)
        return Unsettled(request=running)
    with _place_of_effect(house, action, scope, plane) as seen:
        tools = tools_for(
            house,
            unit,
            action,
            actor=actor,
            requester=(request.requester, request.requester_name),
            reason=request.reason,
            row=row,
            plane=seen,
            now=now,
            running=running,
        )
        applied = apply_with_access(house, action, params_of(action, request), tools)
    if plane is not None:
        plane.mark_applied(execution, outcome="applied", at=now)
    return Ran(request=finished(house, unit, actor, running, applied, at=now), applied=applied)


@contextmanager
def _place_of_effect(
    house: House, action: Action[Any], scope: TenantScope | None, plane: TenantPlane | None
) -> Iterator[TenantPlane | None]:
    """Open a tenant elsewhere for reading, where the effect of the action is in the control store only."""
    if plane is not None or scope is None or action.lands is not Landing.BOOKS:
        yield plane
        return
    with house.planes.read(scope) as far:
        yield far


def settle(house: House, actor: Actor, answer: A | Unsettled) -> A | Ran | Failed | Unsettled | Deny:
    """Carry an execution that left for another plane to its end; anything else is settled already.

    Raises: UncertainError when it was done there and cannot be recorded yet; recovery writes what is missing.
    """
    if not isinstance(answer, Unsettled):
        return answer
    request = answer.request
    try:
        applied, status = _apply_far_away(house, actor, request)
    except Fault as fault:
        return _failed(house, actor, request, fault.remedy)
    except FrozenError as frozen:
        return _failed(house, actor, request, str(frozen))
    except (OutsideError, ConflictError):
        return answer  # nobody knows what happened: recovery asks the plane, nothing is repeated blindly
    try:
        with house.store.write() as unit:
            if house.registry[request.action].touches_directory and request.tenant is not None:
                unit.directory.set_status(request.tenant, status)
            done = finished(house, unit, actor, request, applied, at=house.clock.now())
    except ConflictError:  # recovery took this process for dead, found the effect on the plane and wrote its outcome
        with house.store.read() as unit:
            done = unit.requests.get(request.id) or request
    except (OutsideError, TrailUnavailableError) as away:
        message = "It was done to the tenant's data; its record is written as soon as that is possible again."
        raise UncertainError(message, permanent=False, request=request.id) from away
    return Ran(request=done, applied=applied)


def _reserve(unit: ControlUnit, action: Action[Any], request: Request, *, at: datetime) -> None:
    """Hold what the execution must be alone with, in the transaction that starts it; raises Fault for the second."""
    name = action.exclusive(params_of(action, request))
    if name is None or request.execution is None:
        return
    if not unit.reservations.take(name, execution=request.execution, at=at):
        raise Fault("", "Another request is at the same thing right now; look at what came of it and ask again.")


def _apply_far_away(house: House, actor: Actor, request: Request) -> tuple[Applied, TenantStatus]:
    """Apply on another plane, fenced by the execution id in the same transaction there."""
    now = house.clock.now()
    action = house.registry[request.action]
    with house.store.read() as unit:
        unit.freezes.hold()  # while the other plane is written, whoever freezes waits
        frozen = why_not_run(house, unit, request, executor=actor.staff, now=now)
        if frozen is not None:
            raise frozen
        row = directory_row(unit, request.tenant) if request.tenant is not None else None
        if row is None or request.execution is None:
            raise NotFoundError("This execution names no tenant.")
        with house.planes.write(scope_of_request(request, row, actor, now=now)) as plane:
            plane.mark_applied(request.execution, outcome="applied", at=now)
            tools = tools_for(
                house,
                unit,
                action,
                actor=actor,
                requester=(request.requester, request.requester_name),
                reason=request.reason,
                row=row,
                plane=plane,
                now=now,
                running=request,
            )
            params = params_of(action, request)
            take_turn_there(unit, action, params, request, tools)
            return apply_with_access(house, action, params, tools), plane.account().status


def _failed(house: House, actor: Actor, request: Request, sentence: str) -> Failed | Deny:
    try:
        with house.store.write() as unit:
            return Failed(request=fail(house, unit, actor, request, sentence, at=house.clock.now()), sentence=sentence)
    except RefusedInsideError as inside:
        return overtaken(house, request, inside.deny)
