"""How an execution ends, whoever carried it: its outcome, what was held for it, what follows, and its entry."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from console.domain.changes import Applied
from console.domain.decisions import Allow, DenyCode
from console.domain.entries import Kind
from console.domain.errors import ConflictError
from console.domain.ids import EntryUid, ExecutionId
from console.domain.requests import RUNNABLE, Request, State
from console.domain.staff import Actor
from console.ports.actions import Action, Fault, Landing, nothing_alone
from console.ports.store import ControlUnit
from console.ports.trail import EntryFilter
from console.usecases.asking import denied
from console.usecases.break_glass import withdraw_review
from console.usecases.house import House
from console.usecases.notices import tell_requester
from console.usecases.open_review import judged_request, open_review
from console.usecases.parameters import built, raw_of
from console.usecases.recording import RefusedInsideError, authorised, emit, moved_target, row_ref
from console.usecases.tooling import counting_votes


def finished(
    house: House, unit: ControlUnit, actor: Actor, request: Request, applied: Applied, *, at: datetime
) -> Request:
    """Write the outcome of an execution and tell the requester. Raises: ConflictError when it was settled before."""
    if not unit.requests.move(request, State.EXECUTED, finished_at=at, outcome=applied.sentence):
        raise ConflictError("This execution was settled before.", request=request.id)
    _let_go(house, unit, request)
    _queue_follow_up(house, unit, request, at=at)
    _open_review(house, unit, request, at=at)
    done = replace(request, state=State.EXECUTED, version=request.version + 1, finished_at=at, outcome=applied.sentence)
    record(house, unit, actor, done, "action.executed", at=at, changes=applied.changes)
    if actor.staff != request.requester:
        # a notice leaves the house, and no tenant's data with it
        tell_requester(house, unit, done, kind="executed", sentence="done.", at=at)
    return done


def fail(house: House, unit: ControlUnit, actor: Actor, request: Request, sentence: str, *, at: datetime) -> Request:
    """Write that an execution did not take place; the plane is untouched.

    Shape: `request` as it was tried: its version fences, so that nothing that came meanwhile is overwritten.
    Raises: RefusedInsideError when somebody was faster, ConflictError when it was settled before.
    """
    if request.state in RUNNABLE:
        execution = ExecutionId(house.ids.new("exe"))
        if not unit.requests.move(request, State.EXECUTING, execution=execution, executor=actor.staff, started_at=at):
            raise RefusedInsideError(
                denied(DenyCode.WRONG_STATE, "Somebody else was faster.", "Look at the request again.")
            )
        request = replace(request, state=State.EXECUTING, version=request.version + 1, execution=execution)
    if not unit.requests.move(request, State.FAILED, finished_at=at, ended_because=sentence):
        raise ConflictError("This execution was settled before.", request=request.id)
    _let_go(house, unit, request)
    withdraw_review(unit, request, because="it failed and changed nothing", at=at)
    done = replace(request, state=State.FAILED, version=request.version + 1, finished_at=at, ended_because=sentence)
    record(house, unit, actor, done, "action.failed", at=at, error=sentence)
    if actor.staff != request.requester:
        tell_requester(house, unit, done, kind="failed", sentence="not done; the request says why.", at=at)
    return done


def _let_go(house: House, unit: ControlUnit, request: Request) -> None:
    is_held = house.registry[request.action].exclusive is not nothing_alone
    if is_held and request.execution is not None:
        unit.reservations.free(request.execution)


def _open_review(house: House, unit: ControlUnit, request: Request, *, at: datetime) -> None:
    """Let what is always judged be judged, in the transaction of its outcome."""
    kind = house.book.actions[request.action].review
    if kind is not None:
        title = request.preview.sentence or house.registry[request.action].title
        open_review(house, unit, kind, judged_request(unit, request, title=title), now=at)


def _queue_follow_up(house: House, unit: ControlUnit, request: Request, *, at: datetime) -> None:
    """Queue the jobs that an action asks for, under the authority of its request, in the transaction of its outcome."""
    action, execution = house.registry[request.action], request.execution
    drafts = () if execution is None else action.follow_up(params_of(action, request), execution)
    for draft in drafts:
        granted = replace(
            draft, tenant=request.tenant, actor=request.requester, reason=request.reason.code, request=request.id
        )
        unit.jobs.add(granted, at=at)


def params_of(action: Action[Any], request: Request) -> object:
    """Return the parameters with which a request runs. Raises: Fault when a release no longer takes them."""
    params, _plain, faults = built(action, raw_of(request.params))
    if faults:
        raise Fault(faults[0].field, faults[0].remedy)
    return params


def _intent_of(unit: ControlUnit, request: Request) -> EntryUid | None:
    """Return the intent entry that an execution on another plane left behind."""
    found = unit.reader.page(EntryFilter(action="action.intent", correlation=request.id), before=None, limit=1)
    return found[0].uid if found else None


def record(
    house: House,
    unit: ControlUnit,
    actor: Actor,
    request: Request,
    action: str,
    *,
    at: datetime,
    **marks: Any,  # noqa: ANN401  fields of EntryDraft
) -> None:
    """Write an entry of an execution, as the outcome of its intent where one went before."""
    row = None if request.tenant is None else unit.directory.get(request.tenant)
    lands = house.registry[request.action].lands
    is_home = row is None or lands is Landing.BOOKS_ALONE or house.planes.shares_control(row.plane)
    intent = None if is_home or action == "action.intent" else _intent_of(unit, request)  # only then one went before
    if intent is not None:
        marks |= {"kind": Kind.OUTCOME, "parent": intent}
    emit(
        unit,
        actor,
        action,
        at=at,
        governed=request.action,
        effect=house.registry[request.action].effect,
        tenant=row_ref(row, source="request"),
        reason=request.reason,
        authorisation=authorised(house, Allow(rules=request.rules), request, counting_votes(unit, request)),
        targets=moved_target(request),
        correlation=request.id,
        execution=request.execution,
        **marks,
    )
