"""The entries of a command to the billing provider, each once, and whom they are told to."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from console.domain.billing.writes import ProviderWrite, WriteState
from console.domain.decisions import Fact
from console.domain.entries import SYSTEM_ACTOR, Kind
from console.domain.entry_parts import TargetRef
from console.domain.requests import Request
from console.ports.store import ControlUnit
from console.ports.trail import EntryFilter, StoredEntry
from console.usecases.house import House
from console.usecases.notices import tell_requester
from console.usecases.recording import emit_as, request_target, tenant_ref

ASKED, WRITTEN, REFUSED = "provider.asked", "provider.written", "provider.refused"
UNSETTLED = "provider.unsettled"
ENTRY_OF: Mapping[WriteState, str] = MappingProxyType(
    {WriteState.SENT: ASKED, WriteState.DONE: WRITTEN, WriteState.REFUSED: REFUSED}
)
_TOLD = {
    REFUSED: "not done at the billing provider; the request says why.",
    UNSETTLED: "nobody knows yet whether the billing provider did it; the request says more.",
}


def record_write(
    house: House, unit: ControlUnit, action: str, write: ProviderWrite, request: Request, *, at: datetime
) -> None:
    """Write an entry about a command unless it stands already: a job may come to the same place twice."""
    if _standing(unit, action, request) is not None:
        return
    intent = _standing(unit, ASKED, request) if action in {WRITTEN, REFUSED} else None
    parent: dict[str, Any] = {} if intent is None else {"kind": Kind.OUTCOME, "parent": intent.uid}
    error = write.error or None
    emit_as(
        unit,
        SYSTEM_ACTOR,
        action,
        at=at,
        governed=request.action,
        effect=house.registry[request.action].effect,
        tenant=tenant_ref(unit, request.tenant, source="request"),
        reason=request.reason,
        targets=(*request_target(request), *_made(write)),
        correlation=request.id,
        execution=write.id,
        error=None if action in {ASKED, WRITTEN} else error,
        facts=_facts(write),
        **parent,
    )
    if action in _TOLD:
        tell_requester(house, unit, request, kind=action.replace(".", "_"), sentence=_TOLD[action], at=at)


def _facts(write: ProviderWrite) -> dict[str, Fact]:
    facts: dict[str, Fact] = {"operation": write.operation.value, "key": write.idempotency_key}
    if write.currency is not None:
        facts |= {"amount_minor": write.amount_minor, "currency": write.currency}
    return facts


def _made(write: ProviderWrite) -> tuple[TargetRef, ...]:
    if write.result_kind is None or write.result_id is None:
        return ()
    return (TargetRef(type=write.result_kind.value, id=write.result_id),)


def _standing(unit: ControlUnit, action: str, request: Request) -> StoredEntry | None:
    return next(iter(unit.reader.page(EntryFilter(action=action, correlation=request.id), before=None, limit=1)), None)
